"""What two runs printed: the first line that differs, times and the like masked.

Progress bars are left out: how often they are drawn is chance. A line that only says a parameter
which differs is the parameter again, and does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from provenance.compare.parting import BEFORE, LOG, Station
from provenance.compare.tolerance import Tolerance
from provenance.compare.values import Tally
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME
from provenance.core.volatile import is_volatile_name
from provenance.facets._loglines import Line

_STEP = re.compile(
    r"\b(?:(?:global[ _]?)?step|iter(?:ation)?|epoch|update)s?\b[^\w\n]{0,3}(\d+)", re.I
)
_NAMED = re.compile(
    r"(\b[A-Za-z_][\w/]*)([\"']?\s*[:=]\s*|\s+)([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\b"
)
_LONGEST = 100


class LogApart(NamedTuple):
    """The first line that differs: its number and text in each run, None where one had ended.

    step: the last step that was told before or in it, None for none. last: the greatest step that
    the old log tells. compared: lines that agree.
    """

    numbers: tuple[int | None, int | None]
    texts: tuple[str | None, str | None]
    step: int | None
    last: int | None
    compared: int


Said = Sequence[tuple[Any, Any]]


def compare(
    old: Iterable[Line], new: Iterable[Line], rule: Tolerance, said: Said = ()
) -> LogApart | int:
    """Return the first line that differs, or how many lines agree.

    said: ``(old, new)`` values of parameters that differ: a line may tell them.
    """
    pairs = [(_plain(a), _plain(b)) for a, b in said if _plain(a) and _plain(b)]
    before, after = _printed(old), _printed(new)
    step: int | None = None
    for count, (one, other) in enumerate(zip_longest(before, after)):
        texts = one.text if one else None, other.text if other else None
        found = _STEP.search(texts[0] or texts[1] or "")
        if found:
            step = int(found.group(1))
        if one is None or other is None or _differ(one.text, other.text, rule, pairs):
            numbers = one.number if one else None, other.number if other else None
            steps = [int(m.group(1)) for m in map(_STEP.search, (x.text for x in before)) if m]
            return LogApart(numbers, texts, step, max(steps, default=None), count)
    return len(before)


def _printed(lines: Iterable[Line]) -> list[Line]:
    return [one for one in lines if not one.bar and one.text.strip()]


def _plain(value: Any) -> str:
    return "" if value is None or isinstance(value, (bool, dict, list)) else str(value)


def _differ(old: str, new: str, rule: Tolerance, said: Sequence[tuple[str, str]]) -> bool:
    if old == new:
        return False
    for was, now in said:
        form = r"(?<![\w.])%s(?![\w.]*\w)"
        old = re.sub(form % re.escape(was), "<parameter>", old)
        new = re.sub(form % re.escape(now), "<parameter>", new)
    tally = Tally(rule)
    tally.text("", _untimed(old), _untimed(new))
    return tally.different > 0


def _untimed(text: str) -> str:
    """Return ``text`` without numbers that go by the name of a time or rate ("time 0.31")."""

    def told(match: re.Match[str]) -> str:
        return match.group(1) + match.group(2) + "<time>" if _is_time(match) else match.group()

    return _NAMED.sub(told, text)


def _is_time(match: re.Match[str]) -> bool:
    return is_volatile_name(match.group(1))


def station(found: LogApart | int | str, steps: Sequence[float] = ()) -> Station:
    """Return the log as a station; a text says why it could not be compared.

    steps: of the series. The step that a line tells counts as a moment only where the log ends at
    the same step as they: it may count epochs where they count steps.
    """
    if isinstance(found, str):
        return Station("log", LOG, NOT_COMPARED, found, unit="lines")
    if isinstance(found, int):
        return Station("log", LOG, SAME, "%d lines" % found, (), BEFORE, found, "log lines")
    number = next((n for n in found.numbers if n is not None), 0)
    texts = [_short(text) for text in found.texts]
    same_unit = found.last is not None and (not steps or max(steps) == found.last)
    moment = BEFORE
    if found.step is not None:
        moment = float(found.step) if same_unit else max(steps, default=0.0)
    return Station(
        "log", LOG, DIFFERENT, "line %d: %s, then %s" % (number, texts[0], texts[1]), (), moment,
        found.compared, "log lines",
        {"lines": found.numbers, "old": found.texts[0], "new": found.texts[1]},
        "parted at line %d of the log" % number, found.step,
    )  # fmt: skip


def _short(text: str | None) -> str:
    if text is None:
        return "nothing more"
    text = " ".join(text.split())
    return repr(text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "...")
