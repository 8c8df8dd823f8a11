"""``prov init``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from provenance.cli import envelope, options


def command(
    test: Annotated[
        bool, typer.Option("--test", help="Also write test_provenance.py, the drop-in test.")
    ] = False,
    sdk: Annotated[
        bool,
        typer.Option("--sdk", help="Also write prov_sdk.py, to tell records things from code."),
    ] = False,
    json: options.Json = False,
) -> None:
    """Set the project up: prov.yaml and .prov. Optional, and safe to repeat.

    `prov run` works without it. With --test, one readable file is written that checks prov.lock
    with nothing but the standard library, under pytest or plain python. With --sdk, one file is
    written here by which code can log parameters, metrics, artifacts and fingerprints; it does
    nothing outside of `prov run`.
    """
    from provenance.operations import initialise

    result = initialise.init(os.getcwd(), test, sdk)
    if json:
        envelope.put("init", result._asdict())
        return
    for path in result.made:
        typer.echo("wrote %s" % os.path.relpath(path))
    for path in result.kept:
        typer.echo("kept  %s (it was there)" % os.path.relpath(path))
    typer.echo("records go to %s" % os.path.join(os.path.relpath(result.root), ".prov"))
    typer.echo("next: prov run -- python train.py")
