"""The result line of a run: what came out, how far a failed run got, and that nothing did."""

from __future__ import annotations

from pathlib import Path

import pytest

from provenance.cli import summary
from provenance.core import record
from provenance.core.record import captured
from tests.facet_contract import a_record


@pytest.mark.parametrize(
    ("status", "metrics", "files", "text"),
    [
        (record.DONE, {"final": {}}, [], "no metrics, nothing written"),
        (
            record.DONE,
            {"final": {"0/f1": 0.5, "loss": 0.25, "test/acc": 93.5}, "splits": {"test/acc": "test"},
             "units": {"test/acc": "%"}},
            [],
            "test/acc 93.5%  loss 0.25  0/f1 0.5",
        ),
        (record.RUN_FAILED, {"final": {"loss": 0.25}, "partial": True}, [],
         "partial (run failed): loss 0.25"),
        (record.RUN_FAILED, {"final": {}, "partial": True}, ["a.dat"],
         "-> a.dat  (written, though the run failed)"),
    ],
)  # fmt: skip
def test_the_result_line(
    tmp_path: Path, status: str, metrics: dict[str, object], files: list[str], text: str
) -> None:
    entries = [{"path": {"root": "repo", "path": name}, "kind": "output"} for name in files]
    answers = {"metrics": captured(1, metrics), "outputs": captured(1, {"files": entries})}
    run = a_record(tmp_path, answers)._replace(status=status)
    assert "  result   " + text in summary.lines(run)


def test_parameters_that_were_given_come_first_and_defaults_are_named_where_none_was(
    tmp_path: Path,
) -> None:
    values: dict[str, dict[str, object]] = {"a": {"value": 1, "given": False}, "b": {"value": 2}}
    run = a_record(tmp_path, {"params": captured(1, {"values": values})})
    assert "  params   a=1 b=2" in summary.lines(run)
    values["b"]["given"] = True
    run = a_record(tmp_path, {"params": captured(1, {"values": values})})
    assert "  params   b=2 (+1)" in summary.lines(run)
