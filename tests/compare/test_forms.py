"""Two canonical forms compared: what is a difference between library versions, and what is none."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.compare.forms import identical, noisy_paths, precision, unlike, unlike_text


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
    "pandas' time stamp and Python's": (
        ["v", "datetime.datetime", "2020-01-01 00:00:00"],
        ["v", "pandas.Timestamp", "2020-01-01 00:00:00"],
    ),
    "tensor that could not be read": (
        ["a", "torch.Tensor", "float32", [], {"at": []}],
        ["a", "torch.Tensor", "float32", [], {"at": [1.5]}],
    ),
    "digests of another block of rounding": (
        array("float64", 1.0, shape=[99], h="a", mean=0.5, std=1.0, b=[3.0]),
        array("float64", 1.0, shape=[99], h="b", mean=0.5, std=1.0, b=[3.0 + 1e-13]),
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
    "rounding that added up": (1.0, 1.0 + 5e-11, "noise", "1 -> 1.00000000005"),
    "digest of whole numbers": (
        array("int64", 1, 2, shape=[99], h="aa"),
        array("int64", 1, 2, shape=[99], h="bb"),
        "value",
        "values differ between the samples",
    ),
    "mean": (
        array("float64", 1.0, shape=[99], mean=0.5, min=0.0, max=1.0, h="a"),
        array("float64", 1.0, shape=[99], mean=0.6, min=0.0, max=1.0, h="b"),
        "value",
        "values differ between the samples; mean 0.5 -> 0.6",
    ),
    "weights": (
        ["m", "torch.nn.BatchNorm2d", {}, [["weight", array("float32", 0.4, 0.7)]], {}],
        ["m", "torch.nn.BatchNorm2d", {}, [["weight", array("float32", 1.0, 1.0)]], {}],
        "value",
        "weight: 2 of 2 values differ, by up to 0.6",
    ),
    "dtype of whole numbers whose bytes differ": (
        array("int64", 1, 2, shape=[99], h="aa", mean=1.5, std=0.5),
        array("int32", 1, 2, shape=[99], h="bb", mean=1.5, std=0.5),
        "dtype",
        "dtype int64 -> int32",
    ),
    "dtype and values": (
        array("int64", 1, 2),
        array("float64", 1.0, 2.5),
        "value",
        "dtype int64 -> float64; 1 of 2 values differ, by up to 0.5",
    ),
    "truth values": (
        array("uint8", 1, 0, shape=[99], h="aa"),
        array("bool", True, False, shape=[99], h="bb"),
        "dtype",
        "dtype uint8 -> bool",
    ),
    "signs": (
        array("float64", 1.0, -2.0, 3.0),
        array("float64", 1.0, 2.0, -3.0),
        "value",
        "signs differ: 2 of 3 values",
    ),
    "signs of some columns of a large array": (
        array("float64", 1.0, -2.0, shape=[99], mean=0.0, std=1.0, min=-2.0, max=2.0, skew=0.3),
        array("float64", 1.0, 2.0, shape=[99], mean=0.0, std=1.0, min=-2.0, max=2.0, skew=0.3),
        "value",
        "signs differ: 1 of 2 values looked at (of 99)",
    ),
    "order of a large array": (
        array("float64", 1.0, 0.5, shape=[99], mean=0.1, std=1.0, min=-2.0, max=2.0, skew=0.3),
        array("float64", 0.7, 0.2, shape=[99], mean=0.1, std=1.0, min=-2.0, max=2.0, skew=0.3),
        "order",
        "the same values in another order",
    ),
    "values of the same spread": (
        array("float64", 1.0, 0.5, shape=[99], mean=0.1, std=1.0, min=-2.0, max=2.0, skew=0.3),
        array("float64", 0.7, 0.2, shape=[99], mean=0.1, std=1.0, min=-2.0, max=2.0, skew=0.2),
        "value",
        "2 of 2 values looked at (of 99) differ, by up to 0.3",
    ),
    "a physical constant": (
        5.29177210903e-11,
        5.29177210544e-11,
        "value",
        "5.29177210903e-11 -> 5.29177210544e-11",
    ),
    "a small number": (1.2e-17, 3.1e-17, "value", "1.2e-17 -> 3.1e-17"),
    "added keys": (mapping(a=1), mapping(a=1, b=2), "state", "keys +b"),
    "a value graver than an added key": (
        mapping(a=1.0),
        mapping(a=2.0, b=2),
        "value",
        "[a]: 1 -> 2",
    ),
    "rounding beside an added key": (
        mapping(a=1.0),
        mapping(a=1.0 + 5e-11, b=2),
        "noise",
        "[a]: 1 -> 1.00000000005",
    ),
    "rounding in evidence": (["o", SVC, {"C": 1.0}], ["o", SVC, {"C": 1.0 + 5e-11}], "state", None),
    "ordered dict": (
        ["d", "collections.OrderedDict", 1, [["a", 1]]],
        mapping(a=1),
        "state",
        "OrderedDict -> dict",
    ),
    "a mapping in an array without dimensions": (
        array("object", mapping(a=1), shape=[]),
        array("object", mapping(a=2), shape=[]),
        "value",
        "[a]: 1 -> 2",
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
    assert (found.kind, found.text) == (kind, text or found.text)
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


def test_lists_of_single_precision_numbers_are_known_by_all_of_them() -> None:
    single = [0.10000000149011612, 0.5, 3.0, 0.20000000298023224]
    assert precision(listed(*single)) == precision(array("float32", 1.0))
    assert precision(listed(*single, 0.1)) < 1e-11
    assert precision(mapping(loss=listed(*single), step=listed(1, 2))) > 1e-7


@pytest.mark.parametrize("name", UNEQUAL)
def test_what_differs_is_not_identical(name: str) -> None:
    old, new, kind, _ = UNEQUAL[name]
    assert identical(old, old)
    assert identical(new, new)
    assert identical(old, new) is (kind == "state" and old[0] == "o")


def test_identical_is_to_the_last_bit() -> None:
    assert not identical(0.1 + 0.2, 0.3)
    assert not identical(0.0, -0.0)
    assert identical(NAN, NAN)
    assert identical(["sc", "float64", 0.5], 0.5)
    assert not identical(["sc", "float32", 0.5], 0.5)
    one, other = (
        array("float64", 1.0, shape=[99], mean=mean, h=h) for mean, h in ((0.5, "aa"), (0.5, "bb"))
    )
    assert not identical(one, other)
    rounded = array("float64", 1.0, shape=[99], mean=0.5000000000000001, h="aa")
    assert identical(one, rounded)
    moved = ["nt", "a._b.Result", [["p", 0.5]]]
    assert identical(moved, ["nt", "a.b.Result", [["p", 0.5]]])
    assert not identical(moved, ["nt", "a.b.Result", [["p", 0.6]]])


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
    identical(old, new)


@given(st.floats(allow_infinity=False, allow_nan=False), st.floats(1e-3, 1.0))
def test_a_change_beyond_rounding_is_seen(number: float, share: float) -> None:
    changed = number * (1 + share)
    if abs(number) > 1e-12 and math.isfinite(changed):
        found = unlike(number, changed)
        assert found is not None
        assert found.kind == "value"
