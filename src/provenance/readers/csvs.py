"""Tables as text with a separator: which one, whether there is a header, and of what types."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy

from provenance.readers import _lines
from provenance.readers._bytes import Store
from provenance.readers._zips import one_line
from provenance.readers.model import Column, Table, Unreadable

SEPARATORS = ",;\t|"
LOOKED_AT = 50
"""Rows by which separator and header are found."""

AT_ONCE = 4096
MOST_COLUMNS = 100_000
MOST_NOTES = 5
MISSING = frozenset(("", "NA", "N/A", "null", "NULL", "None", "<NA>"))
"""What stands for a missing value, as pandas reads them; "nan" is a number that is not one."""

TRUE, FALSE = ("True", "true", "TRUE"), ("False", "false", "FALSE")
INTEGER, NUMBER, BOOL, TEXT = "int64", "float64", "bool", "text"


def read(store: Store, kind: str) -> Table:
    """Return the table of a file; raises `Unreadable`."""
    with _lines.text(store) as stream:
        sample = list(itertools.islice(_lines.lines(stream), LOOKED_AT))
    if not any(line.strip() for line in sample):
        raise Unreadable("has no rows")
    separator = "\t" if kind == "tsv" else _separator(sample)
    header = _has_header(list(_parsed(iter(sample), separator)))
    names, types, rows, notes = _look(store, separator, header)

    def batches(most: int) -> Iterator[Mapping[str, Column]]:
        with _lines.text(store) as stream:
            cells = _parsed(_lines.lines(stream), separator)
            for _ in range(header):
                next(cells, None)
            while chunk := list(itertools.islice(cells, most)):
                columns = _columns(chunk, len(names))
                yield {
                    name: _typed(column, types[name])
                    for name, column in zip(names, columns, strict=True)
                }

    return Table(kind, types, rows, batches, notes)


def _parsed(lines: Iterator[str], separator: str) -> Iterator[list[str]]:
    """Yield the cells of each row that has any."""
    try:
        for row in csv.reader((line.replace("\0", "\\x00") for line in lines), delimiter=separator):
            if row:
                yield row
    except csv.Error as error:
        raise Unreadable("cannot be read as a table: %s" % one_line(error)) from None


def _separator(sample: list[str]) -> str:
    """Return what parts the rows into the same number of cells, and into the most."""

    def score(separator: str) -> tuple[bool, int]:
        counts = [len(row) for row in _parsed(iter(sample[:-1] or sample), separator)]
        even = min(counts, default=0) == max(counts, default=0)
        return even and counts[:1] > [1], counts[0] if counts else 0

    return max(SEPARATORS, key=score)


def _has_header(rows: list[list[str]]) -> bool:
    """Return whether the first row names the columns.

    It does where a cell that is no number stands over numbers, where beside such cells the numbers
    count (years, or the columns that pandas numbers), and where it is of different texts only.
    """
    first, rest = rows[0], rows[1:]
    numbers = [_is_number(cell) for cell in first]
    for place, cell in enumerate(first):
        below = [row[place] for row in rest if place < len(row) and row[place] not in MISSING]
        if cell and not numbers[place] and below and all(_is_number(one) for one in below):
            return True
    if not any(numbers):
        return len(set(first)) == len(first)
    counted = [int(cell) for cell in first if _is_integer(cell)]
    steps = {after - before for before, after in itertools.pairwise(counted)}
    return sum(numbers) == len(counted) < len(first) and steps == {1}


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _look(
    store: Store, separator: str, header: bool
) -> tuple[list[str], dict[str, str], int, tuple[str, ...]]:
    """Return names, types, number of rows, and notes, by reading all of it once."""
    notes: list[str] = []
    with _lines.text(store) as stream:
        cells = _parsed(_lines.lines(stream), separator)
        first = next(cells)
        if len(first) > MOST_COLUMNS:
            raise Unreadable("has more than %d columns" % MOST_COLUMNS)
        names = _names(first) if header else [str(place) for place in range(len(first))]
        kinds: list[str] = [""] * len(names)
        gaps = [False] * len(names)
        rows = 0
        cells = cells if header else itertools.chain([first], cells)
        while chunk := list(itertools.islice(cells, AT_ONCE)):
            _uneven(chunk, len(names), rows, notes)
            rows += len(chunk)
            for place, column in enumerate(_columns(chunk, len(names))):
                kind, missing = _kind(column)
                gaps[place] |= missing
                kinds[place] = _both(kinds[place], kind)
    types = {
        # A missing integer makes numbers of a column, as it does in pandas.
        name: NUMBER if kind == INTEGER and gap else kind or TEXT
        for name, kind, gap in zip(names, kinds, gaps, strict=True)
    }
    return names, types, rows, tuple(notes)


def _names(first: list[str]) -> list[str]:
    """Return the names of the columns; one that comes twice or is empty gets its number."""
    names: dict[str, None] = {}
    for place, cell in enumerate(first):
        name = cell or "column %d" % place
        names["%s#%d" % (name, place) if name in names else name] = None
    return list(names)


def _uneven(chunk: list[list[str]], width: int, before: int, notes: list[str]) -> None:
    for number, row in enumerate(chunk, before + 1):
        if len(row) != width and len(notes) < MOST_NOTES:
            notes.append("row %d has %d cells instead of %d" % (number, len(row), width))


def _columns(chunk: list[list[str]], width: int) -> list[Sequence[str]]:
    if all(len(row) == width for row in chunk):
        return list(zip(*chunk, strict=True))
    filled = [row[:width] + [""] * (width - len(row)) for row in chunk]
    return list(zip(*filled, strict=True))


def _kind(column: Sequence[str]) -> tuple[str, bool]:
    """Return the type of some cells, "" where all are missing, and whether any is missing."""
    whole = "".join(column)
    if "" not in column and whole.isascii() and whole.replace("-", "").isdigit():
        return (INTEGER if all(_is_integer(cell) for cell in column) else TEXT), False
    there = [cell for cell in column if cell not in MISSING]
    missing = len(there) < len(column)
    if not there:
        return "", missing
    if all(cell in TRUE or cell in FALSE for cell in there):
        return BOOL, missing
    if all(_is_integer(cell) for cell in there):
        return INTEGER, missing
    if any(_is_code(cell) for cell in there):
        return TEXT, missing
    return (NUMBER if _are_numbers(there) else TEXT), missing


def _is_integer(cell: str) -> bool:
    digits = cell[1:] if cell[:1] == "-" else cell
    if not digits.isdigit() or not digits.isascii() or len(digits) > 18:
        return False
    return digits[0] != "0" or digits == "0"


def _is_code(cell: str) -> bool:
    """Return whether a cell of digits is a code: of leading zeros, or too long for a number."""
    digits = cell.lstrip("-")
    return digits.isdigit() and (len(digits) > 18 or (len(digits) > 1 and digits[0] == "0"))


def _are_numbers(cells: list[str]) -> bool:
    try:
        numpy.array(cells, dtype=numpy.float64)
    except ValueError:
        return False
    return "_" not in "".join(cells)


def _both(one: str, other: str) -> str:
    if not one or not other or one == other:
        return one or other
    return NUMBER if {one, other} == {INTEGER, NUMBER} else TEXT


def _typed(column: Sequence[str], kind: str) -> Column:
    if kind == INTEGER:
        return numpy.array(column, dtype=numpy.int64)
    if kind == NUMBER:
        there = ["nan" if cell in MISSING else cell for cell in column]
        return numpy.array(there, dtype=numpy.float64)
    if kind == BOOL:
        found = [cell in TRUE if cell not in MISSING else None for cell in column]
        return found if None in found else numpy.array(found, dtype=bool)
    return [cell if cell else None for cell in column]
