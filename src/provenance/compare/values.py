"""Two JSON-like values or texts compared leaf by leaf, volatile parts told apart."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from provenance.compare.judged import Judged, Part
from provenance.compare.tolerance import Tolerance, is_number
from provenance.compare.volatile import masked
from provenance.core.verdict import DIFFERENT, WITHIN
from provenance.core.volatile import is_volatile_name

_NUMBER = re.compile(r"(?<![\w.])[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]*\w)")


_BRIEF = 60
"""Characters of a value that a sentence shows."""

MOST_PARTS = 1000
"""Differing places that are kept to be named; all are counted."""


class Tally:
    """Counts what differed. first: where the first real difference stands, "" for none.

    unit: what one compared place is called ("value", "line").
    """

    unit = "value"

    def __init__(self, tolerance: Tolerance, mask: Callable[[str], str] = masked) -> None:
        self.tolerance = tolerance
        self._mask = mask
        self.compared = self.within = self.volatile = self.different = 0
        self.first = ""
        self.parts: list[Part] = []
        self.largest = 0.0

    def values(self, name: str, old: Any, new: Any) -> None:
        """Compare two JSON values that stand at ``name``."""
        if isinstance(old, dict) and isinstance(new, dict):
            for key in [*old, *(k for k in new if k not in old)]:
                below = "%s/%s" % (name, key) if name else str(key)
                self._member(below, str(key), old, new, key)
        elif isinstance(old, list) and isinstance(new, list) and _is_shuffled(old, new):
            self.compared += len(old)
            self._differs(name, "the same %d members in another order" % len(old))
        elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            for place, (one, other) in enumerate(zip(old, new, strict=True)):
                self.values("%s/%d" % (name, place) if name else str(place), one, other)
        elif isinstance(old, list) and isinstance(new, list):
            self._lengths(name, old, new)
        else:
            self.leaf(name, old, new)

    def _lengths(self, name: str, old: list[Any], new: list[Any]) -> None:
        """Say how two lists of other lengths differ, and where they part."""
        self.compared += max(len(old), len(new))
        pairs = zip(old, new, strict=False)
        at = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(old), len(new)))
        text = "%d -> %s, apart from the %d. on"
        self._differs(name, text % (len(old), counted(len(new), "member"), at + 1))

    def _member(
        self, below: str, key: str, old: dict[str, Any], new: dict[str, Any], at: str
    ) -> None:
        if at not in old or at not in new:
            text = "only in the first" if at in old else "only in the second"
            self._differs(below, text)
        elif is_volatile_name(key) and not isinstance(old[at], (dict, list)):
            self._apart(old[at] == new[at])
        else:
            self.values(below, old[at], new[at])

    def leaf(self, name: str, old: Any, new: Any) -> None:
        """Compare two single values that stand at ``name``."""
        if is_number(old) and is_number(new):
            self.compared += 1
            judged = self.tolerance.judge(old, new)
            self.within += judged == WITHIN
            if judged == DIFFERENT:
                self._differs(name, "%s -> %s" % (brief(old), brief(new)), apart(old, new))
        elif isinstance(old, str) and isinstance(new, str):
            self.text(name, old, new)
        else:
            self.compared += 1
            if old != new or type(old) is not type(new):
                self._differs(name, _change(old, new))

    def text(self, name: str, old: str, new: str) -> None:
        """Compare two texts: volatile parts masked, numbers with tolerance."""
        self.compared += 1
        if old == new:
            return
        first, second = self._mask(old), self._mask(new)
        if first == second:
            self.volatile += 1
            return
        # Of a long line the times before what matters would be all that is shown.
        shown = (first, second) if max(len(old), len(new)) > _BRIEF else (old, new)
        if _NUMBER.sub("0", first) != _NUMBER.sub("0", second) or _is_code(old, new):
            self._differs(name, _change(*shown))
            return
        pairs = zip(_NUMBER.findall(first), _NUMBER.findall(second), strict=True)
        verdicts = {self.tolerance.judge(_number(a), _number(b)) for a, b in pairs if a != b}
        if DIFFERENT in verdicts:
            self._differs(name, _change(*shown))
        elif verdicts:
            self.within += 1

    def lines(self, old: Iterable[str], new: Iterable[str]) -> None:
        """Compare two texts line by line, as a terminal would show them in the end."""
        for number, (one, other) in enumerate(zip_longest(shown(old), shown(new)), start=1):
            place = "line %d" % number
            if one is None or other is None:
                self.compared += 1
                self._differs(place, "only in the second" if one is None else "only in the first")
            else:
                self.text(place, one, other)

    def _apart(self, equal: bool) -> None:
        self.compared += 1
        self.volatile += not equal

    def _differs(
        self, name: str, detail: str = "", figures: Mapping[str, Any] | None = None
    ) -> None:
        self.different += 1
        self.first = self.first or name or "the whole"
        self.largest = max(self.largest, (figures or {}).get("abs") or 0.0)
        if len(self.parts) < MOST_PARTS:
            self.parts.append(Part(name or "the whole", DIFFERENT, detail, figures or {}))

    def judged(self, kind: str = "values") -> Judged:
        """Return the verdict over all that was compared, with its counts in words."""
        counts = {"differ": self.different, "within": self.within, "volatile": self.volatile}
        verdict, parts = (DIFFERENT if self.different else WITHIN), tuple(self.parts)
        return Judged(verdict, self._sentence(), kind, self.compared, parts, counts)

    def _sentence(self) -> str:
        if self.different:
            total = max(self.compared, self.different)
            text = "%d of %s %ss differ" % (self.different, format(total, ","), self.unit)
            return "%s, the first at %s" % (text, self.first)
        parts = []
        if self.within:
            parts.append("%s within tolerance" % counted(self.within, self.unit))
        if self.volatile:
            parts.append("differs only in times, durations, paths and the like")
        return "; ".join(parts) or "the same values in another layout"


def _is_code(old: str, new: str) -> bool:
    """Return whether two texts are digits that name something: ``007`` is not ``7``."""
    both = old.strip(), new.strip()
    padded = any(len(one) > 1 and one.startswith("0") for one in both)
    return padded and all(one.isdigit() for one in both)


def _is_shuffled(old: list[Any], new: list[Any]) -> bool:
    """Return whether two lists of texts, each there once, differ in their order only."""
    if old == new or len(old) != len(new) or not all(isinstance(one, str) for one in old):
        return False
    return (
        all(isinstance(one, str) for one in new)
        and len(set(old)) == len(old)
        and (set(old) == set(new))
    )


def counted(count: int, word: str) -> str:
    """Return "1 row", "1,280 rows"."""
    return "%s %s%s" % (format(count, ","), word, "" if count == 1 else "s")


def quoted(value: Any) -> str:
    """Return `brief`, of a text in quotes: beside a number, ``"1"`` is not 1."""
    return '"%s"' % brief(value) if isinstance(value, str) else brief(value)


def brief(value: Any) -> str:
    """Return ``value`` in few characters, for a sentence."""
    if isinstance(value, float):
        return "%.10g" % value
    if isinstance(value, dict):
        return "a mapping of %d" % len(value)
    if isinstance(value, list):
        return "a list of %d" % len(value)
    text = " ".join(value.split()) if isinstance(value, str) else repr(value)
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= _BRIEF else text[: _BRIEF - 3] + "..."


def apart(old: float, new: float) -> dict[str, Any]:
    """Return how far two numbers lie apart: ``abs``, and ``rel`` to the first where that is not 0.

    Empty where one is not finite.
    """
    try:
        distance = abs(float(new) - float(old))
    except OverflowError:
        return {}
    if not math.isfinite(distance):
        return {}
    return {"abs": distance, "rel": distance / abs(old)} if old else {"abs": distance}


def _change(old: Any, new: Any) -> str:
    """Return "old -> new"; of long texts the surroundings of the first difference."""
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > _BRIEF:
        pairs = zip(old, new, strict=False)
        same = next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(old), len(new)))
        start = max(0, same - _BRIEF // 3)
        lead = "..." if start else ""
        old, new = lead + old[start:], lead + new[start:]
    if isinstance(old, str) != isinstance(new, str):
        return "%s -> %s" % (quoted(old), quoted(new))
    return "%s -> %s" % (brief(old), brief(new))


_CONTROL = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07]*\x07)")
"""Colours, and moves of the cursor as several progress bars make them."""


def shown(lines: Iterable[str]) -> Iterator[str]:
    """Yield ``lines`` without their ends; of what a carriage return overwrote, only the last."""
    for line in lines:
        if "\x1b" in line:
            line = _CONTROL.sub("", line)  # noqa: PLW2901
        yield line.rstrip("\r\n").rsplit("\r", 1)[-1].rstrip()


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
