"""A table in memory, eight bytes a cell: numbers as numbers, everything else as a hash."""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from provenance.compare.kinds.base import Opaque, needs, open_text, suffix

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

ROWS = 20_000
"""Rows read at a time: few enough to stay in the processor's cache as Python objects."""
MOST_CELLS = 64_000_000
"""Cells of a table that is compared: half a gigabyte."""
MOST_TEXTS = 2_000
"""Different texts of a column that are kept as such."""
MOST_COLUMNS = 20_000
NULLS = frozenset(("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"))
"""What pandas, R and spreadsheets write for a value that is not there."""
WHOLE, NUMBER, TEXT = "whole numbers", "numbers", "text"
PARQUET, FEATHER, LINES = (".parquet",), (".feather", ".arrow"), (".jsonl", ".ndjson")


class Column(NamedTuple):
    """One column. kind: whole numbers, numbers or text. dtype: as the file states it, else kind.

    values: int64 or float64; of text the hash of each cell, see ``texts``. nulls: how many cells
    are empty (NaN, or the hash of ""). texts: by hash, at most `MOST_TEXTS` of them.
    """

    kind: str
    dtype: str
    values: Array
    nulls: int
    texts: dict[int, str]


class Table(NamedTuple):
    """columns: by name, in order. rows: how many. headed: whether the file names its columns."""

    columns: dict[str, Column]
    rows: int
    headed: bool


class Ragged(Exception):
    """Not a table after all: a row has another number of cells. The text says which."""


def read(path: str, name: str, as_text: frozenset[str] = frozenset()) -> Table:
    """Return the table at ``path``, of the form that ``name`` says.

    as_text: columns that are taken as text even where all cells are numbers. Raises `Opaque`,
    `Ragged`, OSError, ValueError.
    """
    form = suffix(name).removesuffix(".gz")
    if form in (*PARQUET, *FEATHER):
        return _arrow(path, form, as_text)
    names, headed, blocks = _opened(path, name, form)
    builders = {one: _Builder(one in as_text) for one in names}
    rows = 0
    for block in blocks:
        rows += len(block[0]) if block else 0
        if rows * len(names) > MOST_CELLS:
            raise Opaque("larger than %d million cells" % (MOST_CELLS // 1_000_000))
        for one, cells in zip(names, block, strict=True):
            builders[one].add(cells)
    mixed = frozenset(one for one, builder in builders.items() if builder.is_mixed)
    if mixed:
        return read(path, name, as_text | mixed)
    return Table({one: builder.column() for one, builder in builders.items()}, rows, headed)


def cells(path: str, name: str, column: str, wanted: Sequence[int]) -> dict[int, str]:
    """Return the text of some cells of a column, by row from 0; see `read`."""
    form = suffix(name).removesuffix(".gz")
    rows = sorted(set(wanted))
    if form in (*PARQUET, *FEATHER):
        values = _arrow_table(path, form, [column]).column(column)
        return {row: _plain(values[row].as_py()) for row in rows}
    names, _, blocks = _opened(path, name, form)
    at = names.index(column)
    found: dict[int, str] = {}
    start = 0
    for block in blocks:
        length = len(block[at])
        while rows and rows[0] < start + length:
            row = rows.pop(0)
            found[row] = block[at][row - start]
        if not rows:
            break
        start += length
    return found


def _opened(
    path: str, name: str, form: str
) -> tuple[list[str], bool, Iterator[list[Sequence[str]]]]:
    """Return the column names, whether the file has them, and the cells by block and column."""
    if form in LINES:
        return _opened_lines(path, name)
    delimiter = "\t" if form in (".tsv", ".tab") else ","
    rows = _csv_rows(path, name, delimiter)
    first = next(rows, [])
    if len(first) > MOST_COLUMNS:
        raise Opaque("more than %d columns" % MOST_COLUMNS)
    headed = any(_number(cell) is None and cell.strip() not in NULLS for cell in first)
    if headed:
        names = _distinct([cell.strip() for cell in first])
    else:
        names = [str(number + 1) for number in range(len(first))]
    return names, headed, _blocks(rows, len(names), [] if headed or not first else [first])


def _csv_rows(path: str, name: str, delimiter: str) -> Iterator[list[str]]:
    with open_text(path, name, newline="") as stream:
        yield from (row for row in csv.reader(stream, delimiter=delimiter) if row)


def _distinct(names: list[str]) -> list[str]:
    """Return ``names`` with a number behind those that were there before."""
    seen: dict[str, int] = {}
    found = []
    for one in names:
        seen[one] = seen.get(one, 0) + 1
        found.append("%s (%d)" % (one, seen[one]) if seen[one] > 1 else one)
    return found


def _blocks(
    rows: Iterator[list[str]], width: int, begin: list[list[str]]
) -> Iterator[list[Sequence[str]]]:
    done = 0
    while block := begin + list(islice(rows, ROWS)):
        begin = []
        try:
            columns = list(zip(*block, strict=True))
        except ValueError:
            columns = []
        if len(columns) != width:
            bad = next(at for at, row in enumerate(block) if len(row) != width)
            text = "row %d has %d cells, not %d" % (done + bad + 1, len(block[bad]), width)
            raise Ragged(text)
        done += len(block)
        yield [*columns]


def _opened_lines(path: str, name: str) -> tuple[list[str], bool, Iterator[list[Sequence[str]]]]:
    """Read JSON lines as a table: an object of plain values each, columns by all their keys."""
    names: dict[str, None] = {}
    for row in _line_rows(path, name):
        names.update(dict.fromkeys(row))
        if len(names) > MOST_COLUMNS:
            raise Ragged("its lines have too many keys")
    return list(names), True, _line_blocks(path, name, list(names))


def _line_rows(path: str, name: str) -> Iterator[dict[str, Any]]:
    with open_text(path, name) as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise Opaque("line %d is not JSON" % number) from error
            if not isinstance(row, dict) or any(isinstance(v, (dict, list)) for v in row.values()):
                raise Ragged("line %d is not a row of plain values" % number)
            yield row


def _line_blocks(path: str, name: str, names: list[str]) -> Iterator[list[Sequence[str]]]:
    rows = _line_rows(path, name)
    while block := list(islice(rows, ROWS)):
        yield [[_plain(row.get(one, "")) for row in block] for one in names]


def _plain(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else repr(value)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


class _Builder:
    """A column that grows block by block."""

    def __init__(self, as_text: bool) -> None:
        self._as_text = as_text
        self._kinds: set[str] = set()
        self._blocks: list[Array] = []
        self._nulls = 0
        self._texts: dict[int, str] = {}

    @property
    def is_mixed(self) -> bool:
        """Whether blocks of text and of numbers met, so that the column has to be read as text."""
        types = {block.dtype for block in self._blocks}
        return TEXT in self._kinds and len(types) + len(self._kinds) > 2

    def add(self, cells: Sequence[str]) -> None:
        """Take the next cells."""
        numpy = importlib.import_module("numpy")
        found = None if self._as_text else self._numbers(numpy, cells)
        if found is None:
            found = numpy.fromiter(map(hash, cells), numpy.int64, len(cells))
            self._nulls += cells.count("")
            if len(self._texts) < MOST_TEXTS:
                self._texts.update((hash(one), one) for one in set(cells))
            self._kinds.add(TEXT)
        self._blocks.append(found)

    def _numbers(self, numpy: Any, cells: Sequence[str]) -> Array | None:
        """Return ``cells`` as numbers, None where one is none."""
        try:
            whole = numpy.array(list(map(int, cells)))
            if whole.dtype == numpy.int64:
                self._kinds.add(WHOLE)
                return whole  # type: ignore[no-any-return]
            return None
        except (ValueError, OverflowError):
            pass
        try:
            found = numpy.array(list(map(float, cells)))
            self._kinds.add(NUMBER)
        except ValueError:
            nan = float("nan")
            some = [cell for cell in cells if cell not in NULLS]
            try:
                numbers = iter(list(map(float, some)))
            except ValueError:
                return None
            found = numpy.array([nan if cell in NULLS else next(numbers) for cell in cells])
            is_whole = some and all(cell.lstrip("+-").isdigit() for cell in some)
            self._kinds.update((WHOLE,) if is_whole else (NUMBER,) if some else ())
        self._nulls += int(numpy.isnan(found).sum())
        return found  # type: ignore[no-any-return]

    def column(self) -> Column:
        """Return what was taken."""
        numpy = importlib.import_module("numpy")
        empty = numpy.array([], numpy.int64)
        values = numpy.concatenate(self._blocks) if self._blocks else empty
        kinds = self._kinds
        kind = TEXT if TEXT in kinds else NUMBER if NUMBER in kinds else WHOLE if kinds else TEXT
        if kind == TEXT and values.dtype != numpy.int64:
            values = numpy.full(len(values), hash(""), numpy.int64)
        if kind != TEXT and self._as_text:
            kind = TEXT
        return Column(kind, kind, values, self._nulls, self._texts)


def _arrow_table(path: str, form: str, columns: list[str] | None = None) -> Any:
    try:
        if form in PARQUET:
            parquet = importlib.import_module("pyarrow.parquet")
            return parquet.read_table(path, columns=columns, use_threads=False)
        feather = importlib.import_module("pyarrow.feather")
        return feather.read_table(path, columns=columns, use_threads=False, memory_map=False)
    except ImportError:
        raise needs("pyarrow", "a %s table" % form.lstrip(".")) from None
    except Exception as error:  # its own errors are of no common class
        text = " ".join(str(error).split())[:120]
        raise Opaque("not readable as a %s table (%s)" % (form.lstrip("."), text)) from error


def _arrow(path: str, form: str, as_text: frozenset[str]) -> Table:
    table = _arrow_table(path, form)
    if table.num_rows * max(table.num_columns, 1) > MOST_CELLS:
        raise Opaque("larger than %d million cells" % (MOST_CELLS // 1_000_000))
    names = _distinct(list(table.column_names))
    columns = {
        name: _arrow_column(table.column(at), name in as_text) for at, name in enumerate(names)
    }
    return Table(columns, int(table.num_rows), True)


def _arrow_column(values: Any, as_text: bool) -> Column:
    numpy = importlib.import_module("numpy")
    types = importlib.import_module("pyarrow.types")
    stated, nulls = str(values.type), int(values.null_count)
    number = types.is_integer(values.type) or types.is_floating(values.type)
    if number and not as_text and str(values.type) != "uint64":
        found = values.to_numpy()
        whole = types.is_integer(values.type)
        kind = numpy.int64 if found.dtype.kind in "iu" else numpy.float64
        nulls = nulls if whole else int(numpy.isnan(found).sum())
        return Column(WHOLE if whole else NUMBER, stated, found.astype(kind), nulls, {})
    builder = _Builder(as_text=True)
    for start in range(0, len(values), ROWS):
        builder.add([_plain(one) for one in values.slice(start, ROWS).to_pylist()])
    return builder.column()._replace(dtype=stated, kind=TEXT, nulls=nulls)
