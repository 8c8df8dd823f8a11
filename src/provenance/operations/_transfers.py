"""Doing something for many files at once, and saying how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from provenance.errors import ProvError

Tell = Callable[[str], None]
Item = TypeVar("Item")

_GIVE_UP = 12
"""Failures of one kind in a row, none of them about the file itself, after which the rest is not
tried: the remote has gone away, or the disk is full."""


class Failure(NamedTuple):
    """path: of the file in the run. why: a clause. damaged: the content was not what it should."""

    path: str
    why: str
    damaged: bool = False


class Progress:
    """Says ``sending, 12 of 300 files, 1.2 of 4.0 GB``; safe to use from several threads."""

    def __init__(self, tell: Tell | None, doing: str, files: int, size: int) -> None:
        self._tell, self._doing = tell or _silent, doing
        self._files, self._size = files, size
        self._done = self._bytes = 0
        self._lock = threading.Lock()

    def add(self, size: int) -> None:
        """Count one file of ``size`` bytes."""
        with self._lock:
            self._done += 1
            self._bytes += size
            self._tell(
                "%s, %d of %d files, %.1f of %.1f MB"
                % (self._doing, self._done, self._files, self._bytes / 1e6, self._size / 1e6)
            )


def each(
    items: Iterable[Item], work: Callable[[Item], None], jobs: int
) -> list[tuple[Item, Exception]]:
    """Do ``work`` for each item, ``jobs`` at once; return those that failed, in order.

    Expected failures are OSError and `ProvError`; others are raised. After Ctrl-C nothing new is
    begun.
    """
    failed: list[tuple[Item, Exception]] = []
    stop = threading.Event()
    in_row: list[str] = []
    lock = threading.Lock()

    def one(item: Item) -> Exception | None:
        if stop.is_set():
            return OSError("not tried: %s" % (in_row[-1] if in_row else "interrupted"))
        try:
            work(item)
        except (OSError, ProvError) as error:
            with lock:
                said = why(error)
                if isinstance(error, (ProvError, FileNotFoundError)):
                    return error
                if in_row and in_row[-1] != said:
                    in_row.clear()
                in_row.append(said)
                if len(in_row) >= max(_GIVE_UP, jobs):
                    stop.set()
            return error
        with lock:
            if not stop.is_set():
                in_row.clear()
        return None

    waiting = list(items)
    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        try:
            for item, error in zip(waiting, pool.map(one, waiting), strict=True):
                if error is not None:
                    failed.append((item, error))
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return failed


def why(error: BaseException) -> str:
    """Return what went wrong as a clause."""
    if isinstance(error, ProvError):
        return error.message.rstrip(".")
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _silent(_: str) -> None:
    return None
