"""Series of metrics of two runs: the first step at which any of them parts, and how."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from provenance.compare.parting import BEFORE, END, SERIES, Station
from provenance.compare.tolerance import Tolerance, is_number
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN
from provenance.core.volatile import is_volatile_name

Points = Sequence[Mapping[str, Any]]

_SHOWN = 3


class Apart(NamedTuple):
    """How one series parts.

    step: the first step at which the two lie further apart than the tolerance; old, new: the values
    there, None for a step that one of them lacks. before: the last step until which both agreed.
    unequal: the first step whose values are not equal to the bit, with their relative distance.
    points: of each run, (0, 0) where some were left out.
    """

    name: str
    step: Any = None
    old: Any = None
    new: Any = None
    before: Any = None
    unequal: tuple[Any, float] | None = None
    compared: int = 0
    points: tuple[int, int] = (0, 0)


def apart(name: str, old: Points, new: Points, rule: Tolerance, whole: bool = True) -> Apart:
    """Return how the series ``name`` parts. whole: whether no points were left out of either."""
    counts = (len(old), len(new)) if whole else (0, 0)
    now = {one["step"]: one["value"] for one in new}
    before: Any = None
    unequal: tuple[Any, float] | None = None
    compared = 0
    late: Any = None
    for point in old:
        step, value = point["step"], point["value"]
        if step not in now:
            if not compared:  # one that goes on from a checkpoint begins later
                late = point if late is None else late
            elif counts[0] != counts[1]:
                return Apart(name, step, value, None, before, unequal, compared, counts)
            continue
        other = now[step]
        if not (is_number(value) and is_number(other)):
            continue
        compared += 1
        if rule.judge(value, other) == DIFFERENT:
            return Apart(name, step, value, other, before, unequal, compared, counts)
        if unequal is None and value != other and not (_is_nan(value) and _is_nan(other)):
            unequal = step, _relative(value, other)
        before = step
    if late is not None and whole and compared:
        step, value = late["step"], late["value"]
        return Apart(name, step, value, None, None, unequal, compared, counts)
    known = {one["step"] for one in old}
    more = next((one for one in new if one["step"] not in known), None)
    if whole and more is not None and compared:
        return Apart(name, more["step"], None, more["value"], before, unequal, compared, counts)
    return Apart(name, None, None, None, before, unequal, compared, counts)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _relative(old: Any, new: Any) -> float:
    scale = max(abs(float(old)), abs(float(new)))
    return abs(float(new) - float(old)) / scale if scale and math.isfinite(scale) else 0.0


def station(found: Sequence[Apart], recorded: bool = False) -> Station:
    """Return all series as one station; recorded: whether either of the runs has any."""
    compared = [one for one in found if one.compared and not is_volatile_name(one.name)]
    if not compared:
        text = "the runs have none in common" if recorded else "none were recorded"
        return Station("series", SERIES, NOT_COMPARED, text, unit="series")
    parting = sorted((one for one in compared if one.step is not None), key=_place)
    if not parting:
        unequal = [one for one in compared if one.unequal is not None]
        return _all_equal(compared, unequal)
    first = parting[0]
    others = [one.name for one in parting[1:] if one.step == first.step][:_SHOWN]
    figures = {**first._asdict(), "at_the_same_step": others, "parted": len(parting)}
    moment = float(first.step) if is_number(first.step) else END
    return Station(
        "series", SERIES, DIFFERENT, _detail(first, others), (), moment,
        len(compared), "series", figures, _parted(first), first.step,
    )  # fmt: skip


def _all_equal(compared: Sequence[Apart], unequal: Sequence[Apart]) -> Station:
    text = "%d points" % sum(one.compared for one in compared)
    figures: dict[str, Any] = {}
    if unequal:
        first = min(unequal, key=lambda one: float(one.unequal[0]) if one.unequal else END)
        step, distance = first.unequal or (None, 0.0)
        text += ", not to the last bit: %s from step %s" % (first.name, _text(step))
        figures = {"name": first.name, "unequal": (step, distance)}
    verdict = WITHIN if unequal else SAME
    return Station("series", SERIES, verdict, text, (), BEFORE, len(compared), "series", figures)


def _place(one: Apart) -> tuple[float, bool, bool]:
    """Earliest first; training before what is measured on other data, losses before the rest."""
    other = any(word in one.name.lower() for word in ("val", "test", "eval"))
    return (float(one.step) if is_number(one.step) else END), other, "loss" not in one.name.lower()


def _detail(one: Apart, others: Sequence[str]) -> str:
    text = "%s at step %s: %s, then %s" % (one.name, _text(one.step), *_values(one))
    return text + ("; at the same step %s" % ", ".join(others) if others else "")


def _values(one: Apart) -> tuple[str, str]:
    return tuple(  # type: ignore[return-value]  # two in, two out
        "no value" if value is None else _text(value) for value in (one.old, one.new)
    )


def _parted(one: Apart) -> str:
    step = _text(one.step)
    since = "equal up to step %s; " % _text(one.before) if one.before is not None else ""
    bad = [_bad(value) for value in (one.old, one.new)]
    if bad[0] != bad[1]:
        who = "first" if bad[0] else "second"
        text = "%s from step %s in %s of the %s run"
        return since + text % (bad[0] or bad[1], step, one.name, who)
    if None in (one.old, one.new):
        who = "first" if one.new is None else "second"
        return since + "step %s of %s only in the %s run" % (step, one.name, who)
    if since:
        return since + "%s parts at step %s (%s, then %s)" % (one.name, step, *_values(one))
    return "parted at the first step of %s (step %s: %s, then %s)" % (one.name, step, *_values(one))


def _bad(value: Any) -> str:
    if not isinstance(value, float) or math.isfinite(value):
        return ""
    return "NaN" if math.isnan(value) else "infinite"


def _text(value: Any) -> str:
    return "%.6g" % value if isinstance(value, float) else str(value)
