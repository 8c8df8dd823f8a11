"""``prov close``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from provenance.cli import envelope, options
from provenance.cli.progress import Stages
from provenance.cli.style import plural
from provenance.core import runid

if TYPE_CHECKING:
    from provenance.operations.close import Closed


def command(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN...]", help="Without: every run of the project."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Take the digests that runs had no time for.

    A file that changed since the run is not digested: the record then says that it changed. May be
    interrupted and called again; where nothing is pending it does nothing.
    """
    from provenance.operations import close

    with Stages() as stages:
        stages("digesting")
        result = close.close(os.getcwd(), tuple(runs or ()), stages)
    if json:
        envelope.put("close", close.as_json(result))
        return
    for one in result.runs:
        typer.echo("%s  %s" % (runid.short(one.id), _text(one)))
    for problem in result.problems:
        typer.echo("  ! %s" % problem)
    if not result.runs:
        typer.echo("nothing is pending")


def _text(one: Closed) -> str:
    if one.running:
        return "still running"
    parts = []
    if one.taken:
        parts.append("%s taken" % plural(one.taken, "digest"))
    if one.changed:
        parts.append("%s changed since the run" % plural(one.changed, "file"))
    if one.left:
        parts.append("%d still pending" % one.left)
    return "; ".join(parts) or "nothing is pending"
