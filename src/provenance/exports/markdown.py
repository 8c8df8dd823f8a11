"""Tables as Markdown (GitHub's form of it)."""

from __future__ import annotations

from provenance.core.table import NUMBER, Table
from provenance.exports._escaped import escape

__all__ = ["escape", "render"]


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
