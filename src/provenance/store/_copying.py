"""Copying one file's content: by sharing blocks where the file system can, else in the kernel."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from provenance.core import digest
from provenance.core.digest import Digests

_FICLONE = 0x40049409
"""``ioctl`` number of FICLONE on Linux, see ioctl_ficlone(2): btrfs, XFS, bcachefs, NFS 4.2."""
_PIECE = 64 << 20


def copy(source: int, target: int) -> None:
    """Copy all of the open file ``source`` to the empty ``target``. Raises OSError."""
    if _cloned(source, target):
        return
    size = os.fstat(source).st_size
    done = 0
    if hasattr(os, "copy_file_range"):
        try:
            while done < size:
                step = os.copy_file_range(source, target, min(_PIECE, size - done), done, done)
                if not step:
                    break
                done += step
        except OSError:
            os.ftruncate(target, 0)
            done = 0
    if done < size:
        _plainly(source, target)


def digested(
    source: int, target: int, algorithms: Sequence[str], watch: Callable[[int], None] | None = None
) -> Digests:
    """Copy as `copy` does, and return the digests of the bytes that were copied. Raises OSError."""
    states = [(name, digest.new_hash(name)) for name in algorithms]
    cloned = _cloned(source, target)
    reading = target if cloned else source
    os.lseek(reading, 0, os.SEEK_SET)
    while chunk := os.read(reading, digest.CHUNK):
        for _, state in states:
            state.update(chunk)
        if not cloned:
            write_all(target, chunk)
        if watch is not None:
            watch(len(chunk))
    return {name: str(state.hexdigest()) for name, state in states}


def write_all(target: int, data: bytes) -> None:
    """Write all of ``data``. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(target, view) :]


def _cloned(source: int, target: int) -> bool:
    try:
        import fcntl

        fcntl.ioctl(target, _FICLONE, source)
    except (ImportError, OSError):
        return False
    return True


def _plainly(source: int, target: int) -> None:
    os.lseek(source, 0, os.SEEK_SET)
    os.lseek(target, 0, os.SEEK_SET)
    while chunk := os.read(source, digest.CHUNK):
        write_all(target, chunk)
