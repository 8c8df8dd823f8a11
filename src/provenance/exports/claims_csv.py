"""A table as CSV, to be read by a spreadsheet without being taken for formulas."""

from __future__ import annotations

import csv
import io
import re

from provenance.core.table import Table

_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?\d[\d.,]*(e[+-]?\d+)?", re.IGNORECASE)


def render(table: Table) -> str:
    """Return ``table`` as CSV with a line of headings (RFC 4180, lines end with a line feed)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([title for title, _ in table.columns])
    writer.writerows([[_cell(cell) for cell in row] for row in table.rows])
    return out.getvalue()


def _cell(text: str) -> str:
    """Return ``text``, with an apostrophe before what a spreadsheet would compute."""
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text
