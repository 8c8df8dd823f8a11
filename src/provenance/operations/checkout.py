"""Putting files of a run back: into their place where nothing else is, or into another folder."""

from __future__ import annotations

import os
from typing import NamedTuple

from provenance.core import digest
from provenance.core.paths import CWD, REPO
from provenance.errors import Damaged, InTheWay, NoSuchRun, ProvError, UsageError
from provenance.operations import _artifacts, _aside, _remote, _transfers, pulling
from provenance.operations._artifacts import Artifact
from provenance.operations._dvc_asked import with_dvc
from provenance.operations._remote import Stores
from provenance.operations._transfers import Failure, Tell
from provenance.operations.recorder import CACHE
from provenance.store import blobs, files, objects, project, records
from provenance.store.digestcache import DigestCache
from provenance.store.project import Project
from provenance.store.records import Stored

_JOBS = 8


class Item(NamedTuple):
    """One file to be put somewhere. value: its digest, "" of a folder's member that has none."""

    oid: str
    target: str
    shown: str
    algorithm: str
    value: str


class _Plan:
    """What is to be put where.

    items: files. links: path, where it leads. trees: folder, where it goes, paths and links in it.
    """

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.links: list[tuple[str, str]] = []
        self.trees: list[tuple[Artifact, str, tuple[str, ...], dict[str, str]]] = []


class Placed(NamedTuple):
    """placed, there: paths that were (would be) made, that were right already.

    replaced: path, and where what was there is now. failed: what could not be had.
    """

    run: str
    placed: tuple[str, ...]
    there: tuple[str, ...]
    replaced: tuple[tuple[str, str], ...]
    failed: tuple[Failure, ...]
    dry: bool = False

    @property
    def complete(self) -> bool:
        """Return whether all that was asked for is in its place."""
        return not self.failed


class Wish(NamedTuple):
    """What is asked for. path: of one file or folder, "" for all. to: a folder, "" for in place."""

    path: str = ""
    to: str = ""
    facets: tuple[str, ...] = _artifacts.BOTH
    force: bool = False
    dry: bool = False
    remote: str = ""


def checkout(cwd: str, name: str, wish: Wish, tell: Tell | None = None) -> Placed:
    """Put files of a run into their places; what is missing here is fetched from the remote.

    Raises `InTheWay` before anything is written where other files are in the way, `NoSuchRun`,
    `UsageError`, `SystemRefused`.
    """
    place = project.find(cwd)
    stored = records.find(place, name)
    wanted = _chosen(stored, wish)
    kept = _remote.stores(place)
    known, failed = _fetched(place, kept, stored, wanted, wish, cwd, tell)
    told = {one.path for one in failed}
    plan = _Plan()
    there: list[str] = []
    folders: list[str] = []
    cache = with_dvc(DigestCache(os.path.join(place.folder, CACHE)), os.environ)
    for one in wanted:
        target = _target(place, stored, one, wish, cwd)
        problem = _spread(kept, known, one, target, plan)
        if not problem:
            continue
        blob = blobs.find(known, one.digests)
        if wish.dry and blob is not None and one.shown not in told:  # it would be fetched
            if one.folder:
                folders.append(target)
            else:
                plan.items.append(Item(blob.oid, target, one.shown, one.algorithm, one.value))
            continue
        if not wish.to and _artifacts.is_in_place(place, stored.record, one, cache.digest):
            there.append(target)
            failed = [failure for failure in failed if failure.path != one.shown]
        elif one.shown not in told:
            failed.append(Failure(one.shown, problem))
    work = _Work(place, kept, cache, plan, failed)
    work.there += there
    work.look()
    cache.save()
    work.agree(wish.force)
    if wish.dry:
        coming = [one.target for one in (*work.missing, *work.other) if one.shown not in told]
        new = (*coming, *folders)
        return Placed(stored.record.id, new, tuple(work.there), (), tuple(failed), True)
    work.do(tell)
    done, replaced = tuple(sorted(work.done)), tuple(sorted(work.replaced))
    return Placed(stored.record.id, done, tuple(work.there), replaced, tuple(failed))


def put_at(
    place: Project, kept: Stores, known: blobs.Blobs, one: Artifact, target: str
) -> tuple[Failure, ...]:
    """Put one artifact, whose blobs are here, at the free path ``target``; return what failed."""
    plan = _Plan()
    problem = _spread(kept, known, one, target, plan)
    if problem:
        return (Failure(one.shown, problem),)
    work = _Work(place, kept, DigestCache(os.devnull), plan, [])
    work.missing += plan.items
    return work.do(None)


def _chosen(stored: Stored, wish: Wish) -> list[Artifact]:
    """Return the artifacts that are asked for; of two states of one path the run's result."""
    every, left = _artifacts.of(stored.record, wish.facets, bool(wish.path))
    by_path = {one.ref: one for one in every}  # outputs come last
    if not wish.path:
        return list(by_path.values())
    asked = os.path.normpath(wish.path).replace(os.sep, "/")
    found = [
        one for one in by_path.values() if one.shown == asked or one.shown.startswith(asked + "/")
    ]
    if found:
        return found
    for other in left:
        if str(other.ref) == asked:
            raise NoSuchRun("%s of %s cannot be had: %s." % (asked, stored.record.id, other.why))
    raise NoSuchRun(
        "%s has no file %r." % (stored.record.id, wish.path),
        "see: prov show %s outputs" % stored.record.id,
    )


def _fetched(
    place: Project,
    kept: Stores,
    stored: Stored,
    wanted: list[Artifact],
    wish: Wish,
    cwd: str,
    tell: Tell | None,
) -> tuple[blobs.Blobs, list[Failure]]:
    """Fetch what is not here, where a remote is set.

    Return the names of the run's blobs, and what could not be had.
    """
    known = blobs.load(stored.folder)
    if all(is_here(kept, blobs.find(known, one.digests)) for one in wanted):
        return known, []
    try:
        source = _remote.reach(place, kept, wish.remote, cwd)
    except UsageError:
        if wish.remote:
            raise
        return known, []
    try:
        known = pulling.names_of(source, stored.record.id, known)
        if known and not wish.dry:
            blobs.add(stored.folder, known)
        return known, pulling.fetch(kept, source, known, wanted, wish.dry, tell).failed
    except OSError as error:
        return known, [Failure(source.shown, _transfers.why(error))]


def is_here(kept: Stores, blob: blobs.Blob | None) -> bool:
    """Return whether the blob is kept here, of a folder all of its files."""
    if blob is None:
        return False
    store = kept.holding(blob.oid)
    if store is None or not blob.oid.endswith(objects.LIST):
        return store is not None
    try:
        return all(kept.holding(one.oid) for one in blobs.members(store.read(blob.oid)))
    except (OSError, ProvError):
        return False


def _target(place: Project, stored: Stored, one: Artifact, wish: Wish, cwd: str) -> str:
    if wish.to:
        top = os.path.join(cwd, os.path.expanduser(wish.to))
        inner = one.ref.path if one.ref.root in (REPO, CWD) else os.path.basename(one.ref.path)
        target = os.path.normpath(os.path.join(top, inner))
        if not (target == os.path.normpath(top) or objects.is_below(target, os.path.normpath(top))):
            raise UsageError("%s leads out of %s." % (one.shown, wish.to))
        return target
    if one.ref.root not in (REPO, CWD):
        raise UsageError(
            "%s lies outside of the project; it is not put back there." % one.shown,
            "say where it shall go: --to FOLDER",
        )
    return _artifacts.places(place, stored.record, one)[0]


def _spread(
    kept: Stores,
    known: blobs.Blobs,
    one: Artifact,
    target: str,
    plan: _Plan,
) -> str:
    """Add what ``one`` consists of; return why it cannot be had, "" where it can."""
    blob = blobs.find(known, one.digests)
    if blob is None:
        return "it was never pushed"
    if not one.folder:
        if kept.holding(blob.oid) is None:
            return "it is not here (prov pull)"
        plan.items.append(Item(blob.oid, target, one.shown, one.algorithm, one.value))
        return ""
    store = kept.holding(blob.oid)
    if store is None:
        return "it is not here (prov pull)"
    try:
        members = blobs.members(store.read(blob.oid))
    except (OSError, ProvError) as error:
        return _transfers.why(error)
    for member in members:
        path = os.path.join(target, *member.path.split("/"))
        shown = "%s/%s" % (one.shown, member.path)
        plan.items.append(Item(member.oid, path, shown, one.algorithm, ""))
    plan.trees.append((one, target, tuple(one.path for one in members), dict(blob.links)))
    for below, leads in blob.links.items():
        if blobs.is_inner(below) and not os.path.isabs(leads) and _stays(below, leads):
            plan.links.append((os.path.join(target, *below.split("/")), leads))
    return ""


def _stays(below: str, leads: str) -> bool:
    end = os.path.normpath(os.path.join(os.path.dirname(below), leads))
    return not end.startswith("..")


class _Work:
    """Puts what a plan names. missing, other: of its items those where no, or another file is."""

    def __init__(
        self, place: Project, kept: Stores, cache: DigestCache, plan: _Plan, failed: list[Failure]
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
        shown = "".join("\n  " + _brief(item.target) for item in self.other[:10])
        more = "\n  ... and %d more" % (len(self.other) - 10) if len(self.other) > 10 else ""
        raise InTheWay(
            "%d of the files differ from what is there now; nothing was written:%s%s"
            % (len(self.other), shown, more),
            "put the run's elsewhere with --to FOLDER, or replace yours with --force",
        )

    def do(self, tell: Tell | None) -> tuple[Failure, ...]:
        """Put the files, hold folders against their digests; return all that failed."""
        saved = _aside.saver(self._place)
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
                self.replaced.append((item.target, saved(item.target)))
            self._found[item.target] = _put(self._kept, item)
            self.done.append(item.target)
            progress.add(0)

        for item, error in _transfers.each(coming, put, _JOBS):
            damaged = isinstance(error, Damaged)
            self._failed.append(Failure(item.shown, _transfers.why(error), damaged))
        for path, leads in self._plan.links:
            if not os.path.lexists(path):
                files.make_folder(os.path.dirname(path))
                os.symlink(leads, path)
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


def _state(item: Item, cache: DigestCache) -> bool | None:
    """Return whether the right file is there: None for no file, False for another one."""
    if not os.path.lexists(item.target):
        return None
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
