"""The metrics of one run held against those of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from provenance.compare import curve, tolerances
from provenance.compare.curve import Curve
from provenance.compare.tolerance import Tolerance, is_number
from provenance.compare.tolerances import Choice, Rules
from provenance.core.verdict import DIFFERENT, NOT_COMPARED
from provenance.core.volatile import is_volatile_name

Series = Sequence[Mapping[str, Any]]


class MetricResult(NamedTuple):
    """One metric of two runs.

    old, new: final values, None where there is none. difference: new - old. verdict: same, within
    tolerance, different or not compared; of the final value. tolerance: the one applied, and where
    it comes from. first_step_apart: the first step at which the series lie further apart than that,
    None where they do not or there are none. detail: a clause where the verdict does not say it
    all. curve: the series held against each other (`curves.CurveResult`), None where a run has
    none.
    """

    name: str
    old: Any
    new: Any
    difference: Any
    verdict: str
    tolerance: Tolerance
    first_step_apart: Any = None
    detail: str = ""
    curve: Any = None


def compare_metrics(
    old_final: Mapping[str, Any],
    new_final: Mapping[str, Any],
    old_series: Mapping[str, Series | Curve],
    new_series: Mapping[str, Series | Curve],
    choice: Choice | Tolerance | None = None,
    by_name: Mapping[str, Tolerance] | None = None,
    units: Mapping[str, str] | None = None,
) -> list[MetricResult]:
    """Return one result per metric of either run, the recorded ones first.

    choice: what somebody chose, None for the defaults by kind. by_name: other tolerances for some
    metrics. units: "%" by name, where a metric is in per cent.
    """
    names = [*old_final, *(name for name in new_final if name not in old_final)]
    rules = _choice(choice)
    found = []
    for name in names:
        old, new = old_final.get(name), new_final.get(name)
        unit = (units or {}).get(name, "")
        applied = (by_name or {}).get(name) or rules.of(name, (old, new), old_final, unit)
        one = _final(name, old, new, applied)
        if name in old_series and name in new_series and one.verdict != NOT_COMPARED:
            one = _with_curve(one, old_series[name], new_series[name])
        found.append(one)
    return found


def _choice(choice: Choice | Tolerance | None) -> Choice:
    if isinstance(choice, Tolerance):
        return Choice((Rules(choice),))
    return choice or Choice()


def _with_curve(one: MetricResult, old: Series | Curve, new: Series | Curve) -> MetricResult:
    """Return a metric with its curves compared; single points are no curve."""
    first, second = _curve(one.name, old), _curve(one.name, new)
    if max(len(first), len(second)) < 2:
        return one
    from provenance.compare import curves  # loads numpy, which two runs without series do not need

    found = curves.compare_curve(first, second, one.tolerance)
    step = found.first_apart
    if step is not None and step == int(step):
        step = int(step)
    return one._replace(first_step_apart=step, curve=found)


def _curve(name: str, series: Series | Curve) -> Curve:
    return series if isinstance(series, Curve) else curve.of_points(name, series)


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
    if is_volatile_name(name) and not tolerance.is_chosen:
        text = "a time, rate or use of memory: differs from run to run"
        return MetricResult(name, old, new, difference, NOT_COMPARED, tolerance, detail=text)
    verdict = tolerance.judge(old, new)
    text = tolerances.scaled(name, old, new) if verdict == DIFFERENT else ""
    return MetricResult(name, old, new, difference, verdict, tolerance, detail=text)
