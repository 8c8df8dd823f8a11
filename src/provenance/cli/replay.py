"""``prov replay``."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from provenance.cli import envelope, options, parting, report, results, verify
from provenance.cli.progress import Stages
from provenance.cli.style import Style, plural
from provenance.core import runid
from provenance.core.difference import KNOWN
from provenance.core.verdict import DIFFERENT
from provenance.errors import UsageError

if TYPE_CHECKING:
    from provenance.operations.plan import Plan
    from provenance.operations.rebuild import Rebuilt
    from provenance.operations.replay import ReplayResult

_DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show the plan and the findings, run nothing.")
]
_Env = Annotated[
    str,
    typer.Option(
        "--env",
        metavar="current|rebuild",
        help="Run in the environment that is here, or build the recorded one (with uv).",
    ),
]

_At = Annotated[
    str | None, typer.Option("--at", metavar="DIR", help="Restore and rerun in this folder.")
]
_Smoke = Annotated[
    str | None,
    typer.Option(
        "--smoke", metavar="CMD", help="Run this short form instead; results are not compared."
    ),
]
_Repeat = Annotated[
    int,
    typer.Option(
        "--repeat",
        metavar="N",
        min=1,
        help="Run N times: a value within their range is within tolerance.",
    ),
]

_Receipt = Annotated[
    bool,
    typer.Option(
        "--receipt", help="Write a receipt to publish: how the replay of a lock came out."
    ),
]

_Resume = Annotated[
    bool,
    typer.Option("--resume", help="With --all: leave out what was replayed here to the end."),
]
_All = Annotated[
    bool, typer.Option("--all", help="Replay every run of the lock, in its order, one by one.")
]


def command(
    reference: Annotated[
        str | None,
        typer.Argument(metavar="RUN|prov.lock", help="Default: prov.lock, else the last run."),
    ] = None,
    dry_run: _DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before rerunning.")] = False,
    python: options.Python = None,
    calls: options.Calls = None,
    build: options.Build = False,
    env: _Env = "current",
    at: _At = None,
    smoke: _Smoke = None,
    repeat: _Repeat = 1,
    receipt: _Receipt = False,
    every: _All = False,
    resume: _Resume = False,
    rtol: options.Rtol = None,
    atol: options.Atol = None,
    ulp: options.Ulp = None,
    like: options.Like = None,
    verbose: options.Verbose = False,
    markdown: options.Markdown = False,
    github: options.Github = False,
    json: options.Json = False,
) -> None:
    """Run a recorded command again: warn first, restore its code, rerun, compare the results.

    The code is restored to a folder of its own under .prov/replays; your tree is not touched. Exit
    code: 0 same or within tolerance, 1 different, 3 not compared; with --dry-run that of verify.
    """
    from provenance.operations import plan, replay
    from provenance.operations import receipt as publish
    from provenance.operations.allowed import Limits
    from provenance.operations.verify import Wish

    report.require_one(json=json, markdown=markdown, github=github)
    _check(env, python, (markdown or github) and not dry_run)
    wish = Wish(os.getcwd(), dict(os.environ), reference, python, None, calls, build)
    asked = plan.Asked(env, at or "", smoke or "", repeat, resume, tuple(like or ()))
    limits = Limits(rtol, atol, ulp)
    if every:
        _agreed(yes, dry_run)
        trees = plan.earlier_trees(wish.cwd) if resume else []
        raise typer.Exit(_each(plan.plans(wish, limits, asked), trees, receipt, verbose, json))
    with Stages() as stages:
        planned = plan.plan(wish._replace(progress=stages), limits, asked)
    if receipt:
        publish.check(planned)
    if markdown or github:
        _report(planned, markdown, verbose)
    else:
        _tell(planned, verbose, json)
    if dry_run:
        raise typer.Exit(_dry(planned, json))
    _ask(yes)
    with _stdout_for_json(json):
        result = replay.carry_out(planned, lambda text: typer.echo("prov: " + text, err=True))
    _show(result, receipt, json)
    raise typer.Exit(result.exit_code)


def _dry(planned: Plan, json: bool) -> int:
    """Print the plan where JSON is wanted; return the exit code of a dry run."""
    from provenance.operations import plan

    if json:
        envelope.put("replay", plan.as_json(planned))
    return plan.exit_code(planned)


def _agreed(yes: bool, dry_run: bool) -> None:
    """Ask before all runs of a lock are replayed."""
    if dry_run:
        raise UsageError("--all replays; it has no --dry-run.", "prov verify compares all runs")
    _ask(yes)


def _each(plans: Iterator[Plan], trees: list[str], receipt: bool, verbose: bool, json: bool) -> int:
    """Carry out one plan after the other; return the exit code of the worst.

    trees: of replays before, whose files these may read.
    """
    from provenance.operations import receipt as publish
    from provenance.operations import replay

    done: list[tuple[str, ReplayResult, str | None]] = []
    for planned in plans:
        if receipt:
            publish.check(planned)
        _tell(planned, verbose, json)
        with _stdout_for_json(json):
            result = replay.carry_out(
                planned,
                lambda text: typer.echo("prov: " + text, err=True),
                [*trees, *(one.tree for _, one, _ in done)],
            )
        run = planned.reference.record
        written = publish.publish(result) if receipt else None
        done.append((run.name or runid.short(run.id), result, written))
        if not json:
            typer.echo("\n".join([*_lines(result), ""]))
        if result.exit_code in replay.STOPPED:
            break
    codes = {one.exit_code for _, one, _ in done}
    stopped = max(codes, default=0)
    code = (
        stopped
        if stopped in replay.STOPPED
        else 1
        if 1 in codes
        else 0
        if 0 in codes or not codes
        else 3
    )
    if json:
        each = [dict(replay.as_json(one), receipt=path) for _, one, path in done]
        envelope.put("replay", {"replays": each, "exit_code": code})
    else:
        for name, one, _ in done:
            typer.echo("%-16s  %s: %s" % (name, one.verdict.upper(), one.summary))
        if not done:
            typer.echo("every run of it was replayed here before")
    return code


def _show(result: ReplayResult, receipt: bool, json: bool) -> None:
    """Print how the replay came out, and write its receipt if it is to have one."""
    from provenance.operations import receipt as publish
    from provenance.operations import replay

    written = publish.publish(result) if receipt else None
    if json:
        envelope.put("replay", dict(replay.as_json(result), receipt=written))
        return
    for line in _lines(result):
        typer.echo(line)
    if written:
        typer.echo("wrote %s: publish it with the repository" % os.path.relpath(written))


@contextmanager
def _stdout_for_json(json: bool) -> Iterator[None]:
    """With ``--json``, let the rerun print to stderr: stdout is for the envelope alone."""
    if not json:
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _check(env: str, python: str | None, reported: bool) -> None:
    """Raise `UsageError` for options that make no sense together."""
    from provenance.operations.plan import CURRENT, REBUILD

    if env not in (CURRENT, REBUILD):
        raise UsageError("--env %r is none." % env, "--env current, or --env rebuild")
    if env == REBUILD and python is not None:
        raise UsageError("--env rebuild and --python exclude each other.", "choose one")
    if reported:
        raise UsageError("--markdown and --github show what would be done.", "add --dry-run")


def _tell(planned: Plan, verbose: bool, aside: bool) -> None:
    for line in _planned(planned, Style(sys.stderr if aside else sys.stdout), verbose):
        typer.echo(line, err=aside)


def _planned(planned: Plan, style: Style, verbose: bool) -> list[str]:
    one = planned.checked
    first = verify.first_line(one.verdict, one.findings, len(one.not_compared), style)
    shown = ["%s  %s" % (first, verify.headline(one))]
    shown += verify.checked_lines(one, style, verbose)
    shown.append("will run: %s" % shlex.join(planned.command))
    if planned.rebuilt is not None:
        shown += _rebuilt(planned.rebuilt)
    place = os.path.relpath(planned.destination)
    return [*shown, "      in: %s (restored code)" % place]


def _rebuilt(made: Rebuilt) -> list[str]:
    """Return what the rebuilt environment is, and what it could not hold."""
    when = "built in %.1f s" % made.seconds if made.built else "built before"
    shown = ["    with: %s (%s; %s)" % (made.python, plural(made.packages, "package"), when)]
    shown += ["  ! without %s" % str(one) for one in made.missing]
    return [*shown, *("  ! " + note for note in made.notes)]


def _report(planned: Plan, markdown: bool, verbose: bool) -> None:
    one = planned.checked
    title = "prov replay --dry-run: %s" % one.verdict.upper()
    part = verify.as_section(one)
    part = part._replace(notes=(*part.notes, "will run: %s" % shlex.join(planned.command)))
    if markdown:
        report.put_markdown(title, [part])
        return
    lines = _planned(planned, Style(sys.stdout), verbose)
    top = planned.place.repo or planned.place.root
    report.put_github(title, [part], lines, KNOWN, top)


def _ask(agreed: bool) -> None:
    """Ask whether to rerun, unless that is ``agreed``. Raises `UsageError` without a terminal."""
    if agreed:
        return
    if not sys.stdin.isatty():
        raise UsageError("not rerun: there is no terminal to ask on.", "confirm with --yes")
    if not typer.confirm("Rerun now?", default=True, err=True):
        raise typer.Exit(0)


def _lines(result: ReplayResult) -> list[str]:
    style = Style(sys.stdout)
    new = result.run.record
    shown = [
        "results of %s, replayed as %s"
        % (
            runid.short(result.plan.reference.record.id),
            runid.short(new.id) if new else "(no record)",
        )
    ]
    shown += results.lines(result.results, style)
    shown += ["  %s: %s" % (one.name, one) for one in result.envelopes] if result.envelopes else []
    shown += ["  ! " + note for note in result.notes]
    if result.parted is not None:
        shown += parting.lines(result.parted, style)
    shown.append("files of the rerun: %s" % os.path.relpath(result.tree))
    colour = "red" if result.verdict == DIFFERENT else "green" if not result.exit_code else "yellow"
    word = style(result.verdict.upper(), "bold", colour)
    return [*shown, "%s: %s (exit %d)" % (word, result.summary, result.exit_code)]
