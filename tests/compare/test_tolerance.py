"""Tolerance means what numpy means by it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.compare.tolerance import DEFAULT, Tolerance, worst
from provenance.core.verdict import DIFFERENT, SAME, WITHIN

FLOATS = st.floats()


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        (0.5, 0.5, SAME),
        (1, 1.0, SAME),
        (float("nan"), float("nan"), SAME),
        (float("inf"), float("inf"), SAME),
        (float("inf"), float("-inf"), DIFFERENT),
        (float("nan"), 1.0, DIFFERENT),
        (1.0, 1.0 + 5e-7, WITHIN),
        (1.0, 1.0 + 5e-6, DIFFERENT),
        (0.0, 1e-13, WITHIN),
        (0.0, 1e-11, DIFFERENT),
        (1000, 1001, DIFFERENT),
        (10**9, 10**9 + 1, DIFFERENT),
        (10**400, 1.0, DIFFERENT),
        (True, 1, SAME),
    ],
)
def test_the_default(old: float, new: float, verdict: str) -> None:
    assert DEFAULT.judge(old, new) == verdict


def test_a_chosen_tolerance_holds_for_whole_numbers_too() -> None:
    assert Tolerance.of(rtol=0.01).judge(1000, 1001) == WITHIN
    assert Tolerance.of(atol=1).judge(0, 1) == WITHIN
    assert Tolerance.of(atol=0.5) == Tolerance(1e-6, 0.5, "command line")


def test_it_is_relative_to_the_recorded_value() -> None:
    assert Tolerance(0.1, 0.0).judge(100.0, 110.0) == WITHIN
    assert Tolerance(0.1, 0.0).judge(110.0, 99.0) == WITHIN
    assert Tolerance(0.1, 0.0).judge(99.0, 110.0) == DIFFERENT


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_nonsense_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="rtol"):
        Tolerance.of(rtol=bad)


@given(FLOATS, FLOATS, st.floats(0, 1), st.floats(0, 10))
def test_against_the_formula(old: float, new: float, rtol: float, atol: float) -> None:
    judged = Tolerance(rtol, atol).judge(old, new)
    if math.isfinite(old) and math.isfinite(new):
        close = old == new or abs(new - old) <= atol + rtol * abs(old)
        assert (judged != DIFFERENT) == close
    else:
        assert (judged == SAME) == (old == new or (math.isnan(old) and math.isnan(new)))


@given(st.floats(-1e9, 1e9), st.floats(-1, 1), st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_wider_tolerance_never_finds_more(
    old: float, apart: float, rtol: float, more: float
) -> None:
    new = old + old * rtol * apart
    if Tolerance(rtol, 0).judge(old, new) != DIFFERENT:
        assert Tolerance(rtol + more, 0).judge(old, new) != DIFFERENT


def test_the_worst_of_verdicts() -> None:
    assert worst([]) == SAME
    assert worst([SAME, WITHIN]) == WITHIN
    assert worst([DIFFERENT, SAME]) == DIFFERENT
