"""What DVC knows of the files that a run touched: their MD5 without reading them, and its remotes.

Works without DVC installed. An MD5 is taken only where it holds without reading the file: the file
is the one in DVC's cache itself (through a symbolic link, or as another name of it) and read-only,
as DVC leaves it, or DVC's database has it as it is now (`_dvc_state`).
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from provenance.core import digest
from provenance.core.digest import MD5, Tree
from provenance.facets._git import Git
from provenance.operations import _dvc, _dvc_settings
from provenance.operations._dvc_settings import DvcSettings
from provenance.operations._dvc_state import State
from provenance.specs import _tracked
from provenance.specs._tracked import Tracked
from provenance.specs.model import Unreadable
from provenance.store import _clocks
from provenance.store.digestcache import DigestCache

_BLOB = re.compile(r"^files/md5/([0-9a-f]{2})/([0-9a-f]{30})$")
_WRITABLE = 0o222
_MOST_BYTES = 32 << 20
_MOST_READ = 64 << 20
"""Bytes of small files that are read to see whether they are what DVC's files say."""
_POINTER, _LOCK, _STAGES = ".dvc", "dvc.lock", "dvc.yaml"


DigestOf = Callable[[str, tuple[str, ...]], digest.Digests]


class Known:
    """Asks the DVC repositories that files lie in. environ: the user's. Never raises."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._tops: dict[str, str] = {}
        self._repositories: dict[str, Repository] = {}
        self._rows: dict[str, dict[str, str]] = {}

    def repository(self, path: str) -> Repository | None:
        """Return the DVC repository that ``path`` lies in."""
        top = self._top(os.path.dirname(path))
        if not top:
            return None
        found = self._repositories.get(top)
        if found is None:
            found = self._repositories[top] = Repository(top, self._environ)
        return found

    def _top(self, folder: str) -> str:
        known = self._tops.get(folder)
        if known is None:
            above = os.path.dirname(folder)
            if _dvc_settings.is_repository(folder):
                known = folder
            else:
                known = "" if above == folder else self._top(above)
            self._tops[folder] = known
        return known

    def md5(self, path: str, status: os.stat_result | None = None) -> str:
        """Return the MD5 of a file as it is now where DVC knows it for sure, else ""."""
        repository = self.repository(path)
        if repository is None:
            return ""
        try:
            status = os.stat(path) if status is None else status
            return repository.md5(path, status)
        except OSError:
            return ""

    def tree(self, folder: str, left_out: Iterable[str] = ()) -> Tree | None:
        """Return the digest of a folder if DVC knows all its files for sure and they are large."""
        repository = self.repository(folder)
        told = repository.tracked(folder) if repository is not None else None
        if told is None or not told.md5.endswith(".dir"):
            return None
        if told.size < DigestCache.ASKED * max(1, told.files):
            return None

        rows: dict[str, str] = {}
        start = len(folder.rstrip(os.sep)) + 1

        def known(entry: os.DirEntry[str]) -> dict[str, str]:
            value = self.md5(entry.path, entry.stat(follow_symlinks=False))
            if not value:
                raise OSError("DVC does not know %s" % entry.path)
            rows[entry.path[start:].replace(os.sep, "/")] = value
            return {MD5: value}

        try:
            made = digest.tree_digest(folder, MD5, known, frozenset(left_out))
        except OSError:
            return None
        self._rows[os.path.normpath(folder)] = rows
        return made

    def tracked(self, path: str) -> tuple[Repository, Tracked] | None:
        """Return what states a file or folder: of itself, or of a folder above it."""
        repository = self.repository(path)
        told = repository.tracked(path) if repository is not None else None
        return (repository, told) if repository is not None and told is not None else None

    def states(self, paths: Iterable[str], digest_of: DigestOf) -> tuple[Stated, ...]:
        """Return what states any of ``paths``, each tracked file or folder once.

        digest_of: takes digests of small files that DVC does not know as they are.
        """
        found: dict[tuple[str, str], Stated] = {}
        left = _MOST_READ
        for path in paths:
            pair = self.tracked(path)
            if pair is None:
                continue
            repository, told = pair
            place = repository.place(told)
            file = os.path.join(repository.root, *told.file.split("/"))
            known = found.get((place, file))
            if known is None:
                known = Stated(place, file, told, repository.remote(told))
            if known.same is not False:
                same, read = self._is_as_stated(path, repository, left, digest_of)
                left -= read
                mixed = known.same is None and (place, file) in found
                known = known._replace(same=None if mixed and same else same)
            found[place, file] = known
        return tuple(found[key] for key in sorted(found))

    def _is_as_stated(
        self, path: str, repository: Repository, most: int, digest_of: DigestOf
    ) -> tuple[bool | None, int]:
        """Return whether a file or folder is what DVC's file says, and how many bytes were read."""
        try:
            if os.path.isdir(path):
                rows, listed = self._rows.get(os.path.normpath(path)), repository.listed(path)
                return (None if rows is None or listed is None else rows == listed), 0
            wanted = repository.stated(path)
            if not wanted:
                return None, 0
            status = os.stat(path)
            value = self.md5(path, status)
            if value:
                return value == wanted, 0
            told = repository.tracked(path)
            if told is not None and not told.files and told.size not in (-1, status.st_size):
                return False, 0
            if status.st_size > most:
                return None, 0
            return digest_of(path, (MD5,))[MD5] == wanted, status.st_size
        except (OSError, ValueError):
            return None, 0


class Stated(NamedTuple):
    """A tracked file or folder. path, file: absolute, of it and of what states it. remote: its.

    same: whether what was asked about is what the file states; None where that is not known.
    """

    path: str
    file: str
    told: Tracked
    remote: Remote
    same: bool | None = None


class Remote(NamedTuple):
    """Where DVC keeps content: name and address of a remote, without credentials."""

    name: str = ""
    url: str = ""


class Repository:
    """A DVC repository at ``root``: its settings, its database, and what its files state."""

    def __init__(self, root: str, environ: Mapping[str, str]) -> None:
        self.root, self._environ = root, environ
        self._real = os.path.realpath(root)
        self.settings: DvcSettings = _dvc_settings.read(self._real, environ)
        self._state = State(self.settings.state)
        self._files: dict[str, dict[str, Tracked]] = {}
        self._others: dict[str, Tracked] | None = None
        self._lists: dict[str, dict[str, str] | None] = {}

    def md5(self, path: str, status: os.stat_result) -> str:
        """Return the MD5 of a file as it is now, "" where DVC does not know. Raises OSError."""
        if not stat.S_ISREG(status.st_mode) or not _clocks.settled(status, time.time_ns()):
            return ""
        real = os.path.realpath(path)
        if not status.st_mode & _WRITABLE:
            value = self._in_cache(real)
            if not value and status.st_nlink > 1:
                value = self._linked(path, status)
            if value:
                return value
        inner = os.path.relpath(path, self.root)
        return self._state.md5(tuple({path, real, os.path.join(self._real, inner)}), status)

    def _in_cache(self, real: str) -> str:
        for cache in self.settings.caches:
            if real.startswith(cache + os.sep):
                match = _BLOB.match(real[len(cache) + 1 :].replace(os.sep, "/"))
                return match[1] + match[2] if match else ""
        return ""

    def _linked(self, path: str, status: os.stat_result) -> str:
        """Return the MD5 under whose name the very file lies in the cache."""
        value = self.stated(path)
        for cache in self.settings.caches if value else ():
            try:
                there = os.stat(os.path.join(cache, "files", "md5", value[:2], value[2:]))
            except OSError:
                continue
            if (there.st_dev, there.st_ino) == (status.st_dev, status.st_ino):
                return value
        return ""

    def stated(self, path: str) -> str:
        """Return the MD5 that DVC's files state of a file, also of one in a folder; "" for none."""
        told = self.tracked(path)
        if told is None or not told.plain:
            return ""
        if not told.md5.endswith(".dir"):
            return told.md5 if self.place(told) == os.path.normpath(path) else ""
        below = os.path.relpath(path, self.place(told)).replace(os.sep, "/")
        return (self._list(told.md5) or {}).get(below, "")

    def listed(self, folder: str) -> dict[str, str] | None:
        """Return the MD5 of each file of a tracked folder, or of one in it, as DVC's list has it.

        None where the list is not in the cache.
        """
        told = self.tracked(folder)
        rows = self._list(told.md5) if told is not None and told.plain else None
        if told is None or rows is None:
            return None
        below = os.path.relpath(folder, self.place(told)).replace(os.sep, "/")
        start = "" if below == "." else below + "/"
        return {path[len(start) :]: md5 for path, md5 in rows.items() if path.startswith(start)}

    def _list(self, value: str) -> dict[str, str] | None:
        if value not in self._lists:
            self._lists[value] = _dvc.listed(self._real, value)
        return self._lists[value]

    def place(self, told: Tracked) -> str:
        """Return the absolute path of what is tracked."""
        folder = os.path.join(self.root, os.path.dirname(told.file))
        return os.path.normpath(os.path.join(folder, told.path))

    def remote(self, told: Tracked) -> Remote:
        """Return where the content of what is tracked is pushed to; empty where nowhere."""
        name = told.remote.lower() or self.settings.default
        if not told.pushed or name not in self.settings.remotes:
            return Remote()
        return Remote(name, self.settings.remotes[name])

    def tracked(self, path: str) -> Tracked | None:
        """Return what DVC's files state of ``path`` or of a folder that it lies in."""
        here = os.path.normpath(path)
        while here.startswith(self.root + os.sep):
            for name in self._beside(here):
                told = self._read(name).get(here)
                if told is not None:
                    return told
            here = os.path.dirname(here)
        return self._elsewhere(os.path.normpath(path))

    def _beside(self, path: str) -> Iterator[str]:
        """Yield the files that usually speak of ``path``, relative to the root."""
        inner = os.path.relpath(path, self.root)
        yield inner + _POINTER
        while inner:
            inner = os.path.dirname(inner)
            yield os.path.join(inner, _LOCK)

    def _elsewhere(self, path: str) -> Tracked | None:
        """Return what files of DVC in other places state, such as those of a stage with ``wdir``.

        Only files that git knows: looking for others would take a walk through all folders.
        """
        if self._others is None:
            self._others = {}
            names = ("*" + _POINTER, _LOCK, "*/" + _LOCK)
            told = Git(self._environ, self.root)(self.root, "ls-files", "-z", "--", *names)
            for name in told.out.split(b"\0") if not told.code else ():
                if name:
                    self._others.update(self._read(os.fsdecode(name)))
        while path.startswith(self.root + os.sep):
            if path in self._others:
                return self._others[path]
            path = os.path.dirname(path)
        return None

    def _read(self, name: str) -> dict[str, Tracked]:
        """Return what the file ``name`` states by absolute path; nothing where it is not there."""
        found = self._files.get(name)
        if found is None:
            try:
                data = self._content(name)
                file = name.replace(os.sep, "/")
                if data is None:
                    rows = []
                elif os.path.basename(name) == _LOCK:
                    beside = os.path.join(os.path.dirname(name), _STAGES)
                    rows = _tracked.of_lock(file, data, self._content(beside))
                else:
                    rows = _tracked.of_pointer(file, data)
            except Unreadable:
                rows = []
            found = self._files[name] = {self.place(one): one for one in rows}
        return found

    def _content(self, name: str) -> bytes | None:
        try:
            with open(os.path.join(self.root, name), "rb") as stream:
                return stream.read(_MOST_BYTES)
        except OSError:
            return None
