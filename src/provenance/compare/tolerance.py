"""How far two numbers may lie apart and still be the same result."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from provenance.core.verdict import DIFFERENT, SAME, WITHIN

RTOL, ATOL = 1e-6, 1e-12
"""The defaults, those of pytest's ``approx``. Single precision rounds at 6e-8, and sums taken in
another order (threads, another CPU) move the last digit or two; a real change of an algorithm moves
results by far more than one in a million."""


class Tolerance(NamedTuple):
    """Numbers agree if ``|now - recorded| <= atol + rtol * |recorded|``: numpy's meaning.

    source: who chose it ("default", "chosen"). Two whole numbers must be equal unless somebody
    chose the tolerance. NaN agrees with NaN, an infinity only with itself.
    """

    rtol: float = RTOL
    atol: float = ATOL
    source: str = "default"

    @classmethod
    def of(cls, rtol: float | None = None, atol: float | None = None) -> Tolerance:
        """Return a tolerance that somebody chose; what is None keeps its default.

        Raises ValueError for a negative or non-finite one.
        """
        for name, value in (("rtol", rtol), ("atol", atol)):
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ValueError("%s must be a number of at least 0, not %r" % (name, value))
        return cls(RTOL if rtol is None else rtol, ATOL if atol is None else atol, "chosen")

    def judge(self, old: Any, new: Any) -> str:
        """Return "same", "within tolerance" or "different" for two numbers."""
        if old == new or (_is_nan(old) and _is_nan(new)):
            return SAME
        if isinstance(old, int) and isinstance(new, int) and self.source == "default":
            return DIFFERENT
        try:
            a, b = float(new), float(old)
        except OverflowError:
            return DIFFERENT
        if not (math.isfinite(a) and math.isfinite(b)):
            return DIFFERENT
        return WITHIN if abs(a - b) <= self.atol + self.rtol * abs(b) else DIFFERENT


DEFAULT = Tolerance()


def is_number(value: Any) -> bool:
    """Return whether ``value`` is a number; truth values are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def worst(verdicts: list[str]) -> str:
    """Return the gravest of same, within tolerance and different; same where there are none."""
    order = (SAME, WITHIN, DIFFERENT)
    return max(verdicts, key=order.index, default=SAME)
