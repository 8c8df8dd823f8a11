"""The spread of a metric over several reruns, and whether the recorded value lies within it.

Runs of one program on one machine draw their values from one distribution. With n reruns the
recorded value lies outside of their range by chance in 2 of n + 1 cases: a rank argument, which
asks nothing of the distribution. The number of reruns is chosen before any is seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from provenance.compare.metrics import MetricResult
from provenance.compare.tolerance import is_number
from provenance.core.verdict import DIFFERENT, WITHIN

LEAST = 2
"""Reruns that a range needs."""


class Envelope(NamedTuple):
    """What several reruns gave of one metric.

    runs: how many have it. low, high, mean; deviation: the standard deviation of a
    sample. outside: the probability that one more run lies outside of the range by chance.
    """

    name: str
    runs: int
    low: float
    high: float
    mean: float
    deviation: float

    @property
    def outside(self) -> float:
        """Return how likely one more such run lies outside of the range."""
        return 2 / (self.runs + 1)

    def holds(self, value: float) -> bool:
        """Return whether ``value`` lies within the range."""
        return self.low <= value <= self.high

    def __str__(self) -> str:
        """Return it in words: "5 reruns: 0.931 to 0.944, mean 0.938, sd 0.005"."""
        numbers = (self.runs, self.low, self.high, self.mean, self.deviation)
        return "%d reruns: %.6g to %.6g, mean %.6g, sd %.2g" % numbers


def envelopes(finals: Sequence[Mapping[str, Any]]) -> dict[str, Envelope]:
    """Return the envelope of every metric that at least `LEAST` reruns have as a finite number."""
    found = {}
    for name in dict.fromkeys(name for one in finals for name in one):
        values = [float(one[name]) for one in finals if _is_finite(one.get(name))]
        if len(values) >= LEAST:
            mean = math.fsum(values) / len(values)
            spread = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
            found[name] = Envelope(
                name, len(values), min(values), max(values), mean, math.sqrt(spread)
            )
    return found


def judged(result: MetricResult, known: Mapping[str, Envelope]) -> MetricResult:
    """Return a metric with the envelope in its verdict: what lies inside is within tolerance.

    A value that differs from the first rerun and lies outside of the range stays different, with
    the chance of that in words.
    """
    one = known.get(result.name)
    if one is None or result.verdict != DIFFERENT or not _is_finite(result.old):
        return result
    if one.holds(float(result.old)):
        return result._replace(verdict=WITHIN, detail="within %s" % str(one))
    text = "outside of %s (by chance in %.0f %%)"
    if one.low == one.high:
        text = "%d reruns agree with each other" % one.runs
        return result._replace(detail=text)
    return result._replace(detail=text % (str(one), 100 * one.outside))


def _is_finite(value: Any) -> bool:
    try:
        return is_number(value) and math.isfinite(value)
    except OverflowError:
        return False
