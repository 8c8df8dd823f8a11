"""The metrics of one run held against those of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from provenance.compare.tolerance import DEFAULT, Tolerance, is_number
from provenance.core.verdict import DIFFERENT, NOT_COMPARED
from provenance.core.volatile import is_volatile_name

Series = Sequence[Mapping[str, Any]]


class MetricResult(NamedTuple):
    """One metric of two runs.

    old, new: final values, None where there is none. difference: new - old. verdict: same, within
    tolerance, different or not compared; of the final value. tolerance: the one applied.
    first_step_apart: the first step at which the series lie further apart than that, None where
    they do not or there are none. detail: a clause where the verdict does not say it all.
    """

    name: str
    old: Any
    new: Any
    difference: Any
    verdict: str
    tolerance: Tolerance
    first_step_apart: Any = None
    detail: str = ""


def compare_metrics(
    old_final: Mapping[str, Any],
    new_final: Mapping[str, Any],
    old_series: Mapping[str, Series],
    new_series: Mapping[str, Series],
    tolerance: Tolerance | None = None,
    by_name: Mapping[str, Tolerance] | None = None,
) -> list[MetricResult]:
    """Return one result per metric of either run, the recorded ones first.

    tolerance: None for the default. by_name: other tolerances for some metrics.
    """
    names = [*old_final, *(name for name in new_final if name not in old_final)]
    found = []
    for name in names:
        applied = (by_name or {}).get(name, tolerance or DEFAULT)
        one = _final(name, old_final.get(name), new_final.get(name), applied)
        if name in old_series and name in new_series and one.verdict != NOT_COMPARED:
            step = first_apart(old_series[name], new_series[name], applied)
            one = one._replace(first_step_apart=step)
        found.append(one)
    return found


def _final(name: str, old: Any, new: Any, tolerance: Tolerance) -> MetricResult:
    if old is None:
        text = "the recorded run has none"
        return MetricResult(name, old, new, None, NOT_COMPARED, tolerance, detail=text)
    if new is None:
        text = "the new run has none"
        return MetricResult(name, old, new, None, DIFFERENT, tolerance, detail=text)
    if not (is_number(old) and is_number(new)):
        text = "not a number"
        return MetricResult(name, old, new, None, NOT_COMPARED, tolerance, detail=text)
    try:
        difference = new - old
    except OverflowError:
        difference = None
    if is_volatile_name(name) and tolerance.source == "default":
        text = "a time, rate or use of memory: differs from run to run"
        return MetricResult(name, old, new, difference, NOT_COMPARED, tolerance, detail=text)
    return MetricResult(name, old, new, difference, tolerance.judge(old, new), tolerance)


def first_apart(old: Series, new: Series, tolerance: Tolerance) -> Any:
    """Return the first step that both series have and at which they differ, None for no such."""
    now = {point["step"]: point["value"] for point in new}
    for point in old:
        step, value = point["step"], point["value"]
        if step not in now or not (is_number(value) and is_number(now[step])):
            continue
        if tolerance.judge(value, now[step]) == DIFFERENT:
            return step
    return None
