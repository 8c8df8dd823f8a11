"""How far apart two tensors may lie: by dtype, where nobody chose a tolerance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy

from provenance.compare.tolerance import Tolerance

if TYPE_CHECKING:
    from provenance.readers.model import Array

RELATIVE: dict[str, float] = {
    "float64": 1e-9,
    "complex128": 1e-9,
    "float32": 1e-6,
    "complex64": 1e-6,
    "float16": 2.0**-10,
    "bfloat16": 2.0**-7,
    "float8_e4m3fn": 2.0**-3,
    "float8_e4m3": 2.0**-3,
    "float8_e5m2": 2.0**-2,
}
"""Of float32 eight units of rounding (2^-23 each), what sums taken in another order move the last
digits by; of float64 a little less strict, for its results are often printed and read again. Of
the short types their one unit of rounding, the distance from 1 to the next number."""


def rtol_of(tolerance: Tolerance | None, dtypes: tuple[str, str]) -> float:
    """Return the relative tolerance for tensors of two dtypes: the coarser one's."""
    if tolerance is not None and tolerance.is_chosen:
        return tolerance.rtol
    return max(RELATIVE.get(one, 0.0) for one in dtypes)


def atol_of(tolerance: Tolerance | None, rtol: float, scale: float) -> float:
    """Return the absolute tolerance: chosen, else ``rtol`` of ``scale``.

    scale: the root mean square of the old values. Numbers near zero in a sum of larger ones carry
    the rounding of those, so a tolerance relative to themselves alone would mean nothing.
    """
    if tolerance is not None and tolerance.is_chosen:
        return tolerance.atol
    return rtol * scale


def said(tolerance: Tolerance | None, rtol: float, coarser: str) -> str:
    """Return the tolerance and its source in a few words."""
    if tolerance is not None and tolerance.is_chosen:
        return str(tolerance)
    return "%.3g of the value or of the tensor's rms, default for %s" % (rtol, coarser)


def allows(tolerance: Tolerance | None, ulp: int | None) -> bool:
    """Return whether somebody allowed so many units in the last place of the tensor's own type."""
    if tolerance is None or tolerance.ulp is None or ulp is None:
        return False
    return ulp <= tolerance.ulp


def overall(tolerance: Tolerance | None, dtypes: set[str]) -> str:
    """Return the tolerance of a whole comparison and its source in a few words."""
    if tolerance is not None and tolerance.is_chosen:
        return str(tolerance)
    known = sorted(one for one in dtypes if one in RELATIVE)
    words = ", ".join("%.3g for %s" % (RELATIVE[one], one) for one in known)
    return "%s, of each value or the tensor's rms (default)" % words if words else "none needed"


def coarser(old: str, new: str) -> str:
    """Return which of two dtypes rounds more; the first of equals."""
    return max((old, new), key=lambda one: RELATIVE.get(one, 0.0))


def ulp_type(old: str, new: str) -> str:
    """Return the type in whose last place differences are counted, "" for none."""
    one = coarser(old, new)
    return one if one in ("float16", "bfloat16", "float32", "float64") else ""


def rounded(values: Array, dtype: str) -> Array:
    """Return ``values`` rounded to ``dtype``, to nearest, ties to even.

    Raises TypeError for a dtype that is not known here.
    """
    if dtype != "bfloat16":
        return values.astype(dtype)
    bits = numpy.ascontiguousarray(values, dtype=numpy.float32).view(numpy.uint32)
    even = (bits >> 16) & 1
    cut = (bits + numpy.uint32(0x7FFF) + even) & numpy.uint32(0xFFFF0000)
    return numpy.where(numpy.isnan(values), values, cut.view(numpy.float32))
