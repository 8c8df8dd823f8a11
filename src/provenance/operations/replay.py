"""Running a recorded command again: say what matters first, restore, rerun, compare.

The plan is a value that can be shown before anything is written; carrying it out makes a tree of
its own under ``.prov/replays`` and never touches the user's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from provenance.compare import verdict as results_verdict
from provenance.core import codec, verdict
from provenance.core.record import Record
from provenance.operations import diff, inputs, overlay, restore, settle
from provenance.operations.diff import Results
from provenance.operations.plan import Plan
from provenance.operations.run import Request, RunResult, release, run
from provenance.store import project


class ReplayResult(NamedTuple):
    """What a replay gave.

    plan: with the findings before the rerun. run: how it ended. results: of both runs compared.
    verdict: same, within tolerance, different or not compared; summary: why, in words. tree:
    where the rerun's files are. notes: what could not be restored or was odd.
    """

    plan: Plan
    run: RunResult
    results: Results
    verdict: str
    summary: str
    tree: str
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 for same or within tolerance, 1 for different, 3 for not compared."""
        return {verdict.DIFFERENT: 1, verdict.NOT_COMPARED: 3}.get(self.verdict, 0)


def carry_out(planned: Plan) -> ReplayResult:
    """Restore, rerun and compare. Raises `ProvError`; `local.NotStarted` for a missing command."""
    place, record = planned.place, planned.reference.record
    project.ensure(place)
    restored = restore.restore_code(
        record, planned.reference.blob, place.repo or place.root, planned.destination
    )
    brought = inputs.bring(record, settle.recorded_roots(place, record), restored.path)
    environ = overlay.environment(planned.wish.environ, record, place, restored.path)
    rerun = run(
        Request(
            argv=overlay.command(planned, restored.path),
            cwd=restored.cwd,
            environ=environ,
            labels=record.labels,
            replay_of=record.id,
            place=place,
            repo=restored.path,
        )
    )
    release()
    notes = (*restored.notes, *brought, *rerun.problems)
    if rerun.record is None:
        nothing = Results((), ())
        text = "the rerun could not be recorded"
        return ReplayResult(
            planned, rerun, nothing, verdict.NOT_COMPARED, text, restored.path, notes
        )
    return _judged(planned, rerun, rerun.record, restored.path, notes)


def _judged(
    planned: Plan, rerun: RunResult, new: Record, tree: str, notes: tuple[str, ...]
) -> ReplayResult:
    old = planned.reference.record
    old_roots = settle.recorded_roots(planned.place, old)
    new_roots = settle.recorded_roots(planned.place, new)
    found = diff.results(old, new, old_roots, new_roots, planned.tolerance)
    judged = results_verdict.replay_verdict(
        old.exit_code, new.exit_code, found.metrics, found.outputs
    )
    strays = overlay.strays(new, planned.place)
    return ReplayResult(
        planned, rerun, found, judged.verdict, judged.summary, tree, (*notes, *strays)
    )


def as_json(result: ReplayResult) -> dict[str, Any]:
    """Return the ``data`` member of ``prov replay --json``."""
    new = result.run.record
    return {
        "run": new.id if new else None,
        "replay_of": result.plan.reference.record.id,
        "tree": result.tree,
        "findings": codec.encode(result.plan.checked.findings),
        "notes": list(result.notes),
        "results": {
            "verdict": result.verdict,
            "summary": result.summary,
            "exit_code": {
                "old": result.plan.reference.record.exit_code,
                "new": result.run.outcome.exit_code,
            },
            "metrics": codec.encode(result.results.metrics),
            "outputs": codec.encode(result.results.outputs),
        },
    }
