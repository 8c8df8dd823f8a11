"""Outputs of two models: where they first part, rounding against a jump, predictions, layouts."""

import numpy as np

from provenance.compare.activations import compare_outputs
from provenance.compare.tolerance import Tolerance
from tests.compare.tensor_helpers import archive, part

LAYERS = ("conv1", "conv2", "fc1", "logits")


def outputs():
    random = np.random.default_rng(0)
    shapes = ((10, 4, 6, 6), (10, 8, 3, 3), (10, 16), (10, 12))
    return {n: random.normal(size=s).astype("f4") for n, s in zip(LAYERS, shapes, strict=True)}


def noisy(found, size=1e-7, growth=3.0):
    random, made = np.random.default_rng(1), {}
    for name, one in found.items():
        made[name] = (one + size * random.normal(size=one.shape)).astype("f4")
        size *= growth
    return made


def test_equal_outputs_are_the_same():
    judged = compare_outputs(archive(outputs()), archive(outputs()))
    assert judged.verdict == "same"
    assert judged.detail == ("4 arrays equal to the bit; predictions (logits) agree on 10 of 10")


def test_rounding_grows_slowly_and_is_within_tolerance():
    judged = compare_outputs(archive(outputs()), archive(noisy(outputs())))
    assert judged.verdict == "within tolerance"
    assert "the error grows slowly" in judged.detail
    assert "default" in judged.figures["tolerance"]
    strict = compare_outputs(
        archive(outputs()), archive(noisy(outputs())), Tolerance(0, 1e-7, "chosen")
    )
    assert strict.verdict == "different"


def test_the_first_layer_that_departs_is_named_and_the_jump_too():
    new = noisy(outputs())
    for name in ("fc1", "logits"):
        new[name] = new[name] + np.float32(0.3) * outputs()[name][::-1]
    judged = compare_outputs(archive(outputs()), archive(new))
    assert judged.verdict == "different"
    assert "up to conv2; fc1 is the first that differs: max 0." in judged.detail
    assert "the error jumps at fc1" in judged.detail


def test_an_error_from_the_start_is_told():
    new = {name: one * np.float32(1.01) for name, one in outputs().items()}
    judged = compare_outputs(archive(outputs()), archive(new))
    assert "from the first array on" in judged.detail


def test_channels_last_is_found_and_said():
    new = noisy(outputs())
    new["conv1"] = new["conv1"].transpose(0, 2, 3, 1)
    new["conv2"] = new["conv2"].transpose(0, 2, 3, 1)
    judged = compare_outputs(archive(outputs()), archive(new))
    assert judged.verdict == "within tolerance"
    assert part(judged, "conv1").detail.startswith("the new one is NHWC; max ")


def test_predictions_are_counted():
    new = outputs()
    rows = new["logits"]
    rows[0], rows[3] = -rows[0], -rows[3]
    judged = compare_outputs(archive(outputs()), archive(new))
    assert "predictions (logits) agree on 8 of 10" in judged.detail
    assert part(judged, "logits").figures["argmax"] == 8


def test_single_arrays_are_compared_whatever_their_names():
    one = outputs()["logits"]
    judged = compare_outputs(archive({"arr_0": one}), archive({"logits": one}))
    assert judged.verdict == "same"


def test_arrays_of_one_side_are_told():
    new = outputs()
    del new["conv2"]
    judged = compare_outputs(archive(outputs()), archive(new))
    assert judged.verdict == "different"
    assert part(judged, "conv2").detail.startswith("only the old file has it")


def test_nan_outputs_differ():
    new = outputs()
    new["fc1"][2, 3] = np.nan
    judged = compare_outputs(archive(outputs()), archive(new))
    assert judged.verdict == "different"
    assert "NaN: 1 of 160" in part(judged, "fc1").detail
