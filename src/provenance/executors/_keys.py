"""Keys for programs that read them from their standard output's terminal.

Keys are typed at the user's terminal, and nearly all programs read them there: from standard input
or /dev/tty. Some read from descriptor 1 or 2 or from the terminal of that name (``less``, ``more``,
``vi -``), which is ours while we relay; they would wait for ever. So, when such a program is found
waiting for ours, what has been typed is carried over to it, and only then.
"""

from __future__ import annotations

import os
import select
import struct
from collections.abc import Iterator

from provenance.executors import _proc, _streams

_READ, _POLL, _SELECT = "read", "poll", "select"
_CALLS = {
    "x86_64": {0: _READ, 7: _POLL, 271: _POLL, 23: _SELECT, 270: _SELECT},
    "aarch64": {63: _READ, 73: _POLL, 72: _SELECT},
}
"""Numbers of system calls that wait for input (asm/unistd.h); with others nothing is carried."""
_MOST_THREADS = 64
_MOST_POLLED = 256
RAW_LOOK_S, LOOK_S = 0.05, 2.0
"""How often to look for such a program: where keys come one by one, and otherwise."""


class Keys:
    """Carries keys from the user's terminal ``theirs`` to ``ours`` for the programs under ``pid``.

    place: the device number of the terminal that the programs see. wanted: whether such a program
    has been seen; then ``source`` is to be watched for keys.
    """

    def __init__(self, ours: int, theirs: int, place: int, pid: int) -> None:
        self._ours, self._place, self._pid = ours, place, pid
        self._calls = _CALLS.get(os.uname().machine, {})
        self.wanted = False
        self.source = -1
        if self._calls:
            try:
                self.source = _streams.reopened(theirs, os.O_RDONLY | os.O_NONBLOCK)
            except OSError:
                self._calls = {}

    def look(self) -> None:
        """Look whether a program waits for keys at the wrong terminal."""
        self.wanted = bool(self._calls) and any(map(self._waits, _proc.tree(self._pid)))

    def carry(self) -> None:
        """Hand on what has been typed, if it is still waited for."""
        self.look()
        if self.wanted:
            try:
                os.write(self._ours, os.read(self.source, 1024))
            except OSError:  # somebody else was faster
                return

    def close(self) -> None:
        """Close what was opened."""
        if self.source >= 0:
            os.close(self.source)
            self.source = -1

    def _waits(self, pid: int) -> bool:
        for thread in _proc.threads(pid)[:_MOST_THREADS]:
            try:
                with open("/proc/%d/task/%s/syscall" % (pid, thread), "rb", buffering=0) as file:
                    words = file.read().split()
                if any(self._is_ours(pid, fd) for fd in self._awaited(pid, words)):
                    return True
            except (OSError, ValueError, IndexError, struct.error):
                continue
        return False

    def _awaited(self, pid: int, words: list[bytes]) -> Iterator[int]:
        """Yield the descriptors that a thread waits to read from, given its system call."""
        call = self._calls.get(int(words[0])) if words[0].isdigit() else None
        if call == _READ:
            yield int(words[1], 16)
        elif call == _POLL:
            count = min(int(words[2], 16), _MOST_POLLED)
            asked = _memory(pid, int(words[1], 16), 8 * count)
            for fd, events, _ in struct.iter_unpack("=ihh", asked):
                if fd >= 0 and events & select.POLLIN:
                    yield fd
        elif call == _SELECT and int(words[2], 16):
            count = min(int(words[1], 16), 1024)
            bits = _memory(pid, int(words[2], 16), (count + 7) // 8)
            yield from (fd for fd in range(count) if bits[fd // 8] >> fd % 8 & 1)

    def _is_ours(self, pid: int, fd: int) -> bool:
        return os.stat("/proc/%d/fd/%d" % (pid, fd)).st_rdev == self._place


def _memory(pid: int, address: int, size: int) -> bytes:
    """Return memory of ``pid``; raises OSError where the kernel does not let us."""
    fd = os.open("/proc/%d/mem" % pid, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(fd, size, address)
    finally:
        os.close(fd)
