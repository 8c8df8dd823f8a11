"""Digests of files that have not changed since they were digested last.

A file is known by device, inode, size, modification time and change time, by whatever path it is
reached. When that can be trusted is told in `store._clocks`.

The cache is one file of fixed-length rows sorted by key, read through mmap: a look-up touches a few
pages, however many files there are. It is a cache: it may be deleted at any time, a damaged one is
taken for empty, and of two processes that save at once both succeed and at worst one's rows are
lost.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from provenance.core import digest
from provenance.core.digest import BLAKE3, Digests, Tree
from provenance.store import _clocks
from provenance.store._digesttable import LIMIT, Table, identity_bytes, key_of, replace
from provenance.store._readdigest import SMALL, identity, take

if TYPE_CHECKING:
    from provenance.store.ahead import Ahead

FIRST = 10_000
"""Paths of which it is remembered what they held when they were first asked for."""

HELD = 200_000
"""Digests held in memory before they are written: about 50 MB."""

_ATTEMPTS = 3
"""Times that a file is looked at before it counts as one that keeps changing."""

SPILL_S = 30.0
"""Seconds of work that a killed process may lose."""

_DAY, _LENGTH = 4, 32
_LENGTHS = {digest.MD5: 16, "sha1": 20}
_DAY_S = 86_400


class DigestCache:
    """Digests files, each only once as long as it does not change.

    reused, taken: how many digests came from the cache, and how many were computed. read: bytes of
    the files that were read, about. watch: called after each file, and now and then in a big one.
    deadline: monotonic time after which `digest` gives up with TimeoutError, within a long file
    too; None for no limit, and free to be set at any time. ahead: a process that digests too, where
    there is one. told: returns the MD5 that somebody else knows of a file as it is now, or ""; it
    is asked of files that it pays for, and what it says is not kept here. Safe to use from several
    threads at once.
    """

    ASKED = SMALL
    """Bytes of a file from which on asking somebody else is cheaper than reading."""

    def __init__(self, path: str | os.PathLike[str], limit: int = LIMIT) -> None:
        self.path = os.fspath(path)
        self.limit = limit
        self.deadline: float | None = None
        self.reused = self.taken = 0
        self.ahead: Ahead | None = None
        self.told: Callable[[str, os.stat_result], str] | None = None
        self.watch: Callable[[], None] | None = None
        self.read = 0
        self._first: dict[str, tuple[Digests, int]] = {}
        self._table: Table | None = None
        self._fresh: dict[bytes, bytes] = {}
        self._sent: dict[bytes, bytes] | None = None
        self._lock = threading.Lock()
        self._spilled = time.monotonic()

    def digest(self, path: str | os.DirEntry[str], algorithms: tuple[str, ...]) -> Digests:
        """Return the digests of the regular file at ``path``.

        An entry of a folder's listing is taken for what it was when it was first asked.

        Raises OSError, `digest.ChangedWhileRead` and TimeoutError among them, and ValueError for an
        algorithm that this interpreter lacks.
        """
        return self._digest(path, algorithms, gentle=False, stop=self.late)

    def tree(
        self, folder: str, algorithm: str, leave_out: Iterable[str] = (), late: float | None = None
    ) -> Tree:
        """Return the digest of all files below ``folder``, read by several threads.

        leave_out: relative POSIX paths. late: monotonic time for this folder, beside `deadline`.
        Raises OSError, and TimeoutError: what was digested by then is kept, and not read again.
        """
        from provenance.store import treecache  # not for runs that read a few files

        source, before = treecache.OfCache(self, algorithm, late), self.taken + self.reused
        found = treecache.tree(folder, algorithm, source, frozenset(leave_out))
        if self.taken + self.reused == before:  # known as a whole
            self.reused += found.files
        return found

    def known(self, path: str, algorithms: tuple[str, ...]) -> Digests:
        """Return those digests of ``path`` that are kept of it as it is now; nothing is read.

        Raises OSError.
        """
        return self._known(identity_bytes(os.stat(path)), algorithms)[0]

    def find(self, keys: Sequence[bytes], algorithm: str) -> list[bytes | None]:
        """Return the digests that are kept under ``keys``, see `_digesttable.key_of`."""
        fresh, stored = self._fresh, self._stored()
        if not fresh and not stored.length:
            return [None] * len(keys)
        rows = [fresh.get(key) or stored.find(key) for key in keys]
        end = _DAY + _LENGTHS.get(algorithm, _LENGTH)
        return [None if row is None else row[_DAY:end] for row in rows]

    def keep(self, found: Iterable[tuple[bytes, bytes]], algorithm: str) -> None:
        """Keep digests of that algorithm under their keys."""
        day, length = self._day(), _LENGTHS.get(algorithm, _LENGTH)
        self._fresh.update(
            [
                (key, day + value.ljust(_LENGTH, b"\0"))
                for key, value in found
                if len(value) == length
            ]
        )
        if self._is_much():
            self._spill()

    def take(self, entry: os.DirEntry[str], algorithm: str, stop: Callable[[], bool]) -> str:
        """Return the digest of a file that was just listed, as `digest` does."""
        return self._digest(entry, (algorithm,), gentle=False, stop=stop)[algorithm]

    def late(self) -> bool:
        """Return whether the time is over, once `watch` was called."""
        if self.watch is not None:
            self.watch()
        return self.deadline is not None and time.monotonic() > self.deadline

    def _left(self) -> float:
        """Return how many seconds may be waited for a clock to tick."""
        longest = _clocks.COARSE_S
        return longest if self.deadline is None else self.deadline - time.monotonic()

    def prefetch(
        self,
        paths: Iterable[str],
        algorithms: tuple[str, ...] = (),
        stop: Callable[[], bool] | None = None,
    ) -> int:
        """Digest ``paths`` (files, or whole folders) ahead of time; return how many were done.

        For use while the command still runs: never raises, looks at ``stop`` after each file and
        within long ones, and reads rather than maps (a mapped file that the command truncates would
        kill this process). algorithms: by default the one used at record time.
        """
        wanted = algorithms or (digest.best_algorithm(),)
        done = 0
        asked = stop or _never
        for path in _files(paths):
            if asked():
                break
            try:
                found = self._digest(path, wanted, gentle=True, stop=asked)
                if isinstance(path, str) and len(self._first) < FIRST:
                    self._first.setdefault(path, (found, os.stat(path).st_ctime_ns))
            except (OSError, ValueError):
                continue
            done += 1
        return done

    def as_read(self, path: str, before_ns: int) -> Digests:
        """Return the digests that ``path`` had when it was prefetched first, empty for none.

        Only if it had not changed since ``before_ns`` by then.
        """
        found, changed_ns = self._first.get(path, ({}, before_ns))
        if changed_ns < before_ns:
            return found
        return self.ahead.as_read(path) if self.ahead is not None else {}

    def begin_save(self) -> None:
        """Let the other process begin to write what is new, where there is one; `save` ends it."""
        if self.ahead is not None:
            with self._lock:
                self._sent, self._fresh = self._fresh, {}
                self.ahead.begin_save(b"".join(key + row for key, row in self._sent.items()))

    def save(self) -> bool:
        """Write what is new; return whether the file now holds it. Never raises."""
        if self.ahead is not None and self._sent is None:
            self.begin_save()
        with self._lock:
            fresh = {**(self._sent or {}), **self._fresh}
            written = self._sent is not None and self.ahead is not None and self.ahead.saved()
            if written:
                fresh = self._fresh
            self._sent, self._fresh = None, {}
            done = not fresh or replace(self.path, fresh, self.limit)
            if not done:
                self._fresh = fresh
            self._table = None
            return done

    def _digest(
        self,
        path: str | os.DirEntry[str],
        algorithms: tuple[str, ...],
        gentle: bool,
        stop: Callable[[], bool],
    ) -> Digests:
        # Each step here is paid once per file of a data set: nothing is looked up or made twice.
        status = os.stat(path) if isinstance(path, str) else path.stat(follow_symlinks=False)
        for _ in range(_ATTEMPTS):
            if not stat.S_ISREG(status.st_mode):
                raise OSError("%s is not a regular file" % os.fspath(path))
            before = identity_bytes(status)
            found, missing = self._known(before, algorithms)
            if self.told is not None and digest.MD5 in missing and status.st_size >= self.ASKED:
                self._ask(path, status, found, missing)
            if not missing:
                self.reused += 1
                return found
            if self.ahead is not None and status.st_size > SMALL and algorithms == (BLAKE3,):
                value = self.ahead.digest(os.fspath(path), before, self.deadline)
                if value is not None:
                    self.taken += 1
                    return {BLAKE3: value}
            if not gentle and _clocks.wait(status, self._left()):
                status = os.stat(path)
                continue
            calm = _clocks.settled(status, time.time_ns())
            wanted = tuple(missing) if found else algorithms
            computed, after = take(path, status.st_size, wanted, gentle, stop)
            if after == identity(status):
                self.taken += 1
                self.read += status.st_size
                if calm:
                    self._keep(missing, computed)
                if self.watch is not None:
                    self.watch()
                return {**found, **computed} if found else computed
            status = os.stat(path)
        raise digest.ChangedWhileRead("%s changed while it was read" % os.fspath(path))

    def _ask(
        self,
        path: str | os.DirEntry[str],
        status: os.stat_result,
        found: Digests,
        missing: dict[str, bytes],
    ) -> None:
        """Move the MD5 from ``missing`` to ``found`` where others know it."""
        assert self.told is not None
        value = self.told(os.fspath(path), status)
        if value:
            found[digest.MD5] = value
            del missing[digest.MD5]

    def _known(
        self, identity: bytes, algorithms: tuple[str, ...]
    ) -> tuple[Digests, dict[str, bytes]]:
        """Return the digests that are known, and the keys under which the others belong."""
        found: Digests = {}
        missing: dict[str, bytes] = {}
        for name in algorithms:
            key = key_of(identity, name)
            value = self._fresh.get(key) or self._stored().find(key)
            if value is None:
                missing[name] = key
            else:
                found[name] = value[_DAY : _DAY + _LENGTHS.get(name, _LENGTH)].hex()
        return found, missing

    def _stored(self) -> Table:
        table = self._table
        if table is None:
            table = self._table = Table.read(self.path)
        return table

    def _keep(self, keys: dict[str, bytes], computed: Digests) -> None:
        day = self._day()
        for name, key in keys.items():
            value = bytes.fromhex(computed[name])
            if len(value) == _LENGTHS.get(name, _LENGTH):
                self._fresh[key] = day + value.ljust(_LENGTH, b"\0")
        if self._is_much():
            self._spill()

    def _day(self) -> bytes:
        return int(time.time() // _DAY_S).to_bytes(_DAY, "big")

    def _is_much(self) -> bool:
        return len(self._fresh) >= HELD or time.monotonic() > self._spilled + SPILL_S

    def _spill(self) -> None:
        with self._lock:
            if not self._is_much():
                return  # another thread has just done it
            self._spilled = time.monotonic()
            fresh, self._fresh = self._fresh, {}
            if replace(self.path, dict(fresh), self.limit):
                self._table = None


def _never() -> bool:
    return False


def _files(paths: Iterable[str]) -> Iterator[str | os.DirEntry[str]]:
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        try:
            for _, entry in digest.walk(path):
                if not entry.is_symlink():
                    yield entry
        except OSError:
            continue
