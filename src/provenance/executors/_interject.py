"""Saying something of ours between the lines of a command without tearing what it shows.

We speak at the start of a line only. A bar that rewrites its line by carriage returns is taken away
for a moment and shown again, as such programs do themselves; a program that moves about on the
screen by other means is not interrupted: what is to be said waits until it has stopped for long.
"""

from __future__ import annotations

import os
import re
import time

QUIET_S = 0.03
"""Without output for so long a bar is at rest, and no drawing goes on below a line that ended."""
DRAWING_S = 10.0
"""For so long after the cursor was moved up, or the screen cleared, nothing is said."""
LISTEN_S = 0.5
"""How often we look whether there is something to say."""
_LONGEST = 2048
"""Bytes of a line beyond which it is not shown again."""
_MOST_WAITING = 4

_MOVES = re.compile(rb"\x1b(?:\[[0-9;?]*[ABEFHJLMSTdfhlrsu]|[78DEMc])")
"""What moves the cursor to another line, clears, scrolls or switches screens (ECMA-48)."""
_COLOURS = re.compile(rb"\x1b\[[0-9;]*[mK]")


class Interjector:
    """Says lines between a command's. sink: where its output goes. terminal: whether that is one.

    Nothing is looked at before `listen` is called. One thread may call `say`, another the rest.
    """

    def __init__(self, sink: int, terminal: bool) -> None:
        self.on = False
        self._sink, self._terminal = sink, terminal
        self._waiting: list[bytes] = []
        self._line = b""
        self._bar = False  # whether the last whole line was rewritten before it ended
        self._passed_at = 0.0
        self._drawn_at = -DRAWING_S

    def say(self, text: str) -> None:
        """Let the line ``text`` be said as soon as that may be."""
        self._waiting = [*self._waiting, text.encode("utf-8", "replace")][-_MOST_WAITING:]

    def due(self) -> float | None:
        """Return in how many seconds to ask `now`, None for never."""
        return None if not self.on else QUIET_S if self._waiting else LISTEN_S

    def passed(self, data: bytes) -> None:
        """Take note of what was handed on."""
        if not self.on:
            return
        self._passed_at = time.monotonic()
        if b"\x1b" in data and _MOVES.search(data):
            self._drawn_at = self._passed_at
        *ended, last = (self._line + data.replace(b"\r\n", b"\n")).rsplit(b"\n", 2)
        if ended:
            self._bar = b"\r" in ended[-1] or b"\x08" in ended[-1]
        self._line = last[-2 * _LONGEST :]

    def now(self) -> bytes:
        """Return what is to be written now, b"" for nothing."""
        if not self._waiting:
            return b""
        at = time.monotonic()
        quiet = at - self._passed_at >= QUIET_S
        if at - self._drawn_at < DRAWING_S and self._terminal:
            return b""
        if not self._line:
            fits = quiet or not (self._bar and self._terminal)
            before = after = b""
        else:
            shown = self._shown()
            fits, before, after = quiet and shown is not None, b"\r\x1b[K", shown or b""
        if not fits:
            return b""
        lines, self._waiting = self._waiting, []
        return before + b"".join(line + b"\n" for line in lines) + after

    def _shown(self) -> bytes | None:
        """Return the bar that the unfinished line shows; None where it is none, or no plain one."""
        if not self._terminal or b"\r" not in self._line or len(self._line) > _LONGEST * 2 - 1:
            return None
        head, _, last = self._line.rpartition(b"\r")
        if not last:  # bars that end with the carriage return
            last = head.rpartition(b"\r")[2] + b"\r"
        text = _COLOURS.sub(b"", last).decode("utf-8", "replace")
        plain = all(one.isprintable() or one == "\r" for one in text)
        return last if plain and len(text) < self._width() and text.strip() else None

    def _width(self) -> int:
        try:
            return os.get_terminal_size(self._sink).columns or 80
        except OSError:
            return 80


def at_line_start(fd: int) -> bool:
    """Return whether what was written to the regular file ``fd`` last was the end of a line."""
    try:
        at = os.lseek(fd, 0, os.SEEK_CUR) or os.fstat(fd).st_size
        source = os.open("/proc/self/fd/%d" % fd, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return at == 0 or os.pread(source, 1, at - 1) == b"\n"
    except OSError:
        return False
    finally:
        os.close(source)
