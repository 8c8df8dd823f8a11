"""``prov diff`` of curves: in words, drawn in the terminal, or written as SVG."""

from __future__ import annotations

import io
import shutil
import sys
from typing import TYPE_CHECKING

import typer

from provenance.cli import curves, envelope, plot, results
from provenance.cli.markdown import code, text
from provenance.cli.style import Style, flat
from provenance.core.verdict import DIFFERENT, NOT_COMPARED
from provenance.errors import UsageError

if TYPE_CHECKING:
    from provenance.operations.curve_diff import CurveDiff


def outlet(words: list[str], drawn: bool) -> tuple[list[str], str | None]:
    """Return the two words that are to be compared, and the file that the plot goes to, if any.

    ``--plot`` may be followed by a name that ends in ``.svg``, wherever it stands. Raises
    `UsageError`.
    """
    if len(words) == 2:
        return words, None
    named = [word for word in words if word.lower().endswith(".svg")]
    if not drawn or len(named) != 1:
        raise UsageError(
            "prov diff compares two, not three: %s." % ", ".join(words),
            "a file to draw to ends in .svg: prov diff A B --plot curves.svg",
        )
    words.remove(named[0])
    return words, named[0]


def show(found: CurveDiff, drawn: bool, verbose: bool, markdown: bool, json: bool) -> None:
    """Print how the curves of two runs or files compare."""
    from provenance.operations import curve_diff

    if json:
        envelope.put("diff", curve_diff.as_json(found))
        return
    style = Style(io.StringIO() if markdown else sys.stdout)
    colour = {DIFFERENT: "red", NOT_COMPARED: "yellow"}.get(found.verdict, "green")
    word = style(found.verdict.upper(), "bold", colour)
    names = flat(found.old.label), flat(found.new.label)
    lines = curves.lines(found.results, style, verbose)
    lines += results.tolerances_of(found.results)
    lines += ["  ! " + flat(note) for note in found.notes]
    if markdown:
        for line in _markdown(found, lines, names):
            typer.echo(line)
        return
    typer.echo("%s: %s (exit %d)  %s  vs  %s" % (word, found.summary, found.exit_code, *names))
    for line in lines:
        typer.echo(line)
    if drawn:
        draw(found)


def _markdown(found: CurveDiff, lines: list[str], names: tuple[str, str]) -> list[str]:
    head = [
        "## prov diff: %s" % found.verdict.upper(),
        "",
        "%s vs %s" % tuple(map(code, names)),
        "",
    ]
    items = ["- " + text(one.strip()) for one in lines if one.strip() != "curves:"]
    return [*head, text(found.summary), "", *items]


def draw(found: CurveDiff) -> None:
    """Print the curves as plots."""
    style = Style(sys.stdout)
    width = shutil.get_terminal_size((80, 24)).columns
    labels = found.old.label, found.new.label
    panels = found.panels()
    if not panels:
        typer.echo("  no metric has a curve in both: nothing to draw")
    for one in panels:
        typer.echo("")
        for line in plot.panel(one, labels, width, style):
            typer.echo(line)


def write(path: str, found: CurveDiff) -> None:
    """Write the plot to ``path`` and say so on stderr."""
    from provenance.operations import curve_diff

    count = curve_diff.write_svg(path, found)
    typer.echo("wrote %s: %d metric%s" % (path, count, "" if count == 1 else "s"), err=True)
