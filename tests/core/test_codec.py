"""Named tuples to JSON and back."""

from __future__ import annotations

import contextlib
import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.core import canonical, codec
from provenance.core.codec import ShapeError
from provenance.core.paths import PathRef


class Inner(NamedTuple):
    name: str
    size: int = 0


class Outer(NamedTuple):
    title: str
    inner: Inner
    many: tuple[Inner, ...] = ()
    table: dict[str, Inner] = {}
    maybe: Inner | None = None
    either: int | str | None = None
    share: float = 0.0
    flag: bool = False
    path: PathRef | None = None
    anything: Any = None


INNER = st.builds(Inner, st.text(), st.integers())
OUTER = st.builds(
    Outer,
    st.text(),
    INNER,
    st.lists(INNER, max_size=3).map(tuple),
    st.dictionaries(st.text(), INNER, max_size=3),
    st.none() | INNER,
    st.none() | st.integers() | st.text(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none() | st.builds(PathRef, st.sampled_from(["repo", "abs"]), st.text("ab/.é")),
    st.none() | st.lists(st.integers()),
)


@given(OUTER)
def test_round_trip_through_text(value: Outer) -> None:
    text = canonical.dumps(codec.encode(value))
    assert codec.decode(Outer, json.loads(text)) == value


def test_unknown_members_are_passed_over_and_missing_ones_take_their_default() -> None:
    value = codec.decode(Outer, {"title": "t", "inner": {"name": "n", "new": 1}, "later": []})
    assert value == Outer("t", Inner("n"))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"title": 3}, "Outer.title"),
        ({"inner": []}, "Outer.inner"),
        ({"inner": {}}, "name"),
        ({"inner": {"name": "n", "size": True}}, "Outer.inner.size"),
        ({"inner": {"name": "n", "size": 1.5}}, "Outer.inner.size"),
        ({"many": {}}, "Outer.many"),
        ({"many": [{"name": None}]}, "Outer.many[].name"),
        ({"table": {"k": {"name": 1}}}, "Outer.table.k.name"),
        ({"flag": 1}, "Outer.flag"),
        ({"share": "1"}, "Outer.share"),
        ({"either": []}, "Outer.either"),
        ({"title": None}, "Outer.title"),
    ],
)
def test_a_wrong_shape_is_named_with_its_place(change: dict[str, Any], where: str) -> None:
    good = {"title": "t", "inner": {"name": "n"}}
    with pytest.raises(ShapeError) as caught:
        codec.decode(Outer, dict(good, **change))
    assert where in str(caught.value)


def test_whole_numbers_are_floats_too_but_truth_values_are_not() -> None:
    good = {"title": "t", "inner": {"name": "n"}}
    assert codec.decode(Outer, dict(good, share=2)).share == 2.0
    with pytest.raises(ShapeError):
        codec.decode(Outer, dict(good, share=True))


FOREIGN = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(FOREIGN, st.sampled_from(["title", "inner", "many", "table", "either", "path", "flag"]))
def test_nothing_but_a_shape_error_comes_of_foreign_values(value: Any, member: str) -> None:
    for document in (value, {"title": "t", "inner": {"name": "n"}, member: value}):
        with contextlib.suppress(ValueError):
            assert isinstance(codec.decode(Outer, document), Outer)
