"""``prov ls``."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from provenance.cli import envelope, options
from provenance.cli.style import duration
from provenance.core import runid
from provenance.core.record import Record
from provenance.errors import UsageError

if TYPE_CHECKING:
    from provenance.operations.listing import Origin


def command(
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="Only runs with this tag; repeatable.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Only runs of this name.")] = None,
    remote: Annotated[
        bool, typer.Option("--remote", help="List the team's runs on a git remote instead.")
    ] = False,
    where: Annotated[
        str | None, typer.Argument(metavar="[REMOTE]", help="With --remote: which, or its address.")
    ] = None,
    json: options.Json = False,
) -> None:
    """List the recorded runs of this project, oldest first."""
    if remote:
        from provenance.cli import share

        share.listing(where, tuple(tag or ()), name, json)
        return
    if where is not None:
        raise UsageError("%r goes with --remote only." % where, "prov ls --remote %s" % where)
    from provenance.operations import listing

    found = listing.ls(os.getcwd(), tuple(tag or ()), name)
    if json:
        runs = [listing.summary(run, found.origins.get(run.id)) for run in found.runs]
        data = {"runs": runs, "problems": found.problems}
        envelope.put("ls", data)
        return
    if not found.runs:
        typer.echo("no runs in %s; record one with: prov run -- python train.py" % found.place)
    else:
        typer.echo("%-8s  %-16s  %-11s  %8s  %s" % ("run", "started", "status", "took", "command"))
    for run in found.runs:
        typer.echo(_row(run, found.origins.get(run.id)))
    for problem in found.problems:
        typer.echo("prov: left out: %s" % problem, err=True)


def _row(run: Record, origin: Origin | None) -> str:
    status = run.status if run.exit_code in (0, None) else "exit %d" % run.exit_code
    if run.signal:
        status = "signal %d" % run.signal
    first, *more = shlex.join(run.command).splitlines() or [""]
    text = first + (" ..." if more else "")
    extras = ['"%s"' % run.name] if run.name else []
    extras += ["#" + tag for tag in run.tags]
    if run.replay_of:
        extras.append("replay of " + runid.short(run.replay_of))
    if origin is not None:
        extras.append("(%s)" % str(origin))
    started = run.started[:16].replace("T", " ")
    shown = "%s  %s" % (text, " ".join(extras)) if extras else text
    return "%-8s  %-16s  %-11s  %8s  %s" % (
        runid.short(run.id),
        started,
        status,
        duration(run.duration_s),
        shown,
    )
