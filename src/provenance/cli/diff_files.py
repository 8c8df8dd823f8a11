"""``prov diff`` of two files or folders: the verdict first, then the parts that differ."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import typer

from provenance.cli import envelope, results
from provenance.cli.markdown import code, text
from provenance.cli.style import Style, flat
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME

if TYPE_CHECKING:
    from provenance.operations.loose import LooseResult

SHOWN = 20
"""Parts, and files of two folders, that are shown without ``-v``."""
_OF_A_FILE = 3
"""Parts shown of each file of two folders."""


def show(result: LooseResult, verbose: bool, markdown: bool, json: bool) -> None:
    """Print how two files or folders compare."""
    from provenance.operations import loose

    if json:
        envelope.put("diff", loose.as_json(result))
        return
    lines = _markdown(result) if markdown else _lines(result, Style(sys.stdout), verbose)
    for line in lines:
        typer.echo(line)


def _lines(result: LooseResult, style: Style, verbose: bool) -> list[str]:
    judged = result.judged
    colours = {DIFFERENT: "red", NOT_COMPARED: "yellow"}
    word = style(judged.verdict.upper(), "bold", colours.get(judged.verdict, "green"))
    detail = ": " + flat(judged.detail) if judged.detail else ""
    names = "%s  vs  %s" % (flat(result.old.given), flat(result.new.given))
    shown = ["%s%s (exit %d)  %s" % (word, detail, result.exit_code, names)]
    # The layers of two outputs are a sequence: one that is left out is a hole in it.
    said = "" if judged.kind == "outputs" else judged.detail
    shown += results.parts(judged.parts, style, None if verbose else SHOWN, "  ", said)
    shown += _file_lines(result.files, style, verbose)
    shown += ["  ! " + flat(one) for one in result.notes]
    compared = _compared(result)
    return [*shown, compared] if compared else shown


def _file_lines(files: Any, style: Style, verbose: bool) -> list[str]:
    told = [one for one in files if verbose or one.verdict != SAME or one.detail]
    found = []
    for one in told if verbose else told[:SHOWN]:
        colour = {DIFFERENT: "red", NOT_COMPARED: "yellow"}.get(one.verdict, "green")
        detail = ": " + flat(one.detail) if one.detail else ""
        found.append("  %s  %s%s" % (flat(one.path.path), style(one.verdict, colour), detail))
        found += results.parts(
            one.parts, style, None if verbose else _OF_A_FILE, "    ", one.detail
        )
    if not verbose and len(told) > SHOWN:
        found.append("  ... and %d more files (-v)" % (len(told) - SHOWN))
    return found


def _compared(result: LooseResult) -> str:
    """Return how much was looked at, and with which tolerance."""
    if not result.judged.compared:
        return ""
    kind = " (%s)" % result.judged.kind if result.judged.kind else ""
    count = format(result.judged.compared, ",")
    # Tensors and outputs have defaults by dtype, and say which.
    own = result.judged.figures.get("tolerance")
    by = own if isinstance(own, str) else result.tolerance
    return "compared: %s values%s; tolerance: %s" % (count, kind, by)


def _markdown(result: LooseResult) -> list[str]:
    judged = result.judged
    found = ["## prov diff: %s" % text(judged.verdict.upper()), ""]
    found += ["%s vs %s" % (code(result.old.given), code(result.new.given)), ""]
    if judged.detail:
        found += [text(judged.detail), ""]
    rows = [(one.name, one.verdict, one.detail) for one in judged.parts[:SHOWN]]
    rows += [(one.path.path, one.verdict, one.detail) for one in result.files[:SHOWN]]
    if rows:
        found += ["| part | verdict | what differs |", "|---|---|---|"]
        found += ["| %s |" % " | ".join(_cell(cell) for cell in row) for row in rows]
        left = len(judged.parts) + len(result.files) - len(rows)
        found += ["", *(["%d more are not shown" % left, ""] if left > 0 else [])]
    return [*found, *map(text, result.notes), text(_compared(result))]


def _cell(words: str) -> str:
    return text(flat(words)).replace("|", "\\|")
