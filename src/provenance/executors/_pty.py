r"""A terminal of our own for the command's output, which behaves as the user's terminal would.

Only descriptors 1 and 2 lead there; standard input, the session and the process group stay the
user's, so that keys, ^C and job control work without us. Output processing is off on our side: the
log is what the command wrote, and the user's terminal turns ``\n`` into ``\r\n``.

Programs that draw on the whole screen set terminal modes on descriptor 1. Those changes are
*mirrored*: the kernel tells of each one at once (packet mode with EXTPROC, ``ioctl_tty(2)``), and
the bits that the program changed are changed on the user's terminal.
"""

from __future__ import annotations

import array
import fcntl
import os
import signal
import sys
import termios
from typing import Any

from provenance.executors import _proc

PACKET_CHANGED = 0x40
"""TIOCPKT_IOCTL: the modes were set."""
PACKET_FLUSH_INPUT = 0x01
"""TIOCPKT_FLUSHREAD: typed but unread keys were thrown away."""
_EXTPROC = 0x10000 if sys.platform == "linux" else 0x800
_IFLAG, _OFLAG, _CFLAG, _LFLAG, _ISPEED, _OSPEED, _CC = range(7)
_RAW_LOCAL = termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN
_RAW_INPUT = termios.ICRNL | termios.IXON

Modes = list[Any]
"""What termios.tcgetattr gives: four flag words, two speeds, the control characters."""


def open_like(terminal: int) -> tuple[int, int]:
    """Return a new terminal, ours and the command's side, with modes and size of ``terminal``.

    Raises OSError or termios.error where there can be none.
    """
    modes: Modes = termios.tcgetattr(terminal)
    ours, theirs = os.openpty()
    try:
        modes[_OFLAG] &= ~termios.OPOST
        modes[_LFLAG] |= _EXTPROC
        termios.tcsetattr(theirs, termios.TCSANOW, modes)
        _set_packet_mode(ours, True)
        _set_size(ours, _size(terminal))
    except (OSError, termios.error):
        os.close(ours)
        os.close(theirs)
        raise
    return ours, theirs


def leave_packet_mode(ours: int) -> None:
    """Let ``ours`` give plain data from now on."""
    _set_packet_mode(ours, False)


def _set_packet_mode(ours: int, on: bool) -> None:
    fcntl.ioctl(ours, termios.TIOCPKT, array.array("i", [int(on)]), False)


def _size(fd: int) -> bytes:
    return fcntl.ioctl(fd, termios.TIOCGWINSZ, b"\0" * 8)


def _set_size(fd: int, size: bytes) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, size)


class Mirror:
    """Keeps the user's terminal (``theirs``) in step with the one the command sees (``ours``)."""

    def __init__(self, ours: int, theirs: int) -> None:
        self._ours, self._theirs = ours, theirs
        self._seen: Modes = termios.tcgetattr(ours)
        self._carried = self._seen
        self._post = termios.tcgetattr(theirs)[_OFLAG] & termios.OPOST
        self._touched = [0, 0, 0]  # bits that the command ever changed: input, output, local
        self._touched_cc: set[int] = set()
        self._size = _size(theirs)
        self._late = False

    def switches_off(self) -> bool:
        """Return whether output processing was switched off after it was last carried over."""
        try:
            now: Modes = termios.tcgetattr(self._ours)
        except termios.error:
            return False
        gone = self._carried[_OFLAG] & ~now[_OFLAG] & termios.ONLCR
        return bool(gone) or (_is_raw(now) and not _is_raw(self._carried))

    @property
    def raw(self) -> bool:
        """Whether the command wants keys one by one."""
        return not self._seen[_LFLAG] & termios.ICANON

    def follow(self, status: int, output: bool = True) -> None:
        """Carry over what the packet ``status`` announces.

        output: also the modes of output; otherwise they are left for later.
        """
        try:
            if status & PACKET_CHANGED:
                self._apply(output)
            if status & PACKET_FLUSH_INPUT and self._allowed():
                termios.tcflush(self._theirs, termios.TCIFLUSH)
        except (OSError, termios.error):
            return  # the terminal has gone; so the command would see on its own

    def tick(self) -> None:
        """Carry over what no event announced: modes set while in the background, the size."""
        try:
            if self._late or termios.tcgetattr(self._ours) != self._seen:
                self._apply()
            self.resize()
        except (OSError, termios.error):
            return

    def resize(self) -> None:
        """Give the command's terminal the size of the user's, and tell those in the foreground.

        The kernel told them already, but they may have asked for the size before we had set it.
        """
        try:
            size = _size(self._theirs)
            if size == self._size:
                return
            self._size = size
            _set_size(self._ours, size)
        except OSError:
            return
        for group in {os.getpgrp(), self._foreground()}:
            try:
                if group > 0:
                    os.killpg(group, signal.SIGWINCH)
            except OSError:
                continue

    def _apply(self, output: bool = True) -> None:
        now: Modes = termios.tcgetattr(self._ours)
        self._note_changes(now)
        if output:
            self._carried = now
        wants_post = bool(now[_OFLAG] & termios.OPOST)
        if wants_post or not now[_LFLAG] & _EXTPROC:
            self._seen = self._restore_ours(now)
        allowed = self._allowed()
        self._late = not (allowed and output)
        if not (allowed and (any(self._touched) or self._touched_cc)):
            return
        target: Modes = termios.tcgetattr(self._theirs)
        before = target[_OFLAG]
        for word, mask in zip((_IFLAG, _OFLAG, _LFLAG), self._touched, strict=True):
            target[word] = target[word] & ~mask | now[word] & mask
        post = termios.OPOST if wants_post else 0 if _is_raw(now) else self._post
        target[_OFLAG] = target[_OFLAG] & ~termios.OPOST | post if output else before
        target[_CC] = [
            _character(now[_CC][index] if index in self._touched_cc else mine)
            for index, mine in enumerate(target[_CC])
        ]
        termios.tcsetattr(self._theirs, termios.TCSANOW, target)

    def _note_changes(self, now: Modes) -> None:
        for index, word in enumerate((_IFLAG, _OFLAG, _LFLAG)):
            self._touched[index] |= now[word] ^ self._seen[word]
        self._touched[1] &= ~termios.OPOST
        self._touched[2] &= ~_EXTPROC
        for index, (old, new) in enumerate(zip(self._seen[_CC], now[_CC], strict=True)):
            if _character(old) != _character(new):
                self._touched_cc.add(index)
        self._seen = now

    def _restore_ours(self, now: Modes) -> Modes:
        """Switch output processing off again on our side, which the command switched on."""
        ours = list(now)
        ours[_OFLAG] &= ~termios.OPOST
        ours[_LFLAG] |= _EXTPROC
        termios.tcsetattr(self._ours, termios.TCSANOW, ours)
        return ours

    def _allowed(self) -> bool:
        """Return whether a process of ours may set modes: a background job would be stopped."""
        group = self._foreground()
        return group <= 0 or group == os.getpgrp() or _descends(group, os.getpid())

    def _foreground(self) -> int:
        """Return the process group that the user's terminal serves; 0 if it is not ours to ask."""
        try:
            return os.tcgetpgrp(self._theirs)
        except OSError:
            return 0


def _character(value: bytes | int) -> bytes:
    # Python gives MIN and TIME as numbers outside of canonical mode, and takes both forms
    return bytes([value]) if isinstance(value, int) else value


def _is_raw(modes: Modes) -> bool:
    """Return whether ``modes`` are what cfmakeraw(3) sets.

    It switches output processing off too, which cannot be seen here, where it is always off.
    """
    return not (modes[_LFLAG] & _RAW_LOCAL or modes[_IFLAG] & _RAW_INPUT)


def _descends(pid: int, ancestor: int) -> bool:
    while pid > 1 and pid != ancestor:
        pid = _proc.parent(pid)
    return pid == ancestor
