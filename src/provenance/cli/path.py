"""``prov path``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from provenance.cli import envelope, options
from provenance.cli.progress import Progress


def command(
    address: Annotated[
        str,
        typer.Argument(
            metavar="RUN:NAME",
            help="A file or folder of a run: its path or the end of it, a glob, or its name.",
        ),
    ],
    every: Annotated[
        bool, typer.Option("--all", help="Print all files that a glob means, one a line.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Print where an artifact of a run is, with the recorded content.

    Where it is no longer in place it is brought, verified and kept read-only in .prov/artifacts;
    your files are not touched.
    """
    from provenance.operations import path

    work = path.Work()
    with Progress(lambda: "bringing %s, %.1f MB so far" % (address, work.told() / 1e6)):
        results = path.path(os.getcwd(), dict(os.environ), address, work, every)
    if json:
        envelope.put("path", path.as_json(results))
        return
    for one in results:
        typer.echo(os.fsencode(one.path))
