"""The file of the digest cache: fixed-length rows sorted by key, behind a header with a checksum.

Header: `MAGIC`, then the 32-byte BLAKE2b digest of everything after the header. Row: 16 bytes of
key (a hash of what a file is known by, and of the algorithm's name), 4 bytes of the day it was
taken (since 1970), 32 bytes of digest.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Sequence
from hashlib import blake2b

MAGIC = b"prov digests 1\r\n"
HEADER = len(MAGIC) + 32
KEY, ROW = 16, 52


class Table:
    """Sorted rows that can be searched, as they lie in a file."""

    def __init__(self, source: mmap.mmap | bytes = b"") -> None:
        self._source = source
        self.length = max(0, len(source) - HEADER) // ROW

    @classmethod
    def read(cls, path: str) -> Table:
        """Return the table in the file at ``path``; an empty one if that is missing or damaged."""
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        except OSError:
            return cls()
        try:
            size = os.fstat(descriptor).st_size
            if size <= HEADER or (size - HEADER) % ROW:
                return cls()
            mapped = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
        except (OSError, ValueError):
            return cls()
        finally:
            os.close(descriptor)
        table = cls(mapped)
        sound = mapped[:HEADER] == MAGIC + checksum([table.rows(0, table.length)])
        return table if sound else cls()

    def rows(self, first: int, last: int) -> memoryview:
        """Return the bytes of the rows from ``first`` up to ``last``, not copied."""
        return memoryview(self._source)[HEADER + first * ROW : HEADER + last * ROW]

    def place(self, key: bytes) -> int:
        """Return the index of the first row whose key is not below ``key``.

        Keys are hashes, evenly spread: the search starts where the key's value says it should be.
        """
        count = self.length
        source = self._source
        expected = int.from_bytes(key[:4], "big") * count >> 32
        reach = 2 * int(count**0.5) + 1
        low, high = max(0, expected - reach), min(count, expected + reach)
        if low and self._key(low - 1) >= key:
            low = 0
        if high < count and self._key(high) < key:
            high = count
        while low < high:
            middle = (low + high) >> 1
            start = HEADER + middle * ROW
            if source[start : start + KEY] < key:
                low = middle + 1
            else:
                high = middle
        return low

    def find(self, key: bytes) -> bytes | None:
        """Return the day and digest stored under ``key``, None where there is none."""
        if not self.length:
            return None
        place = self.place(key)
        start = HEADER + place * ROW
        if place == self.length or self._source[start : start + KEY] != key:
            return None
        return self._source[start + KEY : start + ROW]

    def _key(self, place: int) -> bytes:
        start = HEADER + place * ROW
        return self._source[start : start + KEY]


def checksum(parts: Sequence[bytes | memoryview]) -> bytes:
    """Return the checksum of ``parts`` one after the other."""
    state = blake2b(digest_size=32)
    for part in parts:
        state.update(part)
    return state.digest()


def merged(table: Table, fresh: dict[bytes, bytes], limit: int) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a file that holds ``table`` and ``fresh``, at most ``limit`` rows."""
    parts: list[bytes | memoryview] = []
    position = 0
    for key in sorted(fresh):
        place = table.place(key)
        parts.append(table.rows(position, place))
        parts.append(key + fresh[key])
        position = place + (table.find(key) is not None)
    parts.append(table.rows(position, table.length))
    if sum(len(part) for part in parts) > limit * ROW:
        parts = [_newest(b"".join(parts), limit)]
    yield MAGIC + checksum(parts)
    yield from parts


def _newest(rows: bytes, limit: int) -> bytes:
    """Return the ``limit`` rows that were taken last, still sorted by key."""
    starts = range(0, len(rows), ROW)
    by_day = sorted(starts, key=lambda start: rows[start + KEY : start + KEY + 4], reverse=True)
    return b"".join(rows[start : start + ROW] for start in sorted(by_day[:limit]))
