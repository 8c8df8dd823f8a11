"""Taking the digests of one file fast, and noticing if it changes meanwhile."""

from __future__ import annotations

import functools
import hashlib
import mmap
import os
from collections.abc import Callable
from typing import Any

from provenance.core import digest
from provenance.core.digest import BLAKE3, Digests

SMALL = 1 << 20
"""Bytes up to which a file is read in one piece; above, threads are worth their start."""

SLICE = 64 << 20
"""Bytes of a mapped file between two looks at the clock; measured as fast as the file at once."""

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
    may_map: bool,
    stop: Callable[[], bool],
) -> tuple[Digests, Identity]:
    """Return the digests of ``path``, and what it was known by after it had been read."""
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
        elif may_map and algorithms == (BLAKE3,):
            return _map(descriptor, stop), identity(os.fstat(descriptor))
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


def _map(descriptor: int, stop: Callable[[], bool]) -> Digests:
    """Return the BLAKE3 digest of a large file, mapped and hashed by all cores."""
    import blake3

    state = blake3.blake3(max_threads=blake3.blake3.AUTO)
    with (
        mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as mapped,
        memoryview(mapped) as view,
    ):
        for start in range(0, len(view), SLICE):
            _stop_if(stop)
            with view[start : start + SLICE] as part:
                state.update(part)
    return {BLAKE3: str(state.hexdigest())}


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
