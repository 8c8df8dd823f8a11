"""``prov verify``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from provenance.cli import envelope, findings, options, report
from provenance.cli.groups import Block, grouped
from provenance.cli.markdown import Section
from provenance.cli.progress import Stages
from provenance.cli.style import Style, plural
from provenance.core import runid
from provenance.core.difference import EFFECTS, NONE
from provenance.core.verdict import DIFFERENT, Finding
from provenance.errors import UsageError

if TYPE_CHECKING:
    from provenance.operations.verify import Checked, VerifyResult

_LEAST_ROOM = 4
"""Rows that the findings of one of several references get at least."""

_Deep = Annotated[
    bool,
    typer.Option("--deep", help="Digest the files of the packages that the run imported, too."),
]


def command(
    reference: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN|FILE",
            help="Default: prov.lock, else the last run, else the best environment file here.",
        ),
    ] = None,
    python: options.Python = None,
    fail_on: options.FailOn = None,
    calls: options.Calls = None,
    build: options.Build = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Fetch no wheel to read what changed in it.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Digest all stated data, however long that takes.")
    ] = False,
    deep: _Deep = False,
    junit: Annotated[
        str | None,
        typer.Option("--junit", metavar="FILE", help="Also write JUnit XML, for CI systems."),
    ] = None,
    verbose: options.Verbose = False,
    markdown: options.Markdown = False,
    github: options.Github = False,
    json: options.Json = False,
) -> None:
    """Say whether today's environment, code and data still match a record, and why it matters.

    Exit code: 0 nothing at or above --fail-on, 1 a difference that counts, 3 nothing comparable.
    """
    from provenance.operations import verify

    check_effect(fail_on)
    report.require_one(json=json, markdown=markdown, github=github)
    with Stages() as stages:
        environ = dict(os.environ)
        wish = verify.Wish(
            os.getcwd(), environ, reference, python, fail_on, calls, build, stages, offline, full
        )
        wish = wish._replace(deep=deep)
        result = verify.verify(wish)
    if junit is not None:
        report.write_junit(
            junit, [(headline(one, path=False), one) for one in result.checked], result.fail_on
        )
    if json:
        envelope.put("verify", verify.as_json(result))
    elif markdown:
        report.put_markdown(_title(result), map(as_section, result.checked))
    elif github:
        parts = [as_section(one) for one in result.checked]
        lines, top = _lines(result, verbose), verify.top(wish.cwd)
        report.put_github(_title(result), parts, lines, result.fail_on, top)
    else:
        for line in _lines(result, verbose):
            typer.echo(line)
    raise typer.Exit(result.exit_code)


def _title(result: VerifyResult) -> str:
    tally = findings.tally(f for one in result.checked for f in one.findings)
    return "prov verify: %s%s" % (result.verdict.upper(), " (%s)" % tally if tally else "")


def as_section(one: Checked) -> Section:
    """Return one compared reference as a section of a report."""
    heading = "%s: %s" % (headline(one, path=False), one.verdict.upper())
    return report.section(heading, one.findings, one.facts, one.not_compared, one.calls, one.notes)


def check_effect(fail_on: str | None) -> None:
    """Raise `UsageError` where ``fail_on`` is not an effect that one can fail on."""
    allowed = [effect for effect in EFFECTS if effect != NONE]
    if fail_on is not None and fail_on not in allowed:
        raise UsageError("--fail-on %r is not an effect." % fail_on, "one of " + ", ".join(allowed))


def _lines(result: VerifyResult, verbose: bool) -> list[str]:
    style = Style(sys.stdout)
    found = [f for one in result.checked for f in one.findings]
    left = sum(len(one.not_compared) for one in result.checked)
    shown = first_line(result.verdict, found, left, style, result.exit_code)
    if len(result.checked) == 1:
        return [
            "%s  %s" % (shown, headline(result.checked[0])),
            *checked_lines(*result.checked, style, verbose),
        ]
    telling = sum(bool(grouped(one.findings).blocks) for one in result.checked) or 1
    room = max(_LEAST_ROOM, findings.ROOM // telling)
    lines, told = [shown], frozenset[Block]()
    for one in result.checked:
        lines += ["", "%s: %s" % (headline(one), one.verdict.upper())]
        lines += checked_lines(one, style, verbose, room, told)
        told |= set(grouped(one.findings).blocks)
    return lines


def first_line(
    verdict: str, found: Iterable[Finding], left: int, style: Style, code: int | None = None
) -> str:
    """Return the verdict with what it rests on: ``DIFFERENT: 1 known; 2 not compared (exit 1)``."""
    tally = findings.tally(found)
    colour = {0: "green", 1: "red"}.get(0 if code is None else code, "yellow")
    if code is None and verdict == DIFFERENT:
        colour = "red"
    word = style(verdict.upper(), "bold", colour)
    rest = "; %d not compared" % left if left else ""
    ending = "" if code is None else " (exit %d)" % code
    return "%s%s%s%s" % (word, ": " + tally if tally else "", rest, ending)


def checked_lines(
    one: Checked,
    style: Style,
    verbose: bool,
    room: int = findings.ROOM,
    told: frozenset[Block] = frozenset(),
) -> list[str]:
    """Return one compared reference: findings, what was compared. ``told``: blocks shown before."""
    groups = grouped(one.findings)
    new = [block for block in groups.blocks if block not in told]
    shown = findings.block_lines(new, style, verbose, room)
    if len(new) < len(groups.blocks):
        shown.append("%s as above" % plural(len(groups.blocks) - len(new), "finding"))
    calls = findings.calls_clause(one.calls, one.not_compared, verbose)
    compared = [findings.compared_line(one.facts, verbose), *([calls] if calls else [])]
    rest = one.not_compared if verbose else findings.told_apart(one.not_compared)
    if verbose:
        shown += [*findings.unfolded(groups), *compared]
    else:
        folded = findings.folded(groups)
        if shown and folded:
            shown.append(folded)
        elif folded:
            compared.append(folded)
        shown.append("; ".join(compared))
    shown += findings.not_compared_lines(rest, verbose)
    return shown + ["  ! " + note for note in one.notes]


def headline(one: Checked, path: bool = True) -> str:
    """Return the line that names the reference and the interpreter that it is compared with.

    path: of the interpreter; it says nothing to readers on other machines.
    """
    if one.reference.stated is not None:
        return "%s  vs  %s" % (_stated(one), _against(one, path))
    run = one.reference.record
    name = ' "%s"' % run.name if run.name else ""
    what = "run %s%s, %s" % (runid.short(run.id), name, run.started[:10])
    if one.reference.kind == "lock":
        what = "%s (%s)" % (os.path.relpath(one.reference.source), what)
    return "%s  vs  %s" % (what, _against(one, path))


def _against(one: Checked, path: bool) -> str:
    """Return what is compared with: the interpreter, or the machine where there is none."""
    if one.interpreter is None:
        used = "the run used" if one.reference.stated is None else "it speaks of"
        return "this machine (%s no Python)" % used
    if not path:
        return "Python %s" % one.interpreter["version"]
    executable = one.interpreter["executable"]
    below = os.path.relpath(executable)
    shown = executable if below.startswith("..") else os.path.join(".", below)
    return "%s %s" % (shown, one.interpreter["version"])


def _stated(one: Checked) -> str:
    """Return which file a reference is that no run made, and how exact it is."""
    stated = one.reference.stated
    assert stated is not None
    where = os.path.relpath(os.path.join(stated.root, stated.path))
    source = "%s, from %s" % (os.path.relpath(stated.lock), where) if stated.lock else where
    return "%s (%s)" % (source, stated.summary())
