"""Two curves brought to common points: by step, by epoch, or by nothing but their order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from provenance.compare import curve
from provenance.compare.curve import EPOCH, INDEX, STEP, Curve

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]


class Aligned(NamedTuple):
    """Two curves at the same points.

    axis: what the points are numbered by. steps, old, new: equally long. resampled: whether values
    of one were taken linearly between two of its points. notes: clauses on how they were brought
    together, for people. gap: where one was taken between two of its points, how far the other lies
    outside of the values of these two; None where nothing was taken between.
    """

    axis: str
    steps: Array
    old: Array
    new: Array
    resampled: bool = False
    notes: tuple[str, ...] = ()
    gap: Array | None = None


def align(old: Curve, new: Curve) -> Aligned | str:
    """Return both curves at common points, or the clause that says why there are none.

    By step where both count steps and their ranges meet; by epoch where one counts epochs and the
    other knows them; by order where both have equally many points, or neither counts. Where steps
    differ the curve with fewer points in the common range gives the points, and the other is taken
    linearly between its own: nothing finer than the coarser one is claimed, and what lies between
    the values of two neighbours is not called different.
    """
    if not len(old) or not len(new):
        return "there are no points"
    if old.axis == new.axis == INDEX:
        return _by_order(old, new)
    if len(old) == len(new) > 1 and _one_off(old, new):
        found = _by_order(old, new)
        text = "steps are counted from %s in one and from %s in the other"
        return found._replace(
            axis=_axis(old, new),
            steps=_array(old.steps),
            notes=(text % (plain(old.steps[0]), plain(new.steps[0])),),
        )
    best: tuple[float, Aligned] | None = None
    for axis, one, other in _candidates(old, new):
        common = _overlap(one, other)
        if common > 0 and (best is None or common > best[0]):
            best = common, _by_step(axis, one, other)
    if best is not None and len(best[1].steps):
        return best[1]._replace(notes=(*best[1].notes, *_doubts(old, new)))
    counts = "%s to %s, and %s to %s" % (*_ends(old), *_ends(new))
    if INDEX in (old.axis, new.axis):
        return _by_order(old, new, "brought together by order")
    if {old.axis, new.axis} == {STEP, EPOCH}:
        text = "one counts %ss, the other %ss (%s), and neither says how many steps an epoch has"
        return text % (old.axis, new.axis, counts)
    if len(old) == len(new) > 1:
        text = "brought together by order, since their %ss do not meet: %s"
        return _by_order(old, new, text % (_axis(old, new), counts))
    return "their %ss do not meet: %s" % (_axis(old, new), counts)


def _ends(one: Curve) -> tuple[str, str]:
    return plain(one.steps[0]), plain(one.steps[-1])


def plain(step: float) -> str:
    """Return a step as people write it: whole ones with all digits."""
    return "%d" % step if step == int(step) and abs(step) < 1e15 else "%.6g" % step


_DOUBTED = 2
"""As many points, but steps that rise so many times as fast: one may count something else."""


def _doubts(old: Curve, new: Curve) -> list[str]:
    """Return the clause on two counts that may not be of the same thing: epochs called steps."""
    if old.axis != new.axis or len(old) != len(new) or len(old) < 3:
        return []
    first, second = (one.steps[-1] - one.steps[0] for one in (old, new))
    if max(first, second) < _DOUBTED * min(first, second):
        return []
    text = (
        "as many points in both, but to %s %s in one and %s in the other: do both count the same?"
    )
    return [text % (_axis(old, new), plain(old.steps[-1]), plain(new.steps[-1]))]


def _candidates(old: Curve, new: Curve) -> Iterator[tuple[str, Curve, Curve]]:
    same = old.axis == new.axis or "" in (old.axis, new.axis)
    if same and INDEX not in (old.axis, new.axis):
        yield _axis(old, new), old, new
    one, other = _by_epoch(old), _by_epoch(new)
    if one is not None and other is not None and (one is not old or other is not new):
        yield EPOCH, one, other


def _axis(old: Curve, new: Curve) -> str:
    return old.axis or new.axis or STEP


def _by_epoch(one: Curve) -> Curve | None:
    """Return a curve by epoch, the last value of each; None where its epochs are not known."""
    if one.axis in (EPOCH, ""):
        return one
    return curve.of(one.name, one.epochs, one.values, EPOCH) if len(one.epochs) else None


def _one_off(old: Curve, new: Curve) -> bool:
    """Return whether two counts are the same but for beginning at 0 and at 1."""
    if old.axis != new.axis and "" not in (old.axis, new.axis):
        return False
    import numpy as np

    apart = np.asarray(new.steps) - np.asarray(old.steps)
    return bool(
        abs(apart[0]) == 1 and (apart == apart[0]).all() and min(old.steps[0], new.steps[0]) == 0
    )


def _overlap(old: Curve, new: Curve) -> float:
    """Return how much of the range of both is common to them, from 0 to 1."""
    low, high = max(old.steps[0], new.steps[0]), min(old.steps[-1], new.steps[-1])
    least, most = min(old.steps[0], new.steps[0]), max(old.steps[-1], new.steps[-1])
    if high < low:
        return 0.0
    return 1.0 if most == least else max((high - low) / (most - least), 1e-12)


def _by_order(old: Curve, new: Curve, note: str = "") -> Aligned:
    import numpy as np

    count = min(len(old), len(new))
    if not note and len(old) != len(new):
        note = "brought together by order"
    notes = (note,) if note else ()
    before, after = _array(old.values)[:count], _array(new.values)[:count]
    return Aligned(INDEX, np.arange(float(count)), before, after, False, notes)


def _by_step(axis: str, old: Curve, new: Curve) -> Aligned:
    import numpy as np

    here, there = _array(old.steps), _array(new.steps)
    if len(here) == len(there) and bool((here == there).all()):
        return Aligned(axis, here, _array(old.values), _array(new.values))
    low, high = max(here[0], there[0]), min(here[-1], there[-1])
    inner = [one[(one >= low) & (one <= high)] for one in (here, there)]
    grids = sorted((one for one in inner if len(one)), key=lambda g: (len(g), g[0], float(g.sum())))
    if not grids:  # both lie between two points of the other: nothing is measured in common
        return Aligned(axis, np.empty(0), np.empty(0), np.empty(0))
    grid = grids[0]
    before, exact = _at(here, _array(old.values), grid)
    after, also = _at(there, _array(new.values), grid)
    resampled = not (exact and also)
    text = "compared at the %d %ss of the coarser one, linearly between" % (len(grid), axis)
    if not resampled:
        return Aligned(axis, grid, before, after)
    gap = _gap(_around(here, _array(old.values), grid), _around(there, _array(new.values), grid))
    return Aligned(axis, grid, before, after, True, (text,), gap)


def _around(steps: Array, values: Array, grid: Array) -> tuple[Array, Array]:
    """Return the least and the greatest of the two values around each step; one where exact."""
    import numpy as np

    right = np.clip(np.searchsorted(steps, grid), 0, len(steps) - 1)
    left = np.where(steps[right] == grid, right, np.maximum(right - 1, 0))
    return np.minimum(values[left], values[right]), np.maximum(values[left], values[right])


def _gap(old: tuple[Array, Array], new: tuple[Array, Array]) -> Array:
    import numpy as np

    with np.errstate(invalid="ignore", over="ignore"):
        found: Array = np.maximum(np.maximum(new[0] - old[1], old[0] - new[1]), 0.0)
    return found


def _at(steps: Array, values: Array, grid: Array) -> tuple[Array, bool]:
    """Return the values at ``grid``, and whether all of them are points of the curve."""
    import numpy as np

    place = np.clip(np.searchsorted(steps, grid), 0, len(steps) - 1)
    exact = steps[place] == grid
    with np.errstate(invalid="ignore", over="ignore"):
        between = np.interp(grid, steps, values)
    return np.where(exact, values[place], between), bool(exact.all())


def _array(values: Any) -> Array:
    import numpy as np

    return np.asarray(values, dtype=np.float64)


def taken_at(one: Curve, steps: Array) -> Array:
    """Return the values of a curve at ``steps``, linearly between its points; NaN outside."""
    import numpy as np

    if not len(one):
        return np.full(len(steps), np.nan)
    values, _ = _at(_array(one.steps), _array(one.values), steps)
    inside = (steps >= one.steps[0]) & (steps <= one.steps[-1])
    return np.where(inside, values, np.nan)
