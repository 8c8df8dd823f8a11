"""What runs in the process apart: limits first, then questions are answered until they end."""

from __future__ import annotations

import io
import json
import os
import resource
import sys
from collections.abc import Callable
from typing import Any

from provenance.readers.apart import HEAD
from provenance.readers.model import Unreadable

MOST_MEMORY = 2 << 30
"""Bytes that the process may ask for; real files take some hundred megabytes at most."""

MOST_SECONDS = 3600
"""Of processor time, after which the system ends a process that nobody waits for any more."""

Answer = Callable[[dict[str, Any]], tuple[Any, Any]]


class Part(io.RawIOBase):
    """Some bytes of an open file, read as if they were a file."""

    def __init__(self, fd: int, start: int, size: int) -> None:
        self.fd, self.start, self.size = fd, start, size
        self.whole = start == 0 and size == os.fstat(fd).st_size
        self._place = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place and return it."""
        self._place = max(0, offset + (0, self._place, self.size)[whence])
        return self._place

    def tell(self) -> int:
        """Return the place."""
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` as far as there is something, and return how far."""
        view = memoryview(buffer).cast("B")
        view = view[: max(0, self.size - self._place)]
        count = os.preadv(self.fd, [view], self.start + self._place) if len(view) else 0
        self._place += count
        return count


def limit() -> int:
    """Limit this process, and return where its answers go: what libraries print goes nowhere."""
    out = os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    for what, most in (
        (resource.RLIMIT_DATA, MOST_MEMORY),
        (resource.RLIMIT_CPU, MOST_SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(what, (most, most))
        except (OSError, ValueError):
            pass
    return out


def serve(library: str, start: Callable[[Part], Answer]) -> None:
    """Answer questions about the open file that the command line names, or the part of it."""
    out = limit()
    answer: Answer | None = None
    for line in sys.stdin.buffer:
        failed, data = 0, b""
        said: Any
        try:
            if answer is None:
                answer = start(Part(*map(int, sys.argv[3:6])))
            said, data = answer(json.loads(line))
        except Unreadable as reason:
            failed, said = 1, str(reason)
        except MemoryError:
            failed, said = 1, "is not readable as %s: it asks for too much memory" % library
        except Exception as error:  # noqa: BLE001 - whatever a library thinks of a foreign file
            text = str(error).split("\n", 1)[0][:200]
            failed, said = 1, "is not readable as %s: %s" % (library, text)
        _put(out, failed, json.dumps(said).encode(), data)


def _put(out: int, failed: int, text: bytes, data: Any) -> None:
    view = memoryview(data).cast("B") if len(data) else memoryview(b"")
    for part in (memoryview(HEAD.pack(failed, len(text), len(view)) + text), view):
        done = 0
        while done < len(part):
            done += os.write(out, part[done:])
