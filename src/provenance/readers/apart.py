"""Files that only a C library can read, read in a process of its own.

libhdf5 and Arrow may crash on a malformed file, run for ever or ask for all memory. There they take
nothing with them: a crash, a hang or too much memory becomes one sentence. The process is asked one
thing at a time: a line of JSON goes in, and a head, a text in JSON and bytes come back.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import struct
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from typing import Any

from provenance.readers._bytes import Data, Span
from provenance.readers.model import Unreadable

HEAD = struct.Struct("<BQQ")
"""Of an answer: 0 for good or 1 for a reason; bytes of JSON; bytes of data."""

PATIENCE_S = 60.0
"""Seconds without a byte of the answer to one question, after which it is given up."""

AT_ONCE = 1 << 22
"""Bytes that are asked for at once, at least: a question costs some ten microseconds."""

MOST_JSON = 256 << 20


_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1])\n"
    "import importlib; importlib.import_module('provenance.readers.' + sys.argv[2]).main()"
)


def _path() -> list[str]:
    """Return where modules are sought, but for the folder we stand in: its files are foreign."""
    here = os.path.abspath(os.curdir)
    return [one for one in sys.path if one and os.path.abspath(one) != here]


class Apart:
    """A process that has one file open, or a part of one. library: its name for people, "HDF5"."""

    def __init__(self, part: Span, module: str, library: str) -> None:
        self.library = library
        self._part, store = part, part.store
        environ = dict(os.environ, HDF5_USE_FILE_LOCKING="FALSE", HDF5_PLUGIN_PRELOAD="::")
        environ.update(OMP_NUM_THREADS="1", PYTHONFAULTHANDLER="0")
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-c", _START, json.dumps(_path()), module, *_said(part)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(store.fd,),
            env=environ,
            bufsize=0,
        )
        assert self._child.stdout is not None
        self._out = self._child.stdout.fileno()
        _widen(self._out)
        self.close = weakref.finalize(self, _end, self._child)

    def ask(self, what: dict[str, Any], into: memoryview | None = None) -> tuple[Any, bytearray]:
        """Return the answer in JSON and the bytes that came with it, or filled ``into``."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(what).encode() + b"\n")
        except OSError:
            raise self._gone() from None
        head = bytearray(HEAD.size)
        self._fill(memoryview(head))
        failed, said, size = HEAD.unpack(head)
        if said > MOST_JSON:
            raise Unreadable("says too much of itself to be read as %s" % self.library)
        text = bytearray(said)
        self._fill(memoryview(text))
        answer = json.loads(text)
        if failed:
            raise Unreadable(answer)
        if into is None:
            into_own = bytearray(size)
            self._fill(memoryview(into_own))
            return answer, into_own
        if size != len(into):
            raise Unreadable("gives %d bytes where %d should be" % (size, len(into)))
        self._fill(into)
        return answer, bytearray()

    def _fill(self, view: memoryview) -> None:
        done = 0
        until = time.monotonic() + PATIENCE_S
        while done < len(view):
            ready, _, _ = select.select([self._out], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                self.close()
                text = "is not readable as %s: the library did not finish in %d s"
                raise Unreadable(text % (self.library, PATIENCE_S))
            count = os.readv(self._out, [view[done:]])
            if count == 0:
                raise self._gone()
            done += count
            until = time.monotonic() + PATIENCE_S

    def _gone(self) -> Unreadable:
        self.close()
        return Unreadable("is not readable as %s: the library crashed on it" % self.library)


def _said(part: Span) -> tuple[str, str, str]:
    return str(part.store.fd), str(part.start), str(part.size)


def _widen(pipe: int) -> None:
    """Let more than 64 KiB wait in the pipe, where the system allows that (Linux)."""
    try:
        fcntl.fcntl(pipe, 1031, 1 << 20)  # F_SETPIPE_SZ, which has a name since Python 3.10
    except OSError:
        pass


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:
                pass
    child.wait()


class Distant:
    """The elements of one array that a process gives. item: bytes of one element."""

    def __init__(self, apart: Apart, number: int, size: int, item: int) -> None:
        self._apart, self._number, self._item = apart, number, max(1, item)
        self._size = size

    @property
    def size(self) -> int:
        """Return how many bytes there are."""
        return self._size

    def reader(self, start: int = 0) -> Callable[[memoryview], None]:
        """Return what gives the bytes from ``start`` on; from an element on."""
        place, last = start // self._item, self._size // self._item
        waiting = memoryview(b"")

        def fill(view: memoryview) -> None:
            nonlocal place, waiting
            done = 0
            while done < len(view):
                if not waiting:
                    wanted = max(AT_ONCE, len(view) - done) // self._item
                    count = min(max(1, wanted), last - place)
                    if count < 1:
                        raise Unreadable("is cut short: an array ends early")
                    buffer = memoryview(bytearray(count * self._item))
                    ask = {"array": self._number, "start": place, "count": count}
                    self._apart.ask(ask, buffer)
                    waiting, place = buffer, place + count
                part = waiting[: len(view) - done]
                view[done : done + len(part)] = part
                waiting = waiting[len(part) :]
                done += len(part)

        return fill


_: type[Data] = Distant
