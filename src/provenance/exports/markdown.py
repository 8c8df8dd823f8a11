"""Tables as Markdown (GitHub's form of it)."""

from __future__ import annotations

import re

from provenance.core.table import NUMBER, Table

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$])")
_BREAK = re.compile(r"\s+")


def render(tables: tuple[Table, ...], heading: str = "") -> str:
    """Return ``tables`` below a heading, each with its title; ends with a newline."""
    parts = ["# %s" % escape(heading)] if heading else []
    for table in tables:
        parts.append("## %s" % escape(table.title))
        if table.rows:
            parts.append("\n".join(_lines(table)))
        parts.extend(escape(note) for note in table.notes)
    return "\n\n".join(parts) + "\n"


def _lines(table: Table) -> list[str]:
    titles = [escape(title) for title, _ in table.columns]
    marks = ["--:" if kind == NUMBER else "---" for _, kind in table.columns]
    rows = [[escape(cell) for cell in row] for row in table.rows]
    return ["| %s |" % " | ".join(row) for row in (titles, marks, *rows)]


def escape(text: str) -> str:
    """Return ``text`` so that it is shown as it is, on one line."""
    flat = _BREAK.sub(" ", "".join(c if c.isprintable() or c.isspace() else "?" for c in text))
    return _SPECIAL.sub(r"\\\1", flat).replace("&", "&amp;").strip()
