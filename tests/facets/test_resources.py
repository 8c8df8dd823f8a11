"""What a run used: recorded as measured, never a reason for alarm."""

from __future__ import annotations

import json
from pathlib import Path

from provenance.core import record
from provenance.core.context import Outcome, Sampled
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
        "samples": None,
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


def test_samples_are_thinned_by_means_and_sums_by_their_last(tmp_path: Path) -> None:
    outcome = Outcome(0, None, 12.5, 40.0, 2.5, 1, sampled=Sampled(0.5, 1000, 0.25, ("a note",)))
    context = ran(tmp_path, outcome=outcome)
    lines = [
        json.dumps({"t": n / 2, "cpu_percent": n % 2 * 100, "read_bytes": n}) for n in range(1000)
    ]
    lines[7] = json.dumps({"t": 3.5, "gpus": {"1": {"gpu_percent": 45.0, "gpu_power_w": 210.5}}})
    assert context.run_dir is not None
    Path(context.run_dir, "samples.jsonl").write_text("\n".join(lines) + '\n{"t": 500.0, "cp')
    answer = resources.capture(context)
    samples = resources.of(a_record(tmp_path, {"resources": answer})).samples
    assert (samples.interval_s, samples.taken, samples.cost_s) == (0.5, 1000, 0.25)
    cpu, read = samples.series["cpu_percent"], samples.series["read_bytes"]
    assert len(cpu.points) == len(read.points) == 200
    assert cpu.max == 100
    assert cpu.points[0] == (2.0, 40.0)
    assert read.points[-1] == (499.5, 999)
    assert samples.series["gpu1.power_w"].points == ((3.5, 210.5),)
    assert answer.notes == ("a note",)


def test_without_an_outcome_it_says_so(tmp_path: Path) -> None:
    answer = resources.capture(ran(tmp_path, outcome=None))
    assert answer.status == record.FAILED
