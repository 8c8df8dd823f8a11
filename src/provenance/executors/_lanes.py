"""Two outputs in one log, so that neither tears a line of the other.

A program that writes a line in two pieces (Python does where it does not buffer: the text, then
the end of the line) leaves a moment in which the other output's line would come between them.
"""

from __future__ import annotations

import threading
import time

from provenance.executors._log import LogWriter

PATIENCE_S = 0.2
"""How long an output waits for the other to end its line: a prompt is never ended."""
MOST = 64 << 10
"""Bytes that wait at most."""


class Lane:
    """The way of one output into the log. Each lane is fed by one thread, before `finish`."""

    def __init__(self, writer: LogWriter, lanes: list[Lane]) -> None:
        """lanes: those that share the log; this one joins them."""
        self._writer, self._lanes = writer, lanes
        self._lock: threading.Lock = lanes[0]._lock if lanes else threading.Lock()
        self._in_line = False
        self._waiting = b""
        self._since = 0.0
        lanes.append(self)

    def feed(self, data: bytes) -> None:
        """Take the next piece of output."""
        with self._lock:
            if any(other._in_line for other in self._lanes if other is not self):
                self._since = self._since if self._waiting else time.monotonic()
                self._waiting += data
                if len(self._waiting) >= MOST:
                    self._let_go()
                return
            self._write(self._waiting + data)
            for other in self._lanes:
                if not self._in_line:
                    other._let_go()

    def refresh(self) -> float | None:
        """Write what has waited for long enough.

        Return in how many seconds to ask again, None where nothing waits.
        """
        soon = self._writer.refresh()
        with self._lock:
            if not self._waiting:
                return soon
            left = self._since + PATIENCE_S - time.monotonic()
            if left > 0:
                return left if soon is None else min(left, soon)
            self._let_go()
        return self._writer.refresh()

    def finish(self) -> None:
        """Write what still waits; nothing more comes."""
        with self._lock:
            self._let_go()
            self._in_line = False

    def _let_go(self) -> None:
        if self._waiting:
            self._write(self._waiting)

    def _write(self, data: bytes) -> None:
        self._waiting = b""
        self._writer.feed(data)
        rest = data[data.rfind(b"\n") + 1 :]
        # A bar that is drawn again and again never ends its line.
        self._in_line = bool(rest) and b"\r" not in rest and b"\b" not in rest
