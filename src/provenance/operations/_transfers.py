"""Doing something for many files at once, and saying how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

from provenance.errors import ProvError

Tell = Callable[[str], None]
Item = TypeVar("Item")

_LOOK_S = 0.2
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

    Expected failures are OSError and `ProvError`; others are raised. On Ctrl-C nothing is waited
    for: what is half done is left to threads that end with the process.
    """
    waiting = list(items)
    crew = _Crew(waiting, work)
    threads = [
        threading.Thread(target=crew.run, daemon=True)
        for _ in range(max(min(jobs, len(waiting)), 1))
    ]
    try:
        for one in threads:
            one.start()
        for one in threads:
            while one.is_alive():
                one.join(_LOOK_S)
    except BaseException:
        crew.stop()
        raise
    if crew.raised is not None:
        raise crew.raised
    return [(waiting[number], error) for number, error in sorted(crew.failed.items())]


class _Crew(Generic[Item]):
    """What the threads of `each` share. failed: by the item's place. raised: a bug of ours."""

    def __init__(self, items: list[Item], work: Callable[[Item], None]) -> None:
        self._items, self._work = items, work
        self._lock = threading.Lock()
        self._next = 0
        self._in_row: list[str] = []
        self._stopped = False
        self.failed: dict[int, Exception] = {}
        self.raised: Exception | None = None

    def stop(self) -> None:
        """Begin nothing new."""
        self._stopped = True

    def run(self) -> None:
        """Take items until none is left."""
        while not self._stopped and self.raised is None:
            with self._lock:
                number = self._next
                self._next += 1
            if number >= len(self._items):
                return
            self._one(number)

    def _one(self, number: int) -> None:
        if len(self._in_row) >= _GIVE_UP:
            self.failed[number] = OSError("not tried any more: %s" % self._in_row[-1])
            return
        try:
            self._work(self._items[number])
        except (ProvError, FileNotFoundError) as error:
            self.failed[number] = error
        except OSError as error:
            self.failed[number] = error
            with self._lock:
                said = why(error)
                if self._in_row and self._in_row[-1] != said:
                    self._in_row.clear()
                self._in_row.append(said)
        except Exception as error:  # noqa: BLE001  # raised where it can be seen
            self.raised = error
        else:
            with self._lock:
                if len(self._in_row) < _GIVE_UP:
                    self._in_row.clear()


def why(error: BaseException) -> str:
    """Return what went wrong as a clause."""
    if isinstance(error, ProvError):
        return error.message.rstrip(".")
    if isinstance(error, OSError) and error.strerror:
        named = isinstance(error.filename, str)
        return "%s (%s)" % (error.strerror, error.filename) if named else error.strerror
    return str(error) or type(error).__name__


def _silent(_: str) -> None:
    return None
