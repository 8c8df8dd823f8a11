"""Two archives of tensors: verdicts, figures, and what is said of them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from provenance.compare import _tensor_pairs
from provenance.compare.tensors import compare_archives
from provenance.compare.tolerance import Tolerance
from tests.compare.tensor_helpers import archive, part, tensor


def weights(seed=0, layers=4):
    made, random = {}, np.random.default_rng(seed)
    made["emb.weight"] = random.normal(size=(30, 8)).astype("f4")
    for layer in range(layers):
        made["layer.%d.attention.weight" % layer] = random.normal(size=(8, 8)).astype("f4")
        made["layer.%d.bias" % layer] = random.normal(size=8).astype("f4")
    made["head.weight"] = random.normal(size=(5, 8)).astype("f4")
    return made


def test_equal_archives_are_the_same_and_say_how_much_was_compared():
    judged = compare_archives(archive(weights(), epoch=3), archive(weights(), epoch=3))
    assert judged.verdict == "same"
    assert judged.compared == sum(a.size for a in weights().values())
    assert judged.parts == ()
    assert judged.detail == "10 tensors equal"


def test_one_different_layer_is_named_with_what_lies_before_it():
    new = weights()
    new["layer.2.attention.weight"] = new["layer.2.attention.weight"] + np.float32(0.5)
    judged = compare_archives(archive(weights()), archive(new))
    assert judged.verdict == "different"
    assert judged.figures["first"] == "layer.2.attention.weight"
    assert "one of 10 tensors differs: layer.2.attention.weight" in judged.detail
    assert "emb equal, layer.0-1 equal, layer.2.attention.weight first differs" in judged.detail


def test_numbers_in_names_count_where_a_file_is_in_alphabetical_order():
    old = {name: np.full(4, 1.0) for name in sorted("layer.%d.w" % n for n in range(12))}
    new = {name: one + (name in ("layer.2.w", "layer.10.w")) for name, one in old.items()}
    judged = compare_archives(archive(old), archive(new))
    assert judged.figures["first"] == "layer.2.w"


def test_other_training_is_told_from_training_continued():
    other = compare_archives(archive(weights()), archive(weights(seed=1)))
    assert "all 10 tensors differ: other initialisation or other training" in other.detail
    random = np.random.default_rng(5)
    further = {
        k: (v + 0.02 * random.normal(size=v.shape)).astype("f4") for k, v in weights().items()
    }
    judged = compare_archives(archive(weights()), archive(further))
    assert "close to one another" in judged.detail or "the same start" in judged.detail


def test_rounding_noise_is_within_the_default_tolerance_of_its_dtype():
    noisy = {k: (v * np.float32(1 + 2e-7)).astype("f4") for k, v in weights().items()}
    judged = compare_archives(archive(weights()), archive(noisy))
    assert judged.verdict == "within tolerance"
    assert "default" in judged.figures["tolerance"]
    strict = compare_archives(archive(weights()), archive(noisy), Tolerance(0.0, 0.0, "chosen"))
    assert strict.verdict == "different"
    assert "chosen" in strict.figures["tolerance"]


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_another_dtype_with_the_same_values_is_said(dtype):
    new = {k: v.astype(dtype) for k, v in weights().items()}
    judged = compare_archives(archive(weights()), archive(new))
    assert judged.verdict == "within tolerance"
    word = "equal after rounding" if dtype == "float16" else "equal values"
    assert part(judged, "emb.weight").detail == "float32 -> %s, %s" % (dtype, word)


def test_bfloat16_is_compared_by_its_own_last_place():
    values = np.array([1.0, 1.0078125, -2.0], "f4")  # one unit of bfloat16 above 1
    old = tensor("w", np.array([1.0, 1.0, -2.0], "f4"), "bfloat16")
    found = _tensor_pairs.figures(old, tensor("w", values, "bfloat16"), 0.0, "bfloat16")
    assert found.ulp == 1
    assert found.at == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: a.T.copy(), "transpose"),
        (lambda a: a[::-1].copy(), "flip 0"),
        (lambda a: -a, "negate"),
        (lambda a: a * 2, "scale 0.5"),
        (lambda a: np.concatenate(np.split(a, 4)[::-1]), "gates ogfi -> ifgo"),
    ],
)
def test_what_would_make_a_tensor_equal_is_found(change, said):
    old = {"w": np.random.default_rng(2).normal(size=(16, 16)).astype("f4")}
    judged = compare_archives(archive(old), archive({"w": change(old["w"])}))
    assert judged.verdict == "different"
    assert part(judged, "w").figures["equal_after"] == said


def test_a_transposed_matrix_that_is_not_square_is_found_by_shape():
    old = {"w": np.random.default_rng(2).normal(size=(6, 4))}
    judged = compare_archives(archive(old), archive({"w": old["w"].T.copy()}))
    assert part(judged, "w").detail == "shape 6x4 -> 4x6; equal after `transpose`"


def test_renamed_tensors_are_found_by_their_contents():
    new = {k.replace("layer", "block"): v for k, v in weights().items()}
    judged = compare_archives(archive(weights()), archive(new))
    assert judged.verdict == "within tolerance"
    assert judged.figures["renamed"] == 8
    told = part(judged, "layer.0.bias")
    assert told.detail.startswith("renamed: layer.0.bias is now block.0.bias")


def test_renamed_and_rounded_tensors_are_found_too():
    new = {"block." + k: (v * np.float32(1 + 2e-7)).astype("f4") for k, v in weights().items()}
    judged = compare_archives(archive(weights()), archive(new))
    assert judged.verdict == "within tolerance"
    assert judged.figures["renamed"] == 10


def test_missing_and_added_tensors_are_different():
    old, new = weights(), weights()
    del new["layer.3.bias"]
    new["extra"] = np.ones(3, "f4")
    judged = compare_archives(archive(old), archive(new))
    assert judged.verdict == "different"
    assert "1 missing: layer.3.bias" in judged.detail
    assert "1 added: extra" in judged.detail


def test_nan_on_one_side_is_counted_and_placed():
    new = weights()
    new["layer.1.bias"] = new["layer.1.bias"].copy()
    new["layer.1.bias"][3] = np.nan
    told = part(compare_archives(archive(weights()), archive(new)), "layer.1.bias")
    assert told.verdict == "different"
    assert told.figures["nan"] == [0, 1]
    assert told.figures["at"] == [3]
    assert "NaN: 1 of 8 elements, 0 before" in told.detail


def test_nan_and_infinity_at_the_same_places_are_equal():
    values = np.array([np.nan, np.inf, -np.inf, 1.0], "f4")
    other = values.copy()
    other.view("u4")[0] ^= 1  # the same NaN in other bits
    judged = compare_archives(archive({"w": values}), archive({"w": other}))
    assert judged.verdict == "same"


def test_constant_and_untrained_tensors_are_told():
    random = np.random.default_rng(3)
    bound = 1 / math.sqrt(64)
    trained = random.normal(0.3, 1, size=(32, 64)).astype("f4")
    start = random.uniform(-bound, bound, size=(32, 64)).astype("f4")
    judged = compare_archives(archive({"w": trained}), archive({"w": start}))
    assert "the new one is uniform in +-0.125" in part(judged, "w").detail
    judged = compare_archives(archive({"w": trained}), archive({"w": np.zeros_like(trained)}))
    assert "the new one is all zeros" in part(judged, "w").detail


def test_plain_values_beside_the_tensors_are_compared():
    judged = compare_archives(
        archive(weights(), epoch=3, lr=0.1), archive(weights(), epoch=4, lr=0.1)
    )
    assert judged.verdict == "different"
    assert judged.detail == "10 tensors equal; 1 plain value differs: epoch 3 -> 4"


def test_whole_numbers_texts_and_truth_values_are_compared_too():
    old = {"n": np.arange(5), "s": np.array(["a", "b"]), "t": np.array([True, False])}
    new = {"n": np.arange(5), "s": np.array(["a", "c"]), "t": np.array([True, True])}
    judged = compare_archives(archive(old), archive(new))
    assert [one.name for one in judged.parts] == ["s", "t"]
    large = compare_archives(
        archive({"n": np.array([2**60, 1])}), archive({"n": np.array([2**60 + 1, 1])})
    )
    assert large.verdict == "different"


def test_texts_of_another_shape_are_different_whatever_the_tolerance():
    old, new = {"s": np.array([["a", "b"]])}, {"s": np.array([["a"], ["b"]])}
    judged = compare_archives(archive(old), archive(new), Tolerance(1.0, 1.0, "command line"))
    assert judged.verdict == "different"
    assert "shape 1x2 -> 2x1" in part(judged, "s").detail


def test_one_element_that_differs_says_nothing_of_how_a_tensor_started():
    start = np.random.default_rng(7).normal(size=(64, 64)).astype("f4")
    other = start.copy()
    other[3, 4] += 1
    told = part(compare_archives(archive({"w": start}), archive({"w": other})), "w")
    assert told.detail.startswith("1 of 4,096 differ, by up to 1 at [3, 4]")
    assert "untrained" not in told.detail


def test_a_tolerance_in_units_in_the_last_place_is_the_tensors_own():
    values = np.linspace(1, 2, 9, dtype="f4")
    near = np.nextafter(np.nextafter(values, np.float32(9)), np.float32(9))
    for ulp, verdict in ((2, "within tolerance"), (1, "different")):
        chosen = Tolerance.of(ulp=ulp)
        judged = compare_archives(archive({"w": values}), archive({"w": near}), chosen)
        assert judged.verdict == verdict


def test_complex_numbers_are_placed_by_element():
    old = {"z": np.arange(6).astype("c8").reshape(2, 3)}
    new = {"z": old["z"] + np.array([[0, 0, 0], [0, 0, 2j]], "c8")}
    told = part(compare_archives(archive(old), archive(new)), "z")
    assert told.figures["at"] == [1, 2]
    assert told.figures["max_abs"] == 2


def test_two_readers_may_cut_their_pieces_otherwise():
    values = np.arange(1000, dtype="f4")
    old, new = tensor("w", values, most=7), tensor("w", values, most=64)
    assert _tensor_pairs.equal_bytes(old, new)
    assert _tensor_pairs.figures(old, new, 0.0, "float32").elements == 1000


@settings(deadline=None, max_examples=60)
@given(
    npst.arrays("f4", 50, elements=st.floats(width=32, allow_nan=True)),
    npst.arrays("f4", 50, elements=st.floats(width=32, allow_nan=True)),
)
def test_figures_are_those_of_a_plain_computation(old, new):
    found = _tensor_pairs.figures(tensor("a", old), tensor("a", new), 0.0, "float32")
    same = (old == new) | (np.isnan(old) & np.isnan(new))
    assert found.differing == int((~same).sum())
    finite = np.isfinite(old) & np.isfinite(new)
    assert found.apart == int((~same & ~finite).sum())
    gaps = np.abs(old[finite].astype("f8") - new[finite].astype("f8"))
    assert found.max_abs == pytest.approx(gaps.max(initial=0.0))
    assert found.sum_abs == pytest.approx(gaps.sum())


@pytest.mark.filterwarnings("ignore:overflow")
@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(0, 100))
def test_units_in_the_last_place_count_the_numbers_between(value, steps):
    one = other = np.float32(value)
    for _ in range(steps):
        other = np.nextafter(other, np.float32(np.inf))
    if not np.isfinite(other):
        return
    assert _tensor_pairs.ulps(np.array([one]), np.array([other]), "float32") == steps


@pytest.mark.parametrize("dtype", ["i8", "f8"])
@pytest.mark.parametrize("first", [10**5, 10**6])
def test_large_values_that_are_one_more_are_no_multiple(dtype, first):
    values = np.arange(first, first + 100).astype(dtype)
    chosen = Tolerance.of(1e-15, 0) if dtype == "f8" else None
    judged = compare_archives(archive({"w": values}), archive({"w": values + 1}), chosen)
    assert judged.verdict == "different"
    assert "scale" not in judged.detail


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("factor", [0.5, -1.0, 1 / 3, 1024.0])
def test_a_factor_is_named_where_it_makes_them_equal(dtype, factor):
    values = np.random.default_rng(0).normal(size=(8, 8)).astype(dtype)
    new = (values.astype("f8") / factor).astype(dtype)
    told = part(compare_archives(archive({"w": values}), archive({"w": new})), "w")
    assert "equal after `%s" % ("negate" if factor == -1 else "scale") in told.detail


@pytest.mark.parametrize("width", [1, 3, 5, 8])
def test_texts_of_any_width_are_compared(width):
    old = np.array(["a" * width, "b" * width])
    new = np.array(["a" * width, "c" * width])
    same = compare_archives(archive({"w": old}), archive({"w": old.copy()}))
    assert same.verdict == "same"
    other = compare_archives(archive({"w": old}), archive({"w": new}))
    assert other.verdict == "different"


def test_gates_of_all_tensors_in_another_order_are_said_first():
    draw = np.random.default_rng(1)
    old = {name: draw.normal(size=(16, 4)).astype("f4") for name in ("w_ih", "w_hh")}
    new = {name: np.concatenate([w[:8], w[12:], w[8:12]]) for name, w in old.items()}
    judged = compare_archives(
        archive(old),
        archive(new),
    )
    assert "each equal after `gates" in judged.detail
    assert "trained" not in judged.detail


def test_two_tensors_that_changed_places_are_told():
    draw = np.random.default_rng(1)
    old = {name: draw.normal(size=(6, 6)).astype("f4") for name in "abcd"}
    new = dict(old, b=old["d"], d=old["b"])
    judged = compare_archives(
        archive(old),
        archive(new),
    )
    assert part(judged, "b").detail == "its values are now under d"
    assert part(judged, "d").detail == "its values are now under b"
