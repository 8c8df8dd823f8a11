"""One curve: the values of a metric by step, as plain arrays that numpy takes without copying."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from provenance.compare.tolerance import is_number

STEP, EPOCH, INDEX = "step", "epoch", "index"
"""What numbers the points: updates of the model, passes over the data, nothing but their order."""


@dataclass(frozen=True)
class Curve:
    """The values of one metric, in rising order of distinct steps.

    name: of the metric. steps, values: doubles, equally many; values may be NaN or infinite. axis:
    what the steps count. epochs: for each point the epoch, where the source has both; else empty.
    whole: how many points the source had, more than these where it was thinned. repeated: how many
    points had a step that a later one has again: a run that was resumed; the later one counts.
    left_out: how many points were no numbers.
    """

    name: str
    steps: array[float]
    values: array[float]
    axis: str = STEP
    epochs: array[float] = field(default_factory=lambda: array("d"))
    whole: int = 0
    repeated: int = 0
    left_out: int = 0

    def named(self, name: str, axis: str, whole: int = 0) -> Curve:
        """Return the same points under another name, axis and count."""
        return replace(self, name=name, axis=axis, whole=whole or self.whole)

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.values)


class Points:
    """Collects the points of one curve as they come, in any order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.left_out = 0
        self.steps = array("d")
        self.values = array("d")
        self.epochs = array("d")

    def add(self, step: Any, value: Any, epoch: Any = None) -> None:
        """Add a point; what is no number is counted and left out."""
        try:
            if not (is_number(step) and is_number(value) and abs(step) < _ENDLESS):
                self.left_out += 1
                return
            at, number = float(step), float(value)
        except OverflowError:
            self.left_out += 1
            return
        self.steps.append(at)
        self.values.append(number)
        if is_number(epoch):
            self.epochs.append(float(epoch))

    def curve(self, axis: str = STEP, whole: int = 0) -> Curve:
        """Return what was collected as a curve."""
        epochs = self.epochs if len(self.epochs) == len(self.steps) else array("d")
        return of(self.name, self.steps, self.values, axis, epochs, whole, self.left_out)


_ENDLESS = float("inf")


def of(
    name: str,
    steps: array[float],
    values: array[float],
    axis: str = STEP,
    epochs: array[float] | None = None,
    whole: int = 0,
    left_out: int = 0,
) -> Curve:
    """Return a curve of points in any order; of equal steps the last one counts."""
    told = epochs if epochs is not None else array("d")
    rising = _is_rising(steps)
    kept = len(steps)
    if not rising:
        steps, values, told = _sorted(steps, values, told)
    repeated = kept - len(steps)
    return Curve(name, steps, values, axis, told, max(whole, kept), repeated, left_out)


def of_points(name: str, points: Iterable[Any], whole: int = 0) -> Curve:
    """Return the curve of ``{"step": ..., "value": ...}``, as records hold them."""
    found = Points(name)
    for one in points:
        found.add(one["step"], one["value"])
    return found.curve(STEP, whole)


def _is_rising(steps: array[float]) -> bool:
    if len(steps) < _FEW:
        return all(one < other for one, other in itertools.pairwise(steps))
    import numpy as np

    return bool((np.diff(np.frombuffer(steps)) > 0).all())


_FEW = 64
"""Points below which loading numpy costs more than it saves."""


def _sorted(
    steps: array[float], values: array[float], epochs: array[float]
) -> tuple[array[float], array[float], array[float]]:
    """Return the points in rising order of their steps, the last of each step."""
    import numpy as np

    at = np.asarray(steps)
    order = np.argsort(at, kind="stable")
    ordered = at[order]
    last = np.append(ordered[1:] != ordered[:-1], [True] * bool(len(ordered)))
    kept = order[last.astype(bool)]

    def taken(one: array[float]) -> array[float]:
        return array("d", np.asarray(one)[kept].tobytes()) if len(one) else array("d")

    return taken(steps), taken(values), taken(epochs)
