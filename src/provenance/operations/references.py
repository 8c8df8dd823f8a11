"""What to compare with: the reference that ``verify`` and ``replay`` take."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from provenance.core import record
from provenance.core.record import Record
from provenance.errors import NothingToCompare
from provenance.operations import close, settle
from provenance.store import lockfile, records
from provenance.store.project import Project


class Reference(NamedTuple):
    """A record that something is compared with, and where it was found.

    kind: "lock" or "run". source: the path of the lock, or the folder of the run. blob: content of
    what the record keeps beside its JSON ("code.patch"), None where it is not at hand.
    interfaces: what a lock carries of them (`operations.interfaces`).
    calls: the same of those that were rehearsed (`operations._baked`).
    """

    record: Record
    kind: str
    source: str
    blob: Callable[[str], bytes | None]
    interfaces: Mapping[str, Any] = MappingProxyType({})
    calls: Mapping[str, Any] = MappingProxyType({})


def choose(name: str | None, place: Project, cwd: str) -> tuple[Reference, ...]:
    """Return the references that ``name`` means; the best one here where it is None.

    ``name`` is the path of a lock or anything that means a run. Without it: the nearest
    ``prov.lock``, else the newest finished run that is not itself a replay. Raises `ProvError`.
    """
    if name is not None:
        if name.endswith(".lock") or os.path.isfile(os.path.join(cwd, name)):
            return _of_lock(os.path.join(cwd, name))
        return (of_run(place, name),)
    lock = lockfile.above(cwd, place.root)
    if lock is not None:
        return _of_lock(lock)
    return (_newest(place),)


def of_run(place: Project, name: str, finish: bool = False) -> Reference:
    """Return the run that ``name`` means as a reference. Raises `ProvError`.

    finish: take digests that are still pending, however long that takes.
    """
    stored = settle.settled(place, records.find(place, name))
    done = close.finished(place, stored) if finish else close.if_cheap(place, stored)
    return _of_stored(done)


def _newest(place: Project) -> Reference:
    for run_id in reversed(records.ids(place)):
        stored = settle.settled(place, records.find(place, run_id))
        if stored.record.status in (record.DONE, record.RUN_FAILED) and not stored.record.replay_of:
            return _of_stored(stored)
    hint = "record one with `prov run -- CMD`, or name a reference: prov verify RUN"
    raise NothingToCompare("there is no prov.lock and no finished run in %s." % place.root, hint)


def _of_stored(stored: records.Stored) -> Reference:
    def blob(name: str) -> bytes | None:
        try:
            with open(os.path.join(stored.folder, os.path.basename(name)), "rb") as stream:
                return stream.read()
        except OSError:
            return None

    return Reference(stored.record, "run", stored.folder, blob)


def _of_lock(path: str) -> tuple[Reference, ...]:
    lock = lockfile.read(path)
    if not lock.runs:
        raise NothingToCompare("%s holds no runs." % path, "write it anew with: prov lock RUN")
    return tuple(_locked(lock, run, path) for run in lock.runs)


def _locked(lock: lockfile.Lock, run: Record, path: str) -> Reference:
    kept = lock.blobs.get(run.id, {})

    def blob(name: str) -> bytes | None:
        return lockfile.blob_from_json(kept.get(name))

    interfaces = lock.interfaces.get(run.id)
    carried = interfaces if isinstance(interfaces, dict) else {}
    calls = lock.calls.get(run.id)
    return Reference(run, "lock", path, blob, carried, calls if isinstance(calls, dict) else {})
