"""The range of several reruns, and what lies in it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.compare import envelope, student
from provenance.compare.metrics import compare_metrics

finite = st.floats(-1e6, 1e6)


def judged(old, first, finals):
    result = compare_metrics({"a": old}, {"a": first}, {}, {})[0]
    return envelope.judged(result, envelope.envelopes(finals))


def test_inside_of_the_range_is_within_tolerance_and_says_of_how_many():
    one = judged(0.5, 0.6, [{"a": 0.6}, {"a": 0.4}, {"a": 0.55}])
    assert one.verdict == "within tolerance"
    assert one.detail == (
        "within 3 reruns: 0.4 to 0.6, mean 0.516667, sd 0.1; "
        "so far off their mean in 90 % (Student's t); "
        "3 reruns are few: only what lies outside of -0.0004478 to 1.034 would show"
    )
    assert one.tolerance.source == "envelope"


def test_outside_stays_different_with_the_chance_of_that():
    one = judged(0.7, 0.6, [{"a": 0.6}, {"a": 0.59}, {"a": 0.58}])
    assert one.verdict == "different"
    assert "by chance in 50 %, so far off their mean in 1.1 % (Student's t)" in one.detail
    two = judged(0.7, 0.6, [{"a": 0.6}, {"a": 0.59}])
    assert two.verdict == "different"
    assert two.detail.endswith("2 reruns say little: the range alone counts")


def test_outside_of_the_range_but_likely_fits_from_three_runs_on():
    one = judged(0.65, 0.6, [{"a": 0.6}, {"a": 0.4}, {"a": 0.55}])
    assert one.verdict == "within tolerance"
    assert one.detail.startswith("outside of, but likely under 3 reruns")
    assert judged(0.65, 0.4, [{"a": 0.6}, {"a": 0.4}]).verdict == "different"


def test_reruns_that_agree_with_each_other_excuse_nothing():
    one = judged(0.7, 0.6, [{"a": 0.6}, {"a": 0.6}])
    assert (one.verdict, one.detail) == (
        "different",
        "2 reruns agree with each other: no spread to hide a difference in",
    )


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


@pytest.mark.parametrize(
    ("df", "t"), [(1, 12.706), (2, 4.303), (4, 2.776), (9, 2.262), (30, 2.042), (120, 1.980)]
)
def test_students_t_is_that_of_the_printed_tables(df, t):
    assert student.quantile(0.05, df) == pytest.approx(t, abs=6e-4)
    assert student.two_sided(t, df) == pytest.approx(0.05, abs=6e-5)


@pytest.mark.parametrize(
    ("x", "a", "b", "value"),
    [
        (0.5, 0.5, 0.5, 0.5),
        (0.25, 0.5, 0.5, 1 / 3),  # 2 / pi * arcsin(sqrt(x))
        (0.3, 1, 4, 1 - 0.7**4),
        (0.7, 4, 1, 0.7**4),
        (0, 2, 3, 0),
        (1, 2, 3, 1),
    ],
)
def test_the_incomplete_beta_function_where_it_has_a_closed_form(x, a, b, value):
    assert student.incomplete_beta(x, a, b) == pytest.approx(value, rel=1e-12)


@given(st.floats(0, 1e3), st.floats(0.01, 10), st.integers(1, 400))
def test_further_off_is_never_likelier(t, more, df):
    near, far = student.two_sided(t, df), student.two_sided(t + more, df)
    assert 0 <= far <= near <= 1


def test_the_interval_of_one_more_draw_is_that_of_the_textbook():
    values = [51.4, 49.5, 48.7, 49.3, 51.6]  # mean 50.10, s 1.31; t(4) = 2.776
    one = envelope.envelopes([{"a": value} for value in values])["a"]
    assert one.interval == pytest.approx((46.1, 54.1), abs=0.06)
    low, high = one.interval
    assert one.chance(low) == pytest.approx(0.05)
    assert one.accepts(high - 1e-6)
    assert not one.accepts(high + 1e-6)


def test_welchs_test_of_two_groups():
    def group(values):
        return envelope.envelopes([{"a": value} for value in values])["a"]

    old = group([27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0,
                 21.7, 21.4])  # fmt: skip
    new = group([27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9,
                 20.5, 24.4])  # fmt: skip
    found = envelope.means(old, new)  # the example of the article on Welch's test in Wikipedia
    assert found.df == pytest.approx(25.0, abs=0.1)
    assert found.chance == pytest.approx(0.021, abs=0.0006)
    assert found.low < found.difference < found.high
    assert found.low > 0
    same = group([1.0, 1.0])
    assert envelope.means(same, same).chance is None
