"""Two tables explained: rows, columns, types, labels, and how far the cells lie apart."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from provenance.compare.judged import Judged, Part, gravest
from provenance.compare.kinds import _table_logs, _table_read, _table_rows, texts
from provenance.compare.kinds._table_read import NUMBER, TEXT, WHOLE, Column, Ragged, Table
from provenance.compare.kinds._table_rows import POSITION, Match, spans
from provenance.compare.kinds.base import Opaque, Pair
from provenance.compare.tolerance import Tolerance
from provenance.compare.values import Tally, brief, counted
from provenance.compare.volatile import masked, masked_data
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

KIND = "table"
FEW = 50
"""Different values up to which those of a column are labels, whose counts say something."""
_LABELS = 6
_SHAPE = ("rows", "columns", "order of the rows", "types")
_UNSTATED = (TEXT, WHOLE, NUMBER)
_LOOKED_AT = 10_000
"""Differing texts of a column that are looked at for times, paths and numbers in them."""


class _Cells(NamedTuple):
    """How the cells of one column compare: how many are within tolerance, volatile, different.

    first: the row, from 0, of the first table that the first difference stands in. figures: how
    far apart.
    """

    within: int = 0
    volatile: int = 0
    different: int = 0
    first: int = -1
    figures: Mapping[str, Any] = {}


def compare(pair: Pair) -> Judged:
    """Compare two tables; as text where one is none."""
    try:
        old, new = (_table_read.read(path, name) for path, name, _ in pair.sides)
        old, new = _alike(pair, old, new)
    except Ragged as error:
        judged = texts.compare(pair)
        return judged._replace(detail="%s (not read as a table: %s)" % (judged.detail, error))
    return _judge(pair, old, new)


def _alike(pair: Pair, old: Table, new: Table) -> tuple[Table, Table]:
    """Return the tables with columns that are text in one of them as text in both."""
    shared = [name for name in old.columns if name in new.columns]
    apart = frozenset(
        name
        for name in shared
        if (old.columns[name].kind == TEXT) != (new.columns[name].kind == TEXT)
    )
    if not apart:
        return old, new
    first, second = (_table_read.read(path, name, apart) for path, name, _ in pair.sides)
    return _stated(first, old), _stated(second, new)


def _stated(table: Table, before: Table) -> Table:
    """Return ``table`` with the types that its columns had before some were read as text."""
    columns = {
        name: one._replace(dtype=before.columns[name].dtype) for name, one in table.columns.items()
    }
    return table._replace(columns=columns)


def _judge(pair: Pair, old: Table, new: Table) -> Judged:
    numpy = importlib.import_module("numpy")
    renamed = _renamed(numpy, old, new)
    named = Table(
        {renamed.get(name, name): one for name, one in old.columns.items()}, old.rows, old.headed
    )
    shared = [name for name in named.columns if name in new.columns]
    log = _table_logs.is_log(named.columns)
    told = [name for name in shared if not _table_logs.is_clock(name, log)]
    rows = _table_rows.match(named, new, told)
    parts = [*_row_parts(rows, old, new), *_column_parts(old, new, renamed)]
    within = volatile = different = 0
    back = {now: was for was, now in renamed.items()}
    for name in shared:
        if name == rows.by:
            continue
        cells = _cells(numpy, pair, (back.get(name, name), name), named, new, rows, log)
        within, volatile = within + cells.within, volatile + cells.volatile
        different += cells.different
        parts += (
            _cell_parts(numpy, name, named.columns[name], new.columns[name], cells, len(rows.old))
            if cells.different or not _table_logs.is_clock(name, log)
            else ()
        )
    total = len(rows.old) * len(shared)
    figures = {
        "rows": [old.rows, new.rows], "columns": [len(old.columns), len(new.columns)],
        "matched_by": rows.by, "differ": different, "within": within, "volatile": volatile,
    }  # fmt: skip
    verdict = gravest([WITHIN, *(one.verdict for one in parts)])
    order = (DIFFERENT, NOT_COMPARED, WITHIN, SAME)
    parts.sort(key=lambda one: order.index(one.verdict))
    detail = _detail(parts, figures, total, verdict)
    return Judged(verdict, detail, KIND, total, tuple(parts), figures)


def _detail(parts: list[Part], figures: Mapping[str, Any], total: int, verdict: str) -> str:
    """Return what matters most, in one clause."""
    if verdict == DIFFERENT:
        shape = [one.detail for one in parts if one.verdict == DIFFERENT and one.name in _SHAPE]
        cells = figures["differ"]
        apart = [
            one for one in parts if one.verdict == DIFFERENT and one.name.startswith("column ")
        ]
        if cells:
            apart = [one for one in apart if one.figures.get("differ")]
            names = ", ".join(one.name.removeprefix("column ") for one in apart[:3])
            more = " and %d more" % (len(apart) - 3) if len(apart) > 3 else ""
            shape.append(
                "%s of %s cells differ, in column%s %s%s"
                % (format(cells, ","), format(total, ","), "s" * (len(apart) > 1), names, more)
            )
        return "; ".join(shape) or "; ".join(one.detail for one in apart[:2])
    words = []
    if figures["within"]:
        words.append("%s within tolerance" % counted(figures["within"], "cell"))
    if figures["volatile"]:
        words.append("differs only in times, durations, paths and the like")
    words += [one.detail for one in parts if one.name in ("columns", "types")]
    return "; ".join(words) or "the same values in another layout"


def _renamed(numpy: Any, old: Table, new: Table) -> dict[str, str]:
    """Return columns of the first that stand in the second under another name: the same cells."""
    gone = [name for name in old.columns if name not in new.columns]
    come = [name for name in new.columns if name not in old.columns]
    found: dict[str, str] = {}
    if old.rows != new.rows or not old.rows:
        return found
    for was in gone:
        for now in come:
            first, second = old.columns[was], new.columns[now]
            if now not in found.values() and first.kind == second.kind:
                nan = first.kind != TEXT
                if numpy.array_equal(first.values, second.values, equal_nan=nan):
                    found[was] = now
                    break
    return found


def _row_parts(rows: Match, old: Table, new: Table) -> list[Part]:
    words = []
    figures = {"old": old.rows, "new": new.rows}
    if len(rows.missing):
        words.append("%s missing" % _are(rows.missing.tolist()))
    fresh = len(rows.added) - len(rows.repeated)
    if len(rows.repeated):
        words.append("%s repeated in the second" % _are(rows.repeated.tolist()))
    if fresh:
        repeated = set(rows.repeated.tolist())
        places = [row for row in rows.added.tolist() if row not in repeated]
        words.append("%s new in the second" % _are(places))
    parts = []
    if words:
        sizes = "%s -> %s rows: " % (format(old.rows, ","), format(new.rows, ","))
        by = " (by %s)" % rows.by if rows.by not in (POSITION, "content") else ""
        counts = {"missing": len(rows.missing), "added": fresh, "repeated": len(rows.repeated)}
        parts.append(Part("rows", DIFFERENT, sizes + ", ".join(words) + by, {**figures, **counts}))
    if rows.reordered:
        moved = int((rows.old != rows.new).sum())
        text = "the same rows in another order (%s of %s moved)"
        if rows.by != "content" or words:
            text = "rows in another order (%s of %s moved)"
        detail = text % (format(moved, ","), format(len(rows.old), ","))
        parts.append(Part("order of the rows", DIFFERENT, detail, {"moved": moved}))
    return parts


def _are(rows: list[int]) -> str:
    return "%s %s" % (spans(rows), "is" if len(rows) == 1 else "are")


def _column_parts(old: Table, new: Table, renamed: Mapping[str, str]) -> list[Part]:
    gone = [name for name in old.columns if name not in new.columns and name not in renamed]
    come = [
        name for name in new.columns if name not in old.columns and name not in renamed.values()
    ]
    words = ["%s removed" % _called(name, old) for name in gone]
    words += ["%s added" % _called(name, new) for name in come]
    words += ["column %s renamed to %s" % pair for pair in renamed.items()]
    parts = []
    if words:
        figures = {"removed": gone, "added": come, "renamed": dict(renamed)}
        shown = ", ".join(words[:_LABELS]) + (" ..." if len(words) > _LABELS else "")
        parts.append(Part("columns", DIFFERENT, shown, figures))
    before = [renamed.get(name, name) for name in old.columns]
    order = [name for name in before if name in new.columns]
    if order != [name for name in new.columns if name in before]:
        parts.append(Part("columns", WITHIN, "the columns stand in another order"))
    for name, one in old.columns.items():
        other = new.columns.get(renamed.get(name, name))
        was, now = _types(one, other) if other is not None else ("", "")
        if other is not None and was != now:
            verdict = DIFFERENT if TEXT in (was, now) else WITHIN
            parts.append(Part("types", verdict, "type of %s: %s -> %s" % (name, was, now)))
    return parts


def _called(name: str, table: Table) -> str:
    """Return what a column is called; one without a name is "column 1" to the reader."""
    text = name if re.fullmatch(r"column \d+", name) else "column %s" % name
    if text != name:
        return text
    one = table.columns[name]
    counts = one.kind == WHOLE and all(value == at for at, value in enumerate(one.values))
    return text + (" without a name (row numbers, as an index of pandas)" if counts else "")


def _types(old: Column, new: Column) -> tuple[str, str]:
    """Return the types to compare: those that both files state, else what the cells are."""
    if old.dtype in _UNSTATED or new.dtype in _UNSTATED:
        kinds = [one.dtype if one.dtype in _UNSTATED else one.kind for one in (old, new)]
        return kinds[0], kinds[1]
    return old.dtype, new.dtype


def _cells(
    numpy: Any, pair: Pair, names: tuple[str, str], old: Table, new: Table, rows: Match, log: bool
) -> _Cells:
    """Compare the cells of a column, called ``names`` in the two files, row by matched row.

    log: whether the tables are a log, in which times do not count.
    """
    was, now = old.columns[names[1]], new.columns[names[1]]
    first, second = was.values[rows.old], now.values[rows.new]
    if _table_logs.is_clock(names[1], log):
        return _Cells(volatile=int((first != second).sum()))
    if was.kind == TEXT:
        apart = numpy.flatnonzero(first != second)
        mask = masked if log else masked_data
        return _text_cells(pair, names, rows, apart, mask) if len(apart) else _Cells()
    equal = first == second
    if "f" in first.dtype.kind + second.dtype.kind:
        equal |= numpy.isnan(first) & numpy.isnan(second)
    if equal.all():
        return _Cells()
    exact = was.kind == WHOLE and now.kind == WHOLE and not pair.tolerance.is_chosen
    return _number_cells(numpy, pair.tolerance, (first, second), equal, exact, rows.old)


def _number_cells(
    numpy: Any, rule: Tolerance, cells: tuple[Array, Array], equal: Array, exact: bool, rows: Array
) -> _Cells:
    """Compare numbers. exact: whether nothing but equal ones agree."""
    old, new = (one.astype(numpy.float64) for one in cells)
    apart = numpy.flatnonzero(~equal if exact else rule.apart(old, new) & ~equal)
    within = int((~equal).sum()) - len(apart)
    if not len(apart):
        return _Cells(within)
    with numpy.errstate(invalid="ignore", over="ignore"):
        distance = numpy.abs(new - old)[apart]
    finite = distance[numpy.isfinite(distance)]
    figures: dict[str, Any] = {}
    if len(finite):
        figures["max_abs"] = float(finite.max())
        figures["mean_abs"] = float(finite.mean())
    at = int(apart[0])
    figures["first"] = {
        "row": int(rows[at]) + 1,
        "old": cells[0][at].item(),
        "new": cells[1][at].item(),
    }
    return _Cells(within, 0, len(apart), int(rows[at]), figures)


def _text_cells(
    pair: Pair, names: tuple[str, str], rows: Match, apart: Array, mask: Callable[[str], str]
) -> _Cells:
    """Look at texts that differ: what ``mask`` hides does not count, numbers have a tolerance."""
    looked = apart[:_LOOKED_AT]
    was = _table_read.cells(pair.old, pair.old_name, names[0], rows.old[looked].tolist())
    now = _table_read.cells(pair.new, pair.new_name, names[1], rows.new[looked].tolist())
    tally = Tally(pair.tolerance, mask)
    at = -1
    for place in looked.tolist():
        before = tally.different
        tally.text("", was[int(rows.old[place])], now[int(rows.new[place])])
        if tally.different > before and at < 0:
            at = place
    rest = len(apart) - len(looked)
    within, volatile, different = tally.within, tally.volatile, tally.different
    if different:
        different += rest
    else:
        volatile += rest
    if at < 0:
        return _Cells(within, volatile, different)
    row = int(rows.old[at])
    first = {"row": row + 1, "old": brief(was[row]), "new": brief(now[int(rows.new[at])])}
    return _Cells(within, volatile, different, row, {"first": first})


def _cell_parts(
    numpy: Any, name: str, old: Column, new: Column, cells: _Cells, total: int
) -> list[Part]:
    """Return what there is to say about one column: cells, gaps, labels, statistics."""
    labels = _labels(numpy, old), _labels(numpy, new)
    words, figures = [], dict(cells.figures)
    if cells.different:
        words.append("%s of %s cells differ" % (format(cells.different, ","), format(total, ",")))
        if "max_abs" in figures:
            words[-1] += " by up to %.4g (mean %.4g)" % (figures["max_abs"], figures["mean_abs"])
        first = figures["first"]
        words.append("the first in row %d: %s -> %s" % (
            first["row"], brief(first["old"]), brief(first["new"])))  # fmt: skip
    if old.nulls != new.nulls:
        words.append("empty cells %d -> %d" % (old.nulls, new.nulls))
        figures["nulls"] = [old.nulls, new.nulls]
    if labels[0] is not None and labels[1] is not None:
        counts = _label_counts(labels[0], labels[1])
        words += counts[:_LABELS] + (["..."] if len(counts) > _LABELS else [])
        if counts:
            figures["labels"] = {"old": labels[0], "new": labels[1]}
    elif old.kind != TEXT and (cells.different or len(old.values) != len(new.values)):
        moved, stats = _statistics(numpy, old, new)
        words += moved
        figures["statistics"] = stats
    if not words:
        return []
    verdict = DIFFERENT if cells.different else NOT_COMPARED
    if len(old.values) != len(new.values) and not cells.different:
        verdict = DIFFERENT
    return [
        Part("column %s" % name, verdict, "; ".join(words), {"differ": cells.different, **figures})
    ]


def _labels(numpy: Any, column: Column) -> dict[str, int] | None:
    """Return how often each label occurs, None where the column is not one of labels."""
    if column.kind not in (TEXT, WHOLE) or column.values.dtype.kind == "f":
        return None
    if len(set(column.values[: FEW * FEW].tolist())) > FEW:
        return None
    values, counts = numpy.unique(column.values, return_counts=True)
    if len(values) > FEW or len(values) * 2 > len(column.values):
        return None
    names = [
        column.texts.get(one, "?") if column.kind == TEXT else str(one) for one in values.tolist()
    ]
    return dict(zip(names, counts.tolist(), strict=True))


def _label_counts(old: Mapping[str, int], new: Mapping[str, int]) -> list[str]:
    changed = [one for one in {**old, **new} if old.get(one, 0) != new.get(one, 0)]
    changed.sort(key=lambda one: -abs(old.get(one, 0) - new.get(one, 0)))
    return [
        "label %s: %d -> %d" % (brief(one), old.get(one, 0), new.get(one, 0)) for one in changed
    ]


def _statistics(numpy: Any, old: Column, new: Column) -> tuple[list[str], dict[str, Any]]:
    """Return min, max and mean of both, and in words those that changed."""
    found: dict[str, Any] = {}
    for name, function in (("min", numpy.min), ("max", numpy.max), ("mean", numpy.mean)):
        pair = []
        for column in (old, new):
            with numpy.errstate(invalid="ignore", over="ignore"):
                finite = column.values[numpy.isfinite(column.values)]
                pair.append(float(function(finite)) if len(finite) else None)
        found[name] = pair
    words = [
        "%s %s -> %s"
        % (name, *(brief(float("%.6g" % one)) if one is not None else "-" for one in pair))
        for name, pair in found.items()
        if pair[0] != pair[1] and "%.6g" % (pair[0] or 0) != "%.6g" % (pair[1] or 0)
    ]
    return words, found


__all__ = ["KIND", "Opaque", "compare"]
