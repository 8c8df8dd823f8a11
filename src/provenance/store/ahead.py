"""A process of low priority that digests what a run reads, while the run goes on.

It is asked without waiting; only at the end of the run is it waited for, up to a time limit.
Whatever happens to it, the caller digests for itself what it does not get.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterable

from provenance.core import digest
from provenance.core.digest import BLAKE3, TREE, Digests, Tree

_CODE = "import sys; sys.path[:0] = sys.argv[3:]; from provenance.store import _worker; "
_CODE += "_worker.main(sys.argv[1:3])"

_PATIENCE_S = 10.0
"""How long an answer that takes no work is waited for."""


class Ahead:
    """The process. cache: of digests. marker_ns: change time before which the run began.

    files_done: how many files of folders it has gone through since the run has ended.
    Safe to use from several threads.
    """

    def __init__(self, cache: str, marker_ns: int) -> None:
        self._cache, self._marker_ns = cache, marker_ns
        self._process: subprocess.Popen[bytes] | None = None
        self._failed = digest.best_algorithm() != BLAKE3 or not hasattr(os, "readv")
        self._out = bytearray()
        self._in = b""
        self._trees: dict[bytes, int] = {}
        self._found: dict[int, Tree | None] = {}
        self._lock = threading.RLock()
        self.files_done = 0

    # --- without waiting -----------------------------------------------------------------------

    def files(self, paths: Iterable[str]) -> None:
        """Ask for the digests of ``paths``."""
        body = b"\0".join(os.fsencode(path) for path in paths)
        if body:
            self._ask(b"A", body)

    def folder(self, path: str) -> None:
        """Ask for the digests of all files right in a folder."""
        self._ask(b"F", os.fsencode(path))

    def expect(self, folder: str, left_out: Iterable[str] = ()) -> int:
        """Ask for the digest of a folder; return the number under which it is asked for."""
        body = b"\0".join(os.fsencode(one) for one in (folder, *left_out))
        with self._lock:
            number = self._trees.get(body)
            if number is None:
                number = self._trees[body] = len(self._trees) + 1
                self._ask(b"T", b"%d\0%s" % (number, body))
        return number

    def flush(self) -> None:
        """Hand on what the process has not taken yet. Cheap where there is nothing."""
        with self._lock:
            while self._out and self._process is not None:
                assert self._process.stdin is not None
                try:
                    count = os.write(self._process.stdin.fileno(), self._out[: 1 << 16])
                except BlockingIOError:
                    return
                except OSError:
                    self._fail()
                    return
                del self._out[:count]

    # --- waiting -------------------------------------------------------------------------------

    def tree(
        self, folder: str, left_out: Iterable[str] = (), deadline: float | None = None
    ) -> Tree | None:
        """Return the digest of a folder; None where it cannot be had from here.

        deadline: monotonic time. Raises TimeoutError.
        """
        with self._lock:
            number = self.expect(folder, left_out)
            while number not in self._found:
                if self._failed or not self._receive(b"T", deadline):
                    break
            return self._found.get(number)

    def digest(self, path: str, identity: bytes, deadline: float | None = None) -> str | None:
        """Return the digest of a file if it is known here or just being taken."""
        answer = self._asked(b"D", os.fsencode(path), deadline)
        if answer and answer[: len(identity)] == identity:
            return answer[len(identity) :].hex()
        return None

    def as_read(self, path: str) -> Digests:
        """Return the digest that a file had when it was asked for first; empty where unknown."""
        answer = self._asked(b"R", os.fsencode(path), time.monotonic() + _PATIENCE_S)
        return {BLAKE3: answer.hex()} if answer else {}

    def begin_save(self, rows: bytes) -> None:
        """Let what is new, and ``rows``, be written into the cache."""
        self._ask(b"X", b"")
        self._ask(b"S", rows)

    def saved(self) -> bool:
        """Return whether what `begin_save` asked for has been done."""
        with self._lock:
            try:
                return self._receive(b"S", time.monotonic() + _PATIENCE_S) == b"1"
            except TimeoutError:
                self._fail()
                return False

    def close(self) -> None:
        """End the process."""
        with self._lock:
            process, self._process, self._failed = self._process, None, True
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    try:
                        stream.close()
                    except OSError:
                        pass

    # --- frames --------------------------------------------------------------------------------

    def _start(self) -> None:
        import blake3

        here = __file__
        for _ in range(3):
            here = os.path.dirname(here)
        library = os.path.dirname(os.path.dirname(blake3.__file__))
        words = [sys.executable, "-I", "-S", "-c", _CODE, self._cache, str(self._marker_ns)]
        self._process = subprocess.Popen(
            [*words, here, library],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
        )
        assert self._process.stdin is not None
        os.set_blocking(self._process.stdin.fileno(), False)

    def _ask(self, kind: bytes, body: bytes) -> None:
        with self._lock:
            if self._failed:
                return
            if self._process is None:
                try:
                    self._start()
                except (OSError, ValueError):
                    self._fail()
                    return
            self._out += (len(body) + 1).to_bytes(4, "little") + kind + body
            self.flush()

    def _asked(self, kind: bytes, body: bytes, deadline: float | None) -> bytes | None:
        with self._lock:
            if self._process is None:
                return None
            self._ask(kind, body)
            try:
                return self._receive(kind, deadline)
            except TimeoutError:
                if deadline is not None and kind != b"D":
                    self._fail()  # an answer that comes late must not be taken for the next one
                    return None
                raise

    def _receive(self, wanted: bytes, deadline: float | None) -> bytes | None:
        """Wait for an answer of the kind ``wanted``; None where the process is gone."""
        while self._process is not None:
            while len(self._in) >= 5:
                end = 4 + int.from_bytes(self._in[:4], "little")
                if len(self._in) < end:
                    break
                kind, body, self._in = self._in[4:5], self._in[5:end], self._in[end:]
                if kind == b"T":
                    self._take_tree(body)
                elif kind == b"P":
                    self.files_done += int(body)
                if kind == wanted:
                    return body
            self._wait(deadline)
        return None

    def _wait(self, deadline: float | None) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        source, sink = self._process.stdout.fileno(), self._process.stdin.fileno()
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError("the time for digesting was over")
        readable, _, _ = select.select([source], [sink] if self._out else [], [], left)
        self.flush()
        if readable:
            data = os.read(source, 1 << 16)
            if not data:
                self._fail()
            self._in += data

    def _take_tree(self, body: bytes) -> None:
        words = body.split()
        number = int(words[0])
        self._found[number] = None
        if len(words) == 4:
            value = words[3].decode("ascii")
            self._found[number] = Tree({BLAKE3 + TREE: value}, int(words[1]), int(words[2]))

    def _fail(self) -> None:
        self._failed = True
        self._out.clear()
        self.close()
