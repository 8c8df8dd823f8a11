"""What is said about a run that is held against recorded curves, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping

from provenance.compare.tracking import (
    AHEAD,
    BEHIND,
    NOT_FINITE,
    ON_TRACK,
    PARTED,
    WAITING,
    Track,
)

_NAMED = 3
"""Metrics that a message tells in full or by name."""
_EARLY = 0.1
"""The share of the recorded steps before which nobody is told that a run is on track."""
_GRAVEST = (NOT_FINITE, PARTED, ON_TRACK, WAITING)


class News:
    """Says what is new since it was asked last; nothing where nothing changed.

    label: of the reference. runs: how many references there are. grave: whether what was said last
    was more than that a metric is on track.
    """

    def __init__(self, label: str, runs: int) -> None:
        self._label, self._runs = label, runs
        self._told: dict[str, str] = {}
        self.grave = False

    def text(self, tracks: Mapping[str, Track]) -> str:
        """Return one line, "" where there is nothing to say."""
        fresh = {}
        for name, one in tracks.items():
            before = self._told.get(name, WAITING)
            early = (one.share or 0.0) < _EARLY or not one.inside
            early = early and one.state == ON_TRACK and before == WAITING
            if one.state not in (before, WAITING) and not early:
                fresh[name] = one
        if self._told:  # one metric more that is on track is no news
            fresh = {n: t for n, t in fresh.items() if t.state != ON_TRACK or n in self._told}
        elif any(one.value is not None and not one.inside for one in tracks.values()):
            fresh = {n: t for n, t in fresh.items() if t.state != ON_TRACK}  # wait how that ends
        if not fresh:
            return ""
        self.grave = any(one.state != ON_TRACK for one in fresh.values())
        self._told.update((name, one.state) for name, one in fresh.items())
        return line(fresh, self._label, self._runs)


def line(tracks: Mapping[str, Track], label: str, runs: int) -> str:
    """Return one line about ``tracks``, the gravest first, others only by name."""
    worst = next(state for state in _GRAVEST if any(t.state == state for t in tracks.values()))
    names = [name for name, one in tracks.items() if one.state == worst]
    first = tracks[names[0]]
    text = sentence(names[0], first, label, runs)
    others = names[1:_NAMED]
    if others:
        more = len(names) - _NAMED
        text += "; also %s%s" % (", ".join(others), " and %d more" % more if more > 0 else "")
    return text


def sentence(name: str, one: Track, label: str, runs: int = 1) -> str:
    """Return what there is to say about one metric, beginning with its name."""
    if one.state == NOT_FINITE:
        value = one.value if one.value is not None else math.nan
        what = "NaN" if math.isnan(value) else "infinite"
        text = "%s is %s at %s; %s had %s there"
        return text % (name, what, _at(one.since), label, number(one.recorded))
    here = "%s, recorded %s" % (number(one.value), recorded(one, runs))
    if one.state == PARTED:
        text = "%s parted from %s at %s: at %s it is %s"
        return text % (name, label, _at(one.since), _at(one.step), here) + paced(one) + _doubt(one)
    if one.state == ON_TRACK:
        back = "back on track" if one.back else "on track"
        text = "%s is %s with %s at %s: %s" % (name, back, label, _at(one.step), here)
        return text if one.left is None else "%s; it had parted at %s" % (text, _at(one.left))
    if one.after:
        return "%s is past the recorded end" % name
    return "%s: too few values yet" % name


def state(one: Track) -> str:
    """Return the state of a metric in a few words."""
    if one.state == WAITING:
        return "past the recorded end" if one.after else "too few values yet"
    if one.state == ON_TRACK:
        return "back on track" if one.back else "on track"
    return "%s at %s" % ("parted" if one.state == PARTED else "not finite", _at(one.since))


def recorded(one: Track, runs: int = 1) -> str:
    """Return the recorded value and what is allowed around it."""
    room = "" if one.low is None else " (allowed: %s to %s)" % (number(one.low), number(one.high))
    return "%s%s%s" % (number(one.recorded), " on average" if runs > 1 else "", room)


def paced(one: Track) -> str:
    """Return how far a curve is behind or ahead in steps, "" where that is not what is wrong."""
    if one.pace == BEHIND:
        return "; behind: recorded at %s" % _at(one.reached)
    if one.pace == AHEAD:
        return "; ahead: recorded at %s" % _at(one.reached)
    return ""


def lines(
    kept: Mapping[str, object], tracks: Mapping[str, Track], label: str, runs: int
) -> list[str]:
    """Return how a run lay to its references at its end: one line per metric, the gravest first.

    kept: the record's member ``against``.
    """
    if kept.get("note"):
        return ["%s: %s" % (label, kept["note"])]
    told = [one for one in tracks if tracks[one].state != WAITING]
    if not told:
        return [_nothing(tracks, label)]
    ranked = sorted(told, key=lambda name: _GRAVEST.index(tracks[name].state))
    found = [sentence(name, tracks[name], label, runs) for name in ranked[:_NAMED]]
    if len(ranked) > _NAMED:
        found.append("and %d more metrics" % (len(ranked) - _NAMED))
    return found


def _nothing(tracks: Mapping[str, Track], label: str) -> str:
    """Return why nothing was judged."""
    for name, one in tracks.items():
        if one.share is not None and one.share < _EARLY:
            text = "%s: nothing to judge: the steps of %s cover only %.2g %% of the recorded ones: "
            text += "do both count steps, or epochs?"
            return text % (label, name, 100 * one.share)
    return "%s: nothing to compare: no metric that both have for long enough" % label


def _doubt(one: Track) -> str:
    """Return the question whether both count the same; "" where steps lie about as far apart."""
    if one.stride is None:
        return ""
    times = "%.2g times as far apart" % one.stride
    return "; its steps lie %s as the recorded ones: do both count steps, or epochs?" % times


def _at(step: float | None) -> str:
    return "step %s" % number(step)


def number(value: float | None) -> str:
    """Return a number with four digits that count, whole ones whole."""
    if value is None:
        return "-"
    if float(value).is_integer() and abs(value) < 1e9:
        return "%d" % value
    return "%.4g" % value
