"""``prov push`` and ``prov pull``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provenance.cli import envelope, options
from provenance.cli.progress import Stages
from provenance.cli.style import flat, plural, size
from provenance.core import runid
from provenance.errors import Incomplete, UsageError

if TYPE_CHECKING:
    from provenance.operations._artifacts import Unusable
    from provenance.operations._transfers import Failure
    from provenance.operations.pulling import Pulled
    from provenance.operations.pushing import Choice, Pushed

_SHOWN = 20

Remote = Annotated[
    str,
    typer.Option(
        "--remote", metavar="NAME|URL", help="A name in prov.yaml or of DVC's, a URL or a folder."
    ),
]
Data = Annotated[bool, typer.Option("--data", help="Only files that were read.")]
Outputs = Annotated[bool, typer.Option("--outputs", help="Only files that were written.")]
All = Annotated[bool, typer.Option("--all", help="Also files outside of the project.")]
Records = Annotated[bool, typer.Option("--records", help="Only the records, no files.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")]


def push(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN...]", help="Without: the last run.")
    ] = None,
    remote: Remote = "",
    data: Data = False,
    outputs: Outputs = False,
    every: All = False,
    records: Records = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also what is there: mends a damaged remote.")
    ] = False,
    dry_run: DryRun = False,
    verbose: options.Verbose = False,
    json: options.Json = False,
) -> None:
    """Send runs to a remote: their records, and the files that they read and wrote.

    What is there already is not sent again. A file that is not what it was in the run is not sent,
    but named. A remote is a folder, or what DVC reaches: ssh://, s3://, gs://, azure:// ...
    """
    from provenance.operations import pushing

    choice = _choice(data, outputs, every, records, dry_run)._replace(again=again)
    with Stages("looking") as stages:
        done = pushing.push(os.getcwd(), tuple(runs or ()), remote, choice, stages)
    problem = _incomplete(len(done.lost) + len(done.failed), "pushed")
    if json:
        envelope.put("push", _pushed(done), () if done.complete else (problem,))
    else:
        _tell_push(done, verbose)
    if not done.complete:
        raise typer.Exit(problem.exit_code)


def pull(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN...]", help="Without: all runs' records, no files."),
    ] = None,
    remote: Remote = "",
    data: Data = False,
    outputs: Outputs = False,
    every: All = False,
    records: Records = False,
    dry_run: DryRun = False,
    verbose: options.Verbose = False,
    json: options.Json = False,
) -> None:
    """Fetch runs from a remote: their records, and their files into the store beside them.

    Nothing of yours is touched: prov checkout puts files in place. What is missing or damaged at
    the remote is named, and the rest arrives. After an interruption pull again: it goes on.
    """
    from provenance.operations import pulling

    choice = _choice(data, outputs, every, records, dry_run)
    with Stages("looking") as stages:
        done = pulling.pull(os.getcwd(), tuple(runs or ()), remote, choice, stages)
    problem = _incomplete(len(done.failed), "pulled")
    if json:
        envelope.put("pull", _pulled(done), () if done.complete else (problem,))
    else:
        _tell_pull(done, bool(runs), verbose)
    if not done.complete:
        raise typer.Exit(problem.exit_code)


def _choice(data: bool, outputs: bool, every: bool, records: bool, dry: bool) -> Choice:
    from provenance.operations.pushing import Choice

    if records and (data or outputs or every):
        raise UsageError("--records means no files.", "leave out --data, --outputs and --all")
    facets = ("data",) * data + ("outputs",) * outputs or ("data", "outputs")
    return Choice(() if records else facets, every, False, dry)


def _incomplete(count: int, what: str) -> Incomplete:
    return Incomplete("%s could not be %s." % (plural(count, "file"), what))


def _tell_push(done: Pushed, verbose: bool) -> None:
    would = "would send" if done.dry else "sent"
    names = " ".join(runid.short(one) for one in done.runs)
    blobs = "%s, %s" % (plural(done.sent[0], "file"), size(done.sent[1]))
    typer.echo("%s %s to %s; %d there already" % (would, blobs, done.remote, done.there[0]))
    _tell_left(done.left, verbose)
    for one in done.lost:
        typer.echo("  ! %s (%s): %s" % (flat(str(one.ref)), runid.short(one.run), one.why))
    failures(done.failed)
    _tell_notes(done.notes)
    if done.complete and not done.dry:
        typer.echo("next, elsewhere: prov pull %s" % names)


def _tell_pull(done: Pulled, named: bool, verbose: bool) -> None:
    would = "would fetch" if done.dry else "fetched"
    typer.echo(
        "%s %s, %s (%s) from %s; %s here already"
        % (
            would, plural(done.records, "record"), plural(done.fetched[0], "file"),
            size(done.fetched[1]), done.remote, done.there[0],
        )
    )  # fmt: skip
    _tell_left(done.left, verbose)
    failures(done.failed)
    _tell_notes(done.notes)
    if done.complete and not done.dry and named:
        names = [runid.short(one) for one in done.runs]
        typer.echo("next: prov checkout %s" % names[0])
    elif not named and done.runs:
        typer.echo("next: prov ls; prov pull RUN")


def _tell_notes(notes: tuple[str, ...]) -> None:
    for note in notes:
        typer.echo("  note: %s" % note, err=True)


def _tell_left(left: tuple[Unusable, ...], verbose: bool) -> None:
    if not left:
        return
    total = size(sum(one.size for one in left))
    typer.echo(
        "  %s outside of the project left out, %s (--all)" % (plural(len(left), "file"), total)
    )
    for one in left if verbose else ():
        typer.echo("    %s" % flat(str(one.ref)))


def failures(found: tuple[Failure, ...]) -> None:
    """Print a line for each file that failed."""
    for one in found[:_SHOWN]:
        typer.echo("  ! %s: %s" % (flat(one.path), flat(one.why)))
    if len(found) > _SHOWN:
        typer.echo("  ! ... and %d more: --json has all" % (len(found) - _SHOWN))


def failed_json(found: tuple[Failure, ...]) -> list[dict[str, Any]]:
    """Return the JSON form of failures."""
    return [{"path": one.path, "reason": one.why, "damaged": one.damaged} for one in found]


def _unusable(found: tuple[Unusable, ...]) -> list[dict[str, Any]]:
    return [
        {"run": one.run, "facet": one.facet, "path": one.ref.to_json(), "reason": one.why}
        for one in found
    ]


def _counts(pair: tuple[int, int]) -> dict[str, int]:
    return {"blobs": pair[0], "bytes": pair[1]}


def _pushed(done: Pushed) -> dict[str, Any]:
    return {
        "remote": done.remote,
        "runs": list(done.runs),
        "dry_run": done.dry,
        "sent": _counts(done.sent),
        "there": _counts(done.there),
        "lost": _unusable(done.lost),
        "left_out": _unusable(done.left),
        "failed": failed_json(done.failed),
        "notes": list(done.notes),
    }


def _pulled(done: Pulled) -> dict[str, Any]:
    return {
        "remote": done.remote,
        "runs": list(done.runs),
        "dry_run": done.dry,
        "records": done.records,
        "fetched": _counts(done.fetched),
        "here": _counts(done.there),
        "left_out": _unusable(done.left),
        "failed": failed_json(done.failed),
        "notes": list(done.notes),
    }
