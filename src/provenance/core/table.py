"""A table as a value: what is shown as text, Markdown or LaTeX is the same table."""

from __future__ import annotations

from typing import NamedTuple, Tuple

TEXT, NUMBER, WIDE = "text", "number", "wide"
"""Kinds of columns: short text, numbers (aligned right), text that may need several lines."""


class Table(NamedTuple):
    """A table.

    name: short, for labels and links. title: a sentence without its full stop. columns: the
    headings with the kind of each column. rows: cells as text. notes: sentences below it. facets:
    whose answers it shows. A table without rows has a note that says why.
    """

    name: str
    title: str
    columns: Tuple[Tuple[str, str], ...]
    rows: Tuple[Tuple[str, ...], ...] = ()
    notes: Tuple[str, ...] = ()
    facets: Tuple[str, ...] = ()
