"""Removing what can be made again: trees of replays and rehearsals, caches, what nothing refers to.

Records stay; so does all that a run is known by, unless it is asked for. Nothing goes that a lock
names, that is kept, that somebody is just using, or that is not prov's own.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from provenance.core import record, runid
from provenance.core.paths import is_inside
from provenance.core.record import Record
from provenance.errors import ProvError
from provenance.operations import (
    _blobs,
    _cached,
    _dropped,
    _needed,
    _signatures,
    _taped,
    disk,
    obtain,
    overlap,
    plan,
    removing,
    scratch,
    settle,
)
from provenance.operations.recorder import CACHE
from provenance.store import kept, liveness, project, records, team, trash
from provenance.store.objects import Store
from provenance.store.project import Project
from provenance.store.trash import Trash
from provenance.store.usage import Meter, Usage, age, within

DAY_S = 86_400.0
OLDER_THAN_S = 30 * DAY_S
_JUST_NOW_S = 3600.0
"""What was changed so lately may be in the making."""


class Policy(NamedTuple):
    """What may go.

    older_than_s: only what nobody has changed or used for so long. keep_last: of the trees of
    replays, and of the runs whose blobs go, the newest stay. blobs: also what runs keep beside
    their records. cache: also what all projects share. pushed: also blobs that the remote of that
    name or address has, "" for the default one; None leaves them.
    """

    older_than_s: float = OLDER_THAN_S
    keep_last: int = 0
    blobs: bool = False
    cache: bool = True
    pushed: str | None = None


class Item(NamedTuple):
    """Something that may go. top: of the trash it goes through. why: a clause.

    seen_ns: time of its last change when it was looked at, 0 where that does not matter.
    """

    kind: str
    path: str
    why: str
    top: str
    usage: Usage = Usage()
    seen_ns: int = 0


class Cleaning(NamedTuple):
    """items: what may go, measured. spared: what would, but for the clause that is beside it."""

    place: Project
    items: tuple[Item, ...]
    spared: tuple[tuple[str, str], ...]
    cache: str

    @property
    def usage(self) -> Usage:
        """Return the room that all take."""
        return sum((one.usage for one in self.items), Usage())


def find(
    cwd: str,
    environ: Mapping[str, str],
    policy: Policy | None = None,
    progress: Callable[[str], None] | None = None,
) -> Cleaning:
    """Return what may go; nothing is touched but records of killed runs, which are closed."""
    policy = policy or Policy()
    place = project.find(cwd)
    tell = progress or (lambda _: None)
    tell("reading the records")
    runs = [
        settle.settled(place, one).record
        for one in records.each(place)
        if isinstance(one, records.Stored)
    ]
    look = _Look(place, cwd, policy, runs)
    items = list(look.items())
    above = _cached.folder(environ)
    if policy.cache:
        items += [Item(*one, top=above) for one in _cached.unused(environ, policy.older_than_s)]
    meter, measured = Meter(), []
    for one in items:
        tell("measuring %s" % os.path.basename(one.path))
        measured.append(one._replace(usage=meter.of(one.path)))
    return Cleaning(place, tuple(measured), tuple(look.spared), above)


def clean(found: Cleaning, progress: Callable[[str], None] | None = None) -> tuple[str, ...]:
    """Remove the items; return a sentence for each thing that resisted."""
    tell = progress or (lambda _: None)
    bins = {top: Trash(top) for top in (found.place.folder, found.cache)}
    problems: list[str] = []
    for number, one in enumerate(found.items):
        tell("removing, %d of %d" % (number + 1, len(found.items)))
        if one.kind == trash.FOLDER or (one.seen_ns and _changed(one.path) != one.seen_ns):
            continue  # deleted below; or somebody has begun to use it
        try:
            if one.top == found.cache:
                _cached.take(bins[one.top], one.path)
            else:
                bins[one.top].take(one.path)
        except ProvError as error:
            problems.append(error.message)
    tell("deleting what was removed")
    for one_bin in bins.values():
        problems += one_bin.empty()
    return tuple(problems)


class _Look:
    """Looks through one project. spared: filled while `items` is read."""

    def __init__(self, place: Project, cwd: str, policy: Policy, runs: list[Record]) -> None:
        self.place, self.cwd, self.policy, self.runs = place, cwd, policy, runs
        theirs = [one.record for one in records.fetched(place) if isinstance(one, records.Stored)]
        self.needed = _needed.of(place, cwd, [*runs, *theirs])
        self.spared: list[tuple[str, str]] = []

    def items(self) -> Iterator[Item]:
        """Yield what may go, not yet measured."""
        yield from self._trash()
        yield from self._replays()
        yield from self._rehearsals()
        for folder in (_taped.FOLDER, _signatures.FOLDER):
            yield from self._old(folder)
        yield from (one for one in self._left() if age(one.path) > DAY_S)
        for path, why in _blobs.unreferenced(self.place, self.cwd, self.runs):
            if age(path) > _JUST_NOW_S:
                yield self._item(disk.BLOBS, path, why)
        brought = _dropped.brought(self.place, self.needed, self._limit())
        yield from self._unless_needed(obtain.FOLDER, brought)
        if self.policy.pushed is not None:
            there = _dropped.pushed(self.place, self.cwd, self.policy.pushed, self.needed)
            found = (one for one in there if age(one[0]) > _JUST_NOW_S)
            yield from self._unless_needed(disk.BLOBS, found)
        if self.policy.blobs:
            yield from self._of_runs()

    def _trash(self) -> Iterator[Item]:
        for path in self._in(trash.FOLDER):
            yield self._item(trash.FOLDER, path, "its removal was broken off")

    def _replays(self) -> Iterator[Item]:
        paths = sorted(self._in(plan.FOLDER), key=os.path.basename, reverse=True)
        for number, path in enumerate(paths):
            mine = [run for run in self.runs if _ran_in(run, os.path.realpath(path))]
            needing = [self.needed.why[run.id] for run in mine if self.needed.names(run.id)]
            if any(run.status == record.RUNNING for run in mine):
                self.spared.append((path, "a run in it goes on"))
            elif needing:
                self.spared.append((path, "of its run: %s" % needing[0]))
            elif number >= self.policy.keep_last and age(path) > self._limit():
                yield self._item(plan.FOLDER, path, "the tree of a replay; its record stays")

    def _rehearsals(self) -> Iterator[Item]:
        for path in self._in(scratch.FOLDER):
            if os.path.basename(path) != scratch.CODE and scratch.is_left(path):
                yield self._item(scratch.FOLDER, path, "left by a rehearsal that was killed")
        for path in self._in(os.path.join(scratch.FOLDER, scratch.CODE)):
            if age(path) > self._limit():
                yield self._item(scratch.FOLDER, path, "code restored for rehearsals")

    def _old(self, folder: str) -> Iterator[Item]:
        for path in self._in(folder):
            if age(path) > self._limit():
                yield self._item(folder, path, "not renewed for long; made again when needed")

    def _left(self) -> Iterator[Item]:
        """Yield what killed processes left."""
        for path in self._in("."):
            name = os.path.basename(path)
            if name.startswith(CACHE + ".") and name.endswith(".tmp"):
                yield self._item(disk.DIGESTS, path, "left half written")
        for path in self._in(project.RUNS):
            if runid.is_id(os.path.basename(path)) and not _has_record(path):
                yield self._item(disk.UNFINISHED, path, "a run that never began")
        for path in Store(os.path.join(self.place.folder, disk.BLOBS)).left():
            yield self._item(disk.UNFINISHED, path, "a blob that half arrived")
        for path in self._in(team.FOLDER):
            name = os.path.basename(path)
            if name.startswith(".") and (liveness.is_left(name) or age(path) > self._limit()):
                yield self._item(disk.UNFINISHED, path, "left by a fetch or pull that was killed")
        for path in (*self._in(overlap.FOLDER), *self._in(kept.FOLDER)):
            name = os.path.basename(path)
            if runid.is_id(name) and not _has_record(records.folder_of(self.place, name)):
                yield self._item(disk.RECORDS, path, "a mark of a run that is gone")

    def _of_runs(self) -> Iterator[Item]:
        ordered = sorted(self.runs, key=lambda run: (run.started, run.id), reverse=True)
        for number, run in enumerate(ordered):
            folder = os.path.join(self.place.runs, run.id)
            why = self.needed.why.get(run.id, "") or _needed.going_on(run)
            parts = removing.blobs(folder)
            old = age(os.path.join(folder, records.FILE)) > self.policy.older_than_s
            if why and parts:
                self.spared.append((folder, why))
            elif number >= self.policy.keep_last and old:
                for kind, path in parts:
                    yield self._item(kind, path, "of %s; its record stays" % runid.short(run.id))

    def _unless_needed(self, kind: str, found: Iterable[_dropped.Found]) -> Iterator[Item]:
        for path, why, needed in found:
            if needed:
                self.spared.append((path, needed))
            else:
                yield self._item(kind, path, why)

    def _item(self, kind: str, path: str, why: str) -> Item:
        watched = kind in (disk.BLOBS, obtain.FOLDER)
        return Item(kind, path, why, self.place.folder, seen_ns=_changed(path) if watched else 0)

    def _limit(self) -> float:
        return max(self.policy.older_than_s, _JUST_NOW_S)

    def _in(self, folder: str) -> list[str]:
        return within(os.path.normpath(os.path.join(self.place.folder, folder)))


def _changed(path: str) -> int:
    """Return when ``path``, or that it was asked for, was written; 0 where nobody knows."""
    newest = 0
    for one in (path, path + obtain.RUNS):
        with contextlib.suppress(OSError):
            newest = max(newest, os.lstat(one).st_mtime_ns)
    return newest


def _has_record(folder: str) -> bool:
    return os.path.lexists(os.path.join(folder, records.FILE))


def _ran_in(run: Record, tree: str) -> bool:
    return any(is_inside(os.path.realpath(one), tree) for one in run.roots.values())


def as_json(found: Cleaning, removed: bool, problems: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the ``data`` member of ``prov gc --json``."""
    return {
        "removed": removed,
        "total": found.usage._asdict(),
        "items": [
            dict(one.usage._asdict(), kind=one.kind, path=one.path, why=one.why)
            for one in found.items
        ],
        "spared": [{"path": path, "why": why} for path, why in found.spared],
        "problems": list(problems),
    }
