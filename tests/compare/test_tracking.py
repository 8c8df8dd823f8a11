"""When a growing curve is on track with recorded ones: no false alarms, and finds soon."""

import math
import random

import pytest

from provenance.compare import tracking
from provenance.compare.band import Band, Curve
from provenance.compare.tracking import NOT_FINITE, ON_TRACK, PARTED, WAITING
from provenance.operations import _live_texts

STEPS = 300


def training(seed, rate=0.02, start=2.3, noise=0.1, every=1, correlated=0.0):
    """Return a curve as trainings have them: the seed changes speed, level and noise."""
    chance = random.Random(seed)
    rate *= math.exp(chance.gauss(0, 0.05))
    level = 0.3 * math.exp(chance.gauss(0, 0.03))
    points, drift = [], 0.0
    for step in range(0, STEPS, every):
        drift = correlated * drift + chance.gauss(0, noise)
        value = level + (start - level) * math.exp(-rate * step) + drift
        points.append((step, value))
    return points


def first_parted(references, live):
    """Return at which share of the training the curve parted first, None where it never did."""
    known = tracking.bands([{"loss": one} for one in references])
    left = tracking.follow_all(known, {"loss": live})["loss"].left
    return None if left is None else left / STEPS


@pytest.mark.parametrize(
    "kind",
    [{}, {"noise": 0.3}, {"noise": 0.0}, {"every": 10}, {"correlated": 0.7}],
    ids=["noisy", "very noisy", "smooth", "few values", "smoothed by the logger"],
)
@pytest.mark.parametrize("runs", [1, 5])
def test_another_seed_is_not_called_parted(kind, runs):
    pairs = 200 if runs == 1 else 40
    alarms = [
        seed
        for seed in range(pairs)
        if None
        is not first_parted(
            [training(1000 + runs * seed + n, **kind) for n in range(runs)], training(seed, **kind)
        )
    ]
    assert len(alarms) <= 0.05 * pairs, alarms


@pytest.mark.parametrize("runs", [1, 5])
@pytest.mark.parametrize(
    ("wrong", "by"),
    [({"rate": 0.002}, 0.2), ({"rate": 0.06}, 0.3), ({"start": 20.0}, 0.1), ({"rate": 0.0}, 0.2)],
    ids=["learning rate / 10", "learning rate x 3", "broken initialisation", "does not learn"],
)
def test_what_is_wrong_is_found_soon(wrong, by, runs):
    for seed in range(20):
        references = [training(100 + runs * seed + n) for n in range(runs)]
        share = first_parted(references, training(seed, **wrong))
        assert share is not None, seed
        assert share <= by, (seed, share)


def band(points, **chosen):
    return Band([Curve(points)], **chosen)


LINE = [(step, 2.0 - step / 100) for step in range(101)]


def test_nothing_is_said_before_there_are_values():
    assert tracking.follow(band(LINE), []).state == WAITING
    assert tracking.follow(band(LINE), LINE[:2]).state == WAITING
    assert tracking.follow(band(LINE), LINE[:10]).state == ON_TRACK


def test_the_step_at_which_it_parted_is_the_first_one_outside():
    live = [(step, value if step < 60 else value + 1) for step, value in LINE]
    track = tracking.follow(band(LINE), live)
    assert track.state == PARTED
    assert 60 <= track.since <= 62


def test_a_curve_that_comes_back_is_back():
    live = [(step, value + (1 if 40 <= step < 60 else 0)) for step, value in LINE]
    track = tracking.follow(band(LINE), live)
    assert (track.state, track.back, track.left) == (ON_TRACK, True, 40)
    assert 60 <= track.since <= 64


def test_one_value_far_off_is_no_parting():
    live = [(step, 99.0 if step == 50 else value) for step, value in LINE]
    assert tracking.follow(band(LINE), live).state == ON_TRACK


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_told_at_once_unless_it_was_recorded(bad):
    live = [*LINE[:40], (40, bad)]
    track = tracking.follow(band(LINE), live)
    assert (track.state, track.since) == (NOT_FINITE, 40)
    assert track.recorded == pytest.approx(1.6, abs=0.02)
    recorded = [(step, bad if step >= 40 else value) for step, value in LINE]
    assert tracking.follow(band(recorded), live).state == ON_TRACK


def test_a_chosen_tolerance_widens_the_band():
    live = [(step, value * 1.5) for step, value in LINE]
    assert tracking.follow(band(LINE), live).state == PARTED
    assert tracking.follow(band(LINE, rtol=0.6), live).state == ON_TRACK
    assert tracking.follow(band(LINE, atol=1.1), live).state == ON_TRACK


def test_a_constant_must_be_the_same():
    rate = [(step, 0.1) for step in range(50)]
    assert tracking.follow(band(rate), rate).state == ON_TRACK
    other = tracking.follow(band(rate), [(step, 0.3) for step in range(10)])
    assert (other.state, other.since) == (PARTED, 0)


def test_steps_beyond_the_recorded_end_are_not_judged():
    live = LINE + [(step, 50.0) for step in range(101, 200)]
    track = tracking.follow(band(LINE), live)
    assert (track.state, track.after) == (ON_TRACK, True)


def test_names_are_matched_by_their_words_where_that_is_clear():
    assert tracking.matched("loss", ["loss", "val_loss"]) == "loss"
    assert tracking.matched("val_loss", ["train/loss", "loss/val"]) == "loss/val"
    assert tracking.matched("val_loss", ["loss/val", "val/loss"]) is None
    assert tracking.matched("acc", ["loss"]) is None


@pytest.mark.parametrize(("every", "doubted"), [(1, False), (2, False), (10, True), (30, True)])
def test_steps_much_further_apart_than_recorded_are_asked_about(every, doubted):
    recorded = [(step, 0.2 + 2 * math.exp(-step / 30)) for step in range(300)]
    live = [(step * every, 0.2 + 2 * math.exp(-step / 30) + 3) for step in range(300)]
    (band,) = tracking.bands([{"loss": recorded}]).values()
    track = tracking.follow(band, live)
    assert track.state == "parted"
    said = _live_texts.sentence("loss", track, "'ref'")
    assert ("do both count steps, or epochs?" in said) == doubted


def test_epochs_held_against_steps_are_not_called_a_metric_that_is_missing():
    recorded = [(step, 0.2 + 2 * math.exp(-step / 30)) for step in range(1000)]
    epochs = [(epoch, 0.2 + 2 * math.exp(-epoch)) for epoch in range(1, 11)]
    (band,) = tracking.bands([{"loss": recorded}]).values()
    (said,) = _live_texts.lines({}, {"loss": tracking.follow(band, epochs)}, "'ref'", 1)
    assert "the steps of loss cover only 1 % of the recorded ones" in said
