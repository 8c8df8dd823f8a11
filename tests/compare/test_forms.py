"""Two canonical forms compared: what is a difference between library versions, and what is none."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.compare.forms import noisy_paths, precision, unlike, unlike_text


def array(dtype: str, *values: Any, **more: Any) -> list[Any]:
    shape = more.pop("shape", [len(values)])
    return ["a", "numpy.ndarray", dtype, shape, {"at": list(values), **more}]


def listed(*items: Any) -> list[Any]:
    return ["l", len(items), list(items), {}]


def mapping(**items: Any) -> list[Any]:
    return ["d", "dict", len(items), [[name, item] for name, item in items.items()]]


SVC = "sklearn.svm.classes.SVC"
NAN = ["f", "nan"]

EQUAL = {
    "numpy's scalar and Python's number": (["sc", "float64", 0.5], 0.5),
    "array without dimensions and number": (array("float64", 0.5, shape=[]), 0.5),
    "rounding of double precision": (0.1 + 0.2, 0.3),
    "rounding of single precision": (array("float32", 1.0, 0.5), array("float32", 1.0000004, 0.5)),
    "a Python float from single precision": (0.6931471824645996, 0.6931471228599548),
    "what is left of sums that cancel": (1.2e-17, -3.1e-17),
    "small numbers beside large ones": (
        array("float64", 1e6, 1e-9),
        array("float64", 1e6, 1.0001e-9),
    ),
    "NaN": (NAN, NAN),
    "texts in the dtype of pandas 3": (array("object", "a"), array("str", "a")),
    "moved class": (["o", SVC, {}], ["o", "sklearn.svm._classes.SVC", {}]),
    "added evidence": (["o", SVC, {"C": 1.0}], ["o", SVC, {"C": 1.0, "tol": 2}]),
    "address": ("<A at 0x7f00aa>", "<A at 0x7fee12>"),
    "temporary folder": ("wrote /tmp/abc12/x.csv", "wrote /tmp/zz9/x.csv"),
    "elapsed time": (mapping(fit_time=1.0, acc=0.5), mapping(fit_time=2.0, acc=0.5)),
    "left out": (["..."], 3),
    "kind of index": (
        ["ix", "pandas.Index", None, array("int64", 1, 2)],
        ["ix", "pandas.Index", None, array("int32", 1, 2)],
    ),
    "named tuple with more fields": (
        ["nt", "scipy.stats.stats.A", [["p", 0.5]]],
        ["nt", "scipy.stats._py.B", [["p", 0.5], ["df", 3]]],
    ),
}

UNEQUAL = {
    "number": (0.1312, 0.0977, "value", "0.1312 -> 0.0977"),
    "shape": (
        array("float64", shape=[3, 4]),
        array("float64", shape=[3, 5]),
        "shape",
        "shape (3, 4) -> (3, 5)",
    ),
    "dtype": (array("int64", 1), array("int32", 1), "dtype", "dtype int64 -> int32"),
    "some values": (
        array("float64", 1.0, 2.0, 3.0),
        array("float64", 1.0, 2.5, 3.1),
        "value",
        "2 of 3 values differ, by up to 0.5",
    ),
    "order": (listed(1, 2), listed(2, 1), "order", "the same values in another order"),
    "length": (listed(1), listed(1, 2), "shape", "length 1 -> 2"),
    "type": (listed(1), None, "type", "list -> None"),
    "whole and broken": (3, 3.0, "dtype", "int 3 -> float 3"),
    "text form": ("1.5", "np.float64(1.5)", "text", "'1.5' -> 'np.float64(1.5)'"),
    "number in a text": ("acc 0.123", "acc 0.124", "value", "0.123 -> 0.124"),
    "evidence": (["o", SVC, {"C": 1}], ["o", SVC, {"C": 2}], "state", "C: 1 -> 2"),
    "key": (mapping(a=1), mapping(b=1), "shape", "keys -a, +b"),
    "deep": (mapping(a=listed("x")), mapping(a=listed("y")), "text", "[a][0]: 'x' -> 'y'"),
    "rounding that added up": (1.0, 1.0 + 1e-10, "noise", "1 -> 1.0000000001"),
    "digest of whole numbers": (
        array("int64", 1, 2, shape=[99], h="aa"),
        array("int64", 1, 2, shape=[99], h="bb"),
        "value",
        "values differ, none of the 2 looked at",
    ),
    "mean": (
        array("float64", 1.0, shape=[99], mean=0.5, min=0.0, max=1.0, h="a"),
        array("float64", 1.0, shape=[99], mean=0.6, min=0.0, max=1.0, h="b"),
        "value",
        "mean 0.5 -> 0.6",
    ),
    "weights": (
        ["m", "torch.nn.BatchNorm2d", {}, [["weight", array("float32", 0.4, 0.7)]], {}],
        ["m", "torch.nn.BatchNorm2d", {}, [["weight", array("float32", 1.0, 1.0)]], {}],
        "value",
        "weight: 2 of 2 values differ, by up to 0.6",
    ),
    "state of a generator": (
        ["m", "torch.Generator", {"state": "aa"}, [], {}],
        ["m", "torch.Generator", {"state": "bb"}, [], {}],
        "value",
        "state: the state of the generator differs",
    ),
}


@pytest.mark.parametrize("name", EQUAL)
def test_what_means_nothing_is_no_difference(name: str) -> None:
    old, new = EQUAL[name]
    assert unlike(old, new) is None
    assert unlike(new, old) is None


@pytest.mark.parametrize("name", UNEQUAL)
def test_a_difference_is_said_with_its_numbers(name: str) -> None:
    old, new, kind, text = UNEQUAL[name]
    found = unlike(old, new)
    assert found is not None
    assert (found.kind, found.text) == (kind, text)
    assert unlike(new, old) is not None
    assert unlike(old, old) is None


def test_what_differs_between_two_equal_runs_can_be_ignored() -> None:
    first, second = mapping(a=1, b=2), mapping(a=1, b=3)
    noise = noisy_paths(first, second)
    assert noise == {"[b]"}
    assert unlike(first, second, ignore=noise) is None
    found = unlike(first, mapping(a=2, b=9), ignore=noise)
    assert found is not None
    assert found.path == "[a]"


def test_the_worst_difference_is_told_and_the_others_counted() -> None:
    found = unlike(mapping(a=1.0, b=2.0, c="x"), mapping(a=1.1, b=4.0, c="y"))
    assert found is not None
    assert found.text == "[b]: 2 -> 4 (and 1 more)"
    assert found.magnitude == pytest.approx(0.5)


def test_numbers_made_from_single_precision_are_compared_as_such() -> None:
    loose = precision(array("float32", 0.1), 3)
    assert unlike(0.12345678901, 0.12345688, loose) is None
    assert unlike(0.12345678901, 0.12345688) is not None
    assert unlike_text("loss 0.1234567", "loss 0.1234568", loose) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)
TAGGED = st.builds(
    lambda tag, rest: [tag, *rest],
    st.sampled_from("a s l t nt d df ix m o q e r x sc c f set ...".split()),
    st.lists(JSON, max_size=5),
)


@given(JSON | TAGGED, JSON | TAGGED)
def test_anything_can_be_compared(old: Any, new: Any) -> None:
    unlike(old, new)
    assert unlike(old, old) is None


@given(st.floats(allow_infinity=False, allow_nan=False), st.floats(1e-3, 1.0))
def test_a_change_beyond_rounding_is_seen(number: float, share: float) -> None:
    changed = number * (1 + share)
    if abs(number) > 1e-12 and math.isfinite(changed):
        found = unlike(number, changed)
        assert found is not None
        assert found.kind == "value"
