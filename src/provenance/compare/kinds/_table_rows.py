"""Which row of one table is which of another: by an identifier, by content, or by position."""

from __future__ import annotations

import importlib
import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from provenance.compare.kinds._table_read import NUMBER, Column, Table

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

POSITION, CONTENT = "position", "content"
_KEY = re.compile(
    r"^(?:.*_)?(?:id|ids|key|uid|uuid|index|idx|name|file|filename|path|step|epoch|iteration|iter)$"
    r"|^Unnamed: 0$|^$",
    re.I,
)
"""Names of columns that tell rows apart, as data sets and pandas' own index have them."""
_MIXER, _FINISH = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9
"""Odd constants of splitmix64 (Steele, Lea, Flood 2014), which spread the bits of a sum."""
_SHOWN = 4


class Match(NamedTuple):
    """by: "position", "content" or the name of the column that identifies rows.

    old, new: rows from 0 that belong together. missing: rows of the first without partner; added:
    of the second; repeated: those of ``added`` whose like stands elsewhere in the second.
    reordered: whether the partners stand in another order.
    """

    by: str
    old: Array
    new: Array
    missing: Array
    added: Array
    repeated: Array
    reordered: bool


def match(old: Table, new: Table, shared: Sequence[str]) -> Match:
    """Return which rows belong together, going by the columns ``shared``."""
    numpy = importlib.import_module("numpy")
    hashes = _hashes(numpy, old, shared), _hashes(numpy, new, shared)
    by_content = _same_rows(numpy, *hashes)
    if by_content is not None:
        return by_content
    key = _key(numpy, old, new, shared)
    if key:
        return _by_key(numpy, key, old.columns[key].values, new.columns[key].values, hashes)
    if old.rows == new.rows:
        return _by_position(numpy, *hashes)
    exact = [name for name in shared if old.columns[name].kind != NUMBER]
    for names in (list(shared), exact):
        if not names:
            continue
        pair = _hashes(numpy, old, names), _hashes(numpy, new, names)
        found = _by_content(numpy, *pair)
        if len(found.old) * 2 >= min(old.rows, new.rows):
            return found
    return _by_position(numpy, *hashes)


def _hashes(numpy: Any, table: Table, names: Sequence[str]) -> Array:
    """Return a hash of every row over the columns ``names``."""
    found = numpy.zeros(table.rows, numpy.uint64)
    with numpy.errstate(over="ignore"):
        for name in names:
            found += _bits(numpy, table.columns[name])
            found *= numpy.uint64(_MIXER)
            found ^= found >> numpy.uint64(29)
            found *= numpy.uint64(_FINISH)
            found ^= found >> numpy.uint64(32)
    return found  # type: ignore[no-any-return]


def _bits(numpy: Any, column: Column) -> Array:
    """Return the cells as 64 bits: equal numbers have equal ones, whole or not."""
    if column.kind == "text":
        return column.values.view(numpy.uint64)
    numbers = column.values.astype(numpy.float64) + 0.0
    numbers[numpy.isnan(numbers)] = numpy.nan
    return numbers.view(numpy.uint64)


def _nothing(numpy: Any) -> Array:
    return numpy.array([], numpy.int64)  # type: ignore[no-any-return]


def _rest(numpy: Any, count: int, taken: Array) -> Array:
    """Return the rows up to ``count`` that are not in ``taken``."""
    left = numpy.ones(count, bool)
    left[taken] = False
    return numpy.flatnonzero(left)  # type: ignore[no-any-return]


def _is_unique(numpy: Any, values: Array) -> bool:
    """Return whether no value is there twice. By sorting: numpy's hash tables are slower."""
    ordered = numpy.sort(values)
    return not (ordered[1:] == ordered[:-1]).any()


def _among(numpy: Any, values: Array, others: Array) -> Array:
    """Return for each of ``values`` whether it is one of ``others``."""
    if not len(others) or not len(values):
        return numpy.zeros(len(values), bool)  # type: ignore[no-any-return]
    ordered = numpy.sort(others)
    places = numpy.minimum(numpy.searchsorted(ordered, values), len(ordered) - 1)
    return ordered[places] == values  # type: ignore[no-any-return]


def _same_rows(numpy: Any, old: Array, new: Array) -> Match | None:
    """Return the partners where both have the very same rows, in whatever order."""
    if len(old) != len(new) or numpy.array_equal(old, new):
        return None
    first, second = (numpy.argsort(one, kind="stable") for one in (old, new))
    if not numpy.array_equal(old[first], new[second]):
        return None
    none = _nothing(numpy)
    return Match(CONTENT, first, second, none, none, none, True)


def _by_position(numpy: Any, old: Array, new: Array) -> Match:
    count = min(len(old), len(new))
    rows = numpy.arange(count)
    missing, added = numpy.arange(count, len(old)), numpy.arange(count, len(new))
    repeated = added[_among(numpy, new[added], new[:count])]
    return Match(POSITION, rows, rows, missing, added, repeated, False)


def _key(numpy: Any, old: Table, new: Table, shared: Sequence[str]) -> str:
    """Return the column that tells rows apart in both tables, "" for none.

    Named as one, alike in kind, without gaps, every value once, and at least half of them shared.
    """
    for name in shared:
        first, second = old.columns[name], new.columns[name]
        if not _KEY.match(name) or NUMBER in (first.kind, second.kind) or not old.rows:
            continue
        if first.kind != second.kind or first.nulls or second.nulls:
            continue
        if not all(_is_unique(numpy, one.values) for one in (first, second)):
            continue
        if 2 * _among(numpy, first.values, second.values).sum() >= min(old.rows, new.rows):
            return name
    return ""


def _by_key(numpy: Any, key: str, old: Array, new: Array, hashes: tuple[Array, Array]) -> Match:
    _, first, second = numpy.intersect1d(old, new, assume_unique=True, return_indices=True)
    order = numpy.argsort(first)
    first, second = first[order], second[order]
    missing, added = _rest(numpy, len(old), first), _rest(numpy, len(new), second)
    repeated = added[_among(numpy, hashes[1][added], hashes[1][second])]
    return Match(key, first, second, missing, added, repeated, bool((numpy.diff(second) < 0).any()))


def _by_content(numpy: Any, old: Array, new: Array) -> Match:
    """Pair equal rows in order: equal ends first, then the rows that both have once, and between.

    What is left between two pairs is paired by position where both have as many rows there.
    """
    count = min(len(old), len(new))
    head = _common(numpy, old[:count], new[:count])
    tail = _common(numpy, old[head:][::-1], new[head:][::-1])
    middle = _once(numpy, old[head : len(old) - tail], new[head : len(new) - tail])
    inner = [(a + head, b + head) for a, b in middle]
    ends = [(head - 1, head - 1), *inner, (len(old) - tail, len(new) - tail)]
    first, second = [numpy.arange(head)], [numpy.arange(head)]
    for (a, b), (c, d) in pairwise(ends):
        between = (c - a - 1, d - b - 1)
        if between[0] == between[1]:
            first.append(numpy.arange(a + 1, c))
            second.append(numpy.arange(b + 1, d))
        if c < len(old) - tail:
            first.append(numpy.array([c]))
            second.append(numpy.array([d]))
    first.append(numpy.arange(len(old) - tail, len(old)))
    second.append(numpy.arange(len(new) - tail, len(new)))
    one, other = numpy.concatenate(first), numpy.concatenate(second)
    missing, added = _rest(numpy, len(old), one), _rest(numpy, len(new), other)
    repeated = added[_among(numpy, new[added], new[other])]
    return Match(CONTENT, one, other, missing, added, repeated, False)


def _common(numpy: Any, old: Array, new: Array) -> int:
    """Return how many of the first elements are equal."""
    count = min(len(old), len(new))
    apart = numpy.flatnonzero(old[:count] != new[:count])
    return int(apart[0]) if len(apart) else count


def _once(numpy: Any, old: Array, new: Array) -> list[tuple[int, int]]:
    """Return the longest run of pairs in order, of elements that both have exactly once."""
    sides = []
    for one in (old, new):
        values, places, counts = numpy.unique(one, return_index=True, return_counts=True)
        sides.append((values[counts == 1], places[counts == 1]))
    _, first, second = numpy.intersect1d(
        sides[0][0], sides[1][0], assume_unique=True, return_indices=True
    )
    pairs = sorted(zip(sides[0][1][first].tolist(), sides[1][1][second].tolist(), strict=True))
    return _increasing(pairs)


def _increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest part of ``pairs``, sorted by the first, that rises in the second too."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for at, (_, value) in enumerate(pairs):
        place = bisect_left(ends, value)
        before.append(last[place - 1] if place else -1)
        if place == len(ends):
            ends.append(value)
            last.append(at)
        else:
            ends[place], last[place] = value, at
    found: list[tuple[int, int]] = []
    at = last[-1] if last else -1
    while at >= 0:
        found.append(pairs[at])
        at = before[at]
    return found[::-1]


def spans(rows: Sequence[int]) -> str:
    """Return rows, from 0, as people count them: "row 7", "rows 64-95, 101 and 12 more places"."""
    found: list[tuple[int, int]] = []
    for row in rows:
        if found and row == found[-1][1] + 1:
            found[-1] = (found[-1][0], row)
        else:
            found.append((row, row))
    words = [_span(*one) for one in found[:_SHOWN]]
    more = " and %d more places" % (len(found) - _SHOWN) if len(found) > _SHOWN else ""
    return "row%s %s%s" % ("" if len(rows) == 1 else "s", ", ".join(words), more)


def _span(first: int, last: int) -> str:
    one = format(first + 1, ",")
    return one if first == last else "%s-%s" % (one, format(last + 1, ","))
