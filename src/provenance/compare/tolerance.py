"""How far two numbers may lie apart and still be the same result, and who said so."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from provenance.core.verdict import DIFFERENT, SAME, WITHIN

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

RTOL, ATOL = 1e-6, 1e-12
"""The defaults, those of pytest's ``approx``. Single precision rounds at 6e-8, and sums taken in
another order (threads, another CPU) move the last digit or two; a real change of an algorithm moves
results by far more than one in a million."""

BY_DEFAULT = "default"
COMMAND_LINE, SETTINGS, RECORDED = "command line", "prov.yaml", "recorded"
ENVELOPE = "envelope"
"""Where a tolerance comes from: nobody chose it; this command; the project's settings as they are
now; the settings as they were when the run was recorded or locked; the spread of
several runs."""

PRECISIONS = {"float64": ("d", "q", 64), "float32": ("f", "i", 32), "float16": ("e", "h", 16)}
"""Of each precision the letter of a number in `struct` and numpy, of an integer as wide, and the
bits of both."""


class Tolerance(NamedTuple):
    """Numbers agree if ``|now - recorded| <= atol + rtol * |recorded|``: numpy's meaning.

    source: where it comes from, see above. ulp: or if no more than so many numbers of ``dtype`` lie
    between them (units in the last place); None for no such rule. why: the reason, a clause for
    people. Two whole numbers must be equal unless somebody chose the tolerance. NaN agrees with
    NaN, an infinity only with itself.
    """

    rtol: float = RTOL
    atol: float = ATOL
    source: str = BY_DEFAULT
    ulp: int | None = None
    dtype: str = "float64"
    why: str = ""

    @classmethod
    def of(
        cls,
        rtol: float | None = None,
        atol: float | None = None,
        ulp: int | None = None,
        source: str = COMMAND_LINE,
        dtype: str = "float64",
        why: str = "",
    ) -> Tolerance:
        """Return a tolerance that somebody chose; what is None keeps its default.

        With ``ulp`` alone nothing else is allowed. Raises ValueError for a negative or non-finite
        one, or an unknown dtype.
        """
        for name, value in (("rtol", rtol), ("atol", atol), ("ulp", ulp)):
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ValueError("%s must be a number of at least 0, not %r" % (name, value))
        if dtype not in PRECISIONS:
            raise ValueError("dtype must be one of %s, not %r" % (", ".join(PRECISIONS), dtype))
        if ulp is not None and rtol is None and atol is None:
            return cls(0.0, 0.0, source, ulp, dtype, why)
        relative, absolute = RTOL if rtol is None else rtol, ATOL if atol is None else atol
        return cls(relative, absolute, source, ulp, dtype, why)

    @property
    def is_envelope(self) -> bool:
        """Whether it is the spread of several runs."""
        return self.source == ENVELOPE

    def told(self) -> str:
        """Return it with its reason: "rtol 1e-05 (default: a loss: sums in single precision)"."""
        if self.is_envelope:
            return "spread of runs (envelope)"
        return "%s%s)" % (str(self)[:-1], ": " + self.why if self.why else "")

    @property
    def is_chosen(self) -> bool:
        """Whether somebody chose it."""
        return self.source != BY_DEFAULT

    def judge(self, old: Any, new: Any) -> str:
        """Return "same", "within tolerance" or "different" for two numbers."""
        if old == new or (_is_nan(old) and _is_nan(new)):
            return SAME
        if isinstance(old, int) and isinstance(new, int) and not self.is_chosen:
            return DIFFERENT
        try:
            a, b = float(new), float(old)
        except OverflowError:
            return DIFFERENT
        if not (math.isfinite(a) and math.isfinite(b)):
            return DIFFERENT
        if abs(a - b) <= self.atol + self.rtol * abs(b):
            return WITHIN
        near = self.ulp is not None and ulps(b, a, self.dtype) <= self.ulp
        return WITHIN if near else DIFFERENT

    def apart(self, old: Array, new: Array) -> Array:
        """Return where two arrays of doubles differ, as `judge` does for one pair of floats."""
        import numpy as np

        with np.errstate(invalid="ignore", over="ignore"):
            near = np.abs(new - old) <= self.atol + self.rtol * np.abs(old)
        if self.ulp is not None:
            near |= _ulps(old, new, self.dtype) <= self.ulp
        near &= np.isfinite(old) & np.isfinite(new)
        found: Array = ~(near | (old == new) | (np.isnan(old) & np.isnan(new)))
        return found

    def __str__(self) -> str:
        """Return it in words: "rtol 1e-06 (default)", "4 ulp of float32 (command line)"."""
        parts = ["rtol %g" % self.rtol] if self.rtol or not (self.atol or self.ulp) else []
        if self.atol and (self.atol != ATOL or not self.rtol):
            parts.append("atol %g" % self.atol)
        if self.ulp is not None:
            parts.append("%d ulp of %s" % (self.ulp, self.dtype))
        return "%s (%s)" % (", ".join(parts), self.source)

    @property
    def key(self) -> tuple[Any, ...]:
        """What it allows, whoever chose it."""
        return self.rtol, self.atol, self.ulp, self.dtype if self.ulp is not None else ""


DEFAULT = Tolerance()


def ulps(one: float, other: float, dtype: str = "float64") -> float:
    """Return how many numbers of ``dtype`` two finite ones lie apart, once rounded to it.

    The bits of floats, read as integers with the sign folded over, are in the order of the floats
    and without gaps (IEEE 754); 0.0 and -0.0 are none apart. Infinite where one does not fit.
    """
    form, whole, bits = PRECISIONS[dtype]
    try:
        first, second = (
            _ordinal(struct.unpack(whole, struct.pack(form, value))[0], bits)
            for value in (one, other)
        )
    except (OverflowError, struct.error):
        return math.inf
    return abs(first - second)


def _ordinal(bits: int, width: int) -> int:
    return bits if bits >= 0 else -(bits + (1 << (width - 1)))


def _ulps(old: Array, new: Array, dtype: str) -> Array:
    """Return `ulps` of two arrays."""
    import numpy as np

    form, whole, bits = PRECISIONS[dtype]
    ordered, fits = [], np.ones(len(old), dtype=bool)
    for one in (old, new):
        with np.errstate(over="ignore", invalid="ignore"):
            narrow = np.asarray(one, dtype=form)
        number = narrow.view(whole).astype(np.int64)
        ordered.append(np.where(number >= 0, number, -(number & ((1 << (bits - 1)) - 1))))
        fits &= np.isfinite(narrow)
    first, second = ordered
    exact = np.abs(first - second).astype(np.float64)
    across = np.abs(first.astype(np.float64)) + np.abs(second.astype(np.float64))
    apart = np.where((first < 0) == (second < 0), exact, across)
    return np.where(fits, apart, np.inf)


def is_number(value: Any) -> bool:
    """Return whether ``value`` is a number; truth values are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def worst(verdicts: list[str]) -> str:
    """Return the gravest of same, within tolerance and different; same where there are none."""
    order = (SAME, WITHIN, DIFFERENT)
    return max(verdicts, key=order.index, default=SAME)
