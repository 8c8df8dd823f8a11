"""Digests files beside a run, in a process of its own.

Started by `store.ahead` with the path of the cache and the time before which the run began. Frames
go both ways: four bytes of length, one letter, the rest. Requests:

``A``  paths, NUL between: digest these when there is time; no answer
``F``  a folder: digest the files right in it when there is time; no answer
``T``  number, folder, relative paths to leave out, NUL between: the digest of all files below
``D``  a path: its identity and digest if it is known or half taken; else empty
``R``  a path: the digest that it had when it was asked for first, if it was as before the run
``S``  rows: write these and all that is new into the cache
``X``  give up the folder being digested

Beside the answers, ``P`` says that so many more files of a folder are done.

What has time is done by a thread of low priority. It stops for good with the first request that is
answered: the run has ended, and what is asked for from then on is done at once, by the main thread.
(A whole process of low priority could not be given a higher one again without privileges, and on a
busy machine the user would wait for it.)

Files are read and never mapped: one may be truncated meanwhile. It ends when its stdin does.
"""

from __future__ import annotations

import os
import queue
import select
import signal
import stat
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from provenance.core import digest
from provenance.core.digest import BLAKE3
from provenance.store import _clocks, treecache
from provenance.store._digesttable import KEY, ROW, Table, identity_bytes, key_of, replace

NICENESS = 10
_DAY = 4
SMALL, CHUNK = 1 << 20, 1 << 22
KEPT = 200_000
"""Digests held in memory before they are written to the cache: about 50 MB."""
FIRST = 50_000
"""Paths of which it is remembered what they held when they were first asked for."""
_READING = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


class _GaveUp(Exception):
    pass


class Worker:
    """Serves requests from the descriptor ``source`` on ``sink``."""

    def __init__(self, cache: str, marker_ns: int, source: int = 0, sink: int = 1) -> None:
        from blake3 import blake3

        self._hash: Callable[..., Any] = blake3
        self._cache, self._marker_ns = cache, marker_ns
        self._source, self._sink = source, sink
        self._table = Table.read(cache)
        self._known: dict[bytes, bytes] = {}
        self._first: dict[bytes, bytes] = {}
        self._half: dict[bytes, tuple[Any, int]] = {}
        self._todo: queue.SimpleQueue[tuple[bytes, bytes]] = queue.SimpleQueue()
        self._requests: deque[tuple[bytes, bytes]] = deque()
        self._buffer = b""
        self._ended = threading.Event()
        self._saving = threading.RLock()
        self._gentle = threading.Thread(target=self._work, daemon=True)

    def serve(self) -> None:
        """Work until stdin ends."""
        self._gentle.start()
        while True:
            while not self._requests:
                self._look(None)
            self._answer(*self._requests.popleft())

    # --- what is asked for ---------------------------------------------------------------------

    def _look(self, wait: float | None) -> None:
        """Take in what has been asked for."""
        if not select.select([self._source], [], [], wait)[0]:
            return
        data = os.read(self._source, 1 << 18)
        if not data:
            os._exit(0)
        self._buffer += data
        start, end = 0, len(self._buffer)
        while end - start >= 5:
            length = int.from_bytes(self._buffer[start : start + 4], "little")
            if end - start < 4 + length:
                break
            kind = self._buffer[start + 4 : start + 5]
            self._take(kind, self._buffer[start + 5 : start + 4 + length])
            start += 4 + length
        self._buffer = self._buffer[start:]

    def _take(self, kind: bytes, body: bytes) -> None:
        if kind == b"A":
            for path in body.split(b"\0"):
                self._todo.put((kind, path))
        elif kind == b"F":
            self._todo.put((kind, body))
        else:
            self._requests.append((kind, body))

    def _answer(self, kind: bytes, body: bytes) -> None:
        if not self._ended.is_set():
            self._ended.set()
            self._todo.put((b"", b""))
            self._gentle.join()
        if kind == b"T":
            self._tell(kind, self._tree(body))
        elif kind == b"D":
            self._tell(kind, self._digest_of(body))
        elif kind == b"R":
            if self._half:
                self._digest_of(body, self._ahead)
            self._tell(kind, self._first.get(body, b""))
        elif kind == b"S":
            self._tell(kind, b"1" if self._save(body) else b"")

    def _tell(self, kind: bytes, body: bytes) -> None:
        view = memoryview(struct.pack("<I", len(body) + 1) + kind + body)
        try:
            while view:
                view = view[os.write(self._sink, view) :]
        except OSError:
            os._exit(0)

    def _digest_of(self, path: bytes, finish: Callable[[bytes], object] | None = None) -> bytes:
        """Return the identity and digest of a file if known; ``finish`` what is half done."""
        try:
            identity = identity_bytes(os.stat(path))
        except OSError:
            return b""
        if identity in self._half:
            (finish or self._digest)(path)
        row = self._known.get(key_of(identity, BLAKE3))
        return identity + row[_DAY:] if row else b""

    def _work(self) -> None:
        """Do what is asked for without an answer, until the first question."""
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        except OSError:
            pass
        while not self._ended.is_set():
            kind, path = self._todo.get()
            try:
                if kind == b"A":
                    self._ahead(path)
                elif kind == b"F":
                    self._folder(path)
            except _GaveUp:
                return

    # --- digesting -----------------------------------------------------------------------------

    def _ahead(self, path: bytes) -> None:
        found = self._digest(path)
        if found is not None and found[1] < self._marker_ns and len(self._first) < FIRST:
            self._first.setdefault(path, found[0])

    def _folder(self, folder: bytes) -> None:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if self._ended.is_set():
                        return
                    if entry.is_file(follow_symlinks=False):
                        self._digest(entry.path)
        except OSError:
            return

    def _digest(self, path: bytes | str) -> tuple[bytes, int] | None:
        """Return the digest of a file and its change time; None where it cannot be had."""
        try:
            descriptor = os.open(path, _READING)
        except OSError:
            return None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return None
            identity = identity_bytes(status)
            row = self._find(identity)
            if row is not None:
                return row[_DAY:], status.st_ctime_ns
            began = time.time_ns()
            value = self._read(descriptor, identity, status.st_size)
            if value is None or identity_bytes(os.fstat(descriptor)) != identity:
                return None
            if _clocks.settled(status, began):
                self._keep(identity, value)
            return value, status.st_ctime_ns
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def _find(self, identity: bytes) -> bytes | None:
        key = key_of(identity, BLAKE3)
        return self._known.get(key) or self._table.find(key)

    def _keep(self, identity: bytes, value: bytes) -> None:
        self.keep([(key_of(identity, BLAKE3), value)])

    def _read(self, descriptor: int, identity: bytes, size: int) -> bytes | None:
        if size <= SMALL:
            data = os.read(descriptor, size + 1)
            return bytes(self._hash(data).digest()) if len(data) == size else None
        state, done = self._half.pop(identity, (None, 0))
        state = state or self._hash()
        os.lseek(descriptor, done, os.SEEK_SET)
        buffer = bytearray(CHUNK)
        view = memoryview(buffer)
        gentle = threading.current_thread() is self._gentle
        while True:
            length = os.readv(descriptor, [buffer])
            if not length:
                return bytes(state.digest())
            state.update(view[:length])
            done += length
            if gentle and self._ended.is_set():
                self._half[identity] = state, done
                raise _GaveUp

    def _tree(self, body: bytes) -> bytes:
        number, folder, *left_out = body.split(b"\0")
        try:
            found = treecache.tree(
                os.fsdecode(folder),
                BLAKE3,
                self,
                frozenset(os.fsdecode(one) for one in left_out if one),
            )
        except (OSError, _GaveUp):
            return number
        value = found.digests[BLAKE3 + digest.TREE]
        return b"%s %d %d %s" % (number, found.files, found.size, value.encode())

    # --- what `treecache.tree` asks for --------------------------------------------------------

    def known(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the digests that are known of the files that come next; these count as done."""
        self._tell(b"P", b"%d" % len(keys))
        self.did(0, 0)
        return self.find(keys)

    def find(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the digests that are known."""
        fresh, find = self._known, self._table.find
        rows = [fresh.get(key) or find(key) for key in keys]
        return [None if row is None else row[_DAY:] for row in rows]

    def keep(self, found: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep digests under their keys."""
        day = int(time.time() // 86_400).to_bytes(_DAY, "big")
        self._known.update([(key, day + value) for key, value in found])
        if len(self._known) >= KEPT:
            self._save(b"")

    def take(self, entry: os.DirEntry[str]) -> bytes:
        """Return the digest of one file. Raises OSError."""
        found = self._digest(entry.path)
        if found is None:
            raise OSError("%s cannot be digested" % entry.path)
        return found[0]

    def did(self, _files: int, _size: int) -> None:
        """Look whether it shall be given up. Raises `_GaveUp`."""
        self._look(0)
        if any(kind == b"X" for kind, _ in self._requests):
            raise _GaveUp

    def _save(self, rows: bytes) -> bool:
        with self._saving:
            fresh = dict(self._known)
            for start in range(0, len(rows), ROW):
                fresh[rows[start : start + KEY]] = rows[start + KEY : start + ROW]
            if fresh and not replace(self._cache, fresh):
                return False
            self._table = Table.read(self._cache)
            self._known.clear()
            return True


def main(words: list[str]) -> None:
    """Serve with the cache ``words[0]`` and the marker ``words[1]``."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    Worker(words[0], int(words[1])).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
