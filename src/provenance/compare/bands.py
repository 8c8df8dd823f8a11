"""The curves of several runs as a band, and whether one more curve stays in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from provenance.compare import curve_align, envelope, student
from provenance.compare.curve import Curve
from provenance.compare.curves import CurveResult, staying
from provenance.core.verdict import DIFFERENT, WITHIN

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]


class Band(NamedTuple):
    """Between which values one more curve lies, step by step. runs: of how many it is made.

    As for single values (`envelope`): the range of the runs, and from three runs on the interval of
    Student's t that holds 95 % of draws, where that is wider.
    """

    steps: Array
    low: Array
    high: Array
    mean: Array
    runs: int


class InBand(NamedTuple):
    """How a curve lies to a band.

    runs: how many curves the band is of. points: how many were looked at. outside: how many of them
    lie outside. left: the step from which on the curve stays outside, None where it does not.
    expected: the share of points that one more such run has outside by chance: 5 %, or of two
    runs, whose range alone counts, 2 of 3.
    """

    runs: int
    points: int
    outside: int
    left: float | None
    expected: float


def band(curves: Sequence[Curve]) -> Band | None:
    """Return the band of ``curves`` at the steps of the first; None for fewer than two."""
    if len(curves) < 2 or not len(curves[0]):
        return None
    import warnings

    import numpy as np

    steps = np.asarray(curves[0].steps)
    rows = np.stack([curve_align.taken_at(one, steps) for one in curves])
    with warnings.catch_warnings(), np.errstate(invalid="ignore", over="ignore"):
        warnings.simplefilter("ignore")  # steps at which no run is finite
        low, high = np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)
        mean = np.nanmean(rows, axis=0)
        count = len(curves)
        if count >= envelope.FOR_T:
            reach = student.quantile(envelope.LEVEL, count - 1) * np.nanstd(rows, axis=0, ddof=1)
            reach *= (1 + 1 / count) ** 0.5
            low, high = np.fmin(low, mean - reach), np.fmax(high, mean + reach)
        return Band(steps, low, high, mean, count)


def lies(one: Curve, around: Band) -> InBand | None:
    """Return how ``one`` lies to a band; None where they have no step in common."""
    import numpy as np

    values = curve_align.taken_at(one, around.steps)
    there = np.isfinite(around.low) & (around.steps >= one.steps[0])
    there &= around.steps <= one.steps[-1]
    if not there.any():
        return None
    steps, values = around.steps[there], values[there]
    slack = 1e-9 * (np.abs(around.low[there]) + np.abs(around.high[there]))
    out = ~((values >= around.low[there] - slack) & (values <= around.high[there] + slack))
    place = staying(out)
    left = float(steps[place]) if place is not None else None
    chance = envelope.LEVEL if around.runs >= envelope.FOR_T else 2 / (around.runs + 1)
    return InBand(around.runs, len(steps), int(out.sum()), left, chance)


_OFTEN = 2
"""How many times as often as by chance a curve may lie outside: neighbouring steps go together."""


def judged(found: CurveResult, where: InBand | None, of: str) -> CurveResult:
    """Return a curve's result with the band in its verdict; what lies in it as such runs do, fits.

    of: what the runs of the band are, a plural.
    """
    if where is None or found.verdict != DIFFERENT:
        return found
    share = where.outside / where.points
    axis = "point" if found.axis == "index" else found.axis or "step"
    if where.left is not None:
        text = "outside of the spread of %d %s from %s %s on (in all at %.0f %% of the %ss)"
        left = curve_align.plain(where.left)
        said = text % (where.runs, of, axis, left, 100 * share, axis)
        return found._replace(text=(said, *found.text), band=where)
    if share > _OFTEN * where.expected:
        text = "outside of the spread of %d %s at %.0f %% of the %ss (by chance %.0f %%)"
        said = text % (where.runs, of, 100 * share, axis, 100 * where.expected)
        return found._replace(text=(said, *found.text), band=where)
    text = "within the spread of %d %s at %.0f %% of the %ss"
    said = text % (where.runs, of, 100 - 100 * share, axis)
    # "apart" is told by the tolerance, which does not count any more.
    kept = [one for one in found.text if not one.startswith("apart ")]
    return found._replace(verdict=WITHIN, text=(said, *kept), band=where)
