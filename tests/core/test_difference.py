"""Comparing mappings, and adding comparisons up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from provenance.core import difference
from provenance.core.difference import KINDS, Comparison, Difference, NotCompared

TABLE = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 2))


@given(TABLE, TABLE)
def test_a_mapping_is_compared_key_by_key(old: dict[str, int], new: dict[str, int]) -> None:
    found = difference.mapping("f", "s", old, new, "unknown", "things")
    assert found.total == len(set(old) | set(new))
    assert found.equal == sum(1 for k in old if k in new and old[k] == new[k])
    assert found.unit == "things"
    assert {d.kind for d in found.differences} <= set(KINDS)
    for one in found.differences:
        assert (one.old, one.new) == (old.get(one.name), new.get(one.name))
        assert (one.kind == "added") == (one.name not in old)
        assert (one.kind == "removed") == (one.name not in new)


def test_an_old_none_is_a_value() -> None:
    (one,) = difference.mapping("f", "s", {"a": None}, {"a": 1}).differences
    assert one.kind == "changed"


def test_joining_adds_up() -> None:
    one = Comparison((Difference("f", "s", "added", "x", "none"),), 1, 2, "things")
    two = Comparison((), 3, 3, "others", (NotCompared("f", "y", "why"),))
    both = difference.joined((one, two))
    assert (both.equal, both.total, both.unit) == (4, 5, "things")
    assert both.differences == one.differences
    assert both.not_compared == two.not_compared
    assert difference.joined((one, two), "facts").unit == "facts"
    assert difference.joined(()) == Comparison()
