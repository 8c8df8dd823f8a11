"""``prov rm`` and ``prov keep``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from provenance.cli import envelope, options
from provenance.cli.style import flat, plural, size
from provenance.core import runid
from provenance.errors import UsageError

if TYPE_CHECKING:
    from provenance.operations.removing import Doomed, Removal


def command(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also what a lock names, what is kept or corrupt.")
    ] = False,
    blobs_only: Annotated[
        bool,
        typer.Option("--blobs-only", help="Keep the records; remove logs, series and code."),
    ] = False,
    json: options.Json = False,
) -> None:
    """Remove runs, or only what they keep beside their records. Asks first.

    Files outside of .prov are never touched: what the runs wrote stays. A run that goes on is never
    removed; one that prov.lock names, or that is kept, only with --force.
    """
    from provenance.operations import removing

    planned = removing.plan(os.getcwd(), tuple(runs), force, blobs_only)
    if not yes and json:
        envelope.put("rm", removing.as_json(planned, removed=False))
        return
    if not json:
        for line in _lines(planned):
            typer.echo(line)
    if not yes:
        _ask(planned)
    problems = removing.remove(planned)
    if json:
        envelope.put("rm", removing.as_json(planned, True, problems))
        return
    typer.echo("removed %s, %s freed" % (_what(planned), size(planned.usage.bytes)))
    for problem in problems:
        typer.echo("  ! %s" % problem, err=True)


def keep(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN...]", help="Without: list the kept ones.")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Keep them no longer.")] = False,
    json: options.Json = False,
) -> None:
    """Keep runs from being removed by gc and rm."""
    from provenance.operations import removing

    changed = removing.keep(os.getcwd(), tuple(runs or ()), not off)
    if json:
        data = [{"id": run_id, "changed": new} for run_id, new in changed]
        envelope.put("keep", {"kept": not off, "runs": data})
        return
    for run_id, new in changed:
        state = "not kept" if off else "kept"
        typer.echo(
            "%s  %s%s" % (runid.short(run_id), state, "" if new or not runs else ", as before")
        )
    if not changed:
        typer.echo("no run is kept; keep one with: prov keep RUN")


def _lines(planned: Removal) -> list[str]:
    lines = [
        "%8s  %s  %s" % (size(one.usage.bytes), runid.short(one.id), _told(one))
        for one in planned.runs
    ]
    return lines + ["  ! %s" % note for note in planned.notes]


def _told(one: Doomed) -> str:
    if one.record is None:
        return "(its record cannot be read)"
    name = '"%s"  ' % one.record.name if one.record.name else ""
    return "%s%s  %s" % (
        name, one.record.started[:16].replace("T", " "), flat(" ".join(one.record.command))[:60],
    )  # fmt: skip


def _what(planned: Removal) -> str:
    runs = plural(len(planned.runs), "run")
    return "the blobs of %s; records stay" % runs if planned.blobs_only else runs


def _ask(planned: Removal) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            "nothing was removed: there is no terminal to ask on.", "confirm with --yes"
        )
    if not typer.confirm("Remove %s?" % _what(planned), default=False, err=True):
        raise typer.Exit(0)
