"""What to compare with: the reference that ``verify`` and ``replay`` take."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from provenance.core import record, runid
from provenance.core.record import Record
from provenance.errors import NoSuchRun, NothingToCompare
from provenance.operations import close, settle, stated
from provenance.operations.stated import Stated
from provenance.store import lockfile, records
from provenance.store.project import Project

LOCK, RUN, STATED = "lock", "run", "stated"
"""Kinds of a reference. Stated: no run made it, environment files say it."""


class Reference(NamedTuple):
    """A record that something is compared with, and where it was found.

    kind: "lock", "run" or "stated". source: path of the lock or file, or the folder of the run.
    blob: content of what the record keeps beside its JSON ("code.patch"), None where it is not at
    hand.
    interfaces: what a lock carries of them (`operations.interfaces`).
    calls: the same of those that were rehearsed (`operations._baked`). stated: what environment
    files say, of the kind "stated", whose record is empty. requirements, wheels: what a lock
    carries of hashes (`operations.hashes`) and of what no index has (`operations.wheels`).
    """

    record: Record
    kind: str
    source: str
    blob: Callable[[str], bytes | None]
    interfaces: Mapping[str, Any] = MappingProxyType({})
    calls: Mapping[str, Any] = MappingProxyType({})
    stated: Stated | None = None
    requirements: Mapping[str, Any] = MappingProxyType({})
    wheels: Mapping[str, Any] = MappingProxyType({})


def best(name: str | None, place: Project, cwd: str) -> tuple[Reference, ...]:
    """Return what ``verify`` compares with: as `choose`, and files of other tools beside.

    ``name`` may be any environment file. Without it and without lock or run: what the environment
    files of the folder, else of the whole repository, state. Raises `ProvError`.
    """
    if name is not None:
        path = os.path.join(cwd, name)
        if os.path.isfile(path) and not lockfile.is_lock(path):
            return (_of_stated(stated.of_file(path, _top(path, place)), path),)
        try:
            return choose(name, place, cwd, stating=True)
        except NoSuchRun as error:
            if os.path.splitext(name)[1] and not os.path.exists(path):
                hint = "prov verify RUN|FILE; prov ls lists the runs"
                raise NoSuchRun("there is no file and no run %s." % name, hint) from error
            raise
    try:
        return choose(None, place, cwd, stating=True)
    except NothingToCompare:
        found = _of_files(place, cwd)
        if found is None:
            hint = "record a run with `prov run -- CMD`, or name a reference: prov verify FILE"
            text = "there is no prov.lock, no finished run and no environment file in %s."
            raise NothingToCompare(text % _repository(place), hint) from None
        return (_of_stated(found, os.path.join(found.root, found.path)),)


def _top(path: str, place: Project) -> str:
    """Return the folder that the places in a file are relative to: the repository's, or its own."""
    top = _repository(place)
    below = not os.path.relpath(os.path.realpath(path), os.path.realpath(top)).startswith(os.pardir)
    return top if below else os.path.dirname(os.path.abspath(path))


def _repository(place: Project) -> str:
    return place.repo or place.root


def _of_files(place: Project, cwd: str) -> Stated | None:
    """Return what the folder's own files state, where they name packages; else the repository's."""
    top = _repository(place)
    own = stated.of_repository(cwd) if cwd != top else None
    if own is not None and own.packages:
        return own
    return stated.of_repository(top)


def _of_stated(one: Stated, path: str) -> Reference:
    return Reference(stated.RECORD, STATED, path, lambda _: None, stated=one)


def choose(
    name: str | None, place: Project, cwd: str, stating: bool = False
) -> tuple[Reference, ...]:
    """Return the references that ``name`` means; the best one here where it is None.

    ``name`` is the path of a lock or anything that means a run. Without it: the nearest
    ``prov.lock``, else the newest finished run that is not itself a replay. stating: whether a lock
    will do that holds no run but what environment files state. Raises `ProvError`.
    """
    if name is not None:
        if name.endswith(".lock") or os.path.isfile(os.path.join(cwd, name)):
            return _of_lock(os.path.join(cwd, name), stating)
        return (_of_name(place, name, cwd),)
    lock = lockfile.above(cwd, place.root)
    if lock is not None:
        return _of_lock(lock, stating)
    return (_newest(place),)


def named(name: str, place: Project, cwd: str) -> Reference:
    """Return the run that ``name`` means, of a lock the first; other files do not count.

    Raises `ProvError`.
    """
    path = os.path.join(cwd, name)
    if name.endswith(".lock") or (os.path.isfile(path) and lockfile.is_lock(path)):
        return _of_lock(path, stating=False)[0]
    return _of_name(place, name, cwd)


def _of_name(place: Project, name: str, cwd: str) -> Reference:
    """Return the run that ``name`` means, here or in the nearest lock. Raises `ProvError`."""
    try:
        return of_run(place, name)
    except NoSuchRun:
        lock = lockfile.above(cwd, place.root)
        published = _of_lock(lock, stating=False) if lock is not None else ()
        fits = [one for one in published if one.record.name == name or is_id(one.record, name)]
        if len(fits) == 1:
            return fits[0]
        raise


def is_id(run: Record, word: str) -> bool:
    """Return whether ``word`` is the run's id, or enough of it."""
    return len(word) >= runid.LEAST and runid.is_part(word, run.id)


def of_run(
    place: Project,
    name: str,
    finish: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Reference:
    """Return the run that ``name`` means as a reference. Raises `ProvError`.

    finish: take digests that are still pending, however long that takes. progress: told how far
    that is.
    """
    stored = settle.settled(place, records.find(place, name))
    done = close.finished(place, stored, progress) if finish else close.if_cheap(place, stored)
    return of_stored(done)


def _newest(place: Project) -> Reference:
    for run_id in reversed(records.ids(place)):
        stored = settle.settled(place, records.find(place, run_id))
        if stored.record.status in (record.DONE, record.RUN_FAILED) and not stored.record.replay_of:
            return of_stored(stored)
    hint = "record one with `prov run -- CMD`, or name a reference: prov verify RUN"
    raise NothingToCompare("there is no prov.lock and no finished run in %s." % place.root, hint)


def of_stored(stored: records.Stored) -> Reference:
    """Return a recorded run as a reference, whose blobs are the files in its folder."""

    def blob(name: str) -> bytes | None:
        try:
            with open(os.path.join(stored.folder, os.path.basename(name)), "rb") as stream:
                return stream.read()
        except OSError:
            return None

    return Reference(stored.record, RUN, stored.folder, blob)


def _of_lock(path: str, stating: bool) -> tuple[Reference, ...]:
    lock = lockfile.read(path)
    told = stated.of_lock(lock, path, os.path.dirname(os.path.abspath(path))) if stating else ()
    if not lock.runs and not told:
        text = "%s holds what %s states, and no run." if lock.stated else "%s holds no runs."
        names = ", ".join(str(part.get("source")) for part in lock.stated)
        hint = "record one: prov run -- CMD, then: prov lock @last"
        raise NothingToCompare(text % ((path, names) if lock.stated else path), hint)
    runs = tuple(_locked(lock, run, path) for run in lock.runs)
    return (*runs, *(_of_stated(one, path) for one in told))


def _locked(lock: lockfile.Lock, run: Record, path: str) -> Reference:
    kept = lock.blobs.get(run.id, {})

    def blob(name: str) -> bytes | None:
        return lockfile.blob_from_json(kept.get(name))

    interfaces = lock.interfaces.get(run.id)
    carried = interfaces if isinstance(interfaces, dict) else {}
    calls = lock.calls.get(run.id)
    hashed = next((one for one in lock.requirements if run.id in one.get("runs", ())), {})
    return Reference(
        run,
        LOCK,
        path,
        blob,
        carried,
        calls if isinstance(calls, dict) else {},
        requirements=hashed,
        wheels=lock.wheels.get(run.id, {}),
    )
