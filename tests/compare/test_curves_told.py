"""What is said of two curves is true of them: of their ends, their counts, and points between."""

import math

import pytest

from provenance.compare import curve, curve_words, curves
from provenance.compare.curve import EPOCH, STEP
from provenance.compare.metrics import compare_metrics


def falling(steps, tau=100.0, axis=STEP, name="loss", scale=1.0):
    points = list(steps)
    values = [scale * (0.2 + 2.1 * math.exp(-step / tau)) for step in points]
    return made(points, values, axis, name)


def made(steps, values, axis=STEP, name="loss"):
    found = curve.Points(name)
    for step, value in zip(steps, values, strict=True):
        found.add(step, value)
    return found.curve(axis)


@pytest.mark.parametrize("stride", [7, 20, 25, 33])
def test_one_curve_logged_at_other_steps_does_not_differ_by_what_lies_between(stride):
    one, other = falling(range(0, 1000, 10)), falling(range(0, 1000, stride))
    for old, new in ((one, other), (other, one)):
        found = curves.compare_curve(old, new)
        assert found.verdict in ("same", "within tolerance")
        assert found.apart == 0


@pytest.mark.parametrize("stride", [7, 25])
def test_at_other_steps_what_lies_beside_both_neighbours_differs(stride):
    one = falling(range(0, 1000, 10))
    other = falling(range(0, 1000, stride), scale=1.2)
    assert curves.compare_curve(one, other).verdict == "different"


@pytest.mark.parametrize("left", [[], [0], [5], [50, 51, 52], [99]])
def test_points_that_only_one_has_are_counted(left):
    steps = range(100)
    part = [step for step in steps if step not in left]
    found = curves.compare_curve(falling(steps), falling(part))
    assert found.verdict == "same"
    said = "compared at %d of 100 points" % len(part)
    assert (said in found.text) == bool(left)


@pytest.mark.parametrize("end", [1, 40, 80])
def test_a_curve_that_ends_early_is_the_same_only_as_far_as_it_goes(end):
    one, other = falling(range(100)), falling(range(end))
    for old, new in ((one, other), (other, one)):
        said = curve_words.as_far([curves.compare_curve(old, new)])
        assert said == "as far as both go: to step %d of 99" % (end - 1)
    assert not curve_words.as_far([curves.compare_curve(one, one)])


def test_an_end_is_told_in_what_the_curves_are_compared_by():
    epochs = curve.Points("loss")
    for step in range(100):
        epochs.add(step, 1 / (step + 1), step / 10)
    by_epoch = made(range(1, 8), [1 / (10 * n + 1) for n in range(1, 8)], EPOCH)
    found = curves.compare_curve(epochs.curve(), by_epoch)
    assert found.axis == EPOCH
    assert "ends at epoch 7, recorded at 9.9" in found.text


def test_steps_against_epochs_is_said():
    found = curves.compare_curve(falling(range(0, 1000, 10)), falling(range(1, 11), axis=EPOCH))
    assert found.verdict == "not compared"
    assert found.text[0].startswith("one counts steps, the other epochs (0 to 990, and 1 to 10)")


def test_epochs_called_steps_are_doubted():
    found = curves.compare_curve(falling(range(1, 101)), falling(range(10, 1001, 10), 1000))
    assert any("to step 100 in one and 1000 in the other" in one for one in found.text)


def test_curves_that_never_meet_say_that_their_order_was_taken():
    found = curves.compare_curve(falling(range(50)), falling(range(2000, 2050)))
    assert any("their steps do not meet: 0 to 49, and 2000 to 2049" in one for one in found.text)
    alone = curves.compare_curve(made([990], [1.0]), made([5], [1.0]))
    assert alone.verdict == "not compared"


def test_a_loss_that_ends_at_twice_the_recorded_one_has_not_caught_up():
    values = [1e-8 * 10 ** (4 * math.exp(-step / 30)) for step in range(100)]
    found = curves.compare_curve(
        made(range(100), values), made(range(100), [2 * v for v in values])
    )
    assert not any("catches up" in one for one in found.text)


def test_large_steps_are_told_with_all_their_digits():
    old, new = made([0, 10], [1, 2]), made([1234567, 1234577, 1234587], [1, 2, 3])
    found = curves.compare_curve(old, new)
    assert found.text == ("their steps do not meet: 0 to 10, and 1234567 to 1234587",)


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("test_acc", 91.7, 0.917, "recorded it is about 100 times"),
        ("f1", 0.5, 50.3, "now it is about 100 times"),
        ("test_acc", 0.9, 0.91, ""),
        ("loss", 50.0, 0.5, ""),
        ("samples_seen", 0.5, 50.0, ""),
        ("test_acc", 0.0, 0.5, ""),
    ],
)
def test_per_cent_against_a_share_is_asked(name, old, new, told):
    (found,) = compare_metrics({name: old}, {name: new}, {}, {})
    assert found.verdict == "different"
    assert found.detail.startswith(told)
    assert bool(found.detail) == bool(told)
