"""What a run used: recorded as measured, never a reason for alarm."""

from __future__ import annotations

from pathlib import Path

from provenance.core import record
from provenance.core.context import Outcome
from provenance.facets import resources
from tests.facet_contract import a_record
from tests.facets._runs import ran


def test_the_measurements_are_kept(tmp_path: Path) -> None:
    outcome = Outcome(0, None, 12.5, 40.0, 2.5, 1 << 30, 3 << 30, 0.5)
    answer = resources.capture(ran(tmp_path, outcome=outcome))
    assert answer.subjects[0].payload == {
        "wall_s": 12.5,
        "cpu_user_s": 40.0,
        "cpu_system_s": 2.5,
        "max_process_bytes": 1 << 30,
        "max_tree_bytes": 3 << 30,
        "sample_interval_s": 0.5,
    }
    assert resources.of(a_record(tmp_path, {"resources": answer})) == resources.Resources(
        12.5, 40.0, 2.5, 1 << 30, 3 << 30, 0.5
    )


def test_a_much_slower_run_is_mentioned_and_harmless(tmp_path: Path) -> None:
    first = resources.capture(ran(tmp_path))
    slow = Outcome(0, None, 30.0, 1.0, 0.25, 1 << 20)
    found = resources.compare(first, resources.capture(ran(tmp_path, outcome=slow)))
    assert [(d.name, d.effect) for d in found.differences] == [("wall_s", "none")]
    assert (found.equal, found.total) == (2, 3)


def test_without_an_outcome_it_says_so(tmp_path: Path) -> None:
    answer = resources.capture(ran(tmp_path, outcome=None))
    assert answer.status == record.FAILED
