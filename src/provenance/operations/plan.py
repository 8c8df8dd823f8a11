"""What a replay would do, as a value that can be shown before anything is written."""

from __future__ import annotations

import os
import time
from typing import Any, NamedTuple

from provenance import config
from provenance.compare.tolerance import Tolerance
from provenance.core import codec, runid, verdict
from provenance.core.record import Record
from provenance.core.redact import MASK
from provenance.errors import BadRecord, NothingToCompare
from provenance.operations import diff, references
from provenance.operations.references import Reference
from provenance.operations.verify import Checked, Wish, check
from provenance.store import project
from provenance.store.project import Project

FOLDER = "replays"


class Plan(NamedTuple):
    """What a replay would do.

    reference: the run to replay. checked: how the present differs from it. place: the project.
    destination: the folder that the code will be restored to. tolerance: for comparing results.
    """

    reference: Reference
    checked: Checked
    place: Project
    destination: str
    tolerance: Tolerance | None
    wish: Wish


def plan(wish: Wish, rtol: float | None = None, atol: float | None = None) -> Plan:
    """Return what replaying the reference of ``wish`` would do.

    Writes nothing. Raises `ProvError`.
    """
    place = project.find(wish.cwd)
    chosen = references.choose(wish.reference, place, wish.cwd)
    if len(chosen) > 1:
        names = ", ".join(one.record.name or one.record.id for one in chosen)
        raise NothingToCompare(
            "%s holds %d runs: %s." % (chosen[0].source, len(chosen), names),
            "name the one to replay: prov replay RUN",
        )
    reference = chosen[0]
    _require_replayable(reference.record)
    settings = config.load(place.root)
    rtol = settings.rtol if rtol is None else rtol
    atol = settings.atol if atol is None else atol
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    name = "%s-of-%s" % (stamp, runid.short(reference.record.id))
    return Plan(
        reference,
        check(reference, place, wish),
        place,
        os.path.join(place.folder, FOLDER, name),
        diff.tolerance(rtol, atol),
        wish,
    )


def _require_replayable(run: Record) -> None:
    if not run.command:
        raise BadRecord("run %s has no command to run again." % run.id)
    if any(MASK in word for word in run.command):
        raise BadRecord(
            "the command of run %s held a secret, which was not recorded: %s"
            % (run.id, " ".join(run.command)),
            "pass secrets by environment variables or files, and record again",
        )


def as_json(planned: Plan) -> dict[str, Any]:
    """Return the ``data`` member of ``prov replay --dry-run --json``."""
    return {
        "run": None,
        "replay_of": planned.reference.record.id,
        "command": list(planned.reference.record.command),
        "findings": codec.encode(planned.checked.findings),
        "not_compared": codec.encode(planned.checked.not_compared),
        "results": None,
    }


def exit_code(planned: Plan) -> int:
    """Return the exit code of a dry run: that of verifying the same reference."""
    return verdict.exit_code(planned.checked.findings, planned.checked.total)
