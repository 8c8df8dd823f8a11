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

BYTES_AT_ONCE = 1 << 18
"""Elements per piece while bytes are compared: 1 to 2 MiB of each file."""
FIGURES_AT_ONCE = 1 << 13
"""Elements per piece while figures are taken: a dozen arrays of float64 stay in the cache, and
OpenBLAS, which numpy multiplies with, takes no threads for vectors of fewer than 10,000."""


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
    old_squares, new_squares, product: sums over the finite elements, for what is derived from them.
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
    kind: numpy.dtype[Any] = numpy.dtype(numpy.uint64 if not width % 8 else numpy.uint8)
    if first.dtype.itemsize % kind.itemsize and kind.itemsize % first.dtype.itemsize:
        kind = numpy.dtype(numpy.uint8)  # texts of three characters, records of 12 bytes
    return bool(numpy.array_equal(first.view(kind), second.view(kind)))


def figures(old: Tensor, new: Tensor, rtol: float, ulp_type: str = "") -> Figures:
    """Return how far ``old`` and ``new`` are apart; their shapes are equal.

    ulp_type: the type whose last place `Figures.ulp` counts: float16, bfloat16, float32, float64;
    "" for none. Raises `Unreadable`, and ValueError for arrays that do not hold numbers.
    """
    total, place = Figures(ulp=0 if ulp_type else None), 0
    with numpy.errstate(all="ignore"):
        for some, others in pairs(old, new, BYTES_AT_ONCE):
            for start in range(0, len(some), FIGURES_AT_ONCE):
                one, other = (x[start : start + FIGURES_AT_ONCE] for x in (some, others))
                first, second = _real(one, other)
                found = _equal(first) if same_bytes(one, other) else None
                found = found or _piece(first, second, rtol, ulp_type)
                total = _added(total, found, place, len(one))
                place += len(one)
    return total


def _real(one: Array, other: Array) -> tuple[Array, Array]:
    """Return two pieces as real numbers: complex ones as twice as many."""
    if one.dtype.kind != "c" and other.dtype.kind != "c":
        return one, other
    kind = numpy.result_type(one, other)
    parts = kind.type(0).real.dtype
    return one.astype(kind).view(parts), other.astype(kind).view(parts)


def _equal(piece: Array) -> Figures | None:
    """Return the figures of a piece that both sides hold; None where it is not all finite."""
    if piece.dtype.kind not in "fiub":
        return None
    values = piece.astype(numpy.float64)
    squares = float(numpy.dot(values, values))
    if not math.isfinite(squares):
        return None
    return Figures(len(piece), ulp=0, old_squares=squares, new_squares=squares, product=squares)


def _piece(one: Array, other: Array, rtol: float, ulp_type: str) -> Figures:
    """Return the figures of one piece; ``at`` within it."""
    if one.dtype.kind not in "fiub" or other.dtype.kind not in "fiub":
        raise ValueError("%s and %s hold no numbers" % (one.dtype, other.dtype))
    a, b = one.astype(numpy.float64), other.astype(numpy.float64)
    gap = numpy.subtract(b, a)
    numpy.abs(gap, out=gap)
    counts: dict[str, Any] = {}
    total, product = float(gap.sum()), float(numpy.dot(a, b))
    if not (math.isfinite(total) and math.isfinite(product)):
        a, b, gap, one, other, counts = _without_odd(a, b, one, other)
        total, product = float(gap.sum()), float(numpy.dot(a, b))
    if not len(a):
        return Figures(elements=len(gap), **counts)
    at = int(gap.argmax())
    counts.setdefault("at", at)
    old_squares, new_squares = float(numpy.dot(a, a)), float(numpy.dot(b, b))
    # Two int64 may differ by less than float64 can tell: they are counted as they are.
    differing = int(numpy.count_nonzero(gap if one.dtype.kind == "f" else one != other))
    size = numpy.abs(a, out=a)
    relative = numpy.divide(gap, size, out=b)
    if not math.isfinite(float(relative.sum())):
        relative[size == 0] = 0.0
    highest = float(relative.max())
    size *= -rtol
    size += gap
    return Figures(
        elements=len(a),
        differing=differing + counts.get("apart", 0),
        max_abs=float(gap[at]),
        max_rel=highest,
        ulp=ulps(one, other, ulp_type) if ulp_type else None,
        sum_abs=total,
        sum_squares=float(numpy.dot(gap, gap)),
        excess=float(size.max()),
        old_squares=old_squares,
        new_squares=new_squares,
        product=product,
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
        old_nan=total.old_nan + more.old_nan,
        new_nan=total.new_nan + more.new_nan,
        old_inf=total.old_inf + more.old_inf,
        new_inf=total.new_inf + more.new_inf,
    )


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
        gap = numpy.subtract(a, b, dtype=numpy.int64)
        return int(numpy.abs(gap, out=gap).max())
    # Of opposite signs the distance may pass 2^63: as unsigned it does not.
    low, high = numpy.minimum(a, b), numpy.maximum(a, b)
    return int((high.view(numpy.uint64) - low.view(numpy.uint64)).max())


def _ordinals(piece: Array, kind: str) -> Array:
    """Return integers in the order of the numbers; 0.0 and -0.0 are one apart from none."""
    integer = _INTEGERS[kind]
    bits = numpy.ascontiguousarray(piece, dtype=kind).view(integer)
    width = numpy.iinfo(integer).bits
    # All ones for negative numbers, 0 for others.
    sign = bits >> integer(width - 1)
    ordinals: Array = bits ^ (sign & integer(numpy.iinfo(integer).max))
    ordinals -= sign
    return ordinals
