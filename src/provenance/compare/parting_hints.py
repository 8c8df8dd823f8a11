"""What the place where two runs part looks like: careful words, each with the evidence it rests on.

A hint never says more than the evidence holds: it names what would look like that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provenance.compare.parting import CAUSE, FINGERPRINT, RESULTS, SERIES, Station
from provenance.core.verdict import DIFFERENT, WITHIN

ROUNDING = 1e-6
"""Relative distance below which a first difference is of the size of rounding: single precision
rounds at 6e-8, and a sum of many numbers in another order moves some of its last bits."""

_ALIKE = 1e-5
"""Relative distance of summaries below which two sets may hold the same values in another order."""


def hints(stations: Sequence[Station]) -> tuple[str, ...]:
    """Return hints on the ladder ``stations``."""
    causes = [one for one in stations if one.kind == CAUSE and one.verdict == DIFFERENT]
    first = next((s for s in stations if s.kind != CAUSE and s.verdict == DIFFERENT), None)
    if first is None:
        return ()
    found: list[str] = []
    if first.kind == FINGERPRINT:
        found += _of_mark(first.figures)
    elif first.kind == SERIES:
        found += _of_series(first.figures, bool(causes))
    found += [
        _rounding(*one.figures["unequal"]) + "; they stay within tolerance"
        for one in stations
        if one.kind == SERIES and one.verdict == WITHIN and one.figures.get("unequal")
    ]
    if not causes and first.kind == RESULTS:
        found.append(
            "nothing on the way was recorded to differ: sums in another order (threads, a GPU), an "
            "unseeded generator or the clock would look like this"
        )
    return tuple(found)


def _of_mark(figures: Mapping[str, Any]) -> Iterator[str]:
    old, new = figures.get("old") or {}, figures.get("new") or {}
    differing, total = figures.get("parts_differing", 0), figures.get("parts", 0)
    calls = figures.get("calls", [0, 0])
    if figures.get("of") == "weights" and figures.get("initial"):
        if differing == 1 and total > 2:
            yield (
                "one of %d parts differs: as another initialisation of that layer alone; another "
                "seed changes every part that is drawn after it" % total
            )
        elif differing > 1:
            yield "%d of %d parts differ: as with another seed, or numbers drawn before" % (
                differing,
                total,
            )
    elif figures.get("of") == "data" and old and new:
        yield from _of_data(old, new)
    if calls[0] != calls[1]:
        yield (
            "marked %d times, then %d times: as with a dropped batch or another number of steps"
            % (
                calls[0],
                calls[1],
            )
        )


def _of_data(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old.get("shape") != new.get("shape") or old.get("size") != new.get("size"):
        yield "another shape (%s, then %s): as with rows left out or another batch size" % (
            _shape(old),
            _shape(new),
        )
    elif _alike(old.get("summary"), new.get("summary")):
        yield "the same shape, least, greatest and mean value: as the same values in another order"
    elif old.get("summary") and new.get("summary"):
        yield (
            "other values of the same shape: as another order or choice of rows, another seed of "
            "the loader, or other preprocessing"
        )


def _shape(one: Mapping[str, Any]) -> str:
    shape = one.get("shape")
    return "x".join(map(str, shape)) if shape is not None else str(one.get("size"))


def _alike(old: Any, new: Any) -> bool:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping) or set(old) != set(new):
        return False
    for name, value in old.items():
        try:
            was, now = float(value), float(new[name])
        except (TypeError, ValueError):
            return False
        if not math.isclose(was, now, rel_tol=_ALIKE, abs_tol=1e-9):
            return False
    return True


def _of_series(figures: Mapping[str, Any], causes: bool) -> Iterator[str]:
    old, new = figures.get("old"), figures.get("new")
    counts = figures.get("points") or (0, 0)
    if counts[0] != counts[1]:
        yield "%d points, then %d: as with a dropped batch, an early end or another length" % (
            counts[0],
            counts[1],
        )
    if None in (old, new):
        return
    unequal = figures.get("unequal")
    if unequal and 0 < unequal[1] <= ROUNDING:
        yield _rounding(*unequal) + "; they grow apart"
    elif any(isinstance(one, float) and not math.isfinite(one) for one in (old, new)):
        yield "look at what goes into that step: the step before is equal within tolerance"
    elif not causes:
        yield (
            "no recorded cause differs, and the distance is not of the size of rounding: as with "
            "an unseeded generator, the clock, or data that was not seen to be read"
        )


def _rounding(step: Any, distance: float) -> str:
    text = "the series differ from step %s on by a relative %.1g: " % (step, distance)
    if distance > ROUNDING:
        return text + "more than rounding"
    return text + "the size of rounding, as sums in another order (threads, a GPU) would give"
