"""Taking the digests of one file fast, and noticing if it changes meanwhile."""

from __future__ import annotations

import functools
import hashlib
import os
import queue
import threading
from collections.abc import Callable
from typing import Any

from provenance.core import digest
from provenance.core.digest import BLAKE3, Digests

SMALL = 1 << 20
"""Bytes up to which a file is read in one piece; above, threads are worth their start."""

LARGE = 8 << 20
"""Bytes from which on reading ahead and several cores are worth their start."""

PIECE = 4 << 20
"""Bytes read at a time from a large file: as fast as 8 or 16 MiB, and few enough to stay cached."""

MOST_READERS = 4
"""Threads that read ahead: four fill the memory's bandwidth, and hide what a network file costs."""

_READING = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0)
_FASTEST = (BLAKE3,)

Identity = tuple[int, int, int, int, int]
"""What a file is known by: device, inode, size, modification and change time in nanoseconds."""


def identity(status: os.stat_result) -> Identity:
    """Return what a file with this status is known by."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def take(
    path: str | os.DirEntry[str],
    size: int,
    algorithms: tuple[str, ...],
    gentle: bool,
    stop: Callable[[], bool],
) -> tuple[Digests, Identity]:
    """Return the digests of ``path``, and what it was known by after it had been read.

    gentle: with this thread alone. Raises OSError, TimeoutError where ``stop()`` says so.
    """
    descriptor = os.open(path, _READING)
    try:
        if size <= SMALL:
            data = os.read(descriptor, size + 1)
            if len(data) == size:
                after = identity(os.fstat(descriptor))
                if algorithms == _FASTEST:  # most of many files; nothing else is set up for these
                    return {BLAKE3: _hasher(BLAKE3)(data).hexdigest()}, after
                return {name: _hasher(name)(data).hexdigest() for name in algorithms}, after
            os.lseek(descriptor, 0, os.SEEK_SET)
        elif size >= LARGE and not gentle and hasattr(os, "preadv"):
            return _pipeline(descriptor, size, algorithms, stop), identity(os.fstat(descriptor))
        return _stream(descriptor, algorithms, stop), identity(os.fstat(descriptor))
    finally:
        os.close(descriptor)


@functools.cache
def _hasher(algorithm: str) -> Callable[[bytes], Any]:
    """Return the constructor of ``algorithm``: looking it up anew costs as much as a small file."""
    return functools.partial(hashlib.new, algorithm) if algorithm != BLAKE3 else _blake3()


def _blake3() -> Callable[[bytes], Any]:
    digest.new_hash(BLAKE3)
    from blake3 import blake3

    constructor: Callable[[bytes], Any] = blake3
    return constructor


def _pipeline(
    descriptor: int, size: int, algorithms: tuple[str, ...], stop: Callable[[], bool]
) -> Digests:
    """Return the digests of a large file: read ahead by threads, hashed by all cores meanwhile.

    Reading is faster than mapping here: pieces that fit the processor's cache cost no page faults.
    It also is safe: a mapped file that its writer cuts short kills the process that looks at it.
    Each further algorithm works on the same piece in a thread of its own, so that several take as
    long as the slowest.
    """
    states = {name: _many_cores(name) for name in algorithms}
    first, *others = states.values()
    readers = min(MOST_READERS, max(1, cores() // 2))
    beside = [_Beside(state.update) for state in others]
    ahead = [_Beside(_reader(descriptor)) for _ in range(readers)]
    pieces = range(0, size, PIECE)
    buffers = [bytearray(PIECE) for _ in range(min(len(pieces), readers + 1))]
    views = [memoryview(buffer) for buffer in buffers]
    try:
        for number in range(len(pieces) + len(buffers)):
            done = number - len(buffers)
            if done >= 0:
                piece = ahead[done % readers].answer()
                _stop_if(stop)
                for one in beside:
                    one.ask(piece)
                first.update(piece)
                for one in beside:
                    one.answer()
            if number < len(pieces):
                length = min(PIECE, size - pieces[number])
                view = views[number % len(views)][:length]
                ahead[number % readers].ask((view, pieces[number]))
    finally:
        for one in (*ahead, *beside):
            one.end()
    return {name: str(state.hexdigest()) for name, state in states.items()}


class _Beside:
    """A thread that does one thing after the other; the standard pool takes 15 ms to import."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self._work = work
        self._asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[Any, Exception | None]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def ask(self, what: Any) -> None:
        """Let it work on ``what`` when it has done the rest."""
        self._asked.put((what,))

    def answer(self) -> Any:
        """Return what it made of the oldest that is not answered; raises what that raised."""
        value, error = self._done.get()
        if error is not None:
            raise error
        return value

    def end(self) -> None:
        """Wait until it has done what it was asked for, and end it."""
        self._asked.put(None)
        self._thread.join()

    def _serve(self) -> None:
        for (what,) in iter(self._asked.get, None):
            try:
                self._done.put((self._work(what), None))
            except Exception as error:  # noqa: BLE001  # raised where it is asked for
                self._done.put((None, error))


def _reader(descriptor: int) -> Callable[[tuple[memoryview, int]], memoryview]:
    return lambda piece: _read(descriptor, *piece)


def _read(descriptor: int, view: memoryview, offset: int) -> memoryview:
    """Fill ``view`` from ``offset`` on; return what there was, less of a file cut short."""
    done = 0
    while done < len(view):
        length = os.preadv(descriptor, [view[done:]], offset + done)
        if not length:
            break
        done += length
    return view[:done]


def _many_cores(algorithm: str) -> Any:
    if algorithm != BLAKE3:
        return digest.new_hash(algorithm)
    from blake3 import blake3

    return blake3(max_threads=blake3.AUTO)


def cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return os.cpu_count() or 1


def _stop_if(stop: Callable[[], bool]) -> None:
    if stop():
        raise TimeoutError("the time for digesting was over")


def _stream(descriptor: int, algorithms: tuple[str, ...], stop: Callable[[], bool]) -> Digests:
    states = {name: digest.new_hash(name) for name in algorithms}
    buffer = bytearray(SMALL)
    view = memoryview(buffer)
    while True:
        length = os.readv(descriptor, [buffer])
        if not length:
            break
        _stop_if(stop)
        for state in states.values():
            state.update(view[:length])
    return {name: str(state.hexdigest()) for name, state in states.items()}
