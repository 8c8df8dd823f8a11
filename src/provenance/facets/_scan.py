"""Finding the files that a run changed, whatever language wrote them, by their change times.

No list of files is made before the run: it would race with it. A file made just before the command
starts gives the clock of the file system; whatever has a change time at or after it was changed
since. Change times, unlike modification times, cannot be set by programs.
"""

from __future__ import annotations

import os
import stat
import time
from typing import FrozenSet, Iterable, List, NamedTuple, Optional, Tuple

from provenance.core.filekinds import IGNORED_FOLDERS

CROWDED = 5000
"""A folder of more entries than this whose own change time says that nothing was made or removed
in it is not looked at file by file: data sets of a million images must not cost a million calls."""

MOST = 4_000_000
"""Entries after which a scan gives up and says so."""


class Changed(NamedTuple):
    """A file that changed. link: whether it is a symbolic link. mtime_ns: modification time."""

    path: str
    size: int
    mtime_ns: int
    link: bool = False


class Scan(NamedTuple):
    """What a scan found. crowded: folders not looked at file by file. notes: what it left out."""

    changed: Tuple[Changed, ...] = ()
    crowded: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()


class Scope(NamedTuple):
    """A folder to scan, and whether to go down into its folders."""

    folder: str
    deep: bool


def scan(
    scopes: Iterable[Scope],
    marker_ns: int,
    skip: FrozenSet[str] = frozenset(),
    deadline: Optional[float] = None,
) -> Scan:
    """Return the files below ``scopes`` that changed at or after ``marker_ns``. Never raises.

    skip: absolute folders that are passed over, beside environments and `IGNORED_FOLDERS`.
    deadline: monotonic time after which it stops.
    """
    walk = _Walk(marker_ns, skip, deadline)
    for scope in scopes:
        walk.into(scope)
    changed = tuple(sorted(walk.changed))
    return Scan(changed, tuple(sorted(walk.crowded)), tuple(walk.notes))


def streams() -> List[str]:
    """Return the files that standard output and error lead to: they hold the run's own log."""
    found = []
    for number in (1, 2):
        try:
            found.append(os.readlink("/proc/self/fd/%d" % number))
        except OSError:
            continue
    return [path for path in found if path.startswith(os.sep)]


class _Walk:
    def __init__(self, marker_ns: int, skip: FrozenSet[str], deadline: Optional[float]) -> None:
        self.marker_ns, self.skip, self.deadline = marker_ns, skip, deadline
        self.changed: List[Changed] = []
        self.crowded: List[str] = []
        self.notes: List[str] = []
        self._seen: "set[str]" = set()
        self._entries = 0

    def into(self, scope: Scope) -> None:
        stack = [scope.folder]
        while stack:
            folder = stack.pop()
            if folder in self._seen or (folder in self.skip and folder != scope.folder):
                continue
            if self._over():
                return
            self._seen.add(folder)
            below = self._look(folder, top=folder == scope.folder)
            if scope.deep:
                stack.extend(below)

    def _over(self) -> bool:
        late = self.deadline is not None and time.monotonic() > self.deadline
        if (late or self._entries > MOST) and self.notes[-1:] != [_STOPPED]:
            self.notes.append(_STOPPED)
        return late or self._entries > MOST

    def _look(self, folder: str, top: bool) -> List[str]:
        """Note the changed files of one folder; return the folders in it that are to follow."""
        try:
            with os.scandir(folder) as listing:
                entries = list(listing)
            crowded = len(entries) > CROWDED and os.stat(folder).st_ctime_ns < self.marker_ns
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                self.notes.append("a folder could not be listed: %s" % (error.strerror or "?"))
            return []
        self._entries += len(entries)
        if not top and any(entry.name in _ENVIRONMENT for entry in entries):
            return []
        if crowded:
            self.crowded.append(folder)
        below = []
        marker_ns = self.marker_ns
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in IGNORED_FOLDERS:
                    below.append(entry.path)
            elif not crowded:
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                if status.st_ctime_ns >= marker_ns:
                    self._file(status, entry.path)
        return below

    def _file(self, status: os.stat_result, path: str) -> None:
        link = stat.S_ISLNK(status.st_mode)
        if link or stat.S_ISREG(status.st_mode):
            self.changed.append(Changed(path, status.st_size, status.st_mtime_ns, link))


_ENVIRONMENT = frozenset(("pyvenv.cfg", "conda-meta"))
"""Names that are there at the top of an environment."""

_STOPPED = "the search for changed files was stopped before its end: too many files or too slow"


def is_shared(folder: str, home: str) -> bool:
    """Return whether so much else happens in ``folder`` that changes in it prove nothing.

    The root, the home folder and what holds it, and folders where everybody may write (/tmp).
    """
    holds_home = home == folder or home.startswith(folder.rstrip(os.sep) + os.sep)
    if folder == os.sep or holds_home:
        return True
    try:
        return bool(os.stat(folder).st_mode & stat.S_ISVTX)
    except OSError:
        return True
