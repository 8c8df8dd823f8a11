"""Tables as aligned text, for the terminal."""

from __future__ import annotations

from provenance.core.table import NUMBER, Table

_WIDEST = 60


def lines(tables: tuple[Table, ...]) -> list[str]:
    """Return ``tables`` as lines: title, headings, rows, notes, and a blank line between two."""
    found: list[str] = []
    for table in tables:
        found += [*([""] if found else []), table.title, *_rows(table)]
        found += ["  %s" % note for note in table.notes]
    return found


def _rows(table: Table) -> list[str]:
    if not table.rows:
        return []
    rows = [tuple(title for title, _ in table.columns), *table.rows]
    kept = _used(rows)
    rows = [tuple(_cut(row[n]) for n in kept) for row in rows]
    numbers = [table.columns[n][1] == NUMBER for n in kept]
    widths = [max(len(row[n]) for row in rows) for n in range(len(kept))]
    return [_line(row, widths, numbers) for row in rows]


def _used(rows: list[tuple[str, ...]]) -> list[int]:
    """Return the columns that say something in any row below the headings."""
    return [n for n in range(len(rows[0])) if any(row[n] for row in rows[1:])]


def _line(row: tuple[str, ...], widths: list[int], numbers: list[bool]) -> str:
    cells = [
        cell.rjust(width) if number else cell.ljust(width)
        for cell, width, number in zip(row, widths, numbers, strict=True)
    ]
    return ("  " + "  ".join(cells)).rstrip()


def _cut(cell: str) -> str:
    flat = " ".join(cell.split())
    return flat if len(flat) <= _WIDEST else flat[: _WIDEST - 3] + "..."
