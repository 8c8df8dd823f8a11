"""``prov init``."""

from __future__ import annotations

import os
from typing import Annotated, NoReturn

import typer

from provenance.cli import envelope, options
from provenance.errors import UsageError


def command(
    test: Annotated[
        bool, typer.Option("--test", help="Also write test_provenance.py, the drop-in test.")
    ] = False,
    sdk: Annotated[
        bool,
        typer.Option("--sdk", help="Also write prov_sdk.py, to tell records things from code."),
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="With --test: change nothing; say whether the test file here is the one of this "
            "prov, byte for byte, and end with 1 where it is not.",
        ),
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

    if check:
        _check(test, json)
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


def _check(test: bool, json: bool) -> NoReturn:
    """Tell what the drop-in test of this repository is, and end."""
    from provenance.operations import dropin

    if not test:
        raise UsageError("--check goes with --test.", "prov init --test --check")
    found = dropin.check(os.getcwd())
    if json:
        envelope.put("init", found._asdict())
    else:
        typer.echo(found.sentence)
    raise typer.Exit(0 if found.state == dropin.SHIPPED else 1)
