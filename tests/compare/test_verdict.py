"""The verdict over a replay's results, with its counts."""

from __future__ import annotations

import pytest

from provenance.compare.files import OutputResult
from provenance.compare.metrics import MetricResult
from provenance.compare.tolerance import DEFAULT
from provenance.compare.verdict import replay_verdict
from provenance.core.paths import PathRef
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN


def metric(verdict: str, name: str = "acc") -> MetricResult:
    return MetricResult(name, 1, 1, 0, verdict, DEFAULT)


def output(verdict: str, kind: str = "output", path: str = "out") -> OutputResult:
    return OutputResult(PathRef("repo", path), verdict, "", kind)


@pytest.mark.parametrize(
    ("metrics", "outputs", "verdict"),
    [
        ([], [], NOT_COMPARED),
        ([NOT_COMPARED], [NOT_COMPARED], NOT_COMPARED),
        ([SAME], [], SAME),
        ([], [SAME], SAME),
        ([SAME, NOT_COMPARED], [WITHIN], WITHIN),
        ([SAME], [DIFFERENT], DIFFERENT),
        ([DIFFERENT], [SAME], DIFFERENT),
    ],
)
def test_the_gravest_result_decides(metrics: list[str], outputs: list[str], verdict: str) -> None:
    found = replay_verdict(0, 0, [metric(v) for v in metrics], [output(v) for v in outputs])
    assert found.verdict == verdict


def test_another_exit_code_is_a_different_result() -> None:
    found = replay_verdict(0, 137, [metric(SAME)], [])
    assert found.verdict == DIFFERENT
    assert found.summary == "exit code 0 when recorded, 137 now; 1 metric: 1 same"
    assert replay_verdict(None, 0, [metric(SAME)], []).verdict == SAME


def test_a_log_decides_only_where_there_is_nothing_else() -> None:
    log = output(DIFFERENT, "log", "run.log")
    found = replay_verdict(0, 0, [metric(SAME)], [log])
    assert found.verdict == SAME
    assert "1 different (different: run.log)" in found.summary
    assert replay_verdict(0, 0, [], [log]).verdict == DIFFERENT
    assert replay_verdict(0, 0, [metric(NOT_COMPARED)], [log]).verdict == DIFFERENT


def test_the_counts_are_in_words() -> None:
    metrics = [metric(SAME), metric(WITHIN), metric(DIFFERENT, "f1"), metric(NOT_COMPARED)]
    found = replay_verdict(0, 0, metrics, [output(SAME), output(SAME)])
    assert found.summary == (
        "4 metrics: 1 same, 1 within tolerance, 1 different, 1 not compared (different: f1); "
        "2 output files: 2 same"
    )
    assert replay_verdict(0, 0, [], []).summary == "no metric and no output to compare"
