"""What the comparison of two curves says, in clauses, the gravest first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from provenance.compare import tolerances
from provenance.core.verdict import DIFFERENT
from provenance.facets import _metricnames

if TYPE_CHECKING:
    from provenance.compare.curve_shape import Shape
    from provenance.compare.curves import CurveResult

_LATER = 1.1
"""A level reached at less than so many times the recorded step is reached as soon."""

_CATCHES = 0.2
"""A curve catches up if its last tenth lies within so much of the largest gap, and its end within
so much of the larger value: a loss that ends at twice the recorded one has not, however small."""


def clauses(one: CurveResult) -> tuple[str, ...]:
    """Return what matters about two curves, in clauses."""
    if one.old is None or one.new is None:
        return one.text
    found = [*_broken(one), *_apart(one)]
    if one.verdict == DIFFERENT:
        scale = tolerances.scaled(one.name, one.old.final, one.new.final)
        found += [scale] if scale else []
    if one.verdict == DIFFERENT:
        found += [*_later(one), *_far(one)]
    found += [*_lengths(one.old, one.new, one.axis), *_counted(one), *one.notes]
    return (*found, *(_best(one) if one.verdict == DIFFERENT else ()))


def _broken(one: CurveResult) -> Iterator[str]:
    assert one.old is not None
    assert one.new is not None
    new, old = one.new.broken_from, one.old.broken_from
    if new is not None and new != old:
        yield "%s from %s on%s" % (
            odd(one.new.final),
            at(one.axis, new),
            "; recorded from %s on" % at(one.axis, old) if old is not None else "; recorded never",
        )
    elif old is not None and new is None:
        yield "recorded %s from %s on, now never" % (odd(one.old.final), at(one.axis, old))
    elif new is not None:
        yield "%s from %s on, as recorded" % (odd(one.new.final), at(one.axis, new))
    elif one.new.not_finite or one.old.not_finite:
        counts = (one.new.not_finite, one.old.not_finite)
        yield "not finite: %d of its values, recorded %d" % counts


def _apart(one: CurveResult) -> Iterator[str]:
    if one.first_apart is None:
        return
    first = at(one.axis, one.first_apart)
    if one.parted is not None:
        stray = "" if one.parted == one.first_apart else " (first at %s)" % first
        yield "apart from %s on%s" % (at(one.axis, one.parted), stray)
    elif one.apart == 1:
        yield "apart at %s alone" % first
    elif one.together is not None:
        text = "apart at %d of %d points, %s to %s, and together again"
        yield text % (one.apart, one.points, first, number(one.together))


def _later(one: CurveResult) -> Iterator[str]:
    who = one.reached
    if who is None or who.old is None:
        return
    level = number(who.level)
    if who.new is None:
        yield "does not reach %s, recorded at %s" % (level, at(one.axis, who.old))
        return
    later, sooner = who.new > _LATER * who.old, who.old > _LATER * who.new
    if who.new == who.old or not (later or sooner):
        return
    text = "reaches %s at %s, recorded %s" % (level, at(one.axis, who.new), number(who.old))
    if later and _caught_up(one):
        text += ": a slow start, and it catches up"
    yield text


def _caught_up(one: CurveResult) -> bool:
    if one.end_rms is None or one.gap is None or one.final is None:
        return False
    assert one.old is not None
    assert one.new is not None
    most = max(abs(one.old.final), abs(one.new.final))
    return one.end_rms <= _CATCHES * abs(one.gap) and abs(one.final) <= _CATCHES * most


def _far(one: CurveResult) -> Iterator[str]:
    if not one.gap or one.rms is None:
        return
    yield "largest gap %s at %s" % (signed(one.gap), at(one.axis, one.gap_at))
    yield "RMS %s" % number(one.rms)
    if one.final is not None:
        yield "at the end %s" % (signed(one.final) if one.final else "equal")


def _best(one: CurveResult) -> Iterator[str]:
    assert one.old is not None
    assert one.new is not None
    if one.old.best is None or one.new.best is None or one.old.best == one.new.best:
        return
    text = "best %s at %s, recorded %s at %s"
    yield text % (
        number(one.new.best),
        number(one.new.best_step),
        number(one.old.best),
        number(one.old.best_step),
    )


def _lengths(old: Shape, new: Shape, axis: str) -> Iterator[str]:
    if axis != "index" and old.last_step != new.last_step:
        yield "ends at %s, recorded at %s" % (at(axis, new.last_step), number(old.last_step))


def is_partial(one: CurveResult) -> bool:
    """Return whether one of the two curves has points to which the other has none."""
    return not one.resampled and one.points < _points(one)


def _points(one: CurveResult) -> int:
    """Return how many points there were to compare; of an epoch the last step stands for all."""
    if one.old is None or one.new is None:
        return 0
    return (min if one.axis == "epoch" else max)(one.old.points, one.new.points)


def _counted(one: CurveResult) -> Iterator[str]:
    if is_partial(one):
        yield "compared at %d of %d points" % (one.points, _points(one))


def as_far(found: Iterable[CurveResult]) -> str:
    """Return the clause on curves that agree, of which one ends early; "" where none does."""
    for one in found:
        if one.verdict == DIFFERENT or one.old is None or one.new is None or one.axis == "index":
            continue
        ends = sorted((one.old.last_step, one.new.last_step))
        if _SHORT * (ends[1] - one.old.first_step) > ends[0] - one.old.first_step:
            return "as far as both go: to %s of %s" % (at(one.axis, ends[0]), number(ends[1]))
        most = _points(one)
        if is_partial(one) and one.points < _SHORT * most:
            return "at the %d of %d points that both have" % (one.points, most)
    return ""


_SHORT = 0.9
"""A curve that covers less than so much of the other is told of in the first line."""


def splits(found: Iterable[CurveResult]) -> list[str]:
    """Return what train and validation curves of one metric say together."""
    groups: dict[tuple[str, ...], dict[str, CurveResult]] = {}
    for one in found:
        if one.split:
            key = tuple(w for w in _metricnames.key(one.name) if w not in _SPLIT_WORDS)
            groups.setdefault(key, {})[one.split] = one
    told = []
    for group in groups.values():
        train = group.get(_metricnames.TRAIN)
        held = group.get(_metricnames.VALIDATION) or group.get(_metricnames.TEST)
        if train is None or held is None:
            continue
        if train.verdict != DIFFERENT and held.verdict == DIFFERENT:
            text = "%s agrees and %s does not: look at the data held out, and at how it is measured"
            told.append(text % (train.name, held.name))
        elif train.verdict == DIFFERENT and held.verdict != DIFFERENT:
            text = "%s differs and %s does not: look at how the training metric is taken"
            told.append(text % (train.name, held.name))
    return told


_SPLIT_WORDS = ("train", "validation", "test")


def at(axis: str, step: float | None) -> str:
    """Return a step in words: "step 40", "epoch 3", "point 7" (counted from 0)."""
    return "%s %s" % ("point" if axis == "index" else axis, number(step))


def number(value: float | None) -> str:
    """Return a number as people write it: no more than six digits, whole ones whole."""
    if value is None:
        return "-"
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return "%d" % value
    return "%.6g" % value


def signed(value: float) -> str:
    """Return a difference with its sign."""
    return "%+.3g" % value


def odd(value: float) -> str:
    """Return the name of a value that is not finite."""
    return "NaN" if math.isnan(value) else "infinite"
