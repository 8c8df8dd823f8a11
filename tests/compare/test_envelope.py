"""The range of several reruns, and what lies in it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.compare import envelope
from provenance.compare.metrics import compare_metrics

finite = st.floats(-1e6, 1e6)


def judged(old, first, finals):
    result = compare_metrics({"a": old}, {"a": first}, {}, {})[0]
    return envelope.judged(result, envelope.envelopes(finals))


def test_inside_of_the_range_is_within_tolerance_and_says_of_how_many():
    one = judged(0.5, 0.6, [{"a": 0.6}, {"a": 0.4}, {"a": 0.55}])
    assert one.verdict == "within tolerance"
    assert one.detail == "within 3 reruns: 0.4 to 0.6, mean 0.516667, sd 0.1"


def test_outside_stays_different_with_the_chance_of_that():
    one = judged(0.7, 0.6, [{"a": 0.6}, {"a": 0.4}, {"a": 0.55}])
    assert one.verdict == "different"
    assert one.detail.endswith("(by chance in 50 %)")


def test_reruns_that_agree_with_each_other_excuse_nothing():
    one = judged(0.7, 0.6, [{"a": 0.6}, {"a": 0.6}])
    assert (one.verdict, one.detail) == ("different", "2 reruns agree with each other")


def test_a_range_needs_two_and_nothing_odd_counts():
    assert envelope.envelopes([{"a": 1.0}]) == {}
    assert envelope.envelopes([{"a": 1.0}, {}, {"a": math.nan}, {"a": "x"}, {"a": True}]) == {}
    assert envelope.envelopes([{"a": 1}, {"a": 10**400}, {"a": 3}])["a"].runs == 2


def test_what_agrees_needs_no_envelope():
    assert judged(0.6, 0.6, [{"a": 0.6}, {"a": 0.4}]).verdict == "same"


@given(st.lists(finite, min_size=2, max_size=8), finite)
def test_mean_and_range_hold_together(values, old):
    one = envelope.envelopes([{"a": value} for value in values])["a"]
    assert one.low <= one.high
    assert one.low - 1e-6 <= one.mean <= one.high + 1e-6
    assert one.deviation >= 0
    assert one.holds(old) == (min(values) <= old <= max(values))
    assert one.outside == pytest.approx(2 / (len(values) + 1))
