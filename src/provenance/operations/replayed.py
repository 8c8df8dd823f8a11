"""Counting the replays of a published run that receipts tell of."""

from __future__ import annotations

from provenance.core import canonical, record
from provenance.core.record import Record
from provenance.core.verdict import SAME, WITHIN
from provenance.store import receipts

GOOD = (SAME, WITHIN)


def digest(run: Record) -> str:
    """Return the digest by which a receipt knows a published record."""
    return canonical.digest(record.to_json(run))


def told(top: str, run: Record) -> tuple[str, ...]:
    """Return sentences on how often the published ``run`` was replayed, as receipts say."""
    found, problems = receipts.read_all(top)
    ours = [one for one in found if one.get("run") == run.id]
    fits = [one for one in ours if one.get("record") == digest(run)]
    notes = list(problems)
    if len(fits) < len(ours):
        notes.append("%d receipts are of another record of this run" % (len(ours) - len(fits)))
    if fits:
        good = sum(one.get("verdict") in GOOD for one in fits)
        notes.append("replayed by others: %d, of which %d came out the same" % (len(fits), good))
    return tuple(notes)
