"""``prov lock``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from provenance.cli import envelope, options
from provenance.cli.style import plural


def command(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...")],
    out: Annotated[
        str | None, typer.Option("--out", metavar="PATH", help="Instead of prov.lock.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Publish runs as the reference of this repository: write prov.lock.

    The lock is one text file that git can hold; `prov verify` and the drop-in test compare with it.
    What a reviewer would object to is said as a warning.
    """
    from provenance.operations import lock

    result = lock.lock(os.getcwd(), tuple(runs), out)
    if json:
        envelope.put("lock", lock.as_json(result))
        return
    typer.echo("wrote %s (%s)" % (os.path.relpath(result.path), plural(len(result.runs), "run")))
    for warning in result.warnings:
        typer.echo("  ! %s" % warning)
    typer.echo("next: git add %s; prov verify" % os.path.basename(result.path))
