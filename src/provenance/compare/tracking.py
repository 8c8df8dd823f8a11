"""Whether a curve that is still growing is on track with recorded ones, and where it left them.

Values are smoothed as the recorded ones were, by a median that looks back only. The curve has
*parted* where it stays outside of the band for a whole window (at least `STAY` values), counted
from the first of these; it is *back* once it stays inside for as long. One value that is not finite
is told at once, where the recorded curves were finite.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from provenance.compare.band import LEAST, MOST_WINDOW, Band, Curve, Points
from provenance.facets import _metricnames

WAITING, ON_TRACK, PARTED, NOT_FINITE = "waiting", "on track", "parted", "not finite"
STATES = (WAITING, ON_TRACK, PARTED, NOT_FINITE)
"""From what says least to the gravest."""
STAY = 3
"""The least values in a row that make a curve parted, or back."""
BEHIND, AHEAD = "behind", "ahead"


class Track(NamedTuple):
    """One metric held against what was recorded.

    state: one of `STATES`. since: the step at which that state began. step, value: the last point
    judged, smoothed. low, high, recorded: the band there. reached: the step at which the recorded
    curve had this value, None where it never had. pace: "behind" or "ahead" where the curve parted
    in time, else "". left: the step at which it parted for the first time, None where it never did.
    share: of the recorded steps that lie behind the last one judged. after: whether there are steps
    beyond the recorded end, which are not judged. stride: how many times as far apart its steps lie
    as the recorded ones, where that is so much that one may count epochs and the other steps.
    """

    state: str
    since: float | None = None
    step: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    recorded: float | None = None
    reached: float | None = None
    pace: str = ""
    left: float | None = None
    share: float | None = None
    after: bool = False
    stride: float | None = None

    @property
    def back(self) -> bool:
        """Whether it is on track again after it had parted."""
        return self.state == ON_TRACK and self.left is not None

    @property
    def inside(self) -> bool:
        """Whether the last point judged lies inside of the band."""
        if self.value is None or self.low is None or self.high is None:
            return False
        return self.low <= self.value <= self.high


def follow(band: Band, points: Points) -> Track:
    """Return how the growing curve ``points`` lies to ``band``."""
    inside = [(float(s), float(v)) for s, v in points if band.start <= s <= band.end]
    after = any(step > band.end for step, _ in points)
    bad = next((step for step, value in inside if not math.isfinite(value)), None)
    if bad is not None and not _was_bad(band, bad):
        value = next(value for step, value in inside if step == bad and not math.isfinite(value))
        edge = band.at(bad, 1)
        return Track(NOT_FINITE, bad, bad, value, edge.low, edge.high, edge.value, after=after)
    finite = [one for one in inside if math.isfinite(one[1])]
    if len(finite) < LEAST:
        return Track(WAITING, after=after)
    return _judged(band, finite)._replace(after=after)


def _was_bad(band: Band, step: float) -> bool:
    return any(one.bad is not None and one.bad <= 1.25 * step + one.spacing for one in band.curves)


def _judged(band: Band, finite: Sequence[tuple[float, float]]) -> Track:
    size = _window(band, finite)
    stay = max(STAY, size)
    state, since = WAITING, finite[0][0]
    left: float | None = None
    row, began, before = 0, since, False  # so many in a row lie on one side, from this step on
    found = Track(WAITING)
    for place in range(len(finite)):
        part = finite[max(place - size + 1, 0) : place + 1]
        step, value = part[len(part) // 2][0], median(value for _, value in part)
        edge = band.at(step, len(part))
        outside = not edge.low <= value <= edge.high
        row, began = (row + 1, began) if row and outside == before else (1, step)
        before = outside
        now = PARTED if outside else ON_TRACK
        if now != state and row >= stay:
            state, since = now, began
            left = began if outside and left is None else left
        found = Track(state, since, step, value, edge.low, edge.high, edge.value)
    length = band.end - band.start
    share = (finite[-1][0] - band.start) / length if length else 1.0
    found = found._replace(left=left, share=share, stride=_stride(band, finite))
    return _paced(band, found)


_FAR = 4
"""Steps so many times as far apart as the recorded ones may count something else."""


def _stride(band: Band, finite: Sequence[tuple[float, float]]) -> float | None:
    spacing = (finite[-1][0] - finite[0][0]) / (len(finite) - 1)
    times = spacing / band.spacing if band.spacing > 0 else 1.0
    return times if times >= _FAR or 0 < times <= 1 / _FAR else None


def _window(band: Band, finite: Sequence[tuple[float, float]]) -> int:
    """Return how many live values cover the steps that recorded ones were smoothed over."""
    spacing = (finite[-1][0] - finite[0][0]) / (len(finite) - 1)
    steps = median(one.window * one.spacing for one in band.curves)
    return max(1, min(round(steps / spacing), MOST_WINDOW)) if spacing > 0 else 1


def _paced(band: Band, track: Track) -> Track:
    """Tell when the recorded curve had the value that the live one has now."""
    if track.value is None or track.step is None:
        return track
    at = [one.reached(track.value, track.step) for one in band.curves]
    known = [one for one in at if one is not None]
    if len(known) * 2 < len(at):
        return track
    reached = median(known)
    pace = ""
    if track.state == PARTED:
        late, early = reached * (1 + band.share.time) < track.step, reached > track.step
        pace = BEHIND if late else AHEAD if early else ""
    return track._replace(reached=reached, pace=pace)


def bands(
    references: Sequence[Mapping[str, Points]], rtol: float = 0.0, atol: float = 0.0
) -> dict[str, Band]:
    """Return a band for each metric of which a reference has enough values to be followed."""
    found: dict[str, list[Curve]] = {}
    for curves in references:
        for name, points in curves.items():
            known = matched(name, found) or name
            try:
                found.setdefault(known, []).append(Curve(points))
            except ValueError:
                continue
    return {name: Band(curves, rtol, atol) for name, curves in found.items() if curves}


def matched(name: str, names: Collection[str]) -> str | None:
    """Return which of ``names`` is the same metric: of this name, else the only one of its words.

    ``val_loss`` and ``loss/val`` have the same words.
    """
    if name in names:
        return name
    words = frozenset(_metricnames.key(name))
    near = [one for one in names if words and frozenset(_metricnames.key(one)) == words]
    return near[0] if len(near) == 1 else None


def follow_all(known: Mapping[str, Band], series: Mapping[str, Points]) -> dict[str, Track]:
    """Return the tracks of the metrics that both sides have, by the recorded name."""
    tracks = {}
    for name, band in known.items():
        live = matched(name, series)
        if live is not None:
            tracks[name] = follow(band, series[live])
    return tracks


def overall(tracks: Mapping[str, Track]) -> str:
    """Return the gravest state; "waiting" where there is none."""
    return max((one.state for one in tracks.values()), key=STATES.index, default=WAITING)
