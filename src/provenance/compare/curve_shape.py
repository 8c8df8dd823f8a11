"""What one curve is like by itself: its end, its best, where it breaks down, where it goes flat."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from provenance.facets import _metricnames

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

_SMOOTH = 200
"""A curve is smoothed over one part in so many of its points before a level is sought in it: of
up to 200 points none, of 100,000 a mean of 500. One lucky batch is no level reached."""

_FLAT = 0.02
"""A curve is flat where it stays within so much of its whole way of its end."""

_WAY = 0.9
"""A level is so far along the way from the recorded begin to the recorded best."""


class Shape(NamedTuple):
    """One curve by itself. Steps are None where there is no such point.

    points: how many. final, best: values; best is None where the name does not say what is better.
    not_finite: how many values are NaN or infinite. broken_from: the step from which on there is
    no finite value. flat_from: the step from which on it stays within 2 % of its way of its end,
    told only where that is before its last tenth.
    """

    points: int
    first_step: float
    last_step: float
    final: float
    best: float | None = None
    best_step: float | None = None
    not_finite: int = 0
    broken_from: float | None = None
    flat_from: float | None = None


class Reached(NamedTuple):
    """When two curves reach a level: 90 % of the recorded way from its begin to its best.

    old, new: the steps, None where it is not reached.
    """

    level: float
    old: float | None
    new: float | None


def shape(name: str, steps: Array, values: Array) -> Shape:
    """Return what the curve called ``name`` is like; it has one point at least."""
    import numpy as np

    finite = np.isfinite(values)
    bad = len(values) - int(finite.sum())
    found = Shape(len(values), float(steps[0]), float(steps[-1]), float(values[-1]), not_finite=bad)
    if bad:
        last = np.flatnonzero(finite)
        place = int(last[-1]) + 1 if len(last) else 0
        if place < len(values):
            found = found._replace(broken_from=float(steps[place]))
    goal = _metricnames.goal(name)
    if goal is not None and bad < len(values):
        sought = np.where(finite, values, math.inf if goal == "least" else -math.inf)
        at = int(np.argmin(sought) if goal == "least" else np.argmax(sought))
        found = found._replace(best=float(values[at]), best_step=float(steps[at]))
    return found._replace(flat_from=_flat_from(steps[finite], values[finite]))


def _flat_from(steps: Array, values: Array) -> float | None:
    if len(values) < _FEW:
        return None
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):  # values at both ends of what a float holds
        soft = smooth(values)
        way = float(soft.max() - soft.min())
        off = np.flatnonzero(np.abs(soft - soft[-1]) > _FLAT * way)
    place = int(off[-1]) + 1 if len(off) else 0
    return float(steps[place]) if way > 0 and place < 0.9 * len(values) else None


_FEW = 10
"""Points below which nothing is said of a curve's form."""


def smooth(values: Array) -> Array:
    """Return the mean over the last points, one part in 200 of all; as they are where few."""
    import numpy as np

    width = max(1, len(values) // _SMOOTH)
    if width == 1:
        return values
    level = values[0]
    sums = np.concatenate(([0.0], np.cumsum(values - level)))
    counts = np.minimum(np.arange(1, len(values) + 1), width)
    ends = np.arange(1, len(values) + 1)
    found: Array = (sums[ends] - sums[ends - counts]) / counts + level
    return found


def reached(name: str, steps: Array, old: Array, new: Array) -> Reached | None:
    """Return when both reach a level; None where the recorded curve goes nowhere."""
    import numpy as np

    there, here = np.isfinite(old), np.isfinite(new)
    if min(int(there.sum()), int(here.sum())) < _FEW:
        return None
    goal = _metricnames.goal(name)
    before, after = smooth(old[there]), smooth(new[here])
    up = goal == "greatest" if goal is not None else before[-1] > before[0]
    begin, best = float(before[0]), float(before.max() if up else before.min())
    way = best - begin
    if way == 0 or not math.isfinite(way):
        return None
    level = _rounded(begin + _WAY * way, way)
    if (level > best) if up else (level < best):
        level = begin + _WAY * way
    first = _first(steps[there], before, level, up)
    second = _first(steps[here], after, level, up)
    return Reached(level, first, second) if first is not None else None


def _rounded(level: float, way: float) -> float:
    """Return a level with as many digits as tell one part in a hundred of the way."""
    return round(level, 1 - math.floor(math.log10(abs(way))))


def _first(steps: Array, values: Array, level: float, up: bool) -> float | None:
    import numpy as np

    places = np.flatnonzero(values >= level if up else values <= level)
    return float(steps[places[0]]) if len(places) else None
