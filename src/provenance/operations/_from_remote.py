"""Data of a run for a replay, where it is gone: from the store, else from the remote."""

from __future__ import annotations

from provenance.core.paths import PathRef
from provenance.core.record import Record
from provenance.errors import ProvError, UsageError
from provenance.operations import _artifacts, _remote, _transfers, checkout, pulling
from provenance.operations._artifacts import Artifact
from provenance.operations._remote import Stores
from provenance.store import announced, blobs, records
from provenance.store.blobs import Blobs
from provenance.store.project import Project


def fetch(place: Project, run: Record, ref: PathRef, target: str) -> str | None:
    """Put what ``run`` read at ``ref`` to ``target``; return why not, "" where it is done.

    None where there is no remote and no copy that could be asked. Never raises.
    """
    artifacts, _ = _artifacts.of(run, (_artifacts.DATA,), outside=True)
    one = next((item for item in artifacts if item.ref == ref), None)
    if one is None:
        return None
    try:
        kept = _remote.stores(place)
        known = _known(place, run)
        if not checkout.is_here(kept, blobs.find(known, one.digests)):
            known, why = _fetched(place, kept, run, one, known)
            if why != "":
                return why
        failed = checkout.put_at(place, kept, known, one, target)
    except (OSError, ProvError) as error:
        return _transfers.why(error)
    return failed[0].why if failed else ""


def _known(place: Project, run: Record) -> Blobs:
    try:
        return blobs.load(records.find(place, run.id).folder)
    except ProvError:
        return {}  # the run is known from a lock only


def _fetched(
    place: Project, kept: Stores, run: Record, one: Artifact, known: Blobs
) -> tuple[Blobs, str | None]:
    """Fetch a file; return the names of blobs, and why it failed."""
    try:
        source = _remote.reach(place, kept, "", place.root)
    except UsageError:
        return known, None
    if blobs.find(known, one.digests) is None:
        data = source.read_run(run.id)
        if data is None:
            return known, None
        told = announced.parse(data, run.id, source.shown)
        known = {**pulling.names_at(source, told), **known}
    failed = pulling.fetch(kept, source, known, [one]).failed
    return known, failed[0].why if failed else ""
