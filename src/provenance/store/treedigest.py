"""The digest of a folder with many files: looked up, and read by whatever is fastest.

Over a network, or from a disk that turns, opening a small file is mostly waiting, and threads wait
side by side. On a fast disk it is calls of the system and steps of the interpreter, which only
other processes do side by side. So the first files are read by the one thread that counts them, and
it is measured how much of the time was waiting. The order in which files count, and so the digest,
is that of `core.digest.tree_digest`; only a window of files is held at a time.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence, Set
from typing import TYPE_CHECKING, Protocol

from provenance.core import digest
from provenance.core.digest import TREE, Row, Tree
from provenance.store import _clocks, _readdigest, _smallfiles
from provenance.store._digesttable import key_of
from provenance.store.treestamp import Portion, Stamper, portions

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

WAITING, SLEEPS = 3.0, 0.5
"""Threads are used from this ratio of wall to CPU time on, if the reader also went to sleep so
often per file. A machine busy with other work is slow as well, but that takes the processor away
from a reader that does not sleep, and threads do not help against it."""

MEASURED = 32
"""Files read at once at least, so that how long it took says something."""

WINDOW = 32
"""Portions walked ahead of the one that counts next."""

THREADS = 16
"""Threads at most: what hides the delay of a network without troubling its server."""

SOME = 1500
"""Files read before other processes are started, which costs as much as reading these."""

PROCESSES = 3
"""Other processes at most: with three, walking, looking up and counting is what takes longest."""


class Source(Protocol):
    """What knows digests, keeps them, and takes those that need care."""

    def find(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the digests that are known under these keys, see `_digesttable.key_of`."""

    def known(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Do the same for the files that come next: those found are done."""

    def keep(self, found: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep digests under their keys, of files that cannot change any more and look the same."""

    def take(self, entry: os.DirEntry[str]) -> bytes:
        """Return the digest of one file, whatever it takes. Raises OSError, TimeoutError."""

    def did(self, files: int, size: int) -> None:
        """Learn that so much was read. Raises TimeoutError to stop."""


def tree(
    folder: str,
    algorithm: str,
    source: Source,
    leave_out: Set[str] = frozenset(),
    stamper: Stamper | None = None,
) -> Tree:
    """Return the digest of all files below ``folder``, see `digest.tree_digest`.

    stamper: given each portion on the way. Raises OSError, and TimeoutError where ``source`` does.
    """
    files = size = 0

    def rows() -> Iterator[Row]:
        nonlocal files, size
        for one, values in reading.all():
            files += len(one.names)
            size += sum(one.sizes) + len(one.targets)  # a link counts -1 there
            if not one.targets:
                texts = [value.hex() for value in values]
                yield from zip(one.names, one.sizes, texts, strict=True)
                continue
            for place, value in enumerate(values):
                text = one.targets[place] if place in one.targets else value.hex()
                yield one.names[place], one.sizes[place], text

    reading = _Reading(portions(folder, leave_out), algorithm, source, stamper)
    try:
        value = digest.rows_digest(rows(), algorithm)
    finally:
        reading.close()
    return Tree({algorithm + TREE: value}, files, size)


class _Work:
    """A portion and what is known of it.

    values: per file the digest, None where it is not known. places: of the files that may be read
    in one piece, without waiting. coming: where somebody else reads them.
    """

    def __init__(self, one: Portion, algorithm: str, source: Source) -> None:
        self.one = one
        self.keys = [key_of(identity, algorithm) for identity in one.identities]
        self.values = source.known(self.keys)
        self.coming: _smallfiles.Coming | Future[list[bytes]] | None = None
        self.places: list[int] = []
        now_ns = time.time_ns()
        self.keep_before = _clocks.settled_before(now_ns, one.devices)
        if None in self.values:
            self.places = [
                place
                for place, size in enumerate(one.sizes)
                if 0 <= size <= _readdigest.SMALL
                and self.values[place] is None
                and _clocks.still(one.changes[place], now_ns)
            ]

    def request(self) -> _smallfiles.Request:
        """Return what is to be read."""
        entries, identities = self.one.entries, self.one.identities
        return _smallfiles.Request(
            [entries[place].path for place in self.places],
            [identities[place] for place in self.places],
        )


class _Reading:
    def __init__(
        self, parts: Iterator[Portion], algorithm: str, source: Source, stamper: Stamper | None
    ) -> None:
        self._parts, self._algorithm, self._source = parts, algorithm, source
        self._stamper = stamper
        self._hashed = _smallfiles.constructor(algorithm)
        self._pool: ThreadPoolExecutor | None = None
        self._helpers: _smallfiles.Helpers | None = None
        self._waits = False
        self._read = 0

    def all(self) -> Iterator[tuple[Portion, list[bytes]]]:
        """Yield the portions with the digests of their files, empty for links."""
        window: deque[_Work] = deque()
        for one in self._parts:
            if self._stamper is not None:
                self._stamper.add(one)
            work = _Work(one, self._algorithm, self._source)
            if work.places:
                self._begin(work)
            window.append(work)
            if len(window) > (WINDOW if self._pool or self._helpers else 0):
                yield self._ended(window.popleft())
        while window:
            yield self._ended(window.popleft())

    def close(self) -> None:
        """End threads and processes."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        if self._helpers is not None:
            self._helpers.close()

    def _begin(self, work: _Work) -> None:
        """Let somebody read what is not known of ``work``, or do it here."""
        request = work.request()
        if self._waits:
            work.coming = self._threads().submit(_smallfiles.read, request, self._hashed)
            return
        if self._helpers is None and self._read >= SOME:
            many = min(PROCESSES, _readdigest.cores() - 1)
            self._helpers = _smallfiles.Helpers(self._algorithm, many)
        if self._helpers is not None and self._helpers.free():
            work.coming = self._helpers.give(request)
            return
        before = _measured()
        found = _smallfiles.read(request, self._hashed)
        wall, cpu, slept = (now - then for now, then in zip(_measured(), before, strict=True))
        if (many := len(request.paths)) >= MEASURED:
            asleep = slept >= SLEEPS * many or sys.platform != "linux"
            self._waits = asleep and wall > WAITING * cpu
        self._take_in(work, found)

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor  # takes 15 ms

            self._pool = ThreadPoolExecutor(THREADS)
        return self._pool

    def _take_in(self, work: _Work, found: Sequence[bytes]) -> None:
        one, size = work.one, 0
        kept: list[tuple[bytes, bytes]] = []
        for place, value in zip(work.places, found, strict=True):
            if value:
                work.values[place] = value
                size += one.sizes[place]
                if one.changes[place] < work.keep_before:
                    kept.append((work.keys[place], value))
        self._source.keep(kept)
        self._read += len(work.places)
        self._source.did(len(work.places) - list(found).count(b""), size)

    def _ended(self, work: _Work) -> tuple[Portion, list[bytes]]:
        """Return a portion with its digests, waiting for them where somebody takes them."""
        coming = work.coming
        if isinstance(coming, _smallfiles.Coming):
            while not coming.ready():
                self._source.did(0, 0)
            self._take_in(work, coming.found or [])
        elif coming is not None:
            self._take_in(work, coming.result())
        one, values = work.one, []
        for place, value in enumerate(work.values):
            if value is not None:
                values.append(value)
            elif place in one.targets:
                values.append(b"")
            else:
                values.append(self._source.take(one.entries[place]))
        return one, values


def _measured() -> tuple[float, float, float]:
    """Return wall and CPU time of this thread, and how often it has gone to sleep."""
    slept = 0
    if sys.platform == "linux":
        import resource

        slept = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
    return time.perf_counter(), time.thread_time(), slept
