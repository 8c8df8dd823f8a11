"""Two arrays walked side by side in pieces, and the figures of how far apart they are.

Neither array is ever held as a whole. Bytes are compared first; figures are taken only of arrays
whose bytes differ, in pieces that fit into a processor's cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from provenance.readers.model import Tensor, Unreadable

if TYPE_CHECKING:
    from provenance.readers.model import Array

BYTES_AT_ONCE = 1 << 20
"""Elements per piece while bytes are compared: 4 to 8 MiB of each file."""
FIGURES_AT_ONCE = 1 << 15
"""Elements per piece while figures are taken: a few arrays of float64 stay in a 2 MiB cache."""

_INTEGERS: dict[str, Any] = {
    "float16": numpy.int16,
    "float32": numpy.int32,
    "float64": numpy.int64,
}


class Figures(NamedTuple):
    """How far two arrays of equal shape lie apart; differences are new - old, in float64.

    elements: how many. differing: those whose values differ; NaN equals NaN. apart: elements where
    only one side is NaN, or an infinity meets another value; they are in no other figure. max_rel:
    of |new - old| / |old| where old is not 0. ulp: units in the last place of the coarser type,
    None for whole numbers. at: flat index of the largest difference, or of the first of ``apart``.
    excess: the largest |new - old| - rtol |old|: what an absolute tolerance has to allow.
    old_squares, new_squares, product, old_sum, new_sum: over the finite elements, for what is
    derived from them. low and high: of either side, finite elements.
    """

    elements: int = 0
    differing: int = 0
    apart: int = 0
    max_abs: float = 0.0
    max_rel: float = 0.0
    ulp: int | None = None
    sum_abs: float = 0.0
    sum_squares: float = 0.0
    at: int = 0
    excess: float = 0.0
    old_squares: float = 0.0
    new_squares: float = 0.0
    product: float = 0.0
    old_sum: float = 0.0
    new_sum: float = 0.0
    old_range: tuple[float, float] = (math.inf, -math.inf)
    new_range: tuple[float, float] = (math.inf, -math.inf)
    old_nan: int = 0
    new_nan: int = 0
    old_inf: int = 0
    new_inf: int = 0

    @property
    def mean_abs(self) -> float:
        """The mean absolute difference."""
        return self.sum_abs / self.elements if self.elements else 0.0

    @property
    def rms_rel(self) -> float:
        """The root mean square of the difference, relative to that of the old values."""
        if not self.old_squares:
            return math.inf if self.sum_squares else 0.0
        return math.sqrt(self.sum_squares / self.old_squares)

    @property
    def cosine(self) -> float | None:
        """The cosine of the angle between both, as vectors; None where one of them is zero."""
        both = self.old_squares * self.new_squares
        return max(-1.0, min(1.0, self.product / math.sqrt(both))) if both > 0 else None

    @property
    def scale(self) -> float:
        """The root mean square of the old values."""
        return math.sqrt(self.old_squares / self.elements) if self.elements else 0.0


def pairs(old: Tensor, new: Tensor, limit: int) -> Iterator[tuple[Array, Array]]:
    """Yield pieces of both, of equal length and at most ``limit`` elements. Raises `Unreadable`."""
    first, second = old.chunks(limit), new.chunks(limit)
    one = other = numpy.empty(0)
    while True:
        if not len(one):
            one = _next(first)
        if not len(other):
            other = _next(second)
        length = min(len(one), len(other), limit)
        if not length:
            if len(one) or len(other):
                raise Unreadable("ends before its %d elements are read" % max(old.size, new.size))
            return
        yield one[:length], other[:length]
        one, other = one[length:], other[length:]


def _next(pieces: Iterator[Array]) -> Array:
    for piece in pieces:
        if len(piece):
            return piece
    return numpy.empty(0)


def equal_bytes(old: Tensor, new: Tensor) -> bool:
    """Return whether two arrays of one dtype and shape hold the same bytes."""
    return all(same_bytes(one, other) for one, other in pairs(old, new, BYTES_AT_ONCE))


def same_bytes(one: Array, other: Array) -> bool:
    """Return whether two flat pieces are equal to the bit."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.dtype.hasobject:
        return False
    first, second = numpy.ascontiguousarray(one), numpy.ascontiguousarray(other)
    width = first.dtype.itemsize * first.size
    kind = numpy.uint64 if not width % 8 else numpy.uint8
    return bool(numpy.array_equal(first.view(kind), second.view(kind)))


def figures(old: Tensor, new: Tensor, rtol: float, ulp_type: str = "") -> Figures:
    """Return how far ``old`` and ``new`` are apart; their shapes are equal.

    ulp_type: the type whose last place `Figures.ulp` counts: float16, bfloat16, float32, float64;
    "" for none. Raises `Unreadable`, and ValueError for arrays that do not hold numbers.
    """
    total, place = Figures(ulp=0 if ulp_type else None), 0
    with numpy.errstate(all="ignore"):
        for one, other in pairs(old, new, FIGURES_AT_ONCE):
            length = len(one)
            if one.dtype.kind == "c" or other.dtype.kind == "c":
                kind = numpy.result_type(one, other)
                parts = kind.type(0).real.dtype
                first, second = one.astype(kind).view(parts), other.astype(kind).view(parts)
            else:
                first, second = one, other
            found = _piece(first, second, rtol, ulp_type)
            total = _added(total, found, place, length)
            place += length
    return total


def _piece(one: Array, other: Array, rtol: float, ulp_type: str) -> Figures:
    """Return the figures of one piece; ``at`` within it."""
    if one.dtype.kind not in "fiub" or other.dtype.kind not in "fiub":
        raise ValueError("%s and %s hold no numbers" % (one.dtype, other.dtype))
    a, b = one.astype(numpy.float64), other.astype(numpy.float64)
    gap = numpy.abs(b - a)
    counts: dict[str, Any] = {}
    if not math.isfinite(float(gap.sum())) or not math.isfinite(float(numpy.dot(a, b))):
        a, b, gap, one, other, counts = _without_odd(a, b, one, other)
    if not len(a):
        return Figures(elements=len(gap), **counts)
    at = int(gap.argmax())
    size = numpy.abs(a)
    relative = gap / size if size.all() else numpy.where(size > 0, gap / size, 0.0)
    counts.setdefault("at", at)
    # Two int64 may differ by less than float64 can tell: they are counted as they are.
    differing = int(numpy.count_nonzero(one != other))
    return Figures(
        elements=len(a),
        differing=differing + counts.get("apart", 0),
        max_abs=float(gap[at]),
        max_rel=float(relative.max()),
        ulp=ulps(one, other, ulp_type) if ulp_type else None,
        sum_abs=float(gap.sum()),
        sum_squares=float(numpy.dot(gap, gap)),
        excess=float((gap - rtol * size).max()),
        old_squares=float(numpy.dot(a, a)),
        new_squares=float(numpy.dot(b, b)),
        product=float(numpy.dot(a, b)),
        old_sum=float(a.sum()),
        new_sum=float(b.sum()),
        old_range=(float(a.min()), float(a.max())),
        new_range=(float(b.min()), float(b.max())),
        **counts,
    )


def _without_odd(a: Array, b: Array, one: Array, other: Array) -> tuple[Any, ...]:
    """Return everything with NaN and infinite elements set to 0 on both sides, and their counts."""
    old_nan, new_nan = numpy.isnan(a), numpy.isnan(b)
    odd = ~(numpy.isfinite(a) & numpy.isfinite(b))
    apart = odd & ~((a == b) | (old_nan & new_nan))
    counts = {
        "old_nan": int(old_nan.sum()),
        "new_nan": int(new_nan.sum()),
        "old_inf": int(numpy.isinf(a).sum()),
        "new_inf": int(numpy.isinf(b).sum()),
        "apart": int(apart.sum()),
    }
    if counts["apart"]:
        counts["at"] = int(apart.argmax())
    one, other = (numpy.where(odd, numpy.zeros((), x.dtype), x) for x in (one, other))
    a, b = numpy.where(odd, 0.0, a), numpy.where(odd, 0.0, b)
    return a, b, numpy.abs(b - a), one, other, counts


def _added(total: Figures, more: Figures, place: int, length: int) -> Figures:
    further = more.max_abs > total.max_abs or (more.apart and not total.apart)
    if total.apart:
        further = False
    # A piece of complex numbers holds two parts for each element.
    each = max(1, more.elements // length) if length else 1
    return Figures(
        elements=total.elements + more.elements,
        differing=total.differing + more.differing,
        apart=total.apart + more.apart,
        max_abs=max(total.max_abs, more.max_abs),
        max_rel=max(total.max_rel, more.max_rel),
        ulp=None if total.ulp is None or more.ulp is None else max(total.ulp, more.ulp),
        sum_abs=total.sum_abs + more.sum_abs,
        sum_squares=total.sum_squares + more.sum_squares,
        at=place + more.at // each if further else total.at,
        excess=max(total.excess, more.excess),
        old_squares=total.old_squares + more.old_squares,
        new_squares=total.new_squares + more.new_squares,
        product=total.product + more.product,
        old_sum=total.old_sum + more.old_sum,
        new_sum=total.new_sum + more.new_sum,
        old_range=_wider(total.old_range, more.old_range),
        new_range=_wider(total.new_range, more.new_range),
        old_nan=total.old_nan + more.old_nan,
        new_nan=total.new_nan + more.new_nan,
        old_inf=total.old_inf + more.old_inf,
        new_inf=total.new_inf + more.new_inf,
    )


def _wider(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return (min(one[0], other[0]), max(one[1], other[1]))


def ulps(one: Array, other: Array, kind: str) -> int:
    """Return the largest distance of two pieces in units in the last place of type ``kind``.

    Adjacent numbers of a binary floating point type are adjacent integers when their bits are read
    as sign and magnitude (IEEE 754), so the distance is a difference of integers.
    """
    base = "float32" if kind == "bfloat16" else kind
    a, b = _ordinals(one, base), _ordinals(other, base)
    if kind == "bfloat16":  # the upper half of a float32
        a, b = a >> 16, b >> 16
    if base != "float64":
        return int(numpy.abs(a.astype(numpy.int64) - b).max())
    # Of opposite signs the distance may pass 2^63: as unsigned it does not.
    low, high = numpy.minimum(a, b), numpy.maximum(a, b)
    return int((high.view(numpy.uint64) - low.view(numpy.uint64)).max())


def _ordinals(piece: Array, kind: str) -> Array:
    integer = _INTEGERS[kind]
    bits = numpy.ascontiguousarray(piece, dtype=kind).view(integer)
    least = numpy.iinfo(integer).min
    ordinals: Array = numpy.where(bits < 0, least - bits, bits)
    return ordinals
