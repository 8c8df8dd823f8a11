"""What our standard output and standard error are, and what to do with each of them."""

from __future__ import annotations

import array
import fcntl
import os
import stat
import sys
import termios
from typing import NamedTuple

TERMINAL, PIPE, FILE, OTHER = "terminal", "pipe", "file", "other"
_TIOCGDEV = 0x80045432
"""Linux: the number of the terminal behind a descriptor, also behind /dev/tty (asm/ioctls.h)."""


class Stream(NamedTuple):
    """One of the descriptors 1 and 2 as we were given it.

    mode: TERMINAL, PIPE (also sockets), FILE (regular), or OTHER (closed, /dev/null, devices),
    which is only handed on. place: equal for two descriptors that lead to the same place. offset:
    where the command's output begins in a file.
    """

    fd: int
    mode: str
    place: tuple[int, ...] = ()
    offset: int = 0


def look(fd: int) -> Stream:
    """Return what ``fd`` is. One that our parent had closed, or that we opened, is OTHER."""
    try:
        if fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC:
            return Stream(fd, OTHER)  # not inherited: we opened it where the user had closed it
        status = os.fstat(fd)
    except OSError:
        return Stream(fd, OTHER)
    if stat.S_ISREG(status.st_mode):
        return Stream(fd, FILE, (status.st_dev, status.st_ino), position(fd))
    if stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode):
        return Stream(fd, PIPE, (status.st_dev, status.st_ino))
    if os.isatty(fd):
        return Stream(fd, TERMINAL, (_terminal(fd, status.st_rdev),))
    return Stream(fd, OTHER)


def position(fd: int) -> int:
    """Return where the next write to the file ``fd`` will go."""
    if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND:
        return os.fstat(fd).st_size
    return os.lseek(fd, 0, os.SEEK_CUR)


def _terminal(fd: int, fallback: int) -> int:
    if sys.platform != "linux":
        return fallback
    number = array.array("I", [0])
    try:
        fcntl.ioctl(fd, _TIOCGDEV, number, True)
    except OSError:
        return fallback
    return number[0]


def written(streams: list[Stream]) -> list[tuple[int, int, int]]:
    """Return ``(fd, start, end)`` of what the command wrote into each regular file.

    Two descriptors of one file give one range, of whichever began first and ended last. A file
    that is shorter now than where the command began was truncated meanwhile: all of it counts.
    """
    ranges: dict[tuple[int, ...], tuple[int, int, int]] = {}
    for stream in streams:
        try:
            size = os.fstat(stream.fd).st_size
            end = min(position(stream.fd), size)
        except OSError:
            continue
        start = stream.offset if stream.offset <= end else 0
        fd, first, last = ranges.get(stream.place, (stream.fd, start, end))
        ranges[stream.place] = (fd, min(first, start), max(last, end))
    return list(ranges.values())


def reopened(fd: int, flags: int) -> int:
    """Return a new descriptor of the file or pipe behind ``fd``, opened anew with ``flags``.

    What is set on it (non-blocking mode) does not touch the user's own. Raises OSError.
    """
    folder = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
    return os.open("%s/%d" % (folder, fd), flags | os.O_CLOEXEC | os.O_NOCTTY)


def unread(fd: int) -> int:
    """Return how many bytes can be read from the pipe or terminal ``fd`` now."""
    count = array.array("i", [0])
    try:
        fcntl.ioctl(fd, termios.FIONREAD, count, True)
    except OSError:
        return 0
    return count[0]


def reserve() -> list[int]:
    """Occupy descriptors 0 to 2 where they are closed, so that nothing of ours lands there.

    The child sees them closed, as ours are close-on-exec. Return them for closing afterwards.
    """
    taken: list[int] = []
    while True:
        fd = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        if fd > 2:
            os.close(fd)
            return taken
        taken.append(fd)
