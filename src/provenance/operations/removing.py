"""Removing runs that nobody needs, or only what they keep beside their records; keeping others."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from provenance.core import runid
from provenance.core.record import Record
from provenance.errors import BadRecord, NoSuchRun, StillNeeded, UsageError
from provenance.operations import _needed, disk, overlap, settle
from provenance.store import kept, project, records
from provenance.store.project import Project
from provenance.store.trash import Trash
from provenance.store.usage import Meter, Usage


class Doomed(NamedTuple):
    """A run to be removed. record: None where it cannot be read. paths: what goes."""

    id: str
    record: Record | None
    paths: tuple[str, ...]
    usage: Usage


class Removal(NamedTuple):
    """What `remove` would do. blobs_only: the records stay. notes: what is lost with it."""

    place: Project
    runs: tuple[Doomed, ...]
    blobs_only: bool
    notes: tuple[str, ...]

    @property
    def usage(self) -> Usage:
        """Return the room that all take."""
        return sum((one.usage for one in self.runs), Usage())


def plan(
    cwd: str, names: tuple[str, ...], force: bool = False, blobs_only: bool = False
) -> Removal:
    """Return what removing the runs that ``names`` mean takes with it; nothing is touched.

    Raises `ProvError`: `StillNeeded` for a run that goes on, and without ``force`` for one that is
    locked, kept, or cannot be read.
    """
    if not names:
        raise UsageError("no run is named.", "prov rm RUN")
    place = project.find(cwd)
    every = (*records.each(place), *records.fetched(place))
    known = [one.record for one in every if isinstance(one, records.Stored)]
    needed = _needed.of(place, cwd, known)
    chosen: dict[str, Record | None] = {}
    for name in names:
        run_id, run = _find(place, name)
        chosen[run_id] = run
    meter = Meter()
    doomed = []
    for run_id, run in chosen.items():
        _refuse(run_id, run, needed, force)
        folder = records.folder_of(place, run_id)
        paths = [path for _, path in blobs(folder)] if blobs_only else [folder]
        usage = sum((meter.of(path) for path in paths), Usage())
        doomed.append(Doomed(run_id, run, tuple(paths), usage))
    return Removal(place, tuple(doomed), blobs_only, tuple(_lost(doomed, known, blobs_only)))


def remove(removal: Removal) -> tuple[str, ...]:
    """Do it; return a sentence for each thing that resisted. Raises `SystemRefused`.

    Each run goes whole or not at all, whatever happens.
    """
    trash = Trash(removal.place.folder)
    for one in removal.runs:
        for path in one.paths:
            trash.take(path)
        if not removal.blobs_only:
            overlap.leave(removal.place, one.id)
            kept.release(removal.place, one.id)
    return trash.empty()


def keep(cwd: str, names: tuple[str, ...], on: bool = True) -> tuple[tuple[str, bool], ...]:
    """Keep the runs that ``names`` mean, or no longer; return each id, and whether that is new."""
    place = project.find(cwd)
    if not names:
        return tuple((one, False) for one in sorted(kept.ids(place)))
    change = kept.keep if on else kept.release
    chosen = [records.find(place, name).record.id for name in names]
    return tuple((one, change(place, one)) for one in chosen)


def _find(place: Project, name: str) -> tuple[str, Record | None]:
    """Return the id and record that ``name`` means; no record for an id whose record is corrupt."""
    try:
        stored = records.find(place, name)
    except NoSuchRun:
        raise
    except BadRecord:
        exact = [one for one in records.ids(place) if name in (one, runid.short(one))]
        if len(exact) != 1:
            raise
        return exact[0], None
    return stored.record.id, settle.settled(place, stored).record


def _refuse(run_id: str, run: Record | None, needed: _needed.Needed, force: bool) -> None:
    """Raise `StillNeeded` where the run must stay."""
    short = runid.short(run_id)
    going = _needed.going_on(run) if run is not None else ""
    if going.startswith("it still"):
        raise StillNeeded("%s was not removed: %s." % (short, going), "stop it, or wait for it")
    if force:
        return
    if run is None:
        text = "%s was not removed: its record cannot be read." % short
        raise StillNeeded(text, "remove it all the same with --force")
    if going:
        text = "%s was not removed: %s." % (short, going)
        raise StillNeeded(text, "if that host is gone: --force")
    if needed.names(run_id):
        text = "%s was not removed: %s." % (short, needed.why[run_id])
        raise StillNeeded(text, "remove it all the same with --force")


def blobs(folder: str) -> list[tuple[str, str]]:
    """Return all in a run's folder but its record, each with its kind."""
    parts = disk.run_parts(folder)
    return [(kind, path) for kind, paths in parts.items() for path in paths if _is_blob(kind)]


def _is_blob(kind: str) -> bool:
    return kind not in (disk.RECORDS, disk.UNFINISHED)


def _lost(doomed: list[Doomed], known: list[Record], blobs_only: bool) -> list[str]:
    """Return sentences about what cannot be done any more afterwards."""
    going = {one.id for one in doomed}
    found = []
    for one in doomed:
        short = runid.short(one.id)
        code = [os.path.basename(path) for path in one.paths if path.endswith((".patch", ".gz"))]
        if blobs_only and code:
            text = "%s cannot be replayed any more: its uncommitted code (%s) goes"
            found.append(text % (short, ", ".join(sorted(code))))
        replays = [run.id for run in known if run.replay_of == one.id and run.id not in going]
        if replays and not blobs_only:
            text = "%s stays, a replay of %s"
            found.append(text % (", ".join(map(runid.short, replays)), short))
    return found


def as_json(removal: Removal, removed: bool, problems: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the ``data`` member of ``prov rm --json``."""
    return {
        "removed": removed,
        "blobs_only": removal.blobs_only,
        "runs": [dict(one.usage._asdict(), id=one.id) for one in removal.runs],
        "notes": list(removal.notes),
        "problems": list(problems),
    }
