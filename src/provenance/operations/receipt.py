"""Making the receipt of a replay.

A receipt names no person, machine or folder: what was replayed (by the digest of its published
record), in which environment, with what result.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from provenance import __version__
from provenance.core import canonical
from provenance.core.record import Record
from provenance.errors import UsageError
from provenance.facets import packages, runtime
from provenance.operations import replayed
from provenance.operations.plan import REBUILD, Plan
from provenance.operations.references import LOCK
from provenance.operations.replay import ReplayResult
from provenance.store import receipts


def publish(result: ReplayResult) -> str:
    """Write the receipt of a replay of a published run; return its path. Raises `ProvError`."""
    check(result.plan)
    new, place = result.run.record, result.plan.place
    if new is None:
        raise UsageError("there is no result to give a receipt for: %s." % result.summary)
    return receipts.write(place.repo or place.root, _of(result, new))


def check(planned: Plan) -> None:
    """Raise `UsageError` where carrying out ``planned`` can have no receipt."""
    if planned.reference.kind != LOCK:
        raise UsageError(
            "only the replay of a published run has a receipt.", "prov replay prov.lock --receipt"
        )
    if planned.asked.smoke:
        raise UsageError("a short form has no result to give a receipt for.", "leave out --smoke")


def _of(result: ReplayResult, new: Record) -> dict[str, Any]:
    planned = result.plan
    old = planned.reference.record
    return {
        "run": old.id,
        "record": replayed.digest(old),
        "replay": new.id,
        "started": new.started,
        "duration_s": new.duration_s,
        "tool": __version__,
        "verdict": result.verdict,
        "summary": result.summary,
        "reruns": max(1, len(result.reruns)),
        "metrics": [
            {"name": one.name, "recorded": one.old, "now": one.new, "verdict": one.verdict}
            for one in result.results.metrics
        ],
        "environment": {"rebuilt": planned.asked.env == REBUILD, **_environment(new)},
        "findings": _tally(one.effect for one in planned.checked.findings),
    }


def _environment(run: Record) -> dict[str, Any]:
    versions = sorted(packages.versions(run).items())
    ran = next(iter((runtime.of(run) or {}).values()), None)
    return {
        "python": ran.version if ran is not None else "",
        "packages": canonical.digest([list(one) for one in versions]) if versions else "",
        "system": ran.system.name if ran is not None else "",
    }


def _tally(effects: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for effect in effects:
        found[effect] = found.get(effect, 0) + 1
    return found
