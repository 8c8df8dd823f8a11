"""Pickles are read as what they would give, and nothing in them is imported or called."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.readers import pickles
from provenance.readers._bytes import Memory
from provenance.readers._pickle_nodes import Bag, Pairs
from provenance.readers.archives import open_archive
from provenance.readers.model import Unreadable
from tests.readers import recipes
from tests.readers.test_arrays import holds, put

PROTOCOLS = range(6)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_and_plain_values_of_every_protocol(tmp_path: Path, protocol: int) -> None:
    archive = open_archive(put(tmp_path, "a.pkl", recipes.pickled(protocol)))
    assert archive.kind == "pickle"
    assert archive.notes == ()
    for name in set(recipes.ARRAYS) - {"scalar"}:
        holds(archive.tensors[name], recipes.ARRAYS[name])
    holds(archive.tensors["records/y"], recipes.RECORDS["y"])
    assert archive.values["scalar"] == 3.0
    assert archive.values["epoch"] == 3
    assert archive.values["set"] == [1, 2, 3]
    assert archive.values["ordered.b"] is None
    assert archive.values["default.a"] == [1]
    assert archive.values["price"] == "Decimal('1.5')"
    assert archive.values["z"] == "complex(1.0, 2.0)"
    assert archive.values["objects"] == ["a", None]
    assert archive.values["day"] == "date(07e40102)"
    assert archive.values["deep.er.1.most"] == "here"
    assert bytes(archive.tensors["story"].load()) == b"t" * 100_000
    assert bytes(archive.tensors["raw"].load()) == b"x" * 100


@pytest.mark.parametrize("name", [p.name for p in recipes.FILES.glob("sklearn*[lb]")])
def test_models_of_scikit_learn(name: str) -> None:
    archive = open_archive(str(recipes.FILES / name))
    expected = np.load(recipes.FILES / "sklearn-expected.npz")
    holds(archive.tensors["steps.0.1.mean_"], expected["mean"])
    holds(archive.tensors["steps.1.1.coef_"], expected["coef"])
    assert archive.values["steps.1.1.alpha"] == 0.5
    assert archive.values["steps.1.1.__class__"] == "sklearn.linear_model._ridge.Ridge"


def test_a_forest_packed_by_joblib() -> None:
    archive = open_archive(str(recipes.FILES / "forest.joblib"))
    expected = np.load(recipes.FILES / "sklearn-expected.npz")
    holds(archive.tensors["estimators_.1.tree_.nodes/threshold"], expected["threshold"])


class Trap:
    """Leaves a file where it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_pickle_that_would_run_something_leaves_no_trace(tmp_path: Path, protocol: int) -> None:
    trace = tmp_path / "trace"
    content = pickle.dumps({"w": np.arange(3), "trap": Trap("touch '%s'" % trace)}, protocol)
    archive = open_archive(put(tmp_path, "a.pkl", content))
    holds(archive.tensors["w"], np.arange(3))
    assert archive.notes == (
        "it would call posix.system when it is unpickled; nothing was run here",
    )
    assert not trace.exists()
    pickle.loads(content)
    assert trace.exists(), "the trap itself does not work"


def test_nothing_is_imported(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "booby.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    archive = open_archive(put(tmp_path, "a.pkl", b"cbooby\nTrap\n)R."))
    assert archive.values == {"__class__": "booby.Trap"}
    assert "booby" not in sys.modules


def simple(node: Any) -> Any:
    """Return the plain value that ``node`` stands for."""
    if isinstance(node, Pairs):
        return {simple(key): simple(value) for key, value in node.pairs}
    if isinstance(node, Bag):
        return frozenset(map(simple, node.items))
    if isinstance(node, list):
        return [simple(one) for one in node]
    return tuple(map(simple, node)) if type(node) is tuple else node


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SCALARS | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.tuples(inner, inner, inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner)
    ),
)


@given(value=VALUES, protocol=st.integers(3, 5))
def test_plain_values_are_what_python_reads(value: Any, protocol: int) -> None:
    content = pickle.dumps(value, protocol)
    node, end = pickles.read(Memory(content).all())
    assert simple(node) == value
    assert end == len(content)


@given(value=st.recursive(SCALARS, lambda i: st.lists(i) | st.dictionaries(st.text(), i)))
def test_plain_values_of_old_protocols(value: Any) -> None:
    for protocol in (0, 1, 2):
        assert simple(pickles.read(Memory(pickle.dumps(value, protocol)).all())[0]) == value


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x80\x02", "cut short"),
        (b"\x80\x02.", "damaged"),
        (b"\x80\x02\xff.", "damaged"),
        (b"(.", "damaged"),
        (b"\x80\x02h\x05.", "damaged"),
        (b"\x80\x02\x8b\xff\xff\xff\x7f.", "damaged"),
        (b"\x80\x04\x8e" + b"\xff" * 8, "cut short"),
        (b"L" + b"9" * 5000 + b"L\n.", "damaged"),
        (b"]" + b"]a" * 10 + b"(" * 5_000_100, "instructions"),
        (b"garbage", "no form that is known"),
    ],
)
def test_a_damaged_pickle_is_one_sentence(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        open_archive(put(tmp_path, "a.pkl", content))


def test_a_pickle_that_holds_itself(tmp_path: Path) -> None:
    loop: list[Any] = [1]
    loop.append({"again": loop})
    archive = open_archive(put(tmp_path, "a.pkl", pickle.dumps({"loop": loop, "w": np.ones(2)})))
    assert "w" in archive.tensors
    assert "nested too deep" in archive.notes[0]


def test_a_pickle_nested_a_million_deep(tmp_path: Path) -> None:
    archive = open_archive(put(tmp_path, "a.pkl", b"]" + b"]" * 10**6 + b"a" * 10**6 + b"."))
    assert "nested too deep" in archive.notes[0]


def test_a_memo_that_multiplies(tmp_path: Path) -> None:
    """Ten references to ten references to ... : a hundred bytes that stand for 10 ** 40 values."""
    content = b"\x80\x04]\x94"
    for level in range(40):
        content += b"](" + b"h%c" % level * 10 + b"e\x94"
    with pytest.raises(Unreadable, match="more than 1000000 values"):
        open_archive(put(tmp_path, "a.pkl", content + b"."))
