"""``prov verify``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from provenance.cli import envelope, findings, options
from provenance.cli.progress import Stages
from provenance.cli.style import Style
from provenance.core import runid
from provenance.core.difference import EFFECTS, NONE
from provenance.errors import UsageError

if TYPE_CHECKING:
    from provenance.operations.verify import Checked, VerifyResult


def command(
    reference: Annotated[
        str | None,
        typer.Argument(metavar="RUN|prov.lock", help="Default: prov.lock, else the last run."),
    ] = None,
    python: options.Python = None,
    fail_on: options.FailOn = None,
    calls: options.Calls = None,
    build: options.Build = False,
    verbose: options.Verbose = False,
    json: options.Json = False,
) -> None:
    """Say whether today's environment, code and data still match a record, and why it matters.

    Exit code: 0 nothing at or above --fail-on, 1 a difference that counts, 3 nothing comparable.
    """
    from provenance.operations import verify

    check_effect(fail_on)
    with Stages() as stages:
        environ = dict(os.environ)
        wish = verify.Wish(os.getcwd(), environ, reference, python, fail_on, calls, build, stages)
        result = verify.verify(wish)
    if json:
        envelope.put("verify", verify.as_json(result))
    else:
        for line in _lines(result, verbose):
            typer.echo(line)
    raise typer.Exit(result.exit_code)


def check_effect(fail_on: str | None) -> None:
    """Raise `UsageError` where ``fail_on`` is not an effect that one can fail on."""
    allowed = [effect for effect in EFFECTS if effect != NONE]
    if fail_on is not None and fail_on not in allowed:
        raise UsageError("--fail-on %r is not an effect." % fail_on, "one of " + ", ".join(allowed))


def _lines(result: VerifyResult, verbose: bool) -> list[str]:
    style = Style(sys.stdout)
    shown = []
    for one in result.checked:
        shown += checked_lines(one, style, verbose)
    tally = findings.tally(f for one in result.checked for f in one.findings)
    colour = {0: "green", 1: "red"}.get(result.exit_code, "yellow")
    word = style(result.verdict.upper(), "bold", colour)
    left = sum(len(one.not_compared) for one in result.checked)
    rest = "; %d not compared" % left if left else ""
    found = ": " + tally if tally else ""
    shown.append("%s%s%s (exit %d)" % (word, found, rest, result.exit_code))
    return shown


def checked_lines(one: Checked, style: Style, verbose: bool) -> list[str]:
    """Return one compared reference: who against whom, findings, what was compared."""
    shown = [headline(one), *findings.lines(one.findings, style, verbose)]
    shown.append(findings.compared_line(one.facts))
    shown += findings.not_compared_lines(one.not_compared, verbose)
    return shown + ["  ! " + note for note in one.notes]


def headline(one: Checked) -> str:
    """Return the line that names the reference and the interpreter that it is compared with."""
    run = one.reference.record
    name = ' "%s"' % run.name if run.name else ""
    what = "run %s%s, %s" % (runid.short(run.id), name, run.started[:10])
    if one.reference.kind == "lock":
        what = "%s (%s)" % (os.path.relpath(one.reference.source), what)
    if one.interpreter is None:
        return "%s  vs  this machine (the run used no Python)" % what
    path = one.interpreter["executable"]
    below = os.path.relpath(path)
    shown = path if below.startswith("..") else os.path.join(".", below)
    return "%s  vs  %s %s" % (what, shown, one.interpreter["version"])
