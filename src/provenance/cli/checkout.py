"""``prov checkout``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from provenance.cli import envelope, options
from provenance.cli.progress import Stages
from provenance.cli.push import Data, DryRun, Outputs, Remote, failed_json, failures
from provenance.cli.style import flat, plural
from provenance.errors import Incomplete

if TYPE_CHECKING:
    from provenance.operations.checkout import Placed

_SHOWN = 10


def command(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN[:NAME]", help="A run, or of it one file or folder: as for prov path."
        ),
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="FOLDER", help="Put the files below this folder.")
    ] = "",
    data: Data = False,
    outputs: Outputs = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Move other files that are in the way to .prov/replaced."),
    ] = False,
    remote: Remote = "",
    dry_run: DryRun = False,
    json: options.Json = False,
) -> None:
    """Put files of a run where they were, or below another folder.

    Files that are right are left alone. Where another file is in the way, nothing at all is
    written. What is not kept here is fetched, where a remote is named or set.
    """
    from provenance.operations import checkout

    facets = ("data",) * data + ("outputs",) * outputs or ("data", "outputs")
    wish = checkout.Wish(to, facets, force, dry_run, remote)
    with Stages("looking") as stages:
        done = checkout.checkout(os.getcwd(), run, wish, stages)
    problem = Incomplete("%s could not be had." % plural(len(done.failed), "file"))
    if json:
        data_out = {
            "run": done.run,
            "dry_run": done.dry,
            "placed": list(done.placed),
            "there": list(done.there),
            "replaced": [{"path": old, "kept_at": new} for old, new in done.replaced],
            "failed": failed_json(done.failed),
        }
        envelope.put("checkout", data_out, () if done.complete else (problem,))
    else:
        _tell(done)
    if not done.complete:
        raise typer.Exit(problem.exit_code)


def _tell(done: Placed) -> None:
    verb = "would write" if done.dry else "wrote"
    typer.echo(
        "%s %s; %d there already" % (verb, plural(len(done.placed), "file"), len(done.there))
    )
    for path in done.placed[:_SHOWN]:
        typer.echo("  %s" % flat(_near(path)))
    if len(done.placed) > _SHOWN:
        typer.echo("  ... and %d more" % (len(done.placed) - _SHOWN))
    for old, new in done.replaced:
        typer.echo("  replaced %s; yours is now %s" % (flat(_near(old)), flat(_near(new))))
    failures(done.failed)


def _near(path: str) -> str:
    near = os.path.relpath(path)
    return path if near.startswith("..") else near
