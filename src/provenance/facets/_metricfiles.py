"""Reading numbers from the files that a run wrote: JSON, tables, flat YAML. Standard library only.

Whatever is odd in a file (too large, cut off, not text) is a `Skip` with a sentence, no error.
"""

from __future__ import annotations

import csv
import json
import os
import re
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional

from provenance.facets import _filenames
from provenance.facets._series import Collected

JSON_LIMIT, TABLE_LIMIT = 1 << 20, 50 << 20
"""Bytes beyond which a file is not read for metrics."""

MOST_LEAVES = 500
"""Numbers in one JSON file beyond which it is data rather than metrics."""

MOST_COLUMNS = 500

STEPS = ("global_step", "step", "iteration", "iter", "round", "batch", "epoch")
"""Columns that number the rows, the finest first."""

_SETTINGS = re.compile(
    r"(?:^|[_\-.])(?:config|cfg|conf|args|arguments|params?|parameters|hparams|hyperparameters?|"
    r"settings|options|vocab|tokenizer|manifest|package|schema|meta|metadata|index|merges|"
    r"labels?|classes|annotations?|dataset_info|environment|model_index|models?|trees?|weights?|"
    r"id2label|label2id|tokens|features?|checkpoint)(?:$|[_\-.\d])",
    re.I,
)
_YAML_LINE = re.compile(r"^([A-Za-z_][\w./@\- ]*?)\s*:\s+([^\s#]+)\s*(?:#.*)?$")
_NUMBER = re.compile(r"^[+-]?(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$")
_ODD = {"nan": "nan", ".nan": "nan", "inf": "inf", ".inf": "inf", "-inf": "-inf", "-.inf": "-inf",
        "+inf": "inf", "infinity": "inf", "-infinity": "-inf"}  # fmt: skip
Finals = Dict[str, Any]


class Skip(Exception):
    """The file is not read for metrics; the text says why, and is empty where that is no news."""


def reader_of(path: str) -> "Optional[Callable[[str, Collected], Finals]]":
    """Return the function that reads metrics from a file of this name, None where there is none."""
    stem, suffix = os.path.splitext(os.path.basename(path))
    suffix = suffix.lower()
    telling = is_telling(path)
    if _SETTINGS.search(stem) and not telling:
        return None
    if suffix == ".json":
        return read_json
    if suffix in (".yaml", ".yml"):
        return read_yaml
    if suffix in (".jsonl", ".ndjson"):
        return lambda p, into: _table(_json_rows(p), into, telling)
    if suffix in (".csv", ".tsv"):
        return lambda p, into: _table(
            _csv_rows(p, "\t" if suffix == ".tsv" else ","), into, telling
        )
    return None


def is_telling(path: str) -> bool:
    """Return whether the name of a file says that it holds metrics."""
    return _filenames.TELLING.search(os.path.splitext(os.path.basename(path))[0]) is not None


def read_json(path: str, into: Collected) -> Finals:
    """Return the numbers in a JSON file by their path of keys; lists of numbers become series."""
    _check_size(path, JSON_LIMIT)
    with open(path, encoding="utf-8-sig") as stream:
        try:
            value = json.load(stream)
        except (ValueError, RecursionError) as error:
            raise Skip("is not readable JSON") from error
    finals: Finals = {}
    try:
        _leaves(value, "", finals, into)
    except RecursionError as error:
        raise Skip("is nested too deep") from error
    return finals


def _leaves(value: Any, name: str, finals: Finals, into: Collected) -> None:
    if len(finals) > MOST_LEAVES or len(into.series) > MOST_LEAVES:
        raise Skip("")
    if is_number(value):
        finals[name or "value"] = value
    elif isinstance(value, dict):
        if _is_series(value):
            for step, item in zip(value["steps"], value["values"]):
                into.add(name or "values", step, item)
            return
        for key, item in value.items():
            if not (isinstance(item, (dict, list)) and _SETTINGS.search(str(key))):
                _leaves(item, _join(name, key), finals, into)
    elif isinstance(value, list) and value:
        if all(map(is_number, value)):
            for step, item in enumerate(value):
                into.add(name or "values", step, item)
        elif all(isinstance(item, dict) for item in value):
            _rows_in_json(value, name, finals, into)


def _is_series(value: Dict[str, Any]) -> bool:
    """Return whether an object is a series as Sacred writes it: steps, values, perhaps times."""
    steps, values = value.get("steps"), value.get("values")
    lists = isinstance(steps, list) and isinstance(values, list) and len(steps) == len(values)
    return lists and all(map(is_number, steps or ())) and all(map(is_number, values or ()))


def _rows_in_json(rows: List[Dict[str, Any]], name: str, finals: Finals, into: Collected) -> None:
    """Read a list of objects: series where they have a step, else leaves by position if few."""
    keys = {key for row in rows for key in row}
    step = next((key for key in STEPS if key in keys), None)
    if step is None:
        for place, row in enumerate(rows[: MOST_LEAVES + 1]):
            _leaves(row, _join(name, place), finals, into)
        return
    for place, row in enumerate(rows):
        at = row.get(step)
        for key, item in row.items():
            if key not in STEPS and is_number(item):
                into.add(_join(name, key), at if is_number(at) else place, item)


def read_yaml(path: str, into: Collected) -> Finals:  # noqa: ARG001  # same form as the other readers
    """Return the numbers of lines ``key: number`` at the left margin; everything else is passed."""
    _check_size(path, JSON_LIMIT)
    finals: Finals = {}
    with open(path, encoding="utf-8-sig", errors="replace") as stream:
        for line in stream:
            match = _YAML_LINE.match(line.rstrip("\n"))
            value = parsed_number(match.group(2)) if match else None
            if match and value is not None:
                finals[match.group(1)] = value
            if len(finals) > MOST_LEAVES:
                raise Skip("")
    return finals


def _csv_rows(path: str, delimiter: str) -> Iterator[Dict[str, Any]]:
    _check_size(path, TABLE_LIMIT)
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        try:
            lines = (cells for cells in reader if cells)
            head = header(next(lines, []))
            for cells in lines:
                yield csv_row(head, cells)
        except csv.Error as error:
            raise Skip("is not a readable table") from error


def header(cells: List[str]) -> List[str]:
    """Return the names of columns in the first line of a table; raises `Skip` for anything else."""
    names = [name.strip() for name in cells]
    if len(names) > MOST_COLUMNS or len(set(names)) != len(names):
        raise Skip("")
    if all(parsed_number(name) is not None for name in names):
        raise Skip("")
    return names


def csv_row(head: List[str], cells: List[str]) -> Dict[str, Any]:
    """Return a line of a table by column, numbers as numbers."""
    row: Dict[str, Any] = {}
    for name, cell in zip(head, cells):
        number = parsed_number(cell)
        row[name] = cell if number is None else number
    return row


def _json_rows(path: str) -> Iterator[Dict[str, Any]]:
    _check_size(path, TABLE_LIMIT)
    with open(path, encoding="utf-8-sig", errors="replace") as stream:
        for line in stream:
            row = json_row(line)
            if row is not None:
                yield row


def json_row(line: str) -> Optional[Dict[str, Any]]:
    """Return the object in a line of JSON, None where it is none."""
    try:
        row = json.loads(line) if line.strip() else None
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _table(rows: Iterable[Dict[str, Any]], into: Collected, telling: bool) -> Finals:
    taken = Rows(into, telling)
    for row in rows:
        taken.take(row)
    return taken.finals


class Rows:
    """The rows of a table: series by step column, else by row number if its name says metrics.

    finals: from a table of results, whose rows are named by their first text.
    """

    def __init__(self, into: Collected, telling: bool) -> None:
        self.finals: Finals = {}
        self._into, self._telling = into, telling
        self._place = -1
        self._label: Optional[str] = None

    def take(self, row: Dict[str, Any]) -> None:
        """Take the next row; raises `Skip` where this is no table of metrics."""
        self._place += 1
        step = next((key for key in STEPS if is_number(row.get(key))), None)
        if step is None and not self._telling:
            if any(key in row for key in STEPS):
                return
            raise Skip("")
        if len(row) > MOST_COLUMNS:
            raise Skip("")
        if self._place == 0 and step is None:
            texts = (k for k, v in row.items() if isinstance(v, str) and v.strip())
            self._label = next(texts, None)
        if self._label is not None and isinstance(row.get(self._label), str):
            _labelled(row, self._label, self.finals)
            if len(self.finals) > MOST_LEAVES:
                raise Skip("")
            return
        at = row[step] if step is not None else self._place
        for key, item in row.items():
            if key and key not in STEPS and is_number(item):
                self._into.add(key, at, item)


def _labelled(row: Dict[str, Any], label: str, finals: Finals) -> None:
    """Take a row of a table of results: its first text names it (``resnet,0.93``)."""
    for key, item in row.items():
        if is_number(item):
            finals["%s/%s" % (row[label].strip(), key)] = item


def _check_size(path: str, limit: int) -> None:
    if os.path.getsize(path) > limit:
        raise Skip("is larger than %d MiB" % (limit >> 20))


def _join(name: str, key: Any) -> str:
    return "%s/%s" % (name, key) if name else str(key)


def is_number(value: Any) -> bool:
    """Return whether ``value`` is a number; truth values are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def parsed_number(text: str) -> Any:
    """Return the number that ``text`` is, None where it is none. Empty text is none."""
    text = text.strip(" \t\r\n")
    if text.lower() in _ODD:
        return float(_ODD[text.lower()])
    if not _NUMBER.match(text) or len(text) > 400:
        return None
    try:
        return int(text)
    except ValueError:
        return float(text.replace("_", ""))
