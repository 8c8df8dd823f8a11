"""Findings for somewhere else than a terminal: Markdown, and annotations for GitHub Actions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from provenance.cli import findings, github, junit, markdown
from provenance.cli.groups import grouped
from provenance.cli.markdown import Section
from provenance.core.difference import NotCompared
from provenance.core.verdict import Finding
from provenance.errors import SystemRefused, UsageError

if TYPE_CHECKING:
    from provenance.operations.verify import Checked


def require_one(**wanted: bool) -> None:
    """Raise `UsageError` where more than one form of output is wanted."""
    words = ["--" + name for name, value in wanted.items() if value]
    if len(words) > 1:
        raise UsageError("%s exclude each other." % " and ".join(words), "choose one")


def section(
    heading: str,
    found: Iterable[Finding],
    facts: Mapping[str, Any],
    not_compared: Sequence[NotCompared],
    calls: Any = None,
    notes: tuple[str, ...] = (),
) -> Section:
    """Return one comparison as a section of a report."""
    clause = findings.calls_clause(calls, not_compared)
    compared = (findings.compared_line(facts), *([clause] if clause else []))
    left = findings.not_compared_lines(findings.told_apart(not_compared), verbose=True)[1:]
    return Section(heading, grouped(found), compared, tuple(x.strip() for x in left), notes)


def put_markdown(title: str, sections: Iterable[Section]) -> None:
    """Print ``sections`` as Markdown."""
    typer.echo(markdown.document(title, sections), nl=False)


def write_junit(path: str, checked: Sequence[tuple[str, Checked]], fail_on: str) -> None:
    """Write JUnit XML to ``path``. Raises `SystemRefused`."""
    try:
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(junit.document(checked, fail_on))
    except OSError as error:
        raise SystemRefused("%s cannot be written: %s." % (path, error.strerror)) from error


def put_github(
    title: str, sections: Sequence[Section], lines: Iterable[str], fail_on: str, top: str
) -> None:
    """Print ``lines`` guarded, then the annotations, and write the step summary where there is one.

    top: the folder that places are relative to.
    """
    for line in github.guarded(lines):
        typer.echo(line)
    blocks = dict.fromkeys(block for one in sections for block in one.groups.blocks)
    folder = github.folder_in_workspace(top, os.environ)
    for line in github.commands(blocks, fail_on, folder):
        typer.echo(line)
    problem = github.write_summary(markdown.document(title, sections), os.environ)
    if problem:
        typer.echo("prov: " + problem, err=True)
