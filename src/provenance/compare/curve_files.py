"""Curves from files that somebody has lying about: tables, JSON, TensorBoard, a record's own.

`curves_of` takes what its caller named, so every column of numbers is a curve, whatever its name;
`facets.metrics` is choosier, for it looks at all files that a run wrote. Nothing is executed.
"""

from __future__ import annotations

import csv
import io
import json
import os
import warnings
from array import array
from collections.abc import Iterator, Mapping
from typing import Any

from provenance.compare import curve
from provenance.compare.curve import EPOCH, INDEX, STEP, Curve, Points
from provenance.compare.tolerance import is_number
from provenance.core import canonical
from provenance.errors import BadRecord
from provenance.facets import _metricfiles, _tensorboard
from provenance.facets._series import Collected, Full

LIMIT = 512 << 20
"""Bytes of one file that are read: a hundred curves of a hundred thousand points."""

MOST = 500
"""Curves of one file; a table of more columns is data."""

_TIMES = (
    "wall time",
    "wall_time",
    "timestamp",
    "_timestamp",
    "_runtime",
    "relative time (process)",
)
"""Columns that loggers add of themselves and that are no metric."""


def curves_of(path: str) -> dict[str, Curve]:
    """Return the curves in the file at ``path`` by name, in its order.

    Takes CSV and TSV (with a head, or two columns: step and value), JSON lines, JSON (histories of
    trainers), a TensorBoard event file or a folder with some, and ``metrics.jsonl`` of a record.
    Raises `BadRecord` with one sentence where there is no curve in it.
    """
    try:
        found = _read(path)
    except OSError as error:
        raise BadRecord("%s cannot be read: %s." % (path, error.strerror or error)) from error
    except _metricfiles.Skip as skip:
        text = str(skip) or "holds no table of numbers"
        raise BadRecord("%s %s." % (path, text)) from skip
    found = {name: one for name, one in found.items() if len(one)}
    if not found:
        raise BadRecord(
            "%s holds no curve: no column or series of numbers was found in it." % path,
            "a table needs a head and one row per step, for example: step,loss",
        )
    return found


def is_curve_file(path: str) -> bool:
    """Return whether the name of ``path`` is of a kind that may hold curves."""
    name = os.path.basename(path.rstrip(os.sep)).lower()
    return name.endswith((".csv", ".tsv", ".jsonl", ".ndjson", ".json")) or "tfevents" in name


def _read(path: str) -> dict[str, Curve]:
    if os.path.isdir(path):
        return _tensorboard_run(_event_files(path), path)
    if os.path.getsize(path) > LIMIT:
        raise _metricfiles.Skip("is larger than %d MiB" % (LIMIT >> 20))
    name = os.path.basename(path).lower()
    if "tfevents" in name:
        return _tensorboard_run([path], path)
    if name.endswith((".jsonl", ".ndjson")):
        kept = kept_points(path)
        return kept if kept is not None else _of_rows(_json_rows(path))
    if name.endswith(".json"):
        return _of_json(path)
    return _of_csv(path, "\t" if name.endswith(".tsv") else ",")


def _event_files(folder: str) -> list[str]:
    return [os.path.join(folder, n) for n in sorted(os.listdir(folder)) if "tfevents" in n]


class _All(Collected):
    """Takes what the readers of `facets` find, and keeps every point."""

    def __init__(self) -> None:
        super().__init__(Full(None), "")
        self.points: dict[str, Points] = {}

    def add(self, name: str, step: Any, value: Any) -> None:
        """Add a point to the curve called ``name``."""
        one = self.points.get(name)
        if one is None:
            if len(self.points) >= MOST:
                raise _metricfiles.Skip("holds more than %d curves" % MOST)
            one = self.points[name] = Points(name)
        one.add(step, value)


def _tensorboard_run(paths: list[str], shown: str) -> dict[str, Curve]:
    notes: list[str] = []
    into = _All()
    _tensorboard.read(paths, into, notes)
    if notes and not into.points:
        raise BadRecord("%s %s." % (shown, notes[0]))
    return {name: one.curve() for name, one in into.points.items()}


def _of_json(path: str) -> dict[str, Curve]:
    into = _All()
    try:
        _metricfiles.read_json(path, into)
    except (ValueError, RecursionError) as error:
        raise _metricfiles.Skip("is not readable JSON") from error
    return {name: one.curve() for name, one in into.points.items()}


def _of_csv(path: str, delimiter: str) -> dict[str, Curve]:
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        try:
            head = [name.strip() for name in next(reader, [])]
        except csv.Error as error:
            raise _metricfiles.Skip("is not a readable table") from error
    if len(head) > MOST or (len(set(head)) != len(head) and not _bare(head)):
        raise _metricfiles.Skip("has columns of equal names, or more than %d" % MOST)
    names = ["step", "value"][-len(head) :] if _bare(head) and len(head) <= 2 else head
    if _bare(head) and len(head) > 2:
        raise _metricfiles.Skip("has no head: the first row holds numbers")
    fast = _by_numpy(path, delimiter, names, skip=not _bare(head))
    if fast is not None:
        return fast
    return _of_rows(_csv_rows(path, delimiter, names, skip=not _bare(head)))


def _bare(head: list[str]) -> bool:
    """Return whether the first row of a table is numbers: it has no head."""
    return bool(head) and all(_metricfiles.parsed_number(name) is not None for name in head)


def _by_numpy(path: str, delimiter: str, names: list[str], skip: bool) -> dict[str, Curve] | None:
    """Return the curves of a table that is numbers throughout; None for any other.

    Empty cells are read as NaN and left out, so a table that has both is read the slow way.
    """
    if os.path.getsize(path) < _LARGE:
        return None
    import numpy as np

    with open(path, "rb") as stream:
        text = stream.read().removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    apart = delimiter.encode()
    gaps = any(one in text for one in (apart + apart, apart + b"\n", b"\n" + apart))
    if gaps:
        if b"nan" in text.lower():
            return None
        for old, new in _GAPS:
            text = text.replace(old.replace(b",", apart), new.replace(b",", apart))
    try:
        lines = io.BytesIO(text)
        table = np.loadtxt(lines, delimiter=delimiter, skiprows=int(skip), ndmin=2, comments=None)
    except (ValueError, UnicodeDecodeError, TypeError):
        return None
    if table.shape[1] != len(names) or table.shape[0] == 0:
        return None
    columns = dict(zip(names, table.T, strict=True))
    step, epoch = _counter(names, _STEP_NAMES), _counter(names, EPOCH_NAMES)
    axis = STEP if step else EPOCH if epoch else INDEX
    rows = np.arange(len(table)) if axis == INDEX else columns[step or epoch]
    found = {}
    for name, values in columns.items():
        there = (np.isfinite(rows) & ~np.isnan(values)) if gaps else np.isfinite(rows)
        if not _is_counted(name):
            epochs = _plain(columns[epoch][there]) if step and epoch else None
            points = _plain(rows[there]), _plain(values[there])
            found[name] = curve.of(name, *points, axis, epochs)
    return found


def _plain(column: Any) -> array[float]:
    return array("d", column.astype("f8").tobytes())


_GAPS = ((b",,", b",nan,"), (b",,", b",nan,"), (b",\n", b",nan\n"), (b"\n,", b"\nnan,"))
"""What an empty cell looks like between, behind and before others; twice, for they overlap."""

_LARGE = 1 << 16
"""Bytes of a table below which numpy need not be loaded."""


def _csv_rows(path: str, delimiter: str, names: list[str], skip: bool) -> Iterator[dict[str, Any]]:
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        try:
            if skip:
                next(reader, None)
            for cells in reader:
                row: dict[str, Any] = {}
                for name, cell in zip(names, cells, strict=False):
                    number = _metricfiles.parsed_number(cell)
                    row[name] = cell if number is None else number
                yield row
        except csv.Error as error:
            raise _metricfiles.Skip("is not a readable table") from error


def _json_rows(path: str) -> Iterator[dict[str, Any]]:
    with open(path, encoding="utf-8-sig", errors="replace") as stream:
        for line in stream:
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(row, dict):
                yield {str(name): canonical.number(value) for name, value in row.items()}


_STEP_NAMES = (
    "global_step", "global step", "step", "steps", "_step", "trainer/global_step", "iteration",
    "iter", "it", "update", "round", "batch", "timestep",
)  # fmt: skip
EPOCH_NAMES = ("epoch", "epochs", "ep")


def _counter(names: Any, wanted: tuple[str, ...]) -> str:
    """Return the name among ``names`` that counts, the finest first; "" for none."""
    by_low = {str(name).strip().lower(): name for name in reversed(list(names))}
    return next((by_low[one] for one in wanted if one in by_low), "")


def _is_counted(name: str) -> bool:
    low = name.strip().lower()
    return not low or low in _STEP_NAMES or low in EPOCH_NAMES or low in _TIMES


def _of_rows(rows: Iterator[dict[str, Any]]) -> dict[str, Curve]:
    """Return a curve per column; rows may lack some, and ``{name, step, value}`` is one point."""
    found: dict[str, Points] = {}
    axes: dict[str, str] = {}
    counters: dict[tuple[str, ...], tuple[str, str]] = {}
    for place, row in enumerate(rows):
        keys = tuple(row)
        if keys not in counters:
            counters[keys] = _counter(row, _STEP_NAMES), _counter(row, EPOCH_NAMES)
        step, axis, epoch = _at(row, place, *counters[keys])
        if isinstance(row.get("name"), str) and "value" in row:
            items: Any = [(row["name"], row["value"])]
        else:
            items = row.items()
        for name, value in items:
            if not is_number(value):
                continue
            if name not in found:
                if _is_counted(name):
                    continue
                if len(found) >= MOST:
                    raise _metricfiles.Skip("holds more than %d curves" % MOST)
                found[name] = Points(name)
                axes[name] = axis
            found[name].add(step, value, epoch if axis == STEP else None)
    return {name: one.curve(axes[name]) for name, one in found.items()}


def _at(row: Mapping[str, Any], place: int, step: str, epoch: str) -> tuple[Any, str, Any]:
    """Return the step of a row, what it counts, and the epoch where there are both."""
    if step and is_number(row[step]):
        return row[step], STEP, row[epoch] if epoch else None
    if epoch and is_number(row[epoch]):
        return row[epoch], EPOCH, None
    return place, INDEX, None


def kept_points(path: str) -> dict[str, Curve] | None:
    """Return the curves of a ``metrics.jsonl`` that `facets._series.Full` wrote, read fast.

    All its lines have one form, so each series' line begin is replaced by a number and the whole is
    parsed as numbers at once. None where the file is not of that form.
    """
    with open(path, "rb") as stream:
        text = stream.read()
    if not text.startswith(_BEGIN):
        return None
    names: list[tuple[str, str]] = []
    for word, plain in _ODD:
        text = text.replace(word, plain)
    place = text.find(_BEGIN)
    while place >= 0 and len(names) < MOST:
        end = text.find(_STEP, place)
        line_end = text.find(b"\n", place)
        if end < 0 or (0 <= line_end < end):
            return None
        begin = text[place : end + len(_STEP)]
        try:
            told = json.loads(begin[: -len(_STEP)] + b"}")
        except ValueError:
            return None
        text = text.replace(begin, b"%d " % len(names))
        names.append((str(told.get("file")), str(told.get("name"))))
        place = text.find(_BEGIN)
    return _parsed(text.replace(_VALUE, b" ").replace(b"}", b""), names)


_BEGIN, _STEP, _VALUE = b'{"file": ', b', "step": ', b', "value": '
_ODD = tuple(
    (b'{"float": "%s"}' % word, word) for word in (b"nan", b"inf", b"-inf")
)  # as `canonical.plain` spells them


def _parsed(text: bytes, names: list[tuple[str, str]]) -> dict[str, Curve] | None:
    import numpy as np

    lines = text.count(b"\n") + (not text.endswith(b"\n") and bool(text))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # numpy only warns of what is no number
            numbers = np.fromstring(text, dtype=np.float64, sep=" ")
    except (ValueError, DeprecationWarning):
        return None
    if len(numbers) != 3 * lines:
        return None
    table = numbers.reshape(-1, 3)
    found: dict[str, Curve] = {}
    for place, (file, name) in enumerate(names):
        rows = table[table[:, 0] == place]
        shown = name if name not in found else "%s/%s" % (file, name)
        steps, values = (array("d", rows[:, n].tobytes()) for n in (1, 2))
        found[shown] = curve.of(shown, steps, values)
    return found
