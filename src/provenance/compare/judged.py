"""What the comparison of two files, tensors, curves or tables says, in one form for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN

ORDER = (SAME, WITHIN, DIFFERENT)
"""From the best to the gravest; "not compared" stands outside of it."""


class Part(NamedTuple):
    """One part of what was compared: a tensor, a column, a cell of a notebook, a line.

    verdict: same, within tolerance, different or not compared. detail: one clause for people.
    figures: the numbers behind it, by name, JSON-able (``max_abs``, ``ulp`` ...).
    """

    name: str
    verdict: str
    detail: str = ""
    figures: Mapping[str, Any] = {}


class Judged(NamedTuple):
    """Two things compared by what they say.

    kind: of what ("tensors", "table", "text", "image", "notebook" ...). detail: one clause that
    says what matters most. compared: how many values were looked at. parts: what differs or
    could not be compared, the gravest first; equal parts are only counted. figures: as in `Part`.
    notes: sentences on what was odd about the files, such as a pickle that would run a program.
    """

    verdict: str
    detail: str = ""
    kind: str = ""
    compared: int = 0
    parts: tuple[Part, ...] = ()
    figures: Mapping[str, Any] = {}
    notes: tuple[str, ...] = ()


def gravest(verdicts: Sequence[str]) -> str:
    """Return the gravest of ``verdicts``; "not compared" where nothing was compared."""
    compared = [one for one in verdicts if one != NOT_COMPARED]
    return max(compared, key=ORDER.index, default=NOT_COMPARED)
