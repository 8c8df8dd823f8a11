"""Metrics of failed runs are never held for results."""

from __future__ import annotations

from provenance.compare.metrics import compare_metrics
from provenance.compare.partial import marked
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME


def test_where_one_run_failed_nothing_is_compared() -> None:
    found = compare_metrics({"loss": 0.5}, {"loss": 0.5}, {}, {})
    assert [one.verdict for one in marked(found, False, False)] == [SAME]
    for old, new, whose in ((True, False, "the recorded"), (False, True, "the new")):
        (one,) = marked(found, old, new)
        assert (one.verdict, one.detail) == (NOT_COMPARED, "partial (%s run failed)" % whose)


def test_two_failed_runs_are_compared_and_marked() -> None:
    found = compare_metrics({"loss": 0.5}, {"loss": 0.75}, {}, {})
    (one,) = marked(found, True, True)
    assert (one.verdict, one.detail) == (DIFFERENT, "partial (both runs failed)")
