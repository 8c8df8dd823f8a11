"""Entries for files in the payloads of ``data`` and ``outputs``, and taking their digests in time.

States: ``digested``; ``pending`` (the time for digesting was over); ``missing`` (not there);
``changed`` (changed during the run by somebody other than its Python code, or while it was being
read: what the run read is not certain); ``overwritten`` (the run read it and then wrote to it: its
digest, if there is one, was taken in between); ``unchanged`` (declared as an output, but the run
left it as it was); ``ambiguous`` (changed while several runs went on in the project: may be another
one's); ``unreadable`` (the system refused).
"""

from __future__ import annotations

import os
import time
from typing import Any, Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Tuple

from provenance.core import codec, digest
from provenance.core.context import Context
from provenance.core.digest import Digests
from provenance.core.paths import ABS, PathRef, Roots
from provenance.core.record import Payload, Subject

DIGESTED, PENDING, MISSING = "digested", "pending", "missing"
CHANGED, OVERWRITTEN, UNCHANGED = "changed", "overwritten", "unchanged"
AMBIGUOUS, UNREADABLE = "ambiguous", "unreadable"

DVC = "dvc"
"""By whom a digest was taken, where that was not prov."""


class FileEntry(NamedTuple):
    """A file, or a folder that stands for all its files.

    path: as the run named it. kind: see the facet. size: bytes; of a folder the sum. digests: may
    be empty, see ``state``. how: each way in which it is known ("observed", "scanned", "named",
    "declared"). files: of a folder, how many; None for a file. target: where a symbolic link leads.
    left_out: files of a folder that do not count, because the run made them. seen: of an entry
    whose digest is still to be taken, by what its file can be known again, see `_pending`. read: of
    an output, whether the run read it back. by: "dvc" where the MD5 is the one that DVC knew of the
    file, which was not read for it.
    """

    path: PathRef
    kind: str
    size: int = 0
    digests: Dict[str, str] = {}
    how: Tuple[str, ...] = ()
    state: str = DIGESTED
    files: Optional[int] = None
    target: Optional[PathRef] = None
    left_out: Tuple[str, ...] = ()
    seen: str = ""
    read: bool = False
    by: str = ""

    def to_json(self) -> Dict[str, Any]:
        """Return the JSON form; the last six members only where they say something."""
        rest = self._fields[6:]
        return {
            name: codec.encode(value)
            for name, value in zip(self._fields, self)
            if name not in rest or not (value is False or value in (None, (), ""))
        }


def entries(subjects: Iterable[Subject]) -> Tuple[FileEntry, ...]:
    """Return the entries of all ``subjects``. Raises ValueError where one is not an entry."""
    found: List[FileEntry] = []
    for subject in subjects:
        files = subject.payload.get("files", [])
        found.extend(codec.decode(FileEntry, one, "files[]") for one in files)
    return tuple(found)


def by_path(payload: Payload) -> Dict[PathRef, FileEntry]:
    """Return the entries of ``payload`` by path."""
    return {one.path: one for one in entries(payload.subjects)}


class Places:
    """Paths as references under the root that they lie in, also where a root is a symbolic link."""

    def __init__(self, context: Context) -> None:
        self.roots = context.roots
        self._redact = context.redact
        self._real = Roots(
            os.path.realpath(self.roots.repo) if self.roots.repo else None,
            os.path.realpath(self.roots.cwd),
            os.path.realpath(self.roots.home),
        )

    def refer(self, path: str) -> PathRef:
        """Return ``path`` as a reference, secrets in it replaced."""
        ref = self._refer(path)
        clean = self._redact.text(ref.path)
        return ref if clean == ref.path else PathRef(ref.root, clean)

    def target(self, path: str) -> Optional[PathRef]:
        """Return where ``path`` leads if it does so through a symbolic link inside its root."""
        real = self._refer(os.path.realpath(path))
        return None if real == self._refer(path) else self.refer(os.path.realpath(path))

    def _refer(self, path: str) -> PathRef:
        ref = self.roots.refer(path)
        if ref.root == ABS and self._real != self.roots:
            return self._real.refer(path)
        return ref


class Digester:
    """Takes digests of files and folders until the context's deadline."""

    def __init__(self, context: Context, algorithms: Tuple[str, ...] = ()) -> None:
        self._digest = context.digest
        self._deadline = context.deadline
        self._marker = context.marker_ns
        self._run_dir = context.run_dir
        self._ahead = context.ahead
        # What is compared with a record is digested as it was recorded.
        self._others = None if algorithms else context.ahead
        self._now_ns: Optional[int] = None
        self.algorithms = algorithms or (digest.best_algorithm(),)

    def late(self) -> bool:
        """Return whether the time is over."""
        return self._deadline is not None and time.monotonic() > self._deadline

    def fill(self, entry: FileEntry, path: str) -> FileEntry:
        """Return ``entry`` with size, digests and state as found at ``path`` now. Never raises."""
        folder = os.path.isdir(path)
        try:
            known = self._known(entry, path, folder)
            if known is not None:
                return known
            if self.late():
                raise TimeoutError
            if folder:
                return self._folder(entry, path)
            size = os.stat(path).st_size
            return entry._replace(size=size, digests=self._digest(path, self.algorithms))
        except TimeoutError:
            return self._later(entry, path, "folder" if folder else "file")
        except digest.ChangedWhileRead:
            return entry._replace(state=CHANGED)
        except FileNotFoundError:
            return entry._replace(state=MISSING)
        except OSError:
            return entry._replace(state=UNREADABLE)

    def _known(self, entry: FileEntry, path: str, folder: bool) -> Optional[FileEntry]:
        """Return ``entry`` with the digests that others know, so that nothing need be read."""
        if self._others is None:
            return None
        if folder:
            tree: Optional[digest.Tree] = self._others.known_tree(path, entry.left_out)
            if tree is None:
                return None
            return entry._replace(size=tree.size, files=tree.files, digests=tree.digests, by=DVC)
        size = os.stat(path).st_size
        found: Digests = self._others.known(path, size)
        return entry._replace(size=size, digests=found, by=DVC) if found else None

    def rows(self, entry: FileEntry, folder: str, paths: List[str]) -> FileEntry:
        """Return ``entry`` for just these files below ``folder`` as one. Never raises."""
        algorithm = self.algorithms[0]
        prefix = len(folder.rstrip(os.sep)) + 1
        below = sorted(
            ((path[prefix:].replace(os.sep, "/"), path) for path in paths),
            key=lambda pair: os.fsencode(pair[0]),
        )
        try:
            rows = []
            for name, path in below:
                found = self._in_time(path, algorithm)[algorithm]
                rows.append((name, os.stat(path).st_size, found))
        except TimeoutError:
            return self._later(entry, folder, "changed")
        except OSError:
            return entry._replace(state=UNREADABLE)
        value = digest.rows_digest(rows, algorithm)
        return entry._replace(
            size=sum(row[1] for row in rows), digests={algorithm + digest.TREE: value}
        )

    def _later(self, entry: FileEntry, path: str, kind: str) -> FileEntry:
        """Return ``entry`` as pending, with what `_pending` needs to take its digest later."""
        entry = entry._replace(state=PENDING)
        end = self._file_system_time()
        if end is None:
            return entry
        if kind == "file":
            try:
                status = os.stat(path)
            except OSError:
                return entry._replace(state=MISSING)
            return entry._replace(size=status.st_size, seen="file " + file_identity(status))
        if kind == "folder":
            return entry._replace(seen="folder %d" % end)
        return entry._replace(seen="changed %d %d" % (self._marker or 0, end))

    def _file_system_time(self) -> Optional[int]:
        """Return the time now by the clock of the project's file system, in nanoseconds.

        None outside a run: what is pending then is not finished later.
        """
        if self._now_ns is None and self._run_dir is not None:
            try:
                os.utime(self._run_dir)
                self._now_ns = os.stat(self._run_dir).st_ctime_ns
            except OSError:
                return None
        return self._now_ns

    def _folder(self, entry: FileEntry, path: str) -> FileEntry:
        left_out: FrozenSet[str] = frozenset(entry.left_out)
        found: Digests = {}
        files, size = entry.files or 0, entry.size
        for algorithm in self.algorithms:
            tree = self._tree_ahead(path, algorithm, entry.left_out) or digest.tree_digest(
                path,
                algorithm,
                lambda below, name=algorithm: self._in_time(below, name),  # type: ignore[misc]  # mypy cannot infer a default argument's type
                left_out,
            )
            found.update(tree.digests)
            files, size = tree.files, tree.size
        return entry._replace(size=size, files=files, digests=found)

    def _tree_ahead(
        self, path: str, algorithm: str, left_out: Tuple[str, ...]
    ) -> Optional[digest.Tree]:
        if self._ahead is None or algorithm != digest.BLAKE3:
            return None
        found: Optional[digest.Tree] = self._ahead.tree(path, left_out, self._deadline)
        return found

    def as_read(self, path: str) -> Digests:
        """Return the digests of what was read of a file that changed since; {} where lost."""
        if self._ahead is None or self._marker is None:
            return {}
        found: Digests = self._ahead.as_read(path, self._marker)
        return found

    def _in_time(self, path: Any, algorithm: str) -> Digests:
        if self.late():
            raise TimeoutError("the time for digesting was over")
        return self._digest(path, (algorithm,))


def file_identity(status: os.stat_result) -> str:
    """Return by what a file with this status can be known again."""
    numbers = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return "%d %d %d %d %d" % numbers


def pending_note(found: Iterable[FileEntry]) -> Tuple[str, ...]:
    """Return a sentence about the entries whose digest is still to be taken, if there are any."""
    waiting = [one for one in found if one.state == PENDING or (one.seen and not one.digests)]
    if not waiting:
        return ()
    text = "%d of the files have no digest yet: the time for digesting was over" % len(waiting)
    return (text + ("; run `prov close`" if any(one.seen for one in waiting) else ""),)
