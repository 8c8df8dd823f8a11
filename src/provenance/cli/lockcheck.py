"""``prov lock --check``: what a reviewer would trip over, for people, Markdown and GitHub."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import typer

from provenance.cli import envelope, github, markdown, report
from provenance.cli.style import Style, flat, plural
from provenance.core import runid
from provenance.errors import UsageError

if TYPE_CHECKING:
    from provenance.operations.publishable import CheckResult, Objection

_ROOM = 9
"""Objections shown in full; one screen holds them with their remedies."""
_PLACES = 3
_BLOCKS, _ADVICE, _NOTE = "blocks", "advice", "note"
_COLOURS = {_BLOCKS: "red", _ADVICE: "yellow", _NOTE: "dim"}


def run(names: tuple[str, ...], form: str, verbose: bool) -> None:
    """Check the run or lock that ``names`` mean, print it, and end with the exit code.

    form: "", "json", "markdown" or "github".
    """
    from provenance.operations import publishable

    if len(names) > 1:
        raise UsageError("--check takes one run or lock.", "prov lock --check prov.lock")
    result = publishable.check(os.getcwd(), os.environ, next(iter(names), None))
    if form == "json":
        envelope.put("lock-check", publishable.as_json(result))
        raise typer.Exit(result.exit_code)
    result = result._replace(objections=tuple(map(_flat, result.objections)))
    if form == "markdown":
        typer.echo(_markdown(result), nl=False)
    else:
        lines = list(_lines(result, verbose, Style(sys.stdout)))
        for line in github.guarded(lines) if form == "github" else lines:
            typer.echo(line)
        if form == "github":
            _annotate(result)
    raise typer.Exit(result.exit_code)


def require_alone(**others: object) -> None:
    """Raise `UsageError` for options that say how to write a lock: --check writes none."""
    names = {"stated": "--from"}
    given = [names.get(name, "--" + name) for name, value in others.items() if value]
    if given:
        raise UsageError("--check writes no lock: leave out %s." % given[0], "prov lock --check")


def _flat(one: Objection) -> Objection:
    """Return an objection without what could steer a terminal: it names files."""
    where = tuple(map(flat, one.where))
    return one._replace(text=flat(one.text), fix=flat(one.fix), where=where)


def _lines(result: CheckResult, verbose: bool, style: Style) -> Iterator[str]:
    yield "%s  %s" % (_verdict(result, style), _about(result))
    told = [one for one in result.objections if verbose or one.weight != _NOTE]
    shown = told if verbose else told[:_ROOM]
    for one in shown:
        of = _whose(one, result)
        yield "%s  %s%s" % (
            style(one.weight.ljust(6), "bold", _COLOURS[one.weight]),
            of,
            _what(one),
        )
        if one.fix:
            yield "          fix: %s" % one.fix
    for weight, word in ((_BLOCKS, "blocks"), (_ADVICE, "advice")):
        left = [one.text for one in told[len(shown) :] if one.weight == weight]
        if left:
            yield "%s  and %d more: %s (-v)" % (word.ljust(6), len(left), "; ".join(left[:3]))
    notes = [one for one in result.objections if one.weight == _NOTE]
    if notes and not verbose:
        yield "%s (-v): %s" % (plural(len(notes), "note"), "; ".join(one.text for one in notes[:3]))


def _verdict(result: CheckResult, style: Style) -> str:
    """Return the verdict in words: whether this can be published."""
    count = {w: sum(one.weight == w for one in result.objections) for w in (_BLOCKS, _ADVICE)}
    if count[_BLOCKS]:
        word, colour = "NOT READY", "red"
    else:
        word, colour = "READY", "green"
    clauses = []
    if count[_BLOCKS]:
        clauses.append("%d would stop a reviewer" % count[_BLOCKS])
    if count[_ADVICE]:
        clauses.append("%d worth mending" % count[_ADVICE])
    rest = ": %s" % ", ".join(clauses) if clauses else ": nothing to object to"
    return "%s%s (exit %d)" % (style(word, "bold", colour), rest, result.exit_code)


def _about(result: CheckResult) -> str:
    """Return what was looked at: the lock or run."""
    runs = [
        "%s%s" % (runid.short(run.id), ' "%s"' % run.name if run.name else "")
        for run in result.runs
    ]
    name = os.path.relpath(result.source) if result.source.endswith(".lock") else ""
    of = "run " + ", ".join(runs[:3]) + (" ..." if len(runs) > 3 else "") if runs else ""
    return "%s (%s)" % (name, of) if name and of else name or of or "this repository"


def _whose(one: Objection, result: CheckResult) -> str:
    """Return which of several runs is meant."""
    run = next((run for run in result.runs if run.id == one.run), None)
    if run is None or len(result.runs) < 2:
        return ""
    return "run %s: " % (run.name or runid.short(run.id))


def _what(one: Objection) -> str:
    places = ", ".join(one.where[:_PLACES])
    more = " and %d more" % (len(one.where) - _PLACES) if len(one.where) > _PLACES else ""
    return "%s%s" % (one.text, " (%s%s)" % (places, more) if places else "")


def _markdown(result: CheckResult) -> str:
    """Return the result as Markdown: a list to tick off."""
    parts = ["## prov lock --check: %s" % markdown.text(_verdict(result, _plain())), ""]
    for one in result.objections:
        if one.weight != _NOTE:
            places = " ".join(markdown.code(place) for place in one.where[:_PLACES])
            parts.append("- [ ] **%s** %s %s" % (one.weight, markdown.text(one.text), places))
            if one.fix:
                parts.append("  fix: %s" % markdown.code(one.fix))
    notes = [one for one in result.objections if one.weight == _NOTE]
    if notes:
        rows = "\n".join("- " + markdown.text(_what(one)) for one in notes)
        label = plural(len(notes), "note")
        parts += [
            "",
            "<details><summary>%s</summary>\n\n%s\n\n</details>" % (label, rows),
        ]
    return "\n".join(line.rstrip() for line in parts) + "\n"


def _plain() -> Style:
    return Style(sys.stdout, {"NO_COLOR": "1"})


def _annotate(result: CheckResult) -> None:
    folder = github.folder_in_workspace(result.top, os.environ)
    for line in github.notices(_told(result.objections), folder):
        typer.echo(line)
    problem = github.write_summary(_markdown(result), os.environ)
    if problem:
        typer.echo("prov: " + problem, err=True)


def _told(objections: Iterable[Objection]) -> list[github.Notice]:
    return [
        github.Notice(
            "error" if one.weight == _BLOCKS else "warning",
            "%s: %s" % (one.weight.upper(), one.text),
            tuple(["fix: " + one.fix] if one.fix else []),
            one.where,
        )
        for one in objections
        if one.weight != _NOTE
    ]


def chosen_form(*, json: bool, markdown: bool, github: bool) -> str:
    """Return the one form that was asked for. Raises `UsageError` for more than one."""
    report.require_one(json=json, markdown=markdown, github=github)
    return "json" if json else "markdown" if markdown else "github" if github else ""
