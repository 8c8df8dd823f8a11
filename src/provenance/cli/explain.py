"""``prov explain``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from provenance.cli import envelope, findings, options, report, verify
from provenance.cli.markdown import Section
from provenance.cli.progress import Stages
from provenance.cli.style import Style, plural
from provenance.core.difference import KNOWN, NONE, UNKNOWN
from provenance.core.verdict import Finding
from provenance.errors import UsageError

if TYPE_CHECKING:
    from provenance.operations.explain import Change, Explained, Wish

WORDS = "PACKAGE OLD NEW [FILE...]"
MOST_CHANGES = 3
"""That one heading names."""
_FORMS = "prov explain PACKAGE OLD NEW [FILE ...]; prov explain --newest; prov explain RUN"


def command(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar=WORDS,
            help="A change of version, and the files to look at (default: the last run's); "
            "NEW may be `newest`; OLD may be left out. Or only RUN.",
        ),
    ] = None,
    newest: Annotated[
        bool, typer.Option("--newest", help="The newest releases against the lock or last run.")
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Fetch nothing: known changes, and what is cached.")
    ] = False,
    fetch_limit: Annotated[
        float | None,
        typer.Option("--fetch-limit", metavar="MB", help="Fetch no bigger wheel (default 300)."),
    ] = None,
    calls: options.Calls = None,
    python: options.Python = None,
    fail_on: options.FailOn = None,
    verbose: options.Verbose = False,
    markdown: options.Markdown = False,
    github: options.Github = False,
    json: options.Json = False,
) -> None:
    """Say what other versions would change for your own calls, before you install them.

    Your last run is rehearsed in environments that uv builds for it; a lock or loose FILES only
    with --calls cut. With a RUN alone, or nothing, it is `prov verify` in full. Exit code: 0, also
    with findings; 1 only from --fail-on EFFECT on.
    """
    given = list(words or ())
    verify.check_effect(fail_on)
    report.require_one(json=json, markdown=markdown, github=github)
    if len(given) < 2 and not newest:
        if markdown or github:
            raise UsageError("a run alone is verified.", "prov verify --markdown, or --github")
        _in_full(given[0] if given else None, python, fail_on, calls, json)
    from provenance.operations import explain

    if python is not None:
        raise UsageError("--python goes with a run, not with two versions.", _FORMS)
    wish = explain.Wish(os.getcwd(), dict(os.environ), offline=offline, fail_on=fail_on)
    wish = wish._replace(limit_mb=fetch_limit, calls=calls)
    wish = _newest(wish, given) if newest else _change(wish, given)
    with Stages() as stages:
        result = explain.explain(wish._replace(progress=stages))
    if json:
        envelope.put("explain", explain.as_json(result))
    elif markdown:
        report.put_markdown(_title(result), [_section(result)])
    elif github:
        lines, top = _lines(result, verbose), explain.top(wish.cwd)
        report.put_github(_title(result), [_section(result)], lines, fail_on or KNOWN, top)
    else:
        for line in _lines(result, verbose):
            typer.echo(line)
    raise typer.Exit(result.exit_code)


def _title(result: Explained) -> str:
    tally = findings.tally(result.findings)
    return "prov explain: %s%s" % (result.verdict.upper(), " (%s)" % tally if tally else "")


def _section(result: Explained) -> Section:
    """Return the answer as a section of a report."""
    changed = ["%s %s -> %s" % (one.package, one.old, one.new) for one in result.changes]
    more = " and %d more" % (len(changed) - MOST_CHANGES) if len(changed) > MOST_CHANGES else ""
    heading = "%s: %s%s" % (result.about, ", ".join(changed[:MOST_CHANGES]) or "no change", more)
    return report.section(
        heading, result.findings, {}, result.not_compared, result.calls, result.notes
    )


def _in_full(
    reference: str | None,
    python: str | None,
    fail_on: str | None,
    calls: str | None,
    json: bool,
) -> None:
    """Print what verify has to say with nothing folded, and exit."""
    from provenance.operations import verify as operation

    with Stages() as stages:
        environ = dict(os.environ)
        wish = operation.Wish(
            os.getcwd(), environ, reference, python, fail_on, calls, progress=stages
        )
        result = operation.verify(wish)
    if json:
        envelope.put("explain", operation.as_json(result))
    else:
        style = Style(sys.stdout)
        for one in result.checked:
            for line in verify.checked_lines(one, style, verbose=True):
                typer.echo(line)
    raise typer.Exit(result.exit_code if fail_on else 0)


def _newest(wish: Wish, given: list[str]) -> Wish:
    """Return ``wish`` for ``[RUN] --newest``."""
    if len(given) > 1:
        raise UsageError("--newest takes one run at most.", "prov explain RUN --newest")
    return wish._replace(newest=True, reference=given[0] if given else None)


def _change(wish: Wish, given: list[str]) -> Wish:
    """Return ``wish`` for PACKAGE [OLD] NEW [FILE ...]; OLD is left out where a file is third."""
    package, *rest = given
    if len(rest) == 1 or os.path.exists(rest[1]):
        new, files = rest[0], rest[1:]
        return wish._replace(package=package, new=new, files=tuple(files))
    old, new, *files = rest
    return wish._replace(package=package, old=old, new=new, files=tuple(files))


def _lines(result: Explained, verbose: bool) -> list[str]:
    style = Style(sys.stdout)
    telling = [one for one in result.findings if one.reasons or one.effect not in (NONE, UNKNOWN)]
    shown = _told(result, telling, style, verbose) if telling else []
    told = {one.name for one in telling}
    quiet = [one for one in result.changes if one.package not in told]
    called = [one for one in quiet if one.calls or one.known]
    shown += [_quiet(one, result) for one in (quiet if verbose else called or quiet[:1])]
    rest = [] if verbose else [one for one in quiet if one not in called][0 if called else 1 :]
    if rest:
        shown.append("%s not called by name: no known effect (-v)" % plural(len(rest), "package"))
    if not result.changes:
        shown.append("all that %s imported is the newest already" % result.about)
    clause = findings.calls_clause(result.calls, result.not_compared, verbose)
    shown += [clause] if clause else []
    left = list(result.not_compared)
    left = left if verbose else findings.told_apart(left)
    shown += findings.not_compared_lines(left, verbose)
    return shown + ["  ! " + note for note in result.notes]


def _quiet(one: Change, result: Explained) -> str:
    """Return the line of a change that concerns nothing: ``3 known changes, none concerns ...``."""
    head = "%s %s -> %s%s: " % (one.package, one.old, one.new, " with it" if one.needed else "")
    if not one.calls:
        return head + "not called by name (%s)" % result.about
    calls = "call" if one.calls == 1 else "%d calls" % one.calls
    if not one.known:
        return head + "no known change between them for your %s (%s)" % (calls, result.about)
    known = plural(one.known, "known change")
    return head + "%s, none concerns your %s (%s)" % (known, calls, result.about)


def _told(result: Explained, telling: list[Finding], style: Style, verbose: bool) -> list[str]:
    """Return the verdict, whose calls it speaks of, and the findings."""
    names = {one.name for one in telling}
    own = [one for one in result.changes if one.package in names]
    calls, known = sum(one.calls for one in own), sum(one.known for one in own)
    left = len(result.not_compared)
    about = "%s: %s, %s" % (result.about, plural(calls, "call"), plural(known, "known change"))
    first = verify.first_line(result.verdict, telling, left, style)
    return ["%s  (%s)" % (first, about), *findings.lines(telling, style, verbose)]
