"""Text files read line by line, packed by gzip or not, whatever their encoding."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from provenance.readers._bytes import Store, inflated
from provenance.readers.model import Unreadable

MOST_UNPACKED = 16 << 30
LONGEST_LINE = 16 << 20
"""Characters."""


class _Unpacked(io.RawIOBase):
    """The bytes of a file, unpacked where it is packed by gzip."""

    def __init__(self, store: Store) -> None:
        span = store.all()
        packed = store.read(0, 2) == b"\x1f\x8b"
        self._made = inflated(span, zlib.MAX_WBITS + 32) if packed else span.pieces()
        self._rest = memoryview(b"")
        self._left = MOST_UNPACKED if packed else store.size + 1

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        if not self._rest:
            self._rest = memoryview(next(self._made, b""))
            self._left -= len(self._rest)
            if self._left < 0:
                raise Unreadable("unpacks to more than %d GiB" % (MOST_UNPACKED >> 30))
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


@contextmanager
def text(store: Store) -> Iterator[io.TextIOWrapper]:
    """Give the text of a file; bytes that are not of its encoding stand as escapes."""
    raw = io.BufferedReader(_Unpacked(store), 1 << 18)
    begin = raw.peek(2)[:2]
    encoding = "utf-16" if begin in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    stream = io.TextIOWrapper(raw, encoding, errors="backslashreplace", newline="")
    try:
        yield stream
    except (gzip.BadGzipFile, EOFError, UnicodeError):
        raise Unreadable("cannot be read as text") from None


def lines(stream: io.TextIOWrapper) -> Iterator[str]:
    """Yield the lines with their ends; raises `Unreadable` where one is too long."""
    while line := stream.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise Unreadable("has a line of more than %d MiB" % (LONGEST_LINE >> 20))
        yield line
