"""Numbers in what a program printed: results by name and step, and the times beside them."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from provenance.facets import _loglines, _metricgrammar, _metricnames
from provenance.facets._metricgrammar import (
    COUNTER,
    ITEM,
    NUMBER,
    PERCENT,
    POSITION,
    SPREAD,
    STRONG,
    TIMING,
    TOTAL,
    WEAK,
    Part,
    Plan,
)
from provenance.facets._metricsteps import Said, distinct, numbered, numbered_like
from provenance.facets._metrictables import Tables

MOST_FORMS, MOST_NAMES, MOST_VALUES = 4000, 1000, 400_000
"""Forms that are remembered; names; values held in all. Beyond, the log is not read further."""

_PREFIX = re.compile(
    r"^(?:[IWEFD]\d{4} \S+ +\d+ \S+:\d+\] "
    r"|\[?\(?\d{4}[-/]\d\d[-/]\d\d[ T_]\d\d:\d\d:\d\d(?:[.,]\d+)?\S*\)?\]?\s*)"
)
_LEVEL = re.compile(r"^.{0,80}?\b(DEBUG|INFO|NOTICE|WARNING|ERROR|CRITICAL)\b[\]):]*[\s:|\-]*")
_BARS = re.compile(
    r"\s*\d+%\s?\|[^|]*\||\s*\d+it\b|[━╸╺─]{3,}|\[(?:[=>.#\-]{5,})\]|\[?\d*:?\d+:\d+<[^,\]]*,"
)
_RANK = re.compile(
    r"^\s*(?:[\[(](?:(?:local|global)[ _])?(?:rank|default|gpu|proc|process|worker)[ _:#]*"
    r"(\d+)[\])]"
    r"|(?:(?:local|global)[ _])?rank[ _:#]*(\d+)(?=\s*[:|,\]-])"
    r"|\[\d+,(\d+)\]<std(?:out|err)>)[\s:|,\]-]*",
    re.I,
)
"""Which process of several printed a line: ``[rank1]:``, torchrun's ``[default1]:``, mpirun's."""
_OURS = "prov: "
"""Begins what we said ourselves, where that went into the same file."""
_TRACE = "Traceback (most recent call last)"
"""Begins what is no result up to the first line that is not indented: the exception."""
_SECTION = re.compile(r"^\W*([A-Za-z][\w ]{2,40}?)\s*(?:[:*=\-]+)\s*$")


class Printed(NamedTuple):
    """What a log says. numbered: by name, each value with its step; last: by name.

    units: "%" by name. timings: the last time, rate or use of memory by name. notes: what was not
    read.
    """

    numbered: Dict[str, List[Tuple[Any, Said]]]
    last: Dict[str, Said]
    units: Dict[str, str]
    timings: Dict[str, Any]
    notes: Tuple[str, ...] = ()


def read(path: str) -> Printed:
    """Return the numbers printed in the log at ``path``. Raises OSError."""
    reader = Reader()
    notes = []
    for line in _loglines.lines(path):
        reader.feed(line)
        if reader.full:
            notes.append("the log holds too many numbers: line %d on was not read" % line.number)
            break
    left_out = _loglines.left_out(path)
    if left_out:
        notes.append("%d MiB in the middle of the log were not read" % max(left_out >> 20, 1))
    return reader.result(tuple(notes))


def read_cells(pieces: List[Tuple[int, str]]) -> Printed:
    """Return the numbers printed by a notebook's cells: pieces of (cell, text), as lines of it."""
    reader = Reader()
    for cell, text in pieces:
        for line in _loglines.of_text(text):
            if not reader.full:
                reader.feed(line._replace(number=cell))
    return reader.result(("the cells print too many numbers",) if reader.full else ())


class Reader:
    """Takes a log line by line."""

    def __init__(self) -> None:
        self._plans: Dict[Tuple[str, ...], Plan] = {}
        self._tables = Tables()
        self._said: Dict[str, List[Said]] = {}
        self._weak: Dict[str, bool] = {}
        self._timings: Dict[str, Any] = {}
        self._above: Dict[bool, Any] = {}
        self._section = ""
        self._held = 0
        self._rank: Optional[int] = None
        self._least: Dict[str, int] = {}
        self._trace = False
        self.full = False

    def feed(self, line: _loglines.Line) -> None:
        """Take the next line."""
        text = line.text
        if text.startswith(_OURS):
            return
        if not text or len(text) > _loglines.LONGEST:
            self._section = "" if not text else self._section
            return
        if text[0] in "[(2IWEFD" or "INFO" in text:
            text = _LEVEL.sub("", _PREFIX.sub("", text, 1), 1)
        rank = _RANK.match(text)
        self._rank = None if rank is None else int(next(filter(None, rank.groups())))
        text = text if rank is None else text[rank.end() :]
        if self._trace or text.startswith(_TRACE):
            indented = text[:1] in " \t" or (rank is not None and rank.group().endswith("  "))
            self._trace = text.startswith(_TRACE) or indented
            return
        if line.bar:
            text = _BARS.sub("  ", text)
        else:
            table = self._tables.feed(text)
            if table is not None:
                for cell in table:
                    said = Said(cell.value, line.number, cell.step, own=cell.step is not None)
                    self._say(self._in_section(cell.name), said)
                return
        pieces = NUMBER.split(text)
        if len(pieces) < 3:
            self._head(text)
            return
        form = tuple(pieces[::2])
        plan = self._plans.get(form)
        if plan is None:
            if len(self._plans) >= MOST_FORMS:
                self._plans.clear()
            plan = self._plans[form] = _metricgrammar.plan(form)
        if plan:
            self._take(plan, pieces[1::2], line)

    def _head(self, text: str) -> None:
        match = _SECTION.match(text)
        word = _metricnames.leading_split(match.group(1))[0] if match else ""
        if match:
            self._section = word

    def _take(self, plan: Plan, numbers: List[str], line: _loglines.Line) -> None:
        coarse, fine, total, own = self._counters(plan, numbers)
        if own and not any(one.role in (STRONG, WEAK, ITEM, SPREAD) for one in plan):
            if not line.bar:
                self._above = {True: coarse, False: None}
                self._section = ""
            self._time(plan, numbers)
            return
        if coarse is None:
            coarse = self._above.get(True)
        listed = [one for one in plan if one.role == ITEM]
        for one in plan:
            if one.role in (STRONG, WEAK, SPREAD):
                if one.role == WEAK and not own:
                    continue
                value = _value(numbers[one.at])
                said = Said(value, line.number, coarse, fine, total, own, line.bar, one.unit)
                self._say(self._named(one), said, weak=one.role == WEAK)
        if listed:
            self._list(listed, numbers, line)
        self._percent(plan, numbers)
        self._time(plan, numbers)

    def _named(self, one: Part) -> str:
        spread = "-std" if "-" in one.name and "/" not in one.name else "/std"  # as in xgboost.cv
        name = one.name if one.role != SPREAD else one.name + spread
        return name if one.role == WEAK else self._in_section(name)

    def _in_section(self, name: str) -> str:
        if self._section and _metricnames.split_of(name) is None:
            return "%s/%s" % (self._section, name)
        return name

    def _counters(self, plan: Plan, numbers: List[str]) -> Tuple[Any, Any, Any, bool]:
        """Return the epoch, the step, its total in an epoch, and whether the line counts."""
        coarse = fine = total = None
        own = False
        for place, one in enumerate(plan):
            if one.role not in (COUNTER, POSITION):
                continue
            value = _value(numbers[one.at])
            follows = plan[place + 1] if place + 1 < len(plan) else None
            if one.role == COUNTER and _metricnames.is_coarse(one.name):
                coarse = value if coarse is None else coarse
                own = True
            elif fine is None:
                fine = value
                own = own or one.role == COUNTER
                if follows is not None and follows.role == TOTAL:
                    total = _value(numbers[follows.at])
        return coarse, fine, total, own

    def _list(self, listed: List[Part], numbers: List[str], line: _loglines.Line) -> None:
        """Take lists of values: each a series by its place."""
        places: Dict[str, int] = {}
        sizes: Dict[str, int] = {}
        for one in listed:
            sizes[one.name] = sizes.get(one.name, 0) + 1
        for one in listed:
            at = places.get(one.name, 0)
            places[one.name] = at + 1
            step = at if sizes[one.name] > 1 else None
            said = Said(_value(numbers[one.at]), line.number, step, own=step is not None)
            self._say(self._in_section(one.name), said)

    def _percent(self, plan: Plan, numbers: List[str]) -> None:
        """Let ``Accuracy: 9800/10000 (98%)`` be 98 %."""
        for place, one in enumerate(plan):
            if one.role != PERCENT or place < 2 or plan[place - 2].role != STRONG:
                continue
            name = self._in_section(plan[place - 2].name)
            if self._said.get(name):
                last = self._said[name][-1]
                self._said[name][-1] = last._replace(value=_value(numbers[one.at]), unit="%")

    def _time(self, plan: Plan, numbers: List[str]) -> None:
        for one in plan:
            if one.role != TIMING or self._of_another(one.name):
                continue
            if one.name in self._timings or len(self._timings) < 50:
                self._timings[one.name] = _value(numbers[one.at])

    def _of_another(self, name: str) -> bool:
        """Return whether a lower rank than this line's says ``name``, too: that one counts."""
        if self._rank is None:
            return False
        least = self._least.setdefault(name, self._rank)
        if self._rank < least:
            self._least[name] = self._rank
            self._said.pop(name, None)
        return self._rank > least

    def _say(self, name: str, said: Said, weak: bool = False) -> None:
        if self._of_another(name):
            return
        known = self._said.get(name)
        if known is None:
            if len(self._said) >= MOST_NAMES:
                return
            known = self._said[name] = []
            self._weak[name] = weak
        again = known and said.bar and known[-1].bar and known[-1].coarse == said.coarse
        if again and said.coarse is not None:
            known[-1] = said
            return
        known.append(said)
        self._held += 1
        self.full = self._held >= MOST_VALUES

    def result(
        self, notes: Tuple[str, ...], first: Callable[[str], Sequence[Any]] = lambda _: ()
    ) -> Printed:
        """Return all that was found, what never varied and has no telling name left out.

        first: the first steps by which a finished run numbers a metric, see `numbered_like`.
        """
        series: Dict[str, List[Tuple[Any, Said]]] = {}
        last: Dict[str, Said] = {}
        for name, said in self._said.items():
            if self._weak[name] and distinct([one.value for one in said]) < 2:
                continue
            last[name] = said[-1]
            if len(said) > 1 or said[0].own:
                like = first(name)
                series[name] = numbered_like(said, like) if like else numbered(said)
        units = {name: one.unit for name, one in last.items() if one.unit}
        return Printed(series, last, units, self._timings, notes)


def _value(text: str) -> Any:
    """Return the number that `NUMBER` found."""
    plain = text.replace(",", "") if "," in text else text
    if plain.lstrip("+-").rstrip(".").isdigit():
        return int(plain.rstrip("."))
    return float(plain)
