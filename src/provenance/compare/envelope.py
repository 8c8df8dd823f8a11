"""The spread of a metric over several runs, and whether one more value fits among them.

Runs of one program that differ in nothing but chance (reruns, or other seeds) draw their values
from one distribution. Two arguments, both told:

- By rank: of n such runs one more lies outside of their range by chance in 2 of n + 1 cases. It
  asks nothing of the distribution, and with five runs it excludes little: 33 %.
- By Student's t: mean and standard deviation of the n give an interval for one more draw, mean +- t
  s sqrt(1 + 1/n), df = n - 1 (Hahn and Meeker, "Statistical Intervals"). It holds for values that
  are spread about normally.

A value is within the envelope if it lies in the range, or, from three runs on, in the interval that
holds 95 % of draws. The number of runs is chosen before any is seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from provenance.compare import student
from provenance.compare.metrics import MetricResult
from provenance.compare.tolerance import ENVELOPE, Tolerance, is_number
from provenance.core.verdict import DIFFERENT, SAME, WITHIN

LEAST = 2
"""Runs that a range needs."""

FOR_T = 3
"""Runs from which on the interval counts: of two it is 18 times their deviation to each side."""

FEW = 5
"""Runs below which it is said that they are few."""

LEVEL = 0.05
"""How seldom one more draw may lie so far off before it is called different."""


class Envelope(NamedTuple):
    """What several runs gave of one metric.

    runs: how many have it. low, high, mean; deviation: the standard deviation of a sample. of: what
    the runs are, a plural: "reruns", "seeds", "runs".
    """

    name: str
    runs: int
    low: float
    high: float
    mean: float
    deviation: float
    of: str = "reruns"

    @property
    def outside(self) -> float:
        """Return how likely one more such run lies outside of the range."""
        return 2 / (self.runs + 1)

    @property
    def is_degenerate(self) -> bool:
        """Whether all runs gave one value."""
        return self.low == self.high

    def holds(self, value: float) -> bool:
        """Return whether ``value`` lies within the range."""
        return self.low <= value <= self.high

    def chance(self, value: float) -> float | None:
        """Return how likely one more draw lies as far from the mean, by Student's t; two-sided.

        None where the runs have no spread: nothing can be said of chance then.
        """
        scale = self.deviation * math.sqrt(1 + 1 / self.runs)
        if self.is_degenerate or scale == 0:
            return None
        return student.two_sided((value - self.mean) / scale, self.runs - 1)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return between which values 95 % of draws lie, by Student's t; None for no spread."""
        if self.is_degenerate:
            return None
        reach = student.quantile(LEVEL, self.runs - 1) * self.deviation
        reach *= math.sqrt(1 + 1 / self.runs)
        return self.mean - reach, self.mean + reach

    def accepts(self, value: float) -> bool:
        """Return whether ``value`` fits: in the range, or likely enough by Student's t."""
        chance = self.chance(value)
        likely = self.runs >= FOR_T and chance is not None and chance >= LEVEL
        return self.holds(value) or likely

    def __str__(self) -> str:
        """Return it in words: "5 reruns: 0.931 to 0.944, mean 0.938, sd 0.005"."""
        numbers = (self.runs, self.of, self.low, self.high, self.mean, self.deviation)
        return "%d %s: %.6g to %.6g, mean %.6g, sd %.2g" % numbers


def envelopes(finals: Sequence[Mapping[str, Any]], of: str = "reruns") -> dict[str, Envelope]:
    """Return the envelope of every metric that at least `LEAST` runs have as a finite number."""
    found = {}
    for name in dict.fromkeys(name for one in finals for name in one):
        values = [float(one[name]) for one in finals if _is_finite(one.get(name))]
        if len(values) >= LEAST:
            mean = _mean(values)
            found[name] = Envelope(
                name, len(values), min(values), max(values), mean, _deviation(values, mean), of
            )
    return found


def _mean(values: Sequence[float]) -> float:
    mean = math.fsum(value / len(values) for value in values)
    return min(max(mean, min(values)), max(values))


def _deviation(values: Sequence[float], mean: float) -> float:
    most = max(abs(value - mean) for value in values)
    if most == 0 or not math.isfinite(most):
        return most
    return most * math.sqrt(
        math.fsum(((value - mean) / most) ** 2 for value in values) / (len(values) - 1)
    )


def judged(result: MetricResult, known: Mapping[str, Envelope], asked: str = "old") -> MetricResult:
    """Return a metric with the envelope in its verdict: what fits in is within tolerance.

    asked: whose value is held against the envelope: "old" where the runs are reruns of the new one,
    "new" where they are like the recorded one. What does not fit stays different, with the chance
    of that in words. Values that agree anyway only get the figures.
    """
    one = known.get(result.name)
    value = result.old if asked == "old" else result.new
    if one is None or result.verdict not in (SAME, WITHIN, DIFFERENT) or not _is_finite(value):
        return result
    number = float(value)
    if result.verdict != DIFFERENT:
        return result
    source = Tolerance(0.0, 0.0, ENVELOPE, why=str(one))
    if one.accepts(number):
        return result._replace(verdict=WITHIN, detail=inside(one, number), tolerance=source)
    return result._replace(detail=beyond(one, number), tolerance=source)


def inside(one: Envelope, value: float) -> str:
    """Return the clause on a value that fits."""
    where = "within" if one.holds(value) else "outside of, but likely under"
    return "%s %s%s%s" % (where, str(one), _chance(one, value), _few(one))


def beyond(one: Envelope, value: float) -> str:
    """Return the clause on a value that does not fit."""
    if one.is_degenerate:
        text = "%d %s agree with each other: no spread to hide a difference in"
        return text % (one.runs, one.of)
    text = "outside of %s; one more lies outside of their range by chance in %.0f %%%s%s"
    said = _chance(one, value).replace("; ", ", ")
    return text % (str(one), 100 * one.outside, said, _few(one))


def _chance(one: Envelope, value: float) -> str:
    chance = one.chance(value)
    if chance is None:
        return ""
    shown = "less than 0.01" if chance < 1e-4 else "%.2g" % (100 * chance)
    return "; so far off their mean in %s %% (Student's t)" % shown


def _few(one: Envelope) -> str:
    """Return what so few runs cannot tell, "" where they are enough."""
    if one.runs >= FEW or one.is_degenerate:
        return ""
    if one.runs < FOR_T:
        return "; %d %s say little: the range alone counts" % (one.runs, one.of)
    low, high = one.interval or (one.low, one.high)
    text = "; %d %s are few: only what lies outside of %.4g to %.4g would show"
    return text % (one.runs, one.of, low, high)


class Means(NamedTuple):
    """Two groups of runs held against each other by their means, after Welch.

    difference: of the means, new - old. low, high: its 95 % interval. chance: the two-sided p
    value. df: degrees of freedom after Satterthwaite. None where neither group has any spread.
    """

    difference: float
    low: float | None
    high: float | None
    chance: float | None
    df: float | None


def means(old: Envelope, new: Envelope) -> Means:
    """Return how far the means of two groups lie apart (B. L. Welch, Biometrika 34, 1947)."""
    first, second = old.deviation**2 / old.runs, new.deviation**2 / new.runs
    apart = new.mean - old.mean
    if first + second == 0:
        return Means(apart, None, None, None, None)
    df = (first + second) ** 2 / (first**2 / (old.runs - 1) + second**2 / (new.runs - 1))
    scale = math.sqrt(first + second)
    reach = student.quantile(LEVEL, df) * scale
    return Means(apart, apart - reach, apart + reach, student.two_sided(apart / scale, df), df)


def _is_finite(value: Any) -> bool:
    try:
        return is_number(value) and math.isfinite(value)
    except OverflowError:
        return False
