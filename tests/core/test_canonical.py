"""The one JSON form, and the seal."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.core import canonical

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_text_is_json_and_reads_back(value: Any) -> None:
    text = canonical.dumps(value)
    assert text.endswith("\n")
    assert json.loads(text) == canonical.plain(value)
    text.encode("utf-8")


@given(PLAIN)
def test_writing_what_was_read_changes_nothing(value: Any) -> None:
    text = canonical.dumps(value)
    assert canonical.dumps(json.loads(text)) == text


@given(st.dictionaries(st.text(), st.integers(), max_size=6))
def test_the_order_of_members_does_not_matter(value: dict[str, int]) -> None:
    turned = dict(reversed(list(value.items())))
    assert canonical.compact(turned) == canonical.compact(value)
    assert canonical.digest(turned) == canonical.digest(value)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_lacks(number: float) -> None:
    text = canonical.dumps({"loss": [number]})
    back = canonical.number(json.loads(text)["loss"][0])
    assert back == number or (math.isnan(back) and math.isnan(number))
    assert "NaN" not in text
    assert "Infinity" not in text


def test_ordinary_values_are_left_alone_by_number() -> None:
    for value in (1, 1.5, "x", None, {"float": "nan", "other": 1}, [1]):
        assert canonical.number(value) == value


def test_undecodable_bytes_survive() -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert json.loads(canonical.dumps([name])) == [name]
    assert json.loads(canonical.compact([name]).decode("utf-8")) == [name]


def test_text_stays_readable() -> None:
    assert canonical.dumps({"name": "Zoë"}) == '{\n  "name": "Zoë"\n}\n'


@given(st.dictionaries(st.text(), PLAIN, max_size=4))
def test_a_seal_holds_until_something_changes(document: dict[str, Any]) -> None:
    document.pop(canonical.SEAL, None)
    sealed = canonical.seal(document)
    assert canonical.seal_holds(json.loads(canonical.dumps(sealed)))
    assert canonical.seal(sealed) == sealed
    assert not canonical.seal_holds(dict(sealed, another_member=1))
    assert not canonical.seal_holds(document)
