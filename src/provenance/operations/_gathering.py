"""Finding the contents of a run's files on this machine, as they were in the run, as blobs.

A file is taken only where its digest still is the recorded one. The MD5 that names its blob is
taken in the same pass, and neither again as long as the file does not change (`store.digestcache`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import NamedTuple

from provenance.core import digest
from provenance.core.digest import MD5
from provenance.core.record import Record
from provenance.errors import ProvError
from provenance.operations import _artifacts
from provenance.operations._artifacts import Artifact, Unusable
from provenance.operations._remote import Stores
from provenance.store import blobs
from provenance.store.blobs import Blob, Blobs, Member
from provenance.store.digestcache import DigestCache
from provenance.store.objects import LIST, Identity, identity, oid_of
from provenance.store.project import Project

_Rule = Callable[[str, os.stat_result], bool]
_THREADS = 8
_BATCH = 256


class Source(NamedTuple):
    """A blob that can be sent: path of a file that holds it, and by what it is seen not to change.

    shown: the file of the run that it is. data: instead of the file, for the list of a folder.
    """

    oid: str
    size: int
    path: str
    known: Identity | None
    shown: str
    data: bytes = b""


class Gathered(NamedTuple):
    """sources: by oid. names: under which oid each content is kept. lost: what is not here."""

    sources: dict[str, Source]
    names: Blobs
    lost: list[Unusable]


def gather(
    place: Project,
    run: Record,
    artifacts: Sequence[Artifact],
    known: Blobs,
    kept: Stores,
    cache: DigestCache,
    count: Callable[[int], None],
) -> Gathered:
    """Return the blobs of ``artifacts``. count: called with the bytes of each."""
    found = Gathered({}, {}, [])
    look = _Look(place, run, known, kept, cache)
    singles = [one for one in artifacts if not one.folder]
    folders = [one for one in artifacts if one.folder]

    def single(one: Artifact) -> tuple[Artifact, Source | str]:
        try:
            source = look.file(one)
        except ProvError as error:
            source = error.message
        count(one.size)
        return one, source

    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            for one, source in pool.map(single, singles):
                if isinstance(source, str):
                    found.lost.append(_lost(one, source))
                    continue
                found.sources[source.oid] = source
                for key in blobs.keys(one.digests):
                    found.names[key] = Blob(source.oid, source.size)
            for one in folders:
                why = look.folder(one, found, pool)
                count(one.size)
                if why:
                    found.lost.append(_lost(one, why))
        except BaseException:
            cache.deadline = 0.0  # a long file that is just being read must not be waited for
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def _lost(one: Artifact, why: str) -> Unusable:
    key = tuple(sorted(one.digests.items()))
    return Unusable(one.run, one.facet, one.ref, one.size, why, key=key)


_GONE = "it is not here any more, and no copy of it is kept"
_OTHER = "it has changed since the run, and no copy of what it was is kept"


class _Look:
    def __init__(
        self, place: Project, run: Record, known: Blobs, kept: Stores, cache: DigestCache
    ) -> None:
        self._place, self._run = place, run
        self._known, self._kept, self._cache = known, kept, cache

    def file(self, one: Artifact) -> Source | str:
        """Return the blob of a file, or why there is none."""
        why = _GONE
        for path in _artifacts.places(self._place, self._run, one):
            try:
                if not os.path.isfile(path):
                    continue
                found, status = self._digests(path, one.algorithm)
            except OSError as error:
                why = "it cannot be read: %s" % (error.strerror or error)
                continue
            if found[one.algorithm] == one.value:
                return Source(found[MD5], status.size, path, status, one.shown)
            why = _OTHER
        return self._stored(one) or why

    def folder(self, one: Artifact, found: Gathered, pool: ThreadPoolExecutor) -> str:
        """Add the blobs of a folder to ``found``; return why not, "" where it is done."""
        why = _GONE
        for path in _artifacts.places(self._place, self._run, one):
            if not os.path.isdir(path):
                continue
            why = _OTHER
            try:
                for counts in self._choices(one):
                    if self._tree(one, path, counts, found, pool):
                        return ""
            except OSError as error:
                why = "it cannot be read: %s" % (error.strerror or error)
        return "" if self._stored_folder(one, found) else why

    def _choices(self, one: Artifact) -> Iterator[_Rule]:
        """Yield what may count in a folder; the right one gives the recorded digest.

        Of data all files and links do. Outputs may be only the files that the run changed, without
        those that have an entry of their own.
        """
        left_out = frozenset(one.left_out)
        yield lambda below, _: below not in left_out
        yield lambda below, status: stat.S_ISREG(status.st_mode) and below not in left_out
        every = _artifacts.of(self._run, outside=True)[0]
        others = frozenset(other.ref.path for other in every if not other.folder)
        start = _start_ns(self._run.started)
        prefix = one.ref.path.rstrip("/") + "/" if one.ref.path not in ("", ".") else ""
        yield (
            lambda below, status: (
                stat.S_ISREG(status.st_mode)
                and status.st_ctime_ns >= start
                and prefix + below not in others
            )
        )

    def _tree(
        self, one: Artifact, top: str, counts: _Rule, found: Gathered, pool: ThreadPoolExecutor
    ) -> bool:
        links: dict[str, str] = {}
        paths: list[tuple[str, str]] = []
        for below, entry in digest.walk(top):
            status = entry.stat(follow_symlinks=False)
            if not counts(below, status):
                continue
            if stat.S_ISLNK(status.st_mode):
                links[below] = os.readlink(entry.path)
            elif stat.S_ISREG(status.st_mode):
                paths.append((below, entry.path))

        def take(batch: list[tuple[str, str]]) -> list[tuple[str, Source, str]]:
            taken = []
            for below, path in batch:
                digests, status = self._digests(path, one.algorithm)
                shown = "%s/%s" % (one.shown, below)
                source = Source(digests[MD5], status.size, path, status, shown)
                taken.append((below, source, digests[one.algorithm]))
            return taken

        batches = [paths[n : n + _BATCH] for n in range(0, len(paths), _BATCH)]
        taken = [item for batch in pool.map(take, batches) for item in batch]
        rows = [(below, source.size, value) for below, source, value in taken]
        rows += [(below, -1, target) for below, target in links.items()]
        rows.sort(key=lambda row: os.fsencode(row[0]))
        if digest.rows_digest(rows, one.algorithm) != one.value:
            return False
        members = [Member(below, source.oid) for below, source, _ in taken]
        sizes = sum(source.size for _, source, _ in taken)
        self._add(one, members, sizes, links, found)
        found.sources.update((source.oid, source) for _, source, _ in taken)
        return True

    def _add(
        self, one: Artifact, members: list[Member], size: int, links: dict[str, str], to: Gathered
    ) -> None:
        data = blobs.list_bytes(members)
        oid = oid_of(data) + LIST
        to.sources[oid] = Source(oid, len(data), "", None, one.shown, data)
        for key in blobs.keys(one.digests):
            to.names[key] = Blob(oid, size, links)

    def _digests(self, path: str, algorithm: str) -> tuple[digest.Digests, Identity]:
        wanted = (algorithm,) if algorithm == MD5 else (algorithm, MD5)
        before = identity(os.stat(path))
        found = self._cache.digest(path, wanted)
        if identity(os.stat(path)) != before:
            raise digest.ChangedWhileRead("it changed while it was read")
        return found, before

    def _stored(self, one: Artifact) -> Source | None:
        blob = blobs.find(self._known, one.digests)
        if blob is None or blob.oid.endswith(LIST):
            return None
        return self._of_store(blob.oid, one.shown)

    def _of_store(self, oid: str, shown: str) -> Source | None:
        store = self._kept.holding(oid)
        if store is None:
            return None
        path = store.path(oid)
        try:
            status = identity(os.stat(path))
        except OSError:
            return None
        return Source(oid, status.size, path, status, shown)

    def _stored_folder(self, one: Artifact, found: Gathered) -> bool:
        blob = blobs.find(self._known, one.digests)
        store = self._kept.holding(blob.oid) if blob is not None else None
        if blob is None or store is None or not blob.oid.endswith(LIST):
            return False
        try:
            members = blobs.members(store.read(blob.oid))
        except (OSError, ProvError):
            return False
        sources = {}
        for member in members:
            source = self._of_store(member.oid, "%s/%s" % (one.shown, member.path))
            if source is None:
                return False
            sources[member.oid] = source
        self._add(one, members, blob.size, dict(blob.links), found)
        found.sources.update(sources)
        return True


def _start_ns(started: str) -> int:
    try:
        return int(datetime.fromisoformat(started.replace("Z", "+00:00")).timestamp()) * 10**9
    except ValueError:
        return 0
