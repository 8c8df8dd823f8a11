"""A table in memory, eight bytes a cell: numbers as numbers, everything else as a hash."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from provenance.compare.kinds.base import Opaque, open_text, suffix
from provenance.readers import csvs, model, tables
from provenance.readers.model import Unreadable

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
LONGEST_LINE = 16 << 20
"""Characters of a line that are held at a time."""
WHOLE, NUMBER, TEXT = "whole numbers", "numbers", "text"
LINES = (".jsonl", ".ndjson")


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
    if tables.known(name):
        return _apart(path, as_text)
    names, headed, blocks = _opened(path, name, form)
    builders = {one: _Builder(one in as_text) for one in names}
    rows = 0
    with _uncollected():
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


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no cycles meanwhile: rows make none, and looking takes a quarter of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def cells(path: str, name: str, column: str, wanted: Sequence[int]) -> dict[int, str]:
    """Return the text of some cells of a column, by row from 0; see `read`."""
    form = suffix(name).removesuffix(".gz")
    rows = sorted(set(wanted))
    if tables.known(name):
        return _apart_cells(path, column, rows)
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
    separator, headed = _form(path, name, form)
    rows = _csv_rows(path, name, separator)
    first = next(rows, [])
    if len(first) > MOST_COLUMNS:
        raise Opaque("more than %d columns" % MOST_COLUMNS)
    if headed:
        names = _distinct([cell.strip() for cell in first])
    else:
        names = [str(number + 1) for number in range(len(first))]
    return names, headed, _blocks(rows, len(names), [] if headed or not first else [first])


def _form(path: str, name: str, form: str) -> tuple[str, bool]:
    """Return the separator of a table, and whether its first row names the columns."""
    with open_text(path, name, newline=None) as stream:
        sample = list(islice(_lines(stream), csvs.LOOKED_AT))
    separator = "\t" if form in (".tsv", ".tab") else csvs.separator(sample)
    return separator, csvs.has_header(list(csvs.parsed(sample, separator)))


def _csv_rows(path: str, name: str, separator: str) -> Iterator[list[str]]:
    with open_text(path, name, newline=None) as stream:
        yield from csvs.parsed(_lines(stream), separator)


def _lines(stream: IO[str]) -> Iterator[str]:
    """Yield the lines, longer ones in pieces: memory stays bounded, and no cell is that long."""
    return iter(partial(stream.readline, LONGEST_LINE), "")


def _distinct(names: list[str]) -> list[str]:
    """Return ``names`` with a number behind those that were there before; none is empty."""
    seen: dict[str, int] = {}
    found = []
    for place, stated in enumerate(names, start=1):
        one = stated or "column %d" % place
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

    def take(self, cells: Any) -> None:
        """Take the next cells as a reader gives them: an array, or a list of plain values."""
        kind = getattr(getattr(cells, "dtype", None), "kind", "")
        if self._as_text or kind not in ("i", "f"):
            self.add([_plain(_item(one)) for one in cells])
            return
        self._kinds.add(WHOLE if kind == "i" else NUMBER)
        numpy = importlib.import_module("numpy")
        found = cells.astype(numpy.int64 if kind == "i" else numpy.float64)
        self._nulls += int(numpy.isnan(found).sum()) if kind == "f" else 0
        self._blocks.append(found)

    def _numbers(self, numpy: Any, cells: Sequence[str]) -> Array | None:
        """Return ``cells`` as numbers, None where one is none."""
        try:
            whole = numpy.fromiter(map(int, cells), numpy.int64, len(cells))
            begins = set(map(itemgetter(slice(3)), cells))
            if not any(map(csvs.is_code, begins)):
                self._kinds.add(WHOLE)
                return whole  # type: ignore[no-any-return]
            return None
        except OverflowError:
            return None
        except ValueError:
            pass
        try:
            found = numpy.fromiter(map(float, cells), numpy.float64, len(cells))
            self._kinds.add(NUMBER)
        except ValueError:
            nan = float("nan")
            some = [cell for cell in cells if cell not in csvs.MISSING]
            try:
                numbers = iter(list(map(float, some)))
            except ValueError:
                return None
            found = numpy.array([nan if cell in csvs.MISSING else next(numbers) for cell in cells])
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


def _opened_apart(path: str) -> model.Table:
    """Open parquet or feather, which are read in a process apart."""
    try:
        return tables.open_table(path)
    except Unreadable as error:
        raise Opaque("a table of the two %s" % error) from error


def _apart(path: str, as_text: frozenset[str]) -> Table:
    opened = _opened_apart(path)
    if opened.rows * max(len(opened.columns), 1) > MOST_CELLS:
        raise Opaque("larger than %d million cells" % (MOST_CELLS // 1_000_000))
    builders = {one: _Builder(one in as_text) for one in opened.columns}
    try:
        for block in opened.batches(ROWS):
            for one, builder in builders.items():
                builder.take(block[one])
    except Unreadable as error:
        raise Opaque("a table of the two %s" % error) from error
    mixed = frozenset(one for one, builder in builders.items() if builder.is_mixed)
    if mixed - as_text:
        return _apart(path, as_text | mixed)
    columns = {one: builder.column() for one, builder in builders.items()}
    stated = {one: column._replace(dtype=opened.columns[one]) for one, column in columns.items()}
    return Table(stated, opened.rows, True)


def _apart_cells(path: str, column: str, rows: list[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    start = 0
    for block in _opened_apart(path).batches(ROWS):
        cells = block[column]
        while rows and rows[0] < start + len(cells):
            row = rows.pop(0)
            found[row] = _plain(_item(cells[row - start]))
        if not rows:
            break
        start += len(cells)
    return found


def _item(cell: Any) -> Any:
    """Return a cell of an array as Python has it."""
    return cell.item() if hasattr(cell, "item") else cell
