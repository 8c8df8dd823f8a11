"""Where a curve may run to be on track with recorded ones: a band around them, by step.

The band allows for three things that differ between two runs of the same training and mean nothing:

* **time**: it may be a quarter of the way it has come earlier or later than recorded: lenient where
  a curve falls steeply, strict where it is flat;
* **noise**: of single values, estimated from the recorded curve's own second differences;
* **level**: a part of the recorded range (its first tenth left out, where a loss may begin
  anywhere), a part of the value, half the spread of several recorded runs, and the tolerance that
  somebody chose.

Three recorded runs or more show by themselves how far runs lie apart: then the shares are smaller.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

Points = Sequence[tuple[float, float]]
"""A curve: pairs of step and value, steps growing."""

OF_SPREAD = 0.5
"""The share of the spread of several runs by which a value may lie outside of them."""
SEVERAL = 3
"""So many recorded runs show how far runs lie apart."""
NOISES = 3.5
"""Standard errors of a smoothed value that are still noise."""
WINDOW = 0.04
"""The share of the recorded steps that values are smoothed over."""
LEAST, MOST_WINDOW = 3, 101
"""The least points of a curve that can be followed, and the most in a window."""
_SETTLED = 0.1
"""The share of the steps after which the range of a curve is looked at."""
_MEDIAN_ERROR = 1.2533
"""The standard error of a median of n normal values is this times that of their mean."""


class Room(NamedTuple):
    """Shares that are allowed.

    time: of the steps so far, by which a curve may be ahead or behind. range: of the recorded
    values' range. value: of the value.
    """

    time: float
    range: float
    value: float


ALONE, AMONG = Room(0.25, 0.06, 0.05), Room(0.12, 0.03, 0.02)
"""What is allowed around fewer than `SEVERAL` recorded runs, and around more."""


class Edge(NamedTuple):
    """The band at one step: from ``low`` to ``high``; ``value`` was recorded (the mean of all)."""

    low: float
    high: float
    value: float


class Curve:
    """One recorded curve, smoothed. Raises ValueError where it has fewer than `LEAST` values."""

    def __init__(self, points: Points) -> None:
        found = sorted((float(step), float(value)) for step, value in points)
        self.finite = [one for one in found if math.isfinite(one[1])]
        self.bad = next((step for step, value in found if not math.isfinite(value)), None)
        if len(self.finite) < LEAST:
            raise ValueError("fewer than %d values" % LEAST)
        self.steps = [step for step, _ in self.finite]
        raw = [value for _, value in self.finite]
        self.least = min(raw)
        self.window = window(len(raw))
        self.values = smoothed(raw, self.window)
        self.noise = _noise(raw)
        settled = bisect_left(self.steps, self.steps[0] + _SETTLED * self.length)
        later = self.values[settled:] or self.values
        self.range = max(later) - min(later)

    @property
    def length(self) -> float:
        """The steps from the first value to the last."""
        return self.steps[-1] - self.steps[0]

    @property
    def spacing(self) -> float:
        """The steps from one value to the next."""
        return self.length / (len(self.steps) - 1)

    def at(self, step: float) -> float:
        """Return the smoothed value at ``step``, between two by a straight line."""
        right = bisect_left(self.steps, step)
        if right == 0:
            return self.values[0]
        if right == len(self.steps):
            return self.values[-1]
        before, after = self.steps[right - 1], self.steps[right]
        share = (step - before) / (after - before) if after > before else 1.0
        return self.values[right - 1] * (1 - share) + self.values[right] * share

    def between(self, first: float, last: float) -> tuple[float, float]:
        """Return the least and the greatest smoothed value from ``first`` to ``last``."""
        inside = self.values[bisect_left(self.steps, first) : bisect_right(self.steps, last)]
        ends = (self.at(first), self.at(last))
        return min(*ends, *inside), max(*ends, *inside)

    def noise_at(self, step: float) -> float:
        """Return the standard deviation of single values around ``step``."""
        return self.noise[min(bisect_left(self.steps, step), len(self.noise) - 1)]

    def reached(self, value: float, step: float) -> float | None:
        """Return the first step at which ``value`` was reached or passed, None where never.

        Reached as seen from the first value, in the direction in which the curve goes to ``step``.
        """
        first, down = self.values[0], value < self.values[0]
        if value == first or (self.at(step) < first) != down:
            return None
        for at, now in zip(self.steps, self.values, strict=True):
            if (now <= value) if down else (now >= value):
                return at
        return None


class Band:
    """What several recorded curves (or one) of one metric allow.

    rtol, atol: a tolerance that somebody chose, in numpy's meaning; it widens the band.
    """

    def __init__(self, curves: Sequence[Curve], rtol: float = 0.0, atol: float = 0.0) -> None:
        self.curves = curves
        self._rtol, self._atol = rtol, atol
        self.share = AMONG if len(curves) >= SEVERAL else ALONE
        self._positive = all(one.least >= 0 for one in curves)
        self.start = min(one.steps[0] for one in curves)
        self.end = max(one.steps[-1] for one in curves)
        self.spacing = median(one.spacing for one in curves)

    def at(self, step: float, count: int) -> Edge:
        """Return the band at ``step`` for a median of ``count`` values."""
        near = [one for one in self.curves if step <= one.steps[-1]] or list(self.curves)
        values = [one.at(step) for one in near]
        lows, highs = [], []
        for one in near:
            came = step - min(one.steps[0], 0.0)
            slack = max(2 * one.spacing, 0.01 * one.length)
            share = self.share.time
            low, high = one.between(
                step - came * share / (1 + share) - slack, step + came * share + slack
            )
            lows.append(low)
            highs.append(high)
        middle = math.fsum(values) / len(values)
        room = self._room(step, count, near, values, middle)
        low = min(lows) - room
        return Edge(max(low, 0.0) if self._positive else low, max(highs) + room, middle)

    def _room(
        self, step: float, count: int, near: list[Curve], values: list[float], middle: float
    ) -> float:
        level = max(
            self.share.range * max(one.range for one in near) + self.share.value * abs(middle),
            OF_SPREAD * (max(values) - min(values)),
        )
        chosen = self._atol + self._rtol * abs(middle)
        noise = max(one.noise_at(step) * math.sqrt(1 / count + 1 / one.window) for one in near)
        return max(level, chosen) + NOISES * _MEDIAN_ERROR * noise


def window(count: int) -> int:
    """Return over how many of ``count`` values to smooth: an odd number."""
    return min(int(count * WINDOW) // 2 * 2 + (3 if count >= 10 else 1), MOST_WINDOW)


def smoothed(values: Sequence[float], size: int) -> list[float]:
    """Return the running median over ``size`` values, at the end over those that there are.

    At the beginning, where curves are steep, over fewer, so that nothing is moved.
    """
    half = size // 2
    found = []
    for place in range(len(values)):
        reach = min(half, place)
        found.append(median(values[place - reach : place + reach + 1]) if reach else values[place])
    return found


def _noise(values: Sequence[float]) -> list[float]:
    """Return the standard deviation of single values, from place to place.

    By second differences: a trend hardly counts in them. Of independent values they have 1.5 times
    the variance; 1.4826 makes a standard deviation of a median of absolute ones. Never less than
    half of what it is over the whole curve.
    """
    parts = [abs(b - (a + c) / 2) for a, b, c in zip(values, values[1:], values[2:], strict=False)]
    factor = 1.4826 / math.sqrt(1.5)
    overall = factor * median(parts)
    reach = max(10, len(parts) // 10)
    block = max(1, reach // 5)
    found: list[float] = []
    for place in range(0, len(parts), block):
        here = factor * median(parts[max(place - reach, 0) : place + reach + 1])
        found += [max(here, overall / 2)] * min(block, len(parts) - place)
    return [found[0], *found, found[-1]]
