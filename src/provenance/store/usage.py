"""How much room files take on the disk, what a folder holds, and how old it is. Never raises."""

from __future__ import annotations

import os
import stat
import time
from typing import NamedTuple

_BLOCK = 512
"""What ``st_blocks`` counts in, see stat(2), whatever the file system's own blocks are."""


class Usage(NamedTuple):
    """bytes: taken on the disk, which for sparse files is less than their size. files: how many."""

    bytes: int = 0
    files: int = 0

    def __add__(self, other: object) -> Usage:
        assert isinstance(other, Usage)
        return Usage(self.bytes + other.bytes, self.files + other.files)


class Meter:
    """Measures; a file with several names counts once, where it was met first."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()

    def alone(self, path: str) -> Usage:
        """Return what ``path`` takes without what is in it. Never raises."""
        try:
            return Usage(os.lstat(path).st_blocks * _BLOCK)
        except OSError:
            return Usage()

    def of(self, path: str) -> Usage:
        """Return what ``path`` takes with all in it; links are not followed. Never raises."""
        total, todo = Usage(), [path]
        while todo:
            place = todo.pop()
            try:
                status = os.lstat(place)
                if stat.S_ISDIR(status.st_mode):
                    todo += [os.path.join(place, name) for name in os.listdir(place)]
                    total += Usage(status.st_blocks * _BLOCK)
                    continue
            except OSError:
                continue
            if status.st_nlink > 1:
                known = (status.st_dev, status.st_ino)
                if known in self._seen:
                    continue
                self._seen.add(known)
            total += Usage(status.st_blocks * _BLOCK, 1)
        return total


def names(folder: str) -> list[str]:
    """Return the names in ``folder`` in order; none where it cannot be listed."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def within(folder: str) -> list[str]:
    """Return the paths in ``folder`` in order; none where it is a link: that leads elsewhere."""
    if os.path.islink(folder):
        return []
    return [os.path.join(folder, name) for name in names(folder)]


def age(path: str, unknown: float = 0.0) -> float:
    """Return the seconds since ``path`` itself was changed; ``unknown`` where nobody knows."""
    try:
        return time.time() - os.lstat(path).st_mtime
    except OSError:
        return unknown


def free(path: str) -> int | None:
    """Return how many bytes this user may still write where ``path`` is; None if nobody knows."""
    try:
        found = os.statvfs(path)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize
