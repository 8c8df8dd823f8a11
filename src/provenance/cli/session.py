"""``prov session``: the recorder of a live notebook session, started by ``%load_ext provenance``.

Not for people: it speaks JSON, a document a line, with the kernel that started it.
"""

from __future__ import annotations

import json
import os
import select
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from provenance.errors import ProvError

if TYPE_CHECKING:
    from provenance.operations.session import Session

SETTINGS = {"hidden": True}
_LOOK_S = 1.0
"""Seconds between looks at the kernel."""


def command(notebook: Annotated[str, typer.Argument(help="The notebook's name.")] = "") -> None:
    """Record the session of the kernel that starts this, until it says so or ends."""
    from provenance.operations.session import Session

    kernel = os.getppid()
    try:
        session = Session(os.getcwd(), dict(os.environ), notebook, kernel)
        _say(session.begin())
    except (ProvError, OSError) as error:
        _say({"error": str(error)})
        raise typer.Exit(1) from None
    name = _wait(session, kernel)
    closed = session.finish(name or "")
    lines = ["prov: not all was recorded: %s" % problem for problem in session.problems]
    if closed is not None:
        from provenance.cli import summary

        lines += ["prov: recorded %s" % summary.headline(closed), *summary.lines(closed)]
    if name is not None:
        _say({"lines": lines})


def _wait(session: Session, kernel: int) -> str | None:
    """Return the name under which the kernel wants the record closed; None where it is gone."""
    while os.getppid() == kernel:
        ready, _, _ = select.select([sys.stdin], [], [], _LOOK_S)
        session.look()
        if ready:
            line = sys.stdin.readline()
            return str(json.loads(line).get("save", "")) if line else None
    return None


def _say(value: dict[str, object]) -> None:
    try:
        sys.stdout.write(json.dumps(value) + "\n")
        sys.stdout.flush()
    except OSError:
        return  # the kernel is gone
