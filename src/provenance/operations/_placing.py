"""Putting a run's files where they go: nothing of the user's is written over."""

from __future__ import annotations

import os
import threading
from typing import NamedTuple

from provenance.core import digest
from provenance.errors import Damaged, InTheWay
from provenance.operations import _aside, _transfers
from provenance.operations._artifacts import Artifact
from provenance.operations._remote import Stores
from provenance.operations._transfers import Failure, Tell
from provenance.store import files
from provenance.store.digestcache import DigestCache
from provenance.store.project import Project

_JOBS = 8


class Item(NamedTuple):
    """One file to be put somewhere. value: its digest, "" of a folder's member that has none."""

    oid: str
    target: str
    shown: str
    algorithm: str
    value: str


class Plan:
    """What is to be put where.

    items: files. links: path, where it leads (made last, where nothing else is, and not to what
    is not there). trees: folder, where it goes, paths and links in it.
    """

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.links: list[tuple[str, str]] = []
        self.trees: list[tuple[Artifact, str, tuple[str, ...], dict[str, str]]] = []


class Work:
    """Puts what a plan names. missing, other: of its items those where no, or another file is."""

    def __init__(
        self, place: Project, kept: Stores, cache: DigestCache, plan: Plan, failed: list[Failure]
    ) -> None:
        self._place, self._kept, self._cache = place, kept, cache
        self._plan, self._failed = plan, failed
        self.missing: list[Item] = []
        self.other: list[Item] = []
        self.there: list[str] = []
        self.done: list[str] = []
        self.replaced: list[tuple[str, str]] = []
        self._found: dict[str, str] = {}

    def look(self) -> None:
        """See what is there."""
        for item in self._plan.items:
            right = _state(item, self._cache)
            if right:
                self.there.append(item.target)
            else:
                (self.missing if right is None else self.other).append(item)

    def agree(self, force: bool) -> None:
        """Raise `InTheWay` where other files are there."""
        if not self.other or force:
            return
        ways = list(dict.fromkeys(in_the_way(item.target) or item.target for item in self.other))
        shown = "".join("\n  " + _brief(path) for path in ways[:10])
        more = "\n  ... and %d more" % (len(ways) - 10) if len(ways) > 10 else ""
        raise InTheWay(
            "%d of the files differ from what is there now; nothing was written:%s%s"
            % (len(self.other), shown, more),
            "put the run's elsewhere with --to FOLDER, or replace yours with --force",
        )

    def do(self, tell: Tell | None) -> tuple[Failure, ...]:
        """Put the files, hold folders against their digests; return all that failed."""
        saved, saving = _aside.saver(self._place), threading.Lock()
        others = {item.target for item in self.other}
        coming = [one for one in (*self.missing, *self.other) if self._kept.holding(one.oid)]
        gone = [one for one in (*self.missing, *self.other) if one not in set(coming)]
        named = {one.path for one in self._failed}
        for item in gone:
            if item.shown not in named:
                self._failed.append(Failure(item.shown, "it is not here (prov pull)"))
        progress = _transfers.Progress(tell, "writing", len(coming), 0)

        def put(item: Item) -> None:
            if item.target in others:
                with saving:
                    path = in_the_way(item.target)
                    if path:
                        self.replaced.append((path, saved(path)))
            self._found[item.target] = _put(self._kept, item)
            self.done.append(item.target)
            progress.add(0)

        for item, error in _transfers.each(coming, put, _JOBS):
            damaged = isinstance(error, Damaged)
            self._failed.append(Failure(item.shown, _transfers.why(error), damaged))
        for path, leads in self._plan.links:
            if not in_the_way(path) and os.path.lexists(os.path.join(os.path.dirname(path), leads)):
                files.make_folder(os.path.dirname(path))
                os.symlink(leads, path)
                self.done.append(path)
        for tree in self._plan.trees:
            self._check(*tree)
        return tuple(self._failed)

    def _check(
        self, one: Artifact, top: str, members: tuple[str, ...], links: dict[str, str]
    ) -> None:
        """Hold a folder against the record; what is wrong and was put here just now goes again."""
        rows = [(below, -1, leads) for below, leads in links.items()]
        targets = [os.path.join(top, *below.split("/")) for below in members]
        have = {*self.done, *self.there}
        if not all(target in have for target in targets):
            return  # the file that is missing has been named
        for below, target in zip(members, targets, strict=True):
            value = self._found.get(target)
            if value is None:
                value = self._cache.digest(target, (one.algorithm,))[one.algorithm]
            rows.append((below, os.stat(target).st_size, value))
        rows.sort(key=lambda row: os.fsencode(row[0]))
        if digest.rows_digest(rows, one.algorithm) == one.value:
            return
        for target in set(targets) & set(self.done):
            os.unlink(target)
            self.done.remove(target)
        why = "what was pushed under its name is not what the record says"
        self._failed.append(Failure(one.shown, why, True))


def in_the_way(path: str) -> str:
    """Return what stands where ``path`` would be made, or where a folder above it would, or ""."""
    if os.path.lexists(path):
        return path
    above = os.path.dirname(path)
    while not os.path.lexists(above):
        above = os.path.dirname(above)
    return "" if os.path.isdir(above) else above


def _state(item: Item, cache: DigestCache) -> bool | None:
    """Return whether the right file is there: None for no file, False for something else."""
    if not os.path.lexists(item.target):
        return False if in_the_way(item.target) else None
    name, value = (item.algorithm, item.value) if item.value else (digest.MD5, item.oid)
    try:
        return cache.digest(item.target, (name,))[name] == value
    except OSError:
        return False


def _put(kept: Stores, item: Item) -> str:
    """Put one file; return its digest."""
    store = kept.holding(item.oid)
    if store is None:
        raise FileNotFoundError(2, "it is not here (prov pull)", item.target)
    files.make_folder(os.path.dirname(item.target))
    try:
        found = store.take_out(item.oid, item.target, (item.algorithm,))
    except Damaged:
        if store is kept.main:
            store.discard(item.oid)
        raise Damaged("the copy kept here was damaged and is removed: prov pull again.") from None
    if item.value and found[item.algorithm] != item.value:
        os.unlink(item.target)
        raise Damaged("what was pushed under its name is not what the record says.")
    return found[item.algorithm]


def _brief(path: str) -> str:
    near = os.path.relpath(path)
    return near if not near.startswith("..") else path
