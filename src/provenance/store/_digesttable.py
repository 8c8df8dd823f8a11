"""The file of the digest cache: fixed-length rows sorted by key, behind a header with a checksum.

Header: `MAGIC`, then the 32-byte BLAKE2b digest of everything after the header. Row: 16 bytes of
key (a hash of what a file is known by, and of the algorithm's name), 4 bytes of the day it was
taken (since 1970), 32 bytes of digest.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from collections.abc import Iterator
from hashlib import blake2b

MAGIC = b"prov digests 2\r\n"
HEADER = len(MAGIC) + 32
KEY, ROW = 16, 52

LIMIT = 2_000_000
"""Digests kept, 52 bytes each; beyond it the ones taken longest ago go first."""

_BUCKETS = 256
_STEPS, _NEAR = 2, 16
"""How a key is looked for: so many guesses, then in so many rows on both sides of the last. Of a
million rows the guesses miss by 500, 22 and 5 rows or so."""

IDENTITY = 40
pack_identity = struct.Struct("<QQqqq").pack
"""Makes the bytes by which a file is known, see `identity_bytes`."""


def identity_bytes(status: os.stat_result) -> bytes:
    """Return what a file with this status is known by: device, inode, size and two times."""
    return pack_identity(
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )


def key_of(identity: bytes, algorithm: str) -> bytes:
    """Return the key of the digest of that algorithm of a file known by ``identity``."""
    return blake2b(identity + algorithm.encode("ascii"), digest_size=KEY).digest()


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
        state = blake2b(table.rows(0, table.length), digest_size=32)
        sound = mapped[:HEADER] == MAGIC + state.digest()
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
        count = self.length
        if not count:
            return None
        source, wanted = self._source, int.from_bytes(key[:8], "big")
        place = wanted * count >> 64
        for _ in range(_STEPS):  # keys are evenly spread: from one, how far it is to another shows
            start = HEADER + place * ROW
            there = int.from_bytes(source[start : start + 8], "big")
            place = min(max(place + ((wanted - there) * count >> 64), 0), count - 1)
        first, last = max(0, place - _NEAR), min(count, place + _NEAR)
        rows = source[HEADER + first * ROW : HEADER + last * ROW]
        found = rows.find(key)
        if found >= 0 and not found % ROW:
            return rows[found + KEY : found + ROW]
        if (not first or rows[:KEY] < key) and (last == count or self._key(last) > key):
            return None
        place = self.place(key)
        start = HEADER + place * ROW
        if place == count or source[start : start + KEY] != key:
            return None
        return source[start + KEY : start + ROW]

    def _key(self, place: int) -> bytes:
        start = HEADER + place * ROW
        return self._source[start : start + KEY]


def merged(table: Table, fresh: dict[bytes, bytes], limit: int) -> Iterator[bytes | memoryview]:
    """Yield the rows of ``table`` and ``fresh`` in order, at most ``limit`` of them."""
    count = table.length + len(fresh)
    if count > limit:
        count -= sum(table.find(key) is not None for key in fresh)
    if count > limit:
        yield from _newest(table, fresh, count - limit)
    else:
        yield from _joined(table, fresh)


def _joined(table: Table, fresh: dict[bytes, bytes]) -> Iterator[bytes | memoryview]:
    """Yield rows bucket by bucket, so that no more than one of many is unpacked at once."""
    buckets: dict[int, list[bytes]] = {}
    for key in fresh:
        buckets.setdefault(key[0], []).append(key)
    position = 0
    for first, keys in sorted(buckets.items()):
        start = table.place(bytes([first]).ljust(KEY, b"\0"))
        last = first == _BUCKETS - 1
        end = table.length if last else table.place(bytes([first + 1]).ljust(KEY, b"\0"))
        yield table.rows(position, start)
        position = end
        if len(keys) * 8 < end - start:
            yield from _spliced(table, start, end, {key: fresh[key] for key in sorted(keys)})
            continue
        rows = bytes(table.rows(start, end))
        here = {rows[at : at + KEY]: rows[at + KEY : at + ROW] for at in range(0, len(rows), ROW)}
        here.update((key, fresh[key]) for key in keys)
        yield b"".join([key + here[key] for key in sorted(here)])
    yield table.rows(position, table.length)


def _spliced(
    table: Table, start: int, end: int, fresh: dict[bytes, bytes]
) -> Iterator[bytes | memoryview]:
    """Yield the rows from ``start`` to ``end`` with the few of ``fresh``, which is sorted."""
    for key, value in fresh.items():
        place = table.place(key)
        yield table.rows(start, place)
        yield key + value
        start = place + (table.find(key) is not None)
    yield table.rows(start, end)


def _newest(table: Table, fresh: dict[bytes, bytes], many: int) -> Iterator[bytes]:
    """Yield the rows without the ``many`` that were taken longest ago."""
    days: dict[bytes, int] = {}
    for row in _each(table, fresh):
        day = row[KEY : KEY + 4]
        days[day] = days.get(day, 0) + 1
    drop: dict[bytes, int] = {}
    for day in sorted(days):
        drop[day] = min(many, days[day])
        many -= drop[day]
    for row in _each(table, fresh):
        day = row[KEY : KEY + 4]
        if drop[day]:
            drop[day] -= 1
        else:
            yield row


def _each(table: Table, fresh: dict[bytes, bytes]) -> Iterator[bytes]:
    """Yield the rows one by one."""
    for part in _joined(table, fresh):
        for start in range(0, len(part), ROW):
            yield bytes(part[start : start + ROW])


def replace(path: str, fresh: dict[bytes, bytes], limit: int = LIMIT) -> bool:
    """Write the table at ``path`` anew with ``fresh`` in it; return whether that worked.

    Not forced to the disk: a file that a crash left half written is taken for empty.
    """
    temporary = "%s.%d-%d.tmp" % (path, os.getpid(), threading.get_ident())
    try:
        with open(temporary, "wb") as stream:
            stream.write(bytes(HEADER))
            state = blake2b(digest_size=32)
            for part in merged(Table.read(path), fresh, limit):
                state.update(part)
                stream.write(part)
            stream.seek(0)
            stream.write(MAGIC + state.digest())
        os.replace(temporary, path)
    except OSError:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        return False
    return True
