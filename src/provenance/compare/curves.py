"""Curve against curve: where they part, how far they lie apart, which is later, which breaks down.

"Parted" is the step from which on two curves stay apart, not the first point at which they differ:
from there on nine of ten points lie further apart than the tolerance, up to the end. The first
point is told as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from provenance.compare import curve_align, curve_shape
from provenance.compare.curve import EPOCH, STEP, Curve
from provenance.compare.curve_align import Aligned
from provenance.compare.curve_shape import Reached, Shape
from provenance.compare.tolerance import DEFAULT, Tolerance
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN
from provenance.facets import _metricnames

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

_STAY = 0.9
"""Curves stay apart where so many of the remaining points do: accuracies over few examples meet
now and then by chance."""

_NEAR = 10
"""Points right after a parting that are looked at: half of them lie apart too, or it is a stray."""


class CurveResult(NamedTuple):
    """Two curves of one metric held against each other.

    verdict: same, within tolerance, different or not compared; of all common points. axis: step,
    epoch or index. points: how many were compared; apart: at how many they differ. first_apart: the
    first of those. parted: the step from which on they stay apart, None where they do not.
    together: the last step at which they differ, where they do not stay apart. rms: root of the
    mean squared difference; area: between the curves, over the steps; gap: the largest difference
    (new - old) and gap_at its step: of the points that are finite in both. final: new - old at the
    last common point. end_rms: rms over the last tenth. old, new: each by itself. reached: who is
    later. band: how it lies to several runs' (`bands.InBand`). split: train, validation or test,
    where the name says so. notes: how they were aligned.
    text: all that matters in clauses, the gravest first.
    """

    name: str
    verdict: str
    tolerance: Tolerance = DEFAULT
    axis: str = ""
    points: int = 0
    apart: int = 0
    first_apart: float | None = None
    parted: float | None = None
    together: float | None = None
    rms: float | None = None
    area: float | None = None
    gap: float | None = None
    gap_at: float | None = None
    final: float | None = None
    end_rms: float | None = None
    old: Shape | None = None
    new: Shape | None = None
    reached: Reached | None = None
    split: str = ""
    resampled: bool = False
    notes: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    band: Any = None


def compare_curve(old: Curve, new: Curve, tolerance: Tolerance = DEFAULT) -> CurveResult:
    """Return ``new`` held against ``old``."""
    name = old.name
    aligned = curve_align.align(old, new)
    split = _metricnames.split_of(name) or ""
    if isinstance(aligned, str):
        return CurveResult(name, NOT_COMPARED, tolerance, split=split, text=(aligned,))
    shapes = [_shape(name, one, aligned.axis) for one in (old, new)]
    found = CurveResult(
        name,
        SAME,
        tolerance,
        aligned.axis,
        len(aligned.steps),
        old=shapes[0],
        new=shapes[1],
        reached=curve_shape.reached(name, aligned.steps, aligned.old, aligned.new),
        split=split,
        resampled=aligned.resampled,
        notes=aligned.notes,
    )
    found = _parted(_distances(found, aligned), aligned, tolerance)
    from provenance.compare import curve_words

    return found._replace(text=curve_words.clauses(found))


def _shape(name: str, one: Curve, axis: str) -> Shape:
    """Return what a curve is like by itself, its steps told as ``axis`` counts them."""
    import numpy as np

    by_epoch = axis == EPOCH and one.axis == STEP and len(one.epochs)
    steps = one.epochs if by_epoch else one.steps
    return curve_shape.shape(name, np.asarray(steps), np.asarray(one.values))


def _distances(found: CurveResult, both: Aligned) -> CurveResult:
    import numpy as np

    with np.errstate(invalid="ignore", over="ignore"):
        apart = both.new - both.old
    there = np.isfinite(apart)
    last = float(apart[-1]) if there[-1] else None
    if not there.any():
        return found
    steps, values = both.steps[there], apart[there]
    tenth = values[-max(1, len(values) // 10) :]
    at = int(np.argmax(np.abs(values)))
    return found._replace(
        rms=_rms(values),
        area=_area(np.abs(values), steps),
        gap=float(values[at]),
        gap_at=float(steps[at]),
        final=last,
        end_rms=_rms(tenth),
    )


def _rms(values: Array) -> float:
    """Return the root of the mean square, scaled so that no square overflows."""
    import numpy as np

    most = float(np.abs(values).max())
    if most == 0 or not math.isfinite(most):
        return most
    return most * math.sqrt(float(np.mean(np.square(values / most))))


def _area(heights: Array, steps: Array) -> float:
    """Return the area under ``heights`` by trapezia; NumPy 1 and 2 name theirs differently."""
    import numpy as np

    with np.errstate(over="ignore"):
        return float(np.sum((heights[1:] / 2 + heights[:-1] / 2) * np.diff(steps)))


def _parted(found: CurveResult, both: Aligned, tolerance: Tolerance) -> CurveResult:
    import numpy as np

    apart = tolerance.apart(both.old, both.new)
    if both.gap is not None:  # between two points of a curve nothing finer is known
        with np.errstate(invalid="ignore", over="ignore"):
            near = both.gap <= tolerance.atol + tolerance.rtol * np.abs(both.old)
        apart &= ~(near & np.isfinite(both.old) & np.isfinite(both.new))
    count = int(apart.sum())
    if not count:
        equal = (both.old == both.new) | (np.isnan(both.old) & np.isnan(both.new))
        return found._replace(verdict=SAME if bool(equal.all()) else WITHIN)
    places = np.flatnonzero(apart)
    stays = staying(apart)
    return found._replace(
        verdict=DIFFERENT,
        apart=count,
        first_apart=float(both.steps[places[0]]),
        parted=float(both.steps[stays]) if stays is not None else None,
        together=float(both.steps[places[-1]]) if stays is None else None,
    )


def staying(apart: Array) -> int | None:
    """Return the place from which on points stay apart; None where they come together again."""
    import numpy as np

    count = len(apart)
    if not count or not apart[max(0, count - _NEAR) :].any():
        return None
    left = np.arange(count, 0, -1)
    rest = np.cumsum(apart[::-1])[::-1]
    ahead = np.minimum(left, _NEAR)
    sums = np.concatenate((rest, np.zeros(1, dtype=rest.dtype)))
    near = sums[:count] - sums[np.minimum(np.arange(count) + ahead, count)]
    places = np.flatnonzero(apart & (rest >= _STAY * left) & (2 * near >= ahead))
    return int(places[0]) if len(places) else None


def pairs(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return which curve of ``old`` is held against which of ``new``.

    Equal names first; then names of which one has all the words of the other (``val_acc`` and
    ``validation accuracy``), where only one fits; and where both have but one curve, those.
    """
    found = [(name, name) for name in old if name in new]
    left = [name for name in old if name not in new]
    free = [name for name in new if name not in old]
    for name in list(left):
        fits = [one for one in free if _metricnames.may_be_same(name, one)]
        back = [one for one in left if fits and _metricnames.may_be_same(one, fits[0])]
        if len(fits) == 1 and back == [name]:
            found.append((name, fits[0]))
            left.remove(name)
            free.remove(fits[0])
    if len(old) == len(new) == 1 and left and free:
        found.append((left[0], free[0]))
    order = {name: place for place, name in enumerate(old)}
    return sorted(found, key=lambda one: order[one[0]])
