"""Where the content of a recorded file is to be had, verified: here, or brought here.

What is still in place with the recorded digest is used there. Anything else is brought into
``.prov/artifacts``, read-only, under its own name in a folder named by its digest; the user's files
are never written to. Nothing is taken on trust: each file is digested, once as long as it does not
change.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from provenance.core import digest
from provenance.core.digest import TREE
from provenance.core.paths import PathRef, is_inside
from provenance.core.record import Record
from provenance.errors import NoSuchArtifact, SystemRefused
from provenance.facets import _entries
from provenance.facets._entries import FileEntry
from provenance.operations import settle
from provenance.operations._dvc_asked import with_dvc
from provenance.operations.addresses import Artifact
from provenance.operations.recorder import CACHE
from provenance.store import project, records
from provenance.store.digestcache import DigestCache
from provenance.store.project import Project

FOLDER = "artifacts"
"""Below ``.prov``: what was brought here. May be deleted at any time."""
BUILDING, RUNS = "new-", ".runs"
"""Beginning of what is being brought; ending of the file beside a content that names its runs."""
IN_PLACE, KEPT, COPY = "in place", "kept", "copy"
"""Sources: where the run had it; brought here before; another recorded file with its content."""

Bring = Callable[[FileEntry, str], str]
"""``bring(entry, target)``: write the content to ``target``; return a word on where from, "" where
this way has nothing of it. Raises OSError or `ProvError` where it should have had it."""

Ways = Callable[[Record, Callable[[int], None]], Sequence[Bring]]


class Obtained(NamedTuple):
    """path: absolute, where the verified content is. source: where it was found."""

    path: str
    source: str


class Obtainer:
    """Finds contents for one project.

    ways: for a record, how to bring what is not here; the second argument is to be told how many
    bytes came. ``done``: bytes brought so far, for a line of progress.
    """

    def __init__(self, place: Project, ways: Ways = lambda _, __: ()) -> None:
        self.place = place
        self.done = 0
        self._ways = ways
        self._cache = with_dvc(DigestCache(os.path.join(place.folder, CACHE)), os.environ)

    def obtain(self, run: Record, artifact: Artifact) -> Obtained:
        """Return where ``artifact`` of ``run`` is. Raises `NoSuchArtifact`, `SystemRefused`."""
        _check(artifact)
        try:
            for path in places(self.place, run, artifact.path):
                if self.holds(path, artifact):
                    return Obtained(path, IN_PLACE)
            return self._brought(run, artifact)
        finally:
            if os.path.isdir(self.place.folder):
                self._cache.save()

    def holds(self, path: str, artifact: Artifact) -> bool:
        """Return whether at ``path`` is the recorded content, all of it and nothing else."""
        if not artifact.folder or artifact.entries[0][0] == "":
            return self._is(path, artifact.entries[0][1])
        names = {name for name, _ in artifact.entries}
        folders = {os.path.join(path, name) for name, one in artifact.entries if _is_tree(one)}
        if not all(self._is(os.path.join(path, name), one) for name, one in artifact.entries):
            return False
        for top, below, files in os.walk(path):
            below[:] = [one for one in below if os.path.join(top, one) not in folders]
            for one in files:
                file = os.path.join(top, one)
                if os.path.islink(file):  # another name of one of them, or of nothing
                    file = os.path.realpath(file)
                    if not os.path.exists(file) or _below(file, os.path.realpath(path)) in names:
                        continue
                if _below(file, path) not in names:
                    return False
        return True

    def _is(self, path: str, entry: FileEntry) -> bool:
        """Return whether the file or folder at ``path`` has the recorded digest."""
        algorithm = _algorithm(entry)
        try:
            if _is_tree(entry):
                if not os.path.isdir(path):
                    return False
                left_out = frozenset(entry.left_out)
                found = digest.tree_digest(path, algorithm, self._leaf(algorithm), left_out).digests
            elif not os.path.isfile(path) or os.path.getsize(path) != entry.size:
                return False
            else:
                found = self._cache.digest(path, (algorithm,))
        except OSError:
            return False
        return digest.same(found, entry.digests) is True

    def _leaf(self, algorithm: str) -> Callable[[os.DirEntry[str]], digest.Digests]:
        return lambda one: self._cache.digest(one, (algorithm,))

    def _brought(self, run: Record, artifact: Artifact) -> Obtained:
        """Return where the content is after bringing it, or before if it was brought earlier."""
        kept = os.path.join(self.place.folder, FOLDER, _key(artifact), artifact.name)
        if os.path.lexists(kept):
            if self.holds(kept, artifact):
                _asked_for(os.path.dirname(kept), run)
                return Obtained(kept, KEPT)
            shutil.rmtree(os.path.dirname(kept), ignore_errors=True)  # ours, and damaged
        if not artifact.folder:
            copy = self._copy(artifact.entries[0][1], os.path.splitext(artifact.name)[1])
            if copy:
                return Obtained(copy, COPY)
        project.ensure(self.place)
        top = os.path.join(self.place.folder, FOLDER)
        try:
            os.makedirs(top, exist_ok=True)
            building = os.path.join(top, BUILDING + "%d-%x" % (os.getpid(), time.monotonic_ns()))
            os.mkdir(building)
        except OSError as error:
            raise SystemRefused("%s cannot be written: %s." % (top, error.strerror)) from error
        try:
            source = self._fill(run, artifact, os.path.join(building, artifact.name))
            _make_read_only(building)
            _settle(building, os.path.dirname(kept))
            _asked_for(os.path.dirname(kept), run)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        return Obtained(kept, source)

    def _copy(self, entry: FileEntry, suffix: str) -> str:
        """Return another recorded file that still has the content and such a name, "" for none."""
        for stored in _newest_first(self.place):
            roots = settle.recorded_roots(self.place, stored)
            for one in _listed(stored):
                if one.size == entry.size and digest.same(one.digests, entry.digests):
                    path = roots.locate(one.path) or ""
                    if path.endswith(suffix) and self._is(path, entry):
                        return path
        return ""

    def _fill(self, run: Record, artifact: Artifact, target: str) -> str:
        """Bring every file of ``artifact`` to ``target``; return where from."""
        sources: list[str] = []
        for name, entry in artifact.entries:
            path = os.path.normpath(os.path.join(target, name)) if name else target
            if not is_inside(path, target):
                raise NoSuchArtifact("%s leads out of its folder: not brought." % name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            sources.append(self._bring(run, entry, path))
        return " and ".join(dict.fromkeys(sources))

    def _came(self, size: int) -> None:
        self.done += size

    def _bring(self, run: Record, entry: FileEntry, path: str) -> str:
        why: list[str] = []
        for place in places(self.place, run, entry.path):
            if self._is(place, entry):  # of a folder that holds other files now, too
                _copied(place, path)
                return IN_PLACE
        copy = self._copy(entry, "") if not _is_tree(entry) else ""
        if copy:
            shutil.copyfile(copy, path)
            return COPY
        for way in self._ways(run, self._came):
            try:
                source = way(entry, path)
            except OSError as error:
                why.append(str(error.strerror or error))
                continue
            except NoSuchArtifact as error:
                why.append(error.message.rstrip("."))
                continue
            if source and self._is(path, entry):
                return source
            if source:
                why.append("what %s has is not what was recorded" % source)
                _remove(path)
        changed = any(os.path.lexists(one) for one in places(self.place, run, entry.path))
        raise NoSuchArtifact(
            "%s of run %s %s%s."
            % (
                entry.path,
                run.name or run.id[-8:],
                "was changed since the run" if changed else "is not here",
                ", and was not found elsewhere" + (" (%s)" % "; ".join(why) if why else ""),
            ),
            "where it was pushed: prov pull %s" % (run.name or run.id[-8:]),
        )


def runs_of(folder: str) -> tuple[str, ...]:
    """Return the ids of the runs for which a content was brought to ``folder``."""
    try:
        with open(folder + RUNS, encoding="ascii", errors="replace") as stream:
            return tuple(stream.read().split())
    except OSError:
        return ()


def _asked_for(folder: str, run: Record) -> None:
    """Write down that ``run``'s content was asked for now. Never raises: it is only for `gc`."""
    try:
        if run.id in runs_of(folder):
            os.utime(folder + RUNS)
        else:
            with open(folder + RUNS, "a", encoding="ascii") as stream:
                stream.write(run.id + "\n")
    except OSError:
        return


def places(place: Project, run: Record, ref: PathRef) -> list[str]:
    """Return where the file may be on this machine: where the run had it, and in this clone."""
    here = place.roots(place.roots(place.root).locate(run.cwd) or place.root)
    found = [roots.locate(ref) for roots in (settle.recorded_roots(place, run), here)]
    return list(dict.fromkeys(os.path.normpath(path) for path in found if path))


def _newest_first(place: Project) -> Iterator[Record]:
    for run_id in reversed(records.ids(place)):
        try:
            yield records.read(os.path.join(place.runs, run_id))
        except Exception:  # noqa: BLE001  # a damaged record is no copy
            continue


def _listed(run: Record) -> Iterator[FileEntry]:
    for facet in ("outputs", "data"):
        try:
            yield from _entries.entries(run.payloads(facet))
        except ValueError:
            continue  # of a newer version


def _check(artifact: Artifact) -> None:
    """Raise `NoSuchArtifact` where there is nothing to hold the content against."""
    why = {
        _entries.PENDING: "its digest was not taken yet: prov close",
        _entries.MISSING: "the run did not find it",
        _entries.OVERWRITTEN: "the run wrote over what it had read",
        _entries.UNREADABLE: "it could not be read",
    }
    for _, entry in artifact.entries:
        if not entry.digests:
            text = why.get(entry.state, "it has no digest in the record")
            raise NoSuchArtifact("%s cannot be told from others: %s." % (entry.path, text))
        if not _algorithm(entry):
            names = ", ".join(entry.digests)
            text = "the digest of %s cannot be checked by this interpreter (%s)."
            raise NoSuchArtifact(text % (entry.path, names), "pip install blake3")


def _below(path: str, folder: str) -> str:
    return os.path.relpath(path, folder).replace(os.sep, "/")


def _is_tree(entry: FileEntry) -> bool:
    return any(name.endswith(TREE) for name in entry.digests)


def _algorithm(entry: FileEntry) -> str:
    """Return the algorithm that is checked, "" where none can be computed here."""
    plain = [name[: -len(TREE)] if name.endswith(TREE) else name for name in entry.digests]
    order = sorted(plain, key=lambda one: (one != digest.BLAKE3, one != digest.SHA256, one))
    return next(iter(digest.available(order)), "")


def _key(artifact: Artifact) -> str:
    """Return the name of the folder that the content is kept in: the digest of it."""
    rows = sorted((name, sorted(one.digests.items())) for name, one in artifact.entries)
    return hashlib.sha256(repr(rows).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _copied(source: str, target: str) -> None:
    if os.path.isdir(source):
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copyfile(source, target)


def _make_read_only(folder: str) -> None:
    """Take the permission to write from the files; folders stay, so that they can be deleted."""
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            if not os.path.islink(path):
                os.chmod(path, 0o444)


def _settle(building: str, final: str) -> None:
    """Give the finished folder its name; another process may have been faster with the same."""
    try:
        os.rename(building, final)
    except OSError as error:
        if not os.path.isdir(final):
            raise SystemRefused("%s cannot be written: %s." % (final, error.strerror)) from error


def _remove(path: str) -> None:
    if os.path.isdir(path):
        shutil.rmtree(path, ignore_errors=True)
    elif os.path.lexists(path):
        os.unlink(path)
