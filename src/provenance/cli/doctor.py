"""``prov doctor``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from provenance.cli import envelope, options
from provenance.cli.style import Style, plural

if TYPE_CHECKING:
    from provenance.operations import doctor

_COLOURS = {"ok": "green", "limited": "yellow", "not possible": "red"}
SETTINGS = {"context_settings": {"allow_interspersed_args": False}}
"""What stands behind the first word of the command is the command's."""


def command(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[-- CMD]", help="The command to look at.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Say what can be recorded here, what not, and why. Nothing is left behind.

    With a command, that command's interpreter is tried: a small program is run in it, in a
    temporary folder, and what the hook saw of it is compared with what it did. Exit code 1 where
    something is missing without which recording does not work.
    """
    from provenance.operations import doctor

    found = doctor.diagnose(tuple(words or ()), os.getcwd(), dict(os.environ))
    if json:
        checks = [one._asdict() for one in found.checks]
        envelope.put("doctor", {"works": found.works, "checks": checks})
    else:
        _print(found.works, found.checks)
    if not found.works:
        raise typer.Exit(1)


def _print(works: bool, checks: tuple[doctor.Check, ...]) -> None:
    style = Style(sys.stdout)
    for one in checks:
        status = style("%-12s" % one.status, _COLOURS[one.status])
        typer.echo("%s  %-19s  %s" % (status, one.name, one.says))
        if one.remedy:
            typer.echo("%s  %-19s  %s" % (" " * 12, "", style("-> " + one.remedy, "dim")))
    counts = {kind: sum(1 for one in checks if one.status == kind) for kind in _COLOURS}
    rest = "%s limited, %s not possible" % (counts["limited"], counts["not possible"])
    if works:
        typer.echo("Recording works here (%s, %s)." % (plural(len(checks), "check"), rest))
        return
    bad = [one.name for one in checks if one.essential and one.status == "not possible"]
    typer.echo("Recording does not work here: %s." % ", ".join(bad))
