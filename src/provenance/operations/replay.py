"""Running a recorded command again: say what matters first, restore, rerun, compare.

The plan is a value that can be shown before anything is written; carrying it out makes a tree of
its own under ``.prov/replays`` and never touches the user's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from provenance.compare import envelope
from provenance.compare import verdict as results_verdict
from provenance.compare.envelope import Envelope
from provenance.compare.files import OutputResult
from provenance.compare.parting import Parting
from provenance.core import codec, verdict
from provenance.core.record import Record
from provenance.facets import metrics
from provenance.operations import (
    alike,
    diff,
    inputs,
    overlay,
    parting,
    remote_data,
    restore,
    settle,
)
from provenance.operations.diff import Results
from provenance.operations.plan import Plan
from provenance.operations.run import Request, RunResult, release, run
from provenance.store import project

STOPPED = (130, 143)
"""Exit codes of a command that was ended by Ctrl-C or by ``kill``."""


class ReplayResult(NamedTuple):
    """What a replay gave.

    plan: with the findings before the rerun. run: how it ended. results: of both runs compared.
    verdict: same, within tolerance, different or not compared; summary: why, in words. tree:
    where the rerun's files are. notes: what could not be restored or was odd. reruns: ids of all,
    where there were several. envelopes: what these gave, per metric. parted: where the two runs
    part, where the results differ.
    """

    plan: Plan
    run: RunResult
    results: Results
    verdict: str
    summary: str
    tree: str
    notes: tuple[str, ...]
    reruns: tuple[str, ...] = ()
    envelopes: tuple[Envelope, ...] = ()
    parted: Parting | None = None

    @property
    def exit_code(self) -> int:
        """0 for same or within tolerance, 1 for different, 3 for not compared.

        Of a short form 0 where it ended well, else 1: it has no results to compare. Of a rerun that
        was interrupted its own, as of an interrupted command.
        """
        if _is_stopped(self.plan, self.run):
            return self.run.outcome.exit_code
        if self.plan.asked.smoke and self.run.record is not None:
            return 0 if self.run.outcome.exit_code == 0 else 1
        return {verdict.DIFFERENT: 1, verdict.NOT_COMPARED: 3}.get(self.verdict, 0)


class _Rerun(NamedTuple):
    """One rerun: how it ended, where its files are, what was odd."""

    run: RunResult
    tree: str
    notes: tuple[str, ...]


def carry_out(
    planned: Plan, progress: Callable[[str], None] | None = None, trees: Sequence[str] = ()
) -> ReplayResult:
    """Restore, rerun as often as planned, compare. Raises `ProvError`, `local.NotStarted`.

    progress: told which of several reruns begins. trees: of reruns of earlier runs, whose files
    this one may read.
    """
    project.ensure(planned.place)
    reruns = []
    for number in range(1, planned.asked.repeat + 1):
        if planned.asked.repeat > 1 and progress is not None:
            progress("rerun %d of %d" % (number, planned.asked.repeat))
        tail = "-%d" % number if number > 1 else ""
        reruns.append(_rerun(planned, planned.destination + tail, trees, progress))
        if _is_stopped(planned, reruns[-1].run):
            break
    release()
    first, last = reruns[0], reruns[-1]
    notes = tuple(dict.fromkeys(note for one in reruns for note in one.notes))
    new = first.run.record
    if new is None or planned.asked.smoke or _is_stopped(planned, last.run):
        nothing = Results((), ())
        text = _unjudged(planned, last.run)
        return ReplayResult(
            planned, last.run, nothing, verdict.NOT_COMPARED, text, last.tree, notes
        )
    return _judged(planned, reruns, new, notes)


def _is_stopped(planned: Plan, rerun: RunResult) -> bool:
    """Return whether somebody ended the rerun, as nobody ended the recorded run."""
    code = rerun.outcome.exit_code
    return code in STOPPED and code != planned.reference.record.exit_code


def _unjudged(planned: Plan, rerun: RunResult) -> str:
    """Return why there is no result to judge, in words; of a short form how it ended."""
    code = rerun.outcome.exit_code
    if rerun.record is None:
        return "the rerun could not be recorded"
    if _is_stopped(planned, rerun):
        return "the rerun was interrupted"
    return "the short form ran" if code == 0 else "the short form ended with %s" % code


def _rerun(
    planned: Plan,
    destination: str,
    trees: Sequence[str],
    progress: Callable[[str], None] | None = None,
) -> _Rerun:
    place, record = planned.place, planned.reference.record
    restored = restore.restore_code(
        record, planned.reference.blob, place.repo or place.root, destination
    )
    roots = settle.recorded_roots(place, record)
    brought = inputs.bring(
        record,
        roots,
        restored.path,
        environ=planned.wish.environ,
        trees=trees,
        place=place,
        fetch=remote_data.bringing(place, record, progress),
    )
    environ = overlay.environment(planned.wish.environ, record, place, restored.path)
    smoke = {"smoke": planned.asked.smoke} if planned.asked.smoke else {}
    rerun = run(
        Request(
            argv=overlay.command(planned, restored.path),
            cwd=restored.cwd,
            environ=environ,
            labels={**record.labels, **smoke},
            replay_of=record.id,
            fingerprint=parting.is_fingerprinted(record),
            place=place,
            repo=restored.path,
        )
    )
    strays = overlay.strays(rerun.record, place) if rerun.record is not None else ()
    return _Rerun(rerun, restored.path, (*restored.notes, *brought, *rerun.problems, *strays))


def _judged(
    planned: Plan, reruns: Sequence[_Rerun], new: Record, notes: tuple[str, ...]
) -> ReplayResult:
    old = planned.reference.record
    found = diff.results(old, new, planned.place, planned.allowed)
    known = envelope.envelopes([_finals(one.run.record) for one in reruns])
    runs = planned.alike
    if known:
        found = found._replace(metrics=tuple(envelope.judged(one, known) for one in found.metrics))
    if runs is not None:
        by_seed = alike.judged(found.metrics, runs, new, planned.place)
        found = Results(tuple(by_seed), alike.steady(found.outputs, runs))
        notes = (*notes, runs.note())
        known = known or runs.envelopes
    notes = (*notes, *planned.allowed.notes)
    found = found._replace(outputs=_steady(planned, found.outputs, new, reruns[1:]))
    judged = results_verdict.replay_verdict(
        old.exit_code, new.exit_code, found.metrics, found.outputs
    )
    first = reruns[0]
    parted = None
    if judged.verdict == verdict.DIFFERENT:
        parted = parting.part(planned.place, old, new, found, planned.allowed.choice.overall)
    return ReplayResult(
        planned,
        first.run,
        found,
        judged.verdict,
        judged.summary,
        first.tree,
        notes,
        tuple(one.run.record.id for one in reruns if one.run.record is not None),
        tuple(known.values()),
        parted,
    )


def _steady(
    planned: Plan, outputs: Sequence[OutputResult], new: Record, others: Sequence[_Rerun]
) -> tuple[OutputResult, ...]:
    """Return ``outputs`` without a verdict on files that differ from rerun to rerun as well."""
    unsteady: set[str] = set()
    for one in others:
        if one.run.record is None:
            continue
        both = diff.results(new, one.run.record, planned.place, planned.allowed)
        unsteady |= {str(each.path) for each in both.outputs if each.verdict == verdict.DIFFERENT}
    return tuple(
        each._replace(verdict=verdict.NOT_COMPARED, detail="differs from rerun to rerun, too")
        if each.verdict == verdict.DIFFERENT and str(each.path) in unsteady
        else each
        for each in outputs
    )


def _finals(run: Record | None) -> dict[str, Any]:
    """Return the final metrics of a rerun; one that failed or was not recorded has none."""
    told = metrics.of(run) if run is not None and run.exit_code == 0 else None
    return dict(told.final) if told is not None else {}


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
            "reruns": list(result.reruns),
            "envelopes": diff.envelopes_json(result.envelopes),
            "exit_code": {
                "old": result.plan.reference.record.exit_code,
                "new": result.run.outcome.exit_code,
            },
            "metrics": codec.encode(result.results.metrics),
            "outputs": codec.encode(result.results.outputs),
        },
        "parted": parting.as_json(result.parted) if result.parted is not None else None,
    }
