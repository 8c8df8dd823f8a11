"""JSON lines: one object per line, its keys as columns."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy

from provenance.readers import _lines
from provenance.readers._bytes import Store
from provenance.readers.model import Column, Table, Unreadable

MOST_COLUMNS = 100_000
OTHER = "value"
"""Column of a line that is no object."""


def read(store: Store) -> Table:
    """Return the table of a file; raises `Unreadable`."""
    kinds: dict[str, str] = {}
    filled: dict[str, int] = {}
    rows = 0
    for rows, row in enumerate(_rows(store), 1):  # noqa: B007 - counted
        for name, value in row.items():
            kind = _kind(value)
            kinds[name] = _both(kinds.get(name, ""), kind)
            filled[name] = filled.get(name, 0) + bool(kind)
        if len(kinds) > MOST_COLUMNS:
            raise Unreadable("has more than %d columns" % MOST_COLUMNS)
    if not rows:
        raise Unreadable("has no rows")
    types = {
        name: "float64" if kind == "int64" and filled[name] < rows else kind or "json"
        for name, kind in kinds.items()
    }

    def batches(most: int) -> Iterator[Mapping[str, Column]]:
        made = _rows(store)
        while chunk := list(itertools.islice(made, most)):
            yield {name: _typed([r.get(name) for r in chunk], types[name]) for name in types}

    return Table("jsonl", types, rows, batches)


def _rows(store: Store) -> Iterator[dict[str, Any]]:
    with _lines.text(store) as stream:
        for number, line in enumerate(_lines.lines(stream), 1):
            if line.strip():
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError):
                    raise Unreadable("is not JSON in line %d" % number) from None
                yield row if isinstance(row, dict) else {OTHER: row}


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int64" if -(1 << 63) <= value < 1 << 63 else "json"
    if isinstance(value, float):
        return "float64"
    return {str: "text", type(None): ""}.get(type(value), "json")


def _both(one: str, other: str) -> str:
    if not one or not other or one == other:
        return one or other
    return "float64" if {one, other} == {"int64", "float64"} else "json"


def _typed(column: list[Any], kind: str) -> Column:
    if kind == "int64":
        return numpy.array(column, dtype=numpy.int64)
    if kind == "float64":
        there = [numpy.nan if value is None else value for value in column]
        return numpy.array(there, dtype=numpy.float64)
    return numpy.array(column, dtype=bool) if kind == "bool" and None not in column else column
