"""Metrics of two runs, one verdict each."""

from __future__ import annotations

import math

from provenance.compare.metrics import compare_metrics
from provenance.compare.tolerance import Tolerance
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN


def points(*values: float) -> list[dict[str, float]]:
    return [{"step": step, "value": value} for step, value in enumerate(values)]


def test_every_metric_of_either_run_has_a_result() -> None:
    old = {"acc": 0.9, "loss": 1.0, "gone": 1, "train_time_s": 3.5, "n": 10, "x": float("nan")}
    new = {"acc": 0.9, "loss": 1.0 + 1e-7, "train_time_s": 9.0, "n": 11, "new": 2, "x": math.nan}
    found = {r.name: r for r in compare_metrics(old, new, {}, {})}
    assert {name: one.verdict for name, one in found.items()} == {
        "acc": SAME,
        "loss": WITHIN,
        "gone": DIFFERENT,
        "train_time_s": NOT_COMPARED,
        "n": DIFFERENT,
        "x": SAME,
        "new": NOT_COMPARED,
    }
    assert found["n"].difference == 1
    assert found["gone"].detail == "the new run has none"
    assert found["acc"].tolerance.source == "default"


def test_tolerances_by_choice_and_by_name() -> None:
    wide = Tolerance.of(rtol=0.5)
    found = compare_metrics({"a": 1.0, "b": 1.0}, {"a": 1.1, "b": 1.1}, {}, {}, None, {"b": wide})
    assert [one.verdict for one in found] == [DIFFERENT, WITHIN]
    (one,) = compare_metrics({"epoch_time": 1.0}, {"epoch_time": 1.1}, {}, {}, wide)
    assert (one.verdict, one.tolerance.source) == (WITHIN, "command line")


def test_the_first_step_apart() -> None:
    old, new = points(3, 2, 1.0, 0.5), points(3, 2, 1.1, 0.4)
    (one,) = compare_metrics({"loss": 0.5}, {"loss": 0.4}, {"loss": old}, {"loss": new})
    assert (one.verdict, one.first_step_apart) == (DIFFERENT, 2)
    (one,) = compare_metrics({"loss": 0.5}, {"loss": 0.5}, {"loss": old}, {"loss": old})
    assert (one.first_step_apart, one.curve.verdict) == (None, SAME)
    (one,) = compare_metrics({"loss": 0.5}, {"loss": 0.4}, {"loss": old}, {"loss": new[3:]})
    assert one.first_step_apart == 3
    odd = points(math.nan, 1.0)
    (one,) = compare_metrics({"loss": 1.0}, {"loss": 1.0}, {"loss": odd}, {"loss": odd})
    assert one.first_step_apart is None


def test_equal_ends_can_hide_another_way() -> None:
    series = ({"loss": points(3, 2, 1)}, {"loss": points(3, 9, 1)})
    (one,) = compare_metrics({"loss": 1}, {"loss": 1}, *series)
    assert (one.verdict, one.first_step_apart) == (SAME, 1)
