"""What makes one tensor into another: the same values under another name or in another order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy

from provenance.compare._mapping_steps import Malformed, Step
from provenance.readers.model import Tensor

if TYPE_CHECKING:
    from provenance.readers.model import Array

LARGEST = 1 << 24
"""Elements up to which two tensors are read as a whole to look for another order: 64 MiB each of
float32."""
_AT_ONCE = 1 << 13
_MIX = (numpy.uint64(0xBF58476D1CE4E5B9), numpy.uint64(0x94D049BB133111EB))
"""The multipliers of the finisher of splitmix64 (Steele, Lea, Flood 2014), which spreads the bits
of a value over 64 bits, so that sums of mixed values collide by chance only."""


class Census(NamedTuple):
    """What a tensor's values are, in whatever order they stand.

    digest: sum of the mixed bits of all values as float32, modulo 2^64: equal for the same values
    in any order, and that of parts adds up to that of the whole. moments: mean, root mean square,
    mean absolute value, least, largest.
    """

    size: int
    digest: int
    moments: tuple[float, ...]

    @property
    def constant(self) -> bool:
        """Whether all values are the same, so that they say nothing of where they belong."""
        return self.moments[3] == self.moments[4]

    def like(self, other: Census, rtol: float) -> bool:
        """Return whether the moments agree, as they do for values that are equal but rounded."""
        if self.size != other.size:
            return False
        scale = rtol * max(self.moments[1], other.moments[1])
        pairs = zip(self.moments, other.moments, strict=True)
        return all(abs(a - b) <= scale for a, b in pairs)


def census(tensor: Tensor) -> Census | None:
    """Read ``tensor`` once; None where it does not hold real numbers. Raises `Unreadable`."""
    digest, total, squares, absolute = 0, 0.0, 0.0, 0.0
    low, high, count = math.inf, -math.inf, 0
    with numpy.errstate(all="ignore"):
        for piece in tensor.chunks(_AT_ONCE):
            if piece.dtype.kind not in "fiub":
                return None
            values = piece.astype(numpy.float64)
            digest += _mixed(piece)
            total += float(values.sum())
            squares += float(numpy.dot(values, values))
            absolute += float(numpy.abs(values).sum())
            if len(values):
                low, high = min(low, float(values.min())), max(high, float(values.max()))
            count += len(values)
    size = max(count, 1)
    moments = (total / size, math.sqrt(squares / size), absolute / size, low, high)
    return Census(count, digest % (1 << 64), moments)


def _mixed(piece: Array) -> int:
    single = piece.astype(numpy.float32) + numpy.float32(0)  # makes 0.0 of -0.0
    bits = single.view(numpy.uint32).astype(numpy.uint64)
    bits += numpy.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> numpy.uint64(30))) * _MIX[0]
    bits = (bits ^ (bits >> numpy.uint64(27))) * _MIX[1]
    return int((bits ^ (bits >> numpy.uint64(31))).sum())


def fitting(
    old: Array, new: Array, rtol: float, atol: float, hint: Sequence[tuple[Step, ...]] = ()
) -> tuple[Step, ...] | None:
    """Return the steps that make ``new`` equal to ``old`` within the tolerance; None for none.

    hint: steps to be tried first. No steps at all are the answer where both are equal as they are.
    """
    for steps in itertools.chain([()], hint, candidates(old.shape, new.shape)):
        try:
            if _thin(old, new, steps, rtol, atol) and _fits(old, new, steps, rtol, atol):
                return steps
        except Malformed:
            continue
    return None


def _fits(old: Array, new: Array, steps: Sequence[Step], rtol: float, atol: float) -> bool:
    made = new
    for step in steps:
        made = step.apply(made)
    return made.shape == old.shape and near(old, made, rtol, atol)


def _thin(old: Array, new: Array, steps: Sequence[Step], rtol: float, atol: float) -> bool:
    """Return False where one row or column already says no: reordering gates copies the whole."""
    if not steps or steps[-1].name != "gates" or old.ndim != 2:
        return True
    turned = new.transpose() if steps[0].name == "transpose" else new
    if steps[0].name not in ("transpose", "gates") or turned.shape != old.shape:
        return True
    axis = int(steps[-1].args[2])
    one, other = (x[:, :1] if axis == 0 else x[:1] for x in (old, turned))
    return _fits(one, other, steps[-1:], rtol, atol)


def near(old: Array, new: Array, rtol: float, atol: float) -> bool:
    """Return whether two arrays of one shape agree, looking at few rows first."""
    if old.ndim == 0:
        return _close(old.reshape(1), new.reshape(1), rtol, atol)
    width = max(1, old.size // max(1, old.shape[0]))
    rows = max(1, (1 << 18) // width)
    ends = sorted({1, *range(rows, old.shape[0], rows), old.shape[0]})
    return all(
        _close(old[start:end], new[start:end], rtol, atol)
        for start, end in itertools.pairwise([0, *ends])
    )


def _close(old: Array, new: Array, rtol: float, atol: float) -> bool:
    numbers = old.dtype.kind in "fiubc" and new.dtype.kind in "fiubc"
    if not numbers or not (rtol or atol):
        return bool(numpy.array_equal(old, new))
    with numpy.errstate(all="ignore"):
        return bool(numpy.allclose(new, old, rtol=rtol, atol=atol, equal_nan=True))


def candidates(old: tuple[int, ...], new: tuple[int, ...]) -> Iterator[tuple[Step, ...]]:
    """Yield what may have been done to an array of shape ``new`` that should have shape ``old``."""
    if math.prod(old) != math.prod(new):
        return
    yield from _orders(old, new)
    if old != new:
        yield (Step("reshape", old),)
        for steps in _orders(tuple(x for x in old if x != 1), tuple(x for x in new if x != 1)):
            yield (Step("squeeze"), *steps, Step("reshape", old))
    if len(old) > 1:
        # Fortran's order read as C's.
        yield (Step("reshape", old[::-1]), Step("transpose"))
    if len(old) == 2 and (old == new or old == new[::-1]):
        yield from _flattened(old, new)
    turned: list[tuple[Step, ...]] = [()] if old == new else []
    turned += [(Step("transpose"),)] if len(old) == 2 and old == new[::-1] else []
    if old != new and len(old) == 1:
        turned.append((Step("reshape", old),))
    for steps in turned:
        for gates in _gates(old):
            yield (*steps, gates)
    if old == new:
        yield from ((Step("flip", axes),) for axes in _flips(old))
        yield (Step("negate"),)


def _orders(old: tuple[int, ...], new: tuple[int, ...]) -> Iterator[tuple[Step, ...]]:
    """Yield the permutations of axes, those that frameworks really differ by first."""
    if len(old) != len(new) or not 2 <= len(old) <= 5 or sorted(old) != sorted(new):
        return
    rank = len(old)
    usual: list[tuple[Step, ...]] = [(Step("transpose"),)] if rank == 2 else []
    letters = {3: "WIO -> OIW", 4: "HWIO -> OIHW", 5: "DHWIO -> OIDHW"}.get(rank)
    if letters:
        first, second = letters.split(" -> ")
        usual.append((Step("layout", (first, second)),))
        usual.append((Step("layout", (second, first)),))
        usual.append((Step("layout", ("N" + first[:-2] + "C", "NC" + first[:-2])),))
        usual.append((Step("layout", ("NC" + first[:-2], "N" + first[:-2] + "C")),))
    known = set()
    for steps in usual:
        axes = _axes(steps[0], rank)
        known.add(axes)
        if tuple(new[axis] for axis in axes) == old:
            yield steps
    for axes in itertools.permutations(range(rank)):
        fits = tuple(new[axis] for axis in axes) == old
        if fits and axes not in known and axes != tuple(range(rank)):
            yield (Step("permute", axes),)


def _axes(step: Step, rank: int) -> tuple[int, ...]:
    if step.name == "layout":
        return tuple(step.args[0].index(letter) for letter in step.args[1])
    return tuple(range(rank))[::-1]


def _flattened(old: tuple[int, ...], new: tuple[int, ...]) -> Iterator[tuple[Step, ...]]:
    """Yield what a layer behind flattened square pictures needs: torch flattens by channels.

    One side has its inputs as channel, row, column, the other as row, column, channel.
    """
    outs, ins = old
    for side in range(2, math.isqrt(ins) + 1):
        channels = ins // (side * side)
        if channels < 2 or ins % (side * side):
            continue
        if new == (ins, outs):
            yield (
                Step("reshape", (side, side, channels, outs)),
                Step("layout", ("HWIO", "OIHW")),
                Step("reshape", old),
            )
        if old == new:
            yield (
                Step("reshape", (outs, side, side, channels)),
                Step("layout", ("NHWC", "NCHW")),
                Step("reshape", old),
            )
    # The other way round: old is the one that flattens pixel by pixel.
    ins, outs = old
    for side in range(2, math.isqrt(ins) + 1):
        channels = ins // (side * side)
        if channels >= 2 and not ins % (side * side) and new == (outs, ins):
            yield (
                Step("reshape", (outs, channels, side, side)),
                Step("layout", ("OIHW", "HWIO")),
                Step("reshape", old),
            )


GATES = {4: "ifgo", 3: "rzn"}
"""The order of torch: input, forget, cell, output of an LSTM; reset, update, new of a GRU."""


def _gates(shape: tuple[int, ...]) -> Iterator[Step]:
    """Yield other orders of gates; the old side is taken to have torch's."""
    for axis in sorted({0, len(shape) - 1}) if shape else ():
        for count, letters in GATES.items():
            if shape[axis] % count or shape[axis] < 2 * count:
                continue
            for other in itertools.permutations(letters):
                if "".join(other) != letters:
                    yield Step("gates", ("".join(other), letters, axis))


def _flips(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    long = [axis for axis, length in enumerate(shape) if length > 1]
    for count in range(1, min(len(long), 3) + 1):
        yield from itertools.combinations(long, count)


def written(steps: Sequence[Step]) -> str:
    """Return steps as they stand in a map: ``HWIO -> OIHW | negate``."""
    return " | ".join(str(step) for step in steps)
