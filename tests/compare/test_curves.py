"""Curve against curve: where they part, how far apart, who is later, who breaks down."""

import math
from array import array

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from provenance.compare import bands, curve, curves
from provenance.compare.curve_align import align
from provenance.compare.tolerance import PRECISIONS, Tolerance, ulps


def made(values, steps=None, name="val_acc", axis="step"):
    values = array("d", [float(value) for value in values])
    steps = array("d", range(len(values)) if steps is None else [float(s) for s in steps])
    return curve.of(name, steps, values, axis)


def rising(tau, count=200):
    return [0.95 * (1 - math.exp(-step / tau)) for step in range(count)]


LOOSE = Tolerance.of(atol=0.005, rtol=0.0)


def test_equal_curves_are_the_same_and_nothing_is_said():
    one = curves.compare_curve(made(rising(20)), made(rising(20)))
    assert (one.verdict, one.text, one.rms, one.parted) == ("same", (), 0, None)


def test_a_stray_point_is_no_parting():
    values = rising(20)
    values[40] += 0.1
    one = curves.compare_curve(made(rising(20)), made(values), LOOSE)
    assert (one.verdict, one.parted, one.first_apart, one.apart) == ("different", None, 40, 1)
    assert one.text[0] == "apart at step 40 alone"


def test_a_stray_point_before_the_parting_is_told_beside_it():
    values = rising(20)
    values[10] += 0.1
    values[50:] = [value - 0.05 for value in values[50:]]
    one = curves.compare_curve(made(rising(20)), made(values), LOOSE)
    assert (one.parted, one.first_apart) == (50, 10)
    assert one.text[0] == "apart from step 50 on (first at step 10)"
    assert one.gap == pytest.approx(0.1)
    assert one.final == pytest.approx(-0.05)


def test_a_dent_that_heals():
    values = rising(20)
    values[30:60] = [value - 0.1 for value in values[30:60]]
    one = curves.compare_curve(made(rising(20)), made(values), LOOSE)
    assert (one.parted, one.together) == (None, 59)
    assert one.text[0] == "apart at 30 of 200 points, step 30 to 59, and together again"


def test_a_slow_start_that_catches_up():
    one = curves.compare_curve(made(rising(15)), made(rising(30)), LOOSE)
    assert one.reached == (0.85, 34, 68)
    assert "reaches 0.85 at step 68, recorded 34: a slow start, and it catches up" in one.text


def test_a_lower_plateau_does_not_reach_the_level():
    low = [0.6 * value for value in rising(15)]
    one = curves.compare_curve(made(rising(15)), made(low), LOOSE)
    assert "does not reach 0.85, recorded at step 34" in one.text
    assert one.new.flat_from is not None


def test_losses_go_down():
    old = made([math.exp(-step / 10) for step in range(100)], name="loss")
    new = made([math.exp(-step / 20) for step in range(100)], name="loss")
    one = curves.compare_curve(old, new)
    assert one.reached.new > one.reached.old
    assert one.old.best_step == 99


def test_nan_from_a_step_on():
    values = rising(20)
    values[40:] = [math.nan] * 160
    one = curves.compare_curve(made(rising(20)), made(values))
    assert one.new.broken_from == 40
    assert one.text[0] == "NaN from step 40 on; recorded never"
    assert (one.parted, one.final) == (40, None)
    both = curves.compare_curve(made(values), made(values))
    assert (both.verdict, both.text) == ("same", ("NaN from step 40 on, as recorded",))


def test_other_steps_are_compared_on_the_coarser_grid():
    fine = made(rising(20), range(200))
    coarse = made(rising(20)[::7], range(0, 200, 7))
    for one in (curves.compare_curve(fine, coarse), curves.compare_curve(coarse, fine)):
        assert (one.verdict, one.points, one.resampled) == ("same", 29, False)
    between = made(rising(20)[3::7], range(3, 200, 7))
    odd = curves.compare_curve(made(rising(20)[::2], range(0, 200, 2)), between, LOOSE)
    assert odd.resampled
    assert odd.verdict == "within tolerance"
    assert "linearly between" in odd.text[-1]


def test_by_epoch_where_only_one_counts_steps():
    values = rising(5, 40)
    steps = curve.of(
        "acc", array("d", range(40)), array("d", values), "step",
        array("d", [step // 4 for step in range(40)]),
    )  # fmt: skip
    epochs = made(values[3::4], name="acc", axis="epoch")
    one = curves.compare_curve(steps, epochs)
    assert (one.verdict, one.axis, one.points) == ("same", "epoch", 10)


def test_counted_from_0_and_from_1():
    one = curves.compare_curve(made(rising(9, 30)), made(rising(9, 30), range(1, 31)))
    assert one.verdict == "same"
    assert one.text == (
        "ends at step 30, recorded at 29",
        "steps are counted from 0 in one and from 1 in the other",
    )


def test_steps_that_do_not_meet_are_not_compared():
    one = curves.compare_curve(made([1, 2, 3]), made([1, 2], [100, 101]))
    assert (one.verdict, one.text) == (
        "not compared",
        ("their steps do not meet: 0 to 2, and 100 to 101",),
    )


def test_names_are_paired_as_people_would():
    old = {"val_acc": 1, "loss": 2, "train/loss": 3}
    new = {"validation accuracy": 1, "loss": 2, "lr": 3}
    assert curves.pairs(old, new) == [("val_acc", "validation accuracy"), ("loss", "loss")]
    assert curves.pairs({"a": 1}, {"Value": 1}) == [("a", "Value")]
    assert curves.pairs({"a": 1, "b": 1}, {"Value": 1}) == []


def test_train_agrees_and_validation_does_not():
    from provenance.compare import curve_words

    old = {"train_loss": made(rising(9)), "val_loss": made(rising(9))}
    new = {"train_loss": made(rising(9)), "val_loss": made(rising(12))}
    old, new = ({n: one.named(n, "step") for n, one in each.items()} for each in (old, new))
    found = [curves.compare_curve(old[one], new[other]) for one, other in curves.pairs(old, new)]
    (said,) = curve_words.splits(found)
    assert said.startswith("train_loss agrees and val_loss does not")


def test_a_band_of_seeds_holds_one_more_and_shows_what_is_not_one():
    noise = np.random.default_rng(1)
    runs = [made(rising(20) + 0.01 * noise.normal(size=200)) for _ in range(7)]
    around = bands.band(runs[:-1])
    first = runs[0]
    inside = curves.compare_curve(first, runs[-1])
    fits = bands.judged(inside, bands.lies(runs[-1], around), "seeds")
    assert (inside.verdict, fits.verdict) == ("different", "within tolerance")
    assert fits.text[0].startswith("within the spread of 6 seeds at ")
    slow = made(rising(26) + 0.01 * noise.normal(size=200))
    other = bands.judged(curves.compare_curve(first, slow), bands.lies(slow, around), "seeds")
    assert other.verdict == "different"
    assert other.text[0].startswith("outside of the spread of 6 seeds at ")
    worse = made([value - 0.2 for value in rising(20)])
    lost = bands.judged(curves.compare_curve(first, worse), bands.lies(worse, around), "seeds")
    assert lost.band.left == 0
    assert bands.band(runs[:1]) is None


VALUES = st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=40)
STEPS = st.integers(-50, 50).map(float)
POINTS = st.lists(st.tuples(STEPS, st.floats()), min_size=1, max_size=40)


def of_pairs(points):
    return made([value for _, value in points], [step for step, _ in points])


@given(POINTS)
def test_any_curve_is_the_same_as_itself(points):
    one = curves.compare_curve(of_pairs(points), of_pairs(points))
    assert (one.verdict, one.apart, one.parted, one.first_apart) == ("same", 0, None, None)


@given(POINTS, POINTS)
def test_distances_are_the_same_both_ways(first, second):
    tolerance = Tolerance.of(rtol=0.0, atol=0.5)
    one, other = of_pairs(first), of_pairs(second)
    there, back = (curves.compare_curve(*each, tolerance) for each in ((one, other), (other, one)))
    assert (there.verdict, there.points, there.apart) == (back.verdict, back.points, back.apart)
    assert (there.parted, there.first_apart) == (back.parted, back.first_apart)
    if there.rms is not None and math.isfinite(there.rms):
        assert there.rms == pytest.approx(back.rms, rel=1e-9)
        assert abs(there.gap) == abs(back.gap)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60), st.floats(0.1, 1e3))
def test_a_shift_is_its_own_distance(values, shift):
    one = curves.compare_curve(made(values), made([v + shift for v in values]), LOOSE)
    assert one.rms == pytest.approx(shift, rel=1e-5)
    assert one.area == pytest.approx(shift * (len(values) - 1), rel=1e-5)
    assert (one.parted, one.first_apart, one.apart) == (0, 0, len(values))


@given(st.lists(st.floats(-1, 1), min_size=20, max_size=60), st.data())
def test_the_step_of_parting_is_found(values, data):
    place = data.draw(st.integers(0, len(values) - 1))
    moved = [v + (1 if at >= place else 0) for at, v in enumerate(values)]
    one = curves.compare_curve(made(values), made(moved), LOOSE)
    assert (one.parted, one.first_apart) == (place, place)


@given(POINTS, st.randoms())
def test_the_order_of_points_does_not_matter(points, random):
    distinct = list({step: (step, value) for step, value in points}.values())
    mixed = list(distinct)
    random.shuffle(mixed)
    assert repr(of_pairs(distinct)) == repr(of_pairs(mixed))


@given(VALUES, st.integers(0, 39))
def test_nan_anywhere_does_no_harm(values, place):
    assume(place < len(values))
    odd = list(values)
    odd[place] = math.nan
    one = curves.compare_curve(made(values), made(odd))
    assert (one.verdict == "same") == math.isnan(values[place])
    assert one.apart == (0 if math.isnan(values[place]) else 1)


def test_no_points_are_not_compared():
    one = curves.compare_curve(made([]), made([1, 2]))
    assert (one.verdict, one.text) == ("not compared", ("there are no points",))
    assert align(made([]), made([])) == "there are no points"


@given(st.lists(st.booleans(), max_size=60))
def test_staying_apart_means_apart_there_and_at_most_of_what_follows(apart):
    place = curves.staying(np.array(apart, dtype=bool))
    if place is None:
        assert not any(apart[-1:])
    else:
        rest = apart[place:]
        assert rest[0]
        assert sum(rest) >= 0.9 * len(rest)


@pytest.mark.parametrize("dtype", list(PRECISIONS))
@given(value=st.floats(-60000, 60000, width=16), count=st.integers(0, 40))
def test_ulps_are_counted_by_stepping_from_one_number_to_the_next(dtype, value, count):
    assume(math.isfinite(value))
    kind = np.dtype(dtype).type
    there = kind(value)
    for _ in range(count):
        there = np.nextafter(there, kind(np.inf))
    assume(np.isfinite(there))
    assert ulps(value, float(there), dtype) == count
    tolerance = Tolerance.of(ulp=max(0, count - 1), dtype=dtype)
    arrays = np.array([value]), np.array([float(there)])
    assert bool(tolerance.apart(*arrays)[0]) == (
        tolerance.judge(value, float(there)) == "different"
    )
    assert Tolerance.of(ulp=count, dtype=dtype).judge(value, float(there)) != "different"


@given(VALUES, VALUES, st.floats(0, 1), st.floats(0, 1), st.integers(0, 100) | st.none())
def test_arrays_are_judged_as_single_numbers_are(first, second, rtol, atol, ulp):
    count = min(len(first), len(second))
    tolerance = Tolerance.of(rtol, atol, ulp)
    arrays = np.array(first[:count]), np.array(second[:count])
    single = [tolerance.judge(a, b) == "different" for a, b in zip(first, second, strict=False)]
    assert list(tolerance.apart(*arrays)) == single
