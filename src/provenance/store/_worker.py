"""Digests files beside a run, in a process of its own and of low priority.

Started by `store.ahead` with the path of the cache and the time before which the run began. Frames
go both ways: four bytes of length, one letter, the rest. Requests:

``A``  paths, NUL between: digest these when there is time; no answer
``F``  a folder: digest the files right in it when there is time; no answer
``T``  number, folder, relative paths to leave out, NUL between: the digest of all files below
``D``  a path: its identity and digest if known or being taken; else empty
``R``  a path: the digest that it had when it was asked for first, if it was as before the run
``S``  rows: write these and all that is new into the cache
``X``  give up the folder being digested

It reads and never maps: a file may be truncated under it. It ends when its stdin does.
"""

from __future__ import annotations

import os
import select
import signal
import stat
import struct
import sys
import time
from collections import deque
from collections.abc import Callable

from provenance.core import digest
from provenance.core.digest import BLAKE3
from provenance.store._digesttable import KEY, Table, identity_bytes, key_of, replace

NICENESS = 10
SMALL, CHUNK = 1 << 20, 1 << 22
KEPT = 100_000
"""Digests held in memory before they are written to the cache: about 30 MB."""
FIRST = 50_000
"""Paths of which it is remembered what they held when they were first asked for."""
RACY_NS = 2_000_000_000
_TURNS = 64
"""Small files between two looks at what is asked for."""
_READING = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


class _GaveUp(Exception):
    pass


class Worker:
    """Serves requests from the descriptor ``source`` on ``sink``."""

    def __init__(self, cache: str, marker_ns: int, source: int = 0, sink: int = 1) -> None:
        from blake3 import blake3

        self._hash: Callable[..., object] = blake3
        self._cache, self._marker_ns = cache, marker_ns
        self._source, self._sink = source, sink
        self._table = Table.read(cache)
        self._known: dict[bytes, bytes] = {}
        self._first: dict[bytes, bytes] = {}
        self._todo: deque[tuple[bytes, bytes]] = deque()
        self._trees: deque[bytes] = deque()
        self._buffer = b""
        self._at = b""
        self._asked: set[bytes] = set()
        self._busy = self._give_up = False
        self._left = _TURNS

    def serve(self) -> None:
        """Work until stdin ends."""
        while True:
            self._look(wait=not self._todo and not self._trees)
            self._serve_trees()
            for _ in range(min(_TURNS, len(self._todo))):
                kind, path = self._todo.popleft()
                if kind == b"A":
                    self._ahead(path)
                else:
                    self._folder(path)

    # --- what is asked for ---------------------------------------------------------------------

    def _look(self, wait: bool = False) -> None:
        """Take in what has been asked for, and answer what can be answered at once."""
        while select.select([self._source], [], [], None if wait else 0)[0]:
            data = os.read(self._source, 1 << 18)
            if not data:
                os._exit(0)
            self._buffer += data
            wait = not self._take()

    def _take(self) -> bool:
        """Take the complete frames from the buffer; return whether there was one."""
        start, end = 0, len(self._buffer)
        while end - start >= 5:
            length = int.from_bytes(self._buffer[start : start + 4], "little")
            if end - start < 4 + length:
                break
            kind = self._buffer[start + 4 : start + 5]
            self._request(kind, self._buffer[start + 5 : start + 4 + length])
            start += 4 + length
        self._buffer = self._buffer[start:]
        return start > 0

    def _request(self, kind: bytes, body: bytes) -> None:
        if kind == b"A":
            self._todo.extend((kind, path) for path in body.split(b"\0"))
        elif kind == b"F":
            self._todo.append((kind, body))
        elif kind == b"T":
            self._trees.append(body)
        elif kind == b"D":
            if body == self._at:
                self._asked.add(body)
            else:
                self._tell_digest(body)
        elif kind == b"R":
            self._answer(kind, self._first.get(body, b""))
        elif kind == b"S":
            self._answer(kind, b"1" if self._save(body) else b"")
        elif kind == b"X":
            self._trees.clear()
            self._give_up = self._busy

    def _answer(self, kind: bytes, body: bytes) -> None:
        view = memoryview(struct.pack("<I", len(body) + 1) + kind + body)
        try:
            while view:
                view = view[os.write(self._sink, view) :]
        except OSError:
            os._exit(0)

    def _tell_digest(self, path: bytes) -> None:
        try:
            identity = identity_bytes(os.stat(path))
        except OSError:
            identity = b""
        row = self._known.get(identity)
        self._answer(b"D", identity + row[KEY + 4 :] if row else b"")

    # --- digesting -----------------------------------------------------------------------------

    def _ahead(self, path: bytes) -> None:
        found = self._digest(path)
        if found is not None and found[1] < self._marker_ns and len(self._first) < FIRST:
            self._first.setdefault(path, found[0])

    def _folder(self, folder: bytes) -> None:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_file(follow_symlinks=False):
                        self._digest(entry.path)
                        self._breathe()
        except OSError:
            return

    def _breathe(self) -> None:
        self._left -= 1
        if not self._left:
            self._left = _TURNS
            self._look()
            self._serve_trees()

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
                return row[KEY + 4 :], status.st_ctime_ns
            began = time.time_ns()
            value = self._read(descriptor, path, status.st_size)
            if value is None or identity_bytes(os.fstat(descriptor)) != identity:
                return None
            if max(status.st_mtime_ns, status.st_ctime_ns) < began - RACY_NS:
                self._keep(identity, value)
            return value, status.st_ctime_ns
        except OSError:
            return None
        finally:
            os.close(descriptor)
            if self._asked:
                self._tell_asked(os.fsencode(path))

    def _tell_asked(self, path: bytes) -> None:
        """Answer who asked for a file while it was being read."""
        if path in self._asked:
            self._asked.discard(path)
            self._tell_digest(path)

    def _find(self, identity: bytes) -> bytes | None:
        row = self._known.get(identity)
        if row is None and self._table.length:
            key = key_of(identity, BLAKE3)
            value = self._table.find(key)
            row = None if value is None else key + value
        return row

    def _keep(self, identity: bytes, value: bytes) -> None:
        day = int(time.time() // 86_400).to_bytes(4, "big")
        self._known[identity] = key_of(identity, BLAKE3) + day + value
        if len(self._known) >= KEPT:
            self._save(b"")

    def _read(self, descriptor: int, path: bytes | str, size: int) -> bytes | None:
        if size <= SMALL:
            data = os.read(descriptor, size + 1)
            if len(data) != size:
                return None
            return self._hash(data).digest()  # type: ignore[attr-defined, no-any-return]  # untyped
        before, self._at = self._at, os.fsencode(path)
        try:
            return self._read_long(descriptor)
        finally:
            self._at = before

    def _read_long(self, descriptor: int) -> bytes:
        state = self._hash()
        buffer = bytearray(CHUNK)
        view = memoryview(buffer)
        while True:
            length = os.readv(descriptor, [buffer])
            if not length:
                return state.digest()  # type: ignore[attr-defined, no-any-return]  # untyped
            state.update(view[:length])  # type: ignore[attr-defined]  # untyped
            self._look()
            self._serve_trees()

    def _serve_trees(self) -> None:
        while self._trees and not self._busy:
            body = self._trees.popleft()
            self._busy, self._give_up = True, False
            try:
                self._answer(b"T", self._tree(body))
            finally:
                self._busy = self._give_up = False

    def _tree(self, body: bytes) -> bytes:
        number, folder, *left_out = body.split(b"\0")
        try:
            found = digest.tree_digest(
                os.fsdecode(folder),
                BLAKE3,
                self._of_entry,
                frozenset(os.fsdecode(one) for one in left_out if one),
            )
        except (OSError, _GaveUp):
            return number
        value = found.digests[BLAKE3 + digest.TREE]
        return b"%s %d %d %s" % (number, found.files, found.size, value.encode())

    def _of_entry(self, entry: os.DirEntry[str]) -> digest.Digests:
        self._left -= 1
        if not self._left:
            self._left = _TURNS
            self._look()
            if self._give_up:
                raise _GaveUp
        row = self._find(identity_bytes(entry.stat(follow_symlinks=False)))
        if row is not None:
            return {BLAKE3: row[KEY + 4 :].hex()}
        found = self._digest(entry.path)
        if found is None:
            raise OSError("%s cannot be digested" % entry.path)
        return {BLAKE3: found[0].hex()}

    def _save(self, rows: bytes) -> bool:
        fresh = {row[:KEY]: row[KEY:] for row in self._known.values()}
        for start in range(0, len(rows), KEY + 36):
            fresh[rows[start : start + KEY]] = rows[start + KEY : start + KEY + 36]
        if fresh and not replace(self._cache, fresh):
            return False
        self._known.clear()
        self._table = Table.read(self._cache)
        return True


def main(words: list[str]) -> None:
    """Serve with the cache ``words[0]`` and the marker ``words[1]``."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    try:
        os.nice(NICENESS)
    except OSError:
        pass
    Worker(words[0], int(words[1])).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
