"""What a plot of two sides shows: a panel per metric, long curves thinned to what can be seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from provenance.compare import curve_align, curve_words
from provenance.compare.bands import Band
from provenance.compare.curve import Curve
from provenance.compare.curves import CurveResult
from provenance.core.verdict import DIFFERENT
from provenance.exports.plot_svg import Panel
from provenance.facets import _metricnames

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

POINTS = 1200
"""Points of a curve that a plot shows: more than it has pixels across."""

MOST = 24
"""Metrics of one plot; those that differ come first."""

_LOG = 50.0
"""Values are drawn on a logarithmic scale if the greatest is so many times the least."""


def panels(
    results: Sequence[CurveResult],
    old: Mapping[str, Curve],
    new: Mapping[str, Curve],
    bands: Mapping[str, Band] | None = None,
    names: Mapping[str, str] | None = None,
) -> list[Panel]:
    """Return a panel per result: those that differ first, train beside validation.

    names: under which name ``new`` holds a curve, where that is another.
    """
    order = {"different": 0, "not compared": 1, "within tolerance": 2, "same": 3}
    ranked = sorted(results, key=lambda one: (order.get(one.verdict, 1), _family(one.name)))
    return [
        _panel(one, old[one.name], new[(names or {}).get(one.name, one.name)], bands or {})
        for one in ranked[:MOST]
    ]


def _family(name: str) -> tuple[str, ...]:
    splits = ("train", "validation", "test")
    return tuple(word for word in _metricnames.key(name) if word not in splits)


def _panel(one: CurveResult, old: Curve, new: Curve, bands: Mapping[str, Band]) -> Panel:
    both = curve_align.align(old, new)
    shown = [_thinned(*_arrays(each)) for each in (old, new)]
    if not isinstance(both, str) and both.axis != (old.axis or new.axis or "step"):
        shown = [_thinned(both.steps, values) for values in (both.old, both.new)]
    around = bands.get(one.name)
    band = None
    if around is not None:
        low = _thinned(around.steps, around.low)
        high = _thinned(around.steps, around.high, like=low[0])
        band = (low[0], _at(around.steps, around.low, low[0]), high[1])
    return Panel(
        one.name, one.axis or "step", shown[0], shown[1], band, _wants_log(shown), one.verdict,
        *_parting(one),
    )  # fmt: skip


def _parting(one: CurveResult) -> tuple[float | None, tuple[str, ...]]:
    """Return the step to mark, and the clause that goes with it: the spread left, else parted."""
    left = one.band.left if one.band is not None else None
    if left is not None:
        text = "leaves the spread of %d at %s" % (one.band.runs, curve_words.at(one.axis, left))
        return left, (text,)
    if one.band is not None and one.verdict != DIFFERENT:
        return None, ("in the spread of %d" % one.band.runs,)
    return one.parted, one.text[:1]


def _arrays(one: Curve) -> tuple[Array, Array]:
    import numpy as np

    return np.asarray(one.steps), np.asarray(one.values)


def _at(steps: Array, values: Array, wanted: list[float]) -> list[float]:
    import numpy as np

    return [float(value) for value in values[np.searchsorted(steps, wanted)]]


def _thinned(
    steps: Array, values: Array, like: list[float] | None = None
) -> tuple[list[float], list[float]]:
    """Return at most `POINTS` points: of each stretch the least and the greatest, in their order.

    What is seen of a long curve is its outline, and spikes must not get lost. like: take these
    steps instead.
    """
    import numpy as np

    if like is not None:
        return like, _at(steps, values, like)
    if len(steps) > POINTS:
        width = -(-len(steps) // (POINTS // 2))
        pad = -len(steps) % width
        rows = np.pad(values, (0, pad), constant_values=np.nan).reshape(-1, width)
        least = np.argmin(np.where(np.isfinite(rows), rows, np.inf), axis=1)
        most = np.argmax(np.where(np.isfinite(rows), rows, -np.inf), axis=1)
        begins = np.arange(len(rows)) * width
        places = np.unique(np.concatenate((begins + least, begins + most, [0, len(steps) - 1])))
        places = places[places < len(steps)]
        steps, values = steps[places], values[places]
    return [float(step) for step in steps], [float(value) for value in values]


def _wants_log(shown: Sequence[tuple[list[float], list[float]]]) -> bool:
    values = [value for _, each in shown for value in each if math.isfinite(value)]
    return bool(values) and min(values) > 0 and max(values) / min(values) >= _LOG
