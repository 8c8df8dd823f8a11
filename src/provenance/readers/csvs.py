"""Tables as text with a separator: which one, and whether the first row names the columns."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator, Sequence

SEPARATORS = ",;\t|"
LOOKED_AT = 50
"""Rows by which separator and header are found."""

MISSING = frozenset(("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "<NA>"))
"""What pandas, R and spreadsheets write for a value that is not there."""


def parsed(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """Yield the cells of each row that has any. Raises ValueError for what is no such table."""
    try:
        for row in csv.reader(lines, delimiter=separator):
            if row:
                yield row
    except csv.Error as error:
        raise ValueError("not a table: %s" % error) from error


def separator(sample: Sequence[str]) -> str:
    """Return what parts the rows into the same number of cells, and into the most."""

    def score(one: str) -> tuple[bool, int]:
        counts = [len(row) for row in parsed(sample[:-1] or sample, one)]
        even = min(counts, default=0) == max(counts, default=0)
        return even and counts[:1] > [1], counts[0] if counts else 0

    return max(SEPARATORS, key=score)


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row names the columns.

    It does where a cell that is no number stands over numbers, where beside such cells the numbers
    count (years, or the columns that pandas numbers), and where it is of different texts only.
    """
    if not rows:
        return False
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


def _is_integer(cell: str) -> bool:
    digits = cell[1:] if cell[:1] == "-" else cell
    if not digits.isdigit() or not digits.isascii() or len(digits) > 18:
        return False
    return digits[0] != "0" or digits == "0"


def is_code(cell: str) -> bool:
    """Return whether a cell of digits, or the beginning of one, is a code: with leading zeros."""
    digits = cell.lstrip("-")
    return digits.isdigit() and len(digits) > 1 and digits[0] == "0"
