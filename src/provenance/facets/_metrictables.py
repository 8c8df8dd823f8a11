"""Tables in a program's output: reports, data frames, boxes, Markdown. Fed line by line."""

from __future__ import annotations

import re
from typing import Any, List, NamedTuple, Optional, Tuple

from provenance.facets import _metricnames as names
from provenance.facets._metricfiles import parsed_number

_RULE = re.compile(r"[\s\-=+_|:*~─━═┄┅┈│┃║┌┐└┘├┤┬┴┼╭╮╰╯┏┓┗┛┣┫┳┻╋┡┩╇╈╒╕╘╛╞╡╪╔╗╚╝╠╣╬]+$")
_EDGES = re.compile(r"[|│┃║]")
_GAP = re.compile(r"\s{2,}|\t")
_STAGE = re.compile(r"(?:test|validate|runningstage\.\w+) metric$", re.I)
_APART = re.compile(r"(?<![\w.@-])[-+]?\.?\d")
_ROWS = 400
"""Rows after which a table is data rather than results."""


class Cell(NamedTuple):
    """text: of one cell. end: the column where it ends."""

    text: str
    end: int


class Found(NamedTuple):
    """One number of a table. step: of its row where the table counts, else None."""

    name: str
    value: Any
    step: Any = None


class Tables:
    """Recognises the tables of one log; see `feed`."""

    def __init__(self) -> None:
        self._header: List[Cell] = []
        self._boxed = False
        self._stage = False
        self._rows = 0

    def feed(self, text: str) -> Optional[Tuple[Found, ...]]:
        """Take a line; return its numbers where it is part of a table, None where it is not."""
        if not text.strip():
            return None
        if self._header and _RULE.match(text):
            return ()
        if self._header:
            row = self._row(text)
            if row is not None:
                return row
            self._header = []
        return () if self._begins(text) else None

    def _begins(self, text: str) -> bool:
        """Return whether the line is the head of a table of results."""
        if "  " not in text and "\t" not in text and not _EDGES.search(text):
            return False
        cells = _cells(text)
        if len(cells) < 2 or any(not _is_head(cell.text) for cell in cells):
            return False
        stage = _STAGE.match(cells[0].text) is not None
        if not stage and not any(names.is_measure(cell.text) for cell in cells):
            return False
        self._header, self._stage, self._rows = cells, stage, 0
        self._boxed = _EDGES.search(text) is not None
        return True

    def _row(self, text: str) -> Optional[Tuple[Found, ...]]:
        if self._boxed and not _EDGES.search(text):
            return None
        cells = _cells(text)
        numbers = [_number(cell.text) for cell in cells]
        self._rows += 1
        if not any(one is not None for one in numbers) or self._rows > _ROWS:
            return None
        if self._stage:
            if numbers[0] is not None:
                return None
            return tuple(Found(cells[0].text, one) for one in numbers[1:] if one is not None)
        placed = self._placed(cells)
        if placed is None:
            return None
        label, columns = placed
        return self._read(label, columns)

    def _placed(self, cells: List[Cell]) -> Optional[Tuple[str, List[Tuple[str, Any]]]]:
        """Return the label of a row, and its numbers by column."""
        heads = [cell.text for cell in self._header]
        values = [_number(cell.text) for cell in cells]
        if len(cells) == len(heads):
            label = cells[0].text if values[0] is None else ""
            return label, list(zip(heads, values))
        if len(cells) == len(heads) + 1:
            return cells[0].text, list(zip(heads, values[1:]))
        if len(cells) < len(heads) and values[0] is None and len(cells) > 1:
            ends = [cell.end for cell in self._header]
            found = []
            for cell, value in zip(cells[1:], values[1:]):
                place = min(range(len(ends)), key=lambda i: abs(ends[i] - cell.end))
                found.append((heads[place], value))
            return cells[0].text, found
        return None

    def _read(self, label: str, columns: List[Tuple[str, Any]]) -> Optional[Tuple[Found, ...]]:
        counted = [value for head, value in columns if names.is_counter(head)]
        step = next((one for one in counted if one is not None), None)
        index = parsed_number(label) if label else None
        counts = isinstance(index, int) and index == self._rows - 1
        if step is None and counts and not self._labels_classes():
            step, label = index, ""
        found = []
        for head, value in columns:
            if value is None or names.is_counter(head):
                continue
            timing = names.is_timing(head) or names.is_setting(head)
            if not names.is_measure(head) and (timing or step is None):
                continue
            found.append(Found(self._named(label, head), value, step))
        return tuple(found)

    def _labels_classes(self) -> bool:
        """Return whether the rows are classes, as in a report that ends with their support."""
        return self._header[-1].text.lower() == "support"

    def _named(self, label: str, head: str) -> str:
        if not label:
            return head
        if self._labels_classes() and names.is_measure(label) and len(label.split()) == 1:
            return label
        return "%s/%s" % (label, head)


def _cells(text: str) -> List[Cell]:
    """Return the cells of a line: between edges, else between gaps of two blanks or a tab."""
    pattern = _EDGES if _EDGES.search(text) else _GAP
    found, start = [], 0
    for match in pattern.finditer(text + "  " if pattern is _GAP else text + "|"):
        part = text[start : match.start()]
        if part.strip():
            found.append(Cell(part.strip(" *`"), start + len(part.rstrip())))
        start = match.end()
    return found


def _number(text: str) -> Any:
    """Return the number in a cell: ``0.91``, ``91%``, ``3/10`` (the first); None for others."""
    plain = parsed_number(text.rstrip("%"))
    if plain is None and re.match(r"\d+/\d+$", text):
        return int(text.split("/", maxsplit=1)[0])
    return plain


def _is_head(text: str) -> bool:
    return (
        len(text) <= 40
        and not _APART.search(text)
        and re.match(r"[A-Za-z_#(][\w ./@%()#^²'+-]*$", text) is not None
    )
