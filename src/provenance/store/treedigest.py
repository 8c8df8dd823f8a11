"""The digest of a folder with many files: where reading waits, some threads do it ahead.

Over a network, or from a disk that turns, opening a small file is mostly waiting, and threads wait
side by side. On a fast disk one thread is as fast and costs less. So the first files are read by
the one thread that counts them, and it is measured how much of the time was waiting. Only what the
cache does not know is given to other threads. The order in which files count, and so the digest, is
that of `core.digest.tree_digest`; only a window of files is held at a time.
"""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from collections.abc import Callable, Iterator, Set
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from provenance.core import digest
from provenance.core.digest import Digests, Tree
from provenance.store import _readdigest
from provenance.store.treestamp import Stamper

BATCH = 64
"""Files given to a thread at once, and files between two looks at how much of it is waiting."""

WAITING = 3.0
"""From this ratio of wall to CPU time on threads are used: a busy machine gives 2, a server far
away 10 and more."""

WINDOW = 4096
"""Files walked ahead of the one that counts next."""

THREADS = 16
"""Threads at most: what hides the delay of a network without troubling its server."""

_Found = dict[str, "Digests | Exception"]
Known = Callable[["os.DirEntry[str]"], Digests | None]
Take = Callable[["os.DirEntry[str]"], Digests]


def tree(
    folder: str,
    algorithm: str,
    known: Known,
    take: Take,
    leave_out: Set[str] = frozenset(),
    stamper: Stamper | None = None,
) -> Tree:
    """Return the digest of all files below ``folder``, see `digest.tree_digest`.

    known: what the cache has of an entry, None where it has nothing. take: digests one; called from
    several threads at once. stamper: given each entry on the way. Raises OSError, and TimeoutError
    where ``take`` does.
    """
    with _Ahead(folder, leave_out, known, take, stamper) as ahead:
        return digest.tree_digest(folder, algorithm, ahead.of, leave_out, ahead.walk())


class _Ahead:
    def __init__(
        self, folder: str, leave_out: Set[str], known: Known, take: Take, stamper: Stamper | None
    ) -> None:
        self._folder, self._leave_out = folder, leave_out
        self._known, self._take, self._stamper = known, take, stamper
        self._found: dict[str, Digests | Future[_Found]] = {}
        self._batch: dict[str, os.DirEntry[str]] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._waits = False
        self._wall = self._cpu = 0.0
        self._read = 0

    def __enter__(self) -> _Ahead:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def walk(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Yield what `digest.walk` does, later: so that the digests of what comes are begun."""
        window: deque[tuple[str, os.DirEntry[str]]] = deque()
        for below, entry in digest.walk(self._folder):
            if below not in self._leave_out:
                if self._stamper is not None:
                    self._stamper.add(below, entry)
                self._begin(entry)
            window.append((below, entry))
            if len(window) > (WINDOW if self._waits else 0):
                yield window.popleft()
        if self._pool is not None and self._batch:
            self._send()
        yield from window

    def of(self, entry: os.DirEntry[str]) -> Digests:
        """Return the digests of ``entry``, waiting for them where they are being taken."""
        found = self._found.pop(entry.path, None)
        if isinstance(found, Future):
            batch = found.result()
            one = batch.pop(entry.path)
            if isinstance(one, Exception):
                raise one
            return one
        if found is not None:
            return found
        self._batch.pop(entry.path, None)  # its turn came before its batch was full
        return self._alone(entry)

    def _alone(self, entry: os.DirEntry[str]) -> Digests:
        """Digest a file with this thread, and measure how much of the time is waiting."""
        wall, cpu = time.perf_counter(), time.thread_time()
        found = self._take(entry)
        self._wall += time.perf_counter() - wall
        self._cpu += time.thread_time() - cpu
        self._read += 1
        if self._read == BATCH:
            self._waits = self._wall > WAITING * self._cpu
            self._wall, self._cpu, self._read = 0.0, 0.0, 0
        return found

    def _begin(self, entry: os.DirEntry[str]) -> None:
        if not self._waits:
            return  # `of` asks the cache as well
        status = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            return
        found = self._known(entry)
        if found is not None:
            self._found[entry.path] = found
        elif (
            self._waits and status.st_size < _readdigest.LARGE
        ):  # bigger ones take all cores, one at a time
            self._batch[entry.path] = entry
            if len(self._batch) >= BATCH:
                self._send()

    def _send(self) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(THREADS)
        coming = self._pool.submit(_taken, self._take, list(self._batch.values()))
        self._found.update(dict.fromkeys(self._batch, coming))
        self._batch = {}


def _taken(take: Take, entries: list[os.DirEntry[str]]) -> _Found:
    found: _Found = {}
    for entry in entries:
        try:
            found[entry.path] = take(entry)
        except TimeoutError as error:
            found.update((one.path, error) for one in entries if one.path not in found)
            break
        except Exception as error:  # noqa: BLE001  # raised where this file's turn comes
            found[entry.path] = error
    return found
