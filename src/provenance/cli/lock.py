"""``prov lock``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from provenance.cli import envelope, options
from provenance.cli.progress import Stages
from provenance.cli.style import plural


def command(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...")],
    out: Annotated[
        str | None, typer.Option("--out", metavar="PATH", help="Instead of prov.lock.")
    ] = None,
    calls: Annotated[
        str | None,
        typer.Option(
            "--calls",
            metavar="MODE",
            help="Let it carry what the runs' own calls returned: synthetic, cut or full.",
        ),
    ] = None,
    build: options.Build = False,
    json: options.Json = False,
) -> None:
    """Publish runs as the reference of this repository: write prov.lock.

    The lock is one text file that git can hold; `prov verify` and the drop-in test compare with it.
    With --calls a reader's `prov verify --calls` needs neither the recorded environment nor the
    data: synthetic carries no value of the data, cut samples of what your calls returned, full the
    data itself, cut. What a reviewer would object to is said as a warning.
    """
    from provenance.operations import lock

    with Stages() as stages:
        wish = lock.Wish(calls or "off", dict(os.environ), build, stages)
        result = lock.lock(os.getcwd(), tuple(runs), out, wish)
    if json:
        envelope.put("lock", lock.as_json(result))
        return
    typer.echo("wrote %s (%s)" % (os.path.relpath(result.path), plural(len(result.runs), "run")))
    for note in result.notes:
        typer.echo("  %s" % note)
    for warning in result.warnings:
        typer.echo("  ! %s" % warning)
    typer.echo("next: git add %s; prov verify" % os.path.basename(result.path))
