"""What is kept of data so that more of its kind can be made up, and what is not."""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from provenance.agent import rehearsal

FOLDER = Path(rehearsal.__file__).parent
_loaded: dict[str, Any] = {}


def load(name: str) -> Any:
    """Return a module of the rehearsal, as its runner loads it."""
    if name not in _loaded:
        spec = importlib.util.spec_from_file_location(name, FOLDER / (name + ".py"))
        assert spec is not None
        assert spec.loader is not None
        _loaded[name] = module = importlib.util.module_from_spec(spec)
        module.load = load
        spec.loader.exec_module(module)
        module.load = load
    return _loaded[name]


schemas, private, kept = (load("_prov_" + n) for n in ("schemas", "schemas_private", "kept"))

WORDS = st.text(alphabet="bcdefgh", min_size=6, max_size=9)
NUMBERS = st.one_of(
    st.integers(min_value=100, max_value=10**9),
    st.floats(min_value=1e-6, max_value=1e9).filter(lambda v: len(repr(v)) > 6),
)
VALUES = st.recursive(
    st.one_of(NUMBERS, WORDS, st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=12,
)


def published(value, public=()):
    known = schemas.described(value)
    assert known is not None
    return private.private(known, set(public))


def leaves(value):
    if isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from leaves(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from leaves(one)
    else:
        yield value


def shape(value):
    if isinstance(value, dict):
        return [shape(one) for one in value.values()]
    if isinstance(value, (list, tuple)):
        return [shape(one) for one in value]
    return type(value).__name__


@given(VALUES)
@settings(max_examples=100, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_what_is_made_up_is_alike_and_tells_no_element(value):
    known = published(value)
    text = json.dumps(known)
    assert shape(schemas.made(json.loads(text), None, 1)) == shape(value)
    for one in leaves(value):
        if isinstance(one, str):
            assert one not in text
        elif type(one) in (int, float) and float("%.1g" % one) != one:
            assert '"value": %s' % json.dumps(one) not in text
            assert repr(one) not in text or len(repr(one).strip("0.")) < 2


def test_records_are_described_by_column():
    records = [{"name": "person%d" % n, "pay": 1234.5 + 7 * n} for n in range(40)]
    known = published(records, ["name", "pay"])
    assert known["k"] == "rows"
    made = schemas.made(known, 30, 2)
    assert len(made) == 30
    assert all(list(one) == ["name", "pay"] for one in made)
    assert all(1234.5 <= one["pay"] <= records[-1]["pay"] for one in made)
    assert "person" not in json.dumps(known)
    assert "1234" not in json.dumps(known)


@pytest.mark.parametrize(
    ("low", "high", "ends"),
    [
        (52341.75, 98711.2, (53000.0, 98000.0)),
        (-3.217, 4.1234, (-3.2, 4.1)),
        (0.0, 1.0, (0.0, 1.0)),
        (0.0, 255.0, (0.0, 250.0)),
        (2018.0, 2023.0, (2018.0, 2023.0)),
        (123.456, 123.456, (120.0, 120.0)),
    ],
)
def test_ranges_are_rounded_inwards(low, high, ends):
    assert private._ends(low, high, ()) == ends


def test_what_the_source_names_stays():
    value = {"kind": "good", "size": 128, "other": 129, "left": "best"}
    made = schemas.made(published(value, ["kind", "good", "size", 128]), None, 1)
    assert made["kind"] == "good"
    assert made["size"] == 128
    assert "best" not in made.values()
    assert "left" not in made


@given(VALUES)
@settings(max_examples=80, deadline=None)
def test_kept_values_come_back(value):
    packed, rows = kept.kept(value)
    assert rows == 0
    assert kept.value_of(json.loads(json.dumps(packed))) == value


def test_big_kept_values_lose_their_end():
    value = [math.sin(n) for n in range(50000)]
    packed, rows = kept.kept(value)
    assert 0 < rows <= kept.MOST_ROWS
    assert kept.value_of(packed) == value[:rows]
