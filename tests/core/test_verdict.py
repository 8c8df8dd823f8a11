"""What findings add up to, and the exit code that says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.core import verdict
from provenance.core.difference import EFFECTS, Difference
from provenance.core.verdict import Finding


def found(*effects: str) -> list[Finding]:
    return [Finding("f", "s", "changed", "n%d" % i, e) for i, e in enumerate(effects)]


@pytest.mark.parametrize(
    ("effects", "facts", "expected", "code"),
    [
        ((), 5, "same", 0),
        (("none",), 5, "same", 0),
        (("none", "unknown"), 5, "no known effect", 0),
        (("possible", "unknown"), 5, "possible effect", 0),
        (("known", "none"), 5, "different", 1),
        (("broken", "known"), 5, "different", 1),
        ((), 0, "not compared", 3),
        (("unknown",), 0, "not compared", 3),
        (("known",), 0, "different", 1),
    ],
)
def test_verdict_and_exit(effects: tuple[str, ...], facts: int, expected: str, code: int) -> None:
    assert verdict.verdict(found(*effects), facts) == expected
    assert verdict.exit_code(found(*effects), facts) == code


@given(st.lists(st.sampled_from(EFFECTS)), st.sampled_from(EFFECTS), st.integers(1, 9))
def test_failing_is_from_the_named_effect_upwards(
    effects: list[str], fail_on: str, facts: int
) -> None:
    reached = [e for e in effects if verdict.rank(e) >= verdict.rank(fail_on) and e != "none"]
    assert verdict.exit_code(found(*effects), facts, fail_on) == (1 if reached else 0)


@given(st.lists(st.sampled_from(EFFECTS)))
def test_one_more_finding_never_makes_it_better(effects: list[str]) -> None:
    for more in EFFECTS:
        before, after = verdict.worst(effects), verdict.worst([*effects, more])
        assert verdict.rank(after) >= max(verdict.rank(before), verdict.rank(more))


def test_the_gravest_comes_first() -> None:
    ranked = verdict.ranked(found("none", "broken", "unknown", "broken"))
    assert [f.effect for f in ranked] == ["broken", "broken", "unknown", "none"]
    assert [f.name for f in ranked[:2]] == ["n1", "n3"]


def test_a_difference_becomes_a_finding_field_by_field() -> None:
    one = Difference("f", "s", "version", "n", "unknown", "1", "2", ("t.py:3",), "text")
    made = verdict.finding(one)
    assert tuple(made)[: len(one)] == tuple(one)
    assert made.reasons == ()
