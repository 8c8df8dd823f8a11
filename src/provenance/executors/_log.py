"""Keeping what a command prints: redacted by whole lines, and bounded.

The beginning goes to the file as it comes, and the end is held in memory until the command has
ended: output without end costs neither the disk nor a slow search for secrets in what is thrown
away. A log that cannot be written is given up with a note; nobody else notices.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable

HEAD = TAIL = 32 << 20
"""Bytes kept from the beginning and from the end of the output."""
LONGEST_LINE = 64 << 10
"""A longer line is searched for secrets in pieces of this many bytes."""
OVERLAP = 4 << 10
"""How far around a cut in a long line secrets are looked for: none that we know is longer."""
LONGEST_KEY = 16 << 10
"""The size of the longest private key block that is waited for (RSA with 16384 bits: 12.7 KB)."""
PATIENCE_S = 5.0
"""An unfinished line is written after this many seconds without news, for those who look in."""
PIECE = 64 << 10
BATCH = 64 << 10
"""Output in small pieces is collected up to this many bytes, or for `BATCH_S` seconds."""
BATCH_S = 0.2

_KEY_BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----")
_KEY_END = re.compile(rb"-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----[^\r\n]*[\r\n]*")
_BREAK = re.compile(rb"[\s,;\"'<>|]")

Redact = Callable[[bytes], bytes]


class LogWriter:
    """The log of one run. Threads may feed it at the same time."""

    def __init__(self, path: str, redact: Redact, hits: Callable[[], int]) -> None:
        """Make the file ``path``, readable by its owner only; raises OSError."""
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._redact, self._hits = redact, hits
        self._lock = threading.Lock()
        self._batch: list[bytes] = []  # came in, not looked at yet
        self._batched = 0
        self._batch_due = 0.0
        self._rest = b""  # since the last end of line, or since the beginning of a private key
        self._fed_at = 0.0
        self._in_head = True
        self._ring: deque[bytes] = deque()
        self._ring_size = 0
        self._left_out = 0
        self._line_open = False
        self.size = 0
        self.redactions = 0
        self.truncated = False
        self.trouble = ""

    def feed(self, data: bytes) -> None:
        """Take the next piece of output."""
        with self._lock:
            if not self._batch:
                self._batch_due = time.monotonic() + BATCH_S
            self._batch.append(data)
            self._batched += len(data)
            if self._batched >= BATCH:
                self._sort()

    def refresh(self) -> float | None:
        """Write what has waited for long enough.

        Return in how many seconds to ask again, None where nothing waits.
        """
        with self._lock:
            if self._batch:
                left = self._batch_due - time.monotonic()
                if left > 0:
                    return left
                self._sort()
            if not self._rest:
                return None
            left = self._fed_at + PATIENCE_S - time.monotonic()
            if left > 0:
                return left
            self._fed_at = time.monotonic()
            if _open_key(self._rest) is None:
                self._emit(max(self._rest.rfind(b" "), self._rest.rfind(b"\t")) + 1)
            return PATIENCE_S if self._rest else None

    def _sort(self) -> None:
        """Put the batch where it belongs: into the beginning of the log or into its end."""
        data = b"".join(self._batch)
        self._batch.clear()
        self._batched = 0
        self._fed_at = time.monotonic()
        if self._in_head:
            self._take(data)
        elif data:
            self._keep(data)

    def skip(self, size: int) -> None:
        """Say that ``size`` bytes come now which nobody needs to read: they will be left out."""
        with self._lock:
            self._sort()
            self._emit(len(self._rest))
            self._in_head = False
            self._left_out += size

    @property
    def room(self) -> int:
        """How many more bytes fit into the beginning of the log."""
        return max(HEAD - self.size, 0)

    def close(self) -> None:
        """Write what is still held and close the file."""
        with self._lock:
            self._sort()
            self._emit(len(self._rest))
            if not self._in_head:
                self._write_end()
            try:
                os.close(self._fd)
            except OSError as error:
                self._give_up(error)

    def _take(self, data: bytes) -> None:
        """Write the lines that ``data`` completes, and hold the rest."""
        if self.trouble:
            return
        self._rest += data
        self._emit(_cut(self._rest))
        while len(self._rest) > LONGEST_LINE + OVERLAP:
            self._emit(self._where_to_break())

    def _emit(self, size: int) -> None:
        """Write ``size`` bytes of what is held, redacted; what does not fit starts the ring."""
        data, self._rest = self._rest[:size], self._rest[size:]
        if self._in_head and self.size + len(data) > HEAD:
            self._in_head = False
            rest, self._rest = self._rest, b""
            self._keep(data + rest)
        elif data and not self.trouble:
            before = self._hits()
            clean = self._redact(data)
            if clean != data:
                self.redactions += max(1, self._hits() - before)
            self._write(clean)

    def _where_to_break(self) -> int:
        """Return where to cut a line that is too long, so that no secret is cut."""
        line, latest = self._rest, len(self._rest) - OVERLAP
        breaks = [match.end() for match in _BREAK.finditer(line, latest - OVERLAP, latest)]
        places: list[int] = [*reversed(breaks[-8:]), *range(latest, latest - OVERLAP, -509)]
        for cut in places:
            before, after = line[cut - OVERLAP : cut], line[cut : cut + OVERLAP]
            if self._redact(before + after) == self._redact(before) + self._redact(after):
                return cut
        return len(line)

    def _keep(self, data: bytes) -> None:
        """Put ``data`` into the ring, and drop what is too old."""
        if self.trouble:
            return
        self._ring.append(data)
        self._ring_size += len(data)
        while self._ring_size - len(self._ring[0]) >= TAIL:
            gone = len(self._ring.popleft())
            self._ring_size -= gone
            self._left_out += gone

    def _write_end(self) -> None:
        """Write the marker of what was left out, then the ring from its first whole line on."""
        end = b"".join(self._ring)
        self._ring.clear()
        surplus = max(len(end) - TAIL, 0)
        if surplus or self._left_out:
            surplus = _first_line(end, surplus)
            self.truncated = True
            marker = b"[prov: %d bytes left out here]\n" % (self._left_out + surplus)
            self._write(b"\n" + marker if self._line_open else marker)
        for start in range(surplus, len(end), PIECE):
            self._take(end[start : min(start + PIECE, len(end))])
        self._emit(len(self._rest))

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                done = os.write(self._fd, view)
                self.size += done
                view = view[done:]
        except OSError as error:
            self._give_up(error)
        self._line_open = not data.endswith(b"\n")

    def _give_up(self, error: OSError) -> None:
        self.trouble = "the log ends early: %s" % (error.strerror or error)
        self._rest = b""
        self._ring.clear()


def _cut(data: bytes) -> int:
    """Return how much of ``data`` can go to the search for secrets: whole lines, whole keys.

    A carriage return ends a line too, so that progress bars do not pile up.
    """
    last = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
    begin = _open_key(data)
    return last if begin is None else min(last, begin)


def _open_key(data: bytes) -> int | None:
    """Return where the line of a private key begins that has not ended in ``data``."""
    position = data.rfind(b"-----BEGIN ")
    match = _KEY_BEGIN.match(data, position) if position >= 0 else None
    if match is None or len(data) - position > LONGEST_KEY or _KEY_END.search(data, match.end()):
        return None
    return max(data.rfind(b"\n", 0, position), data.rfind(b"\r", 0, position)) + 1


def _first_line(data: bytes, start: int) -> int:
    """Return where the first line that begins after ``start`` begins, and not inside a key."""
    window = data[start : start + LONGEST_LINE]
    ends = [at for at in (window.find(b"\n"), window.find(b"\r")) if at >= 0]
    first = start + (min(ends) + 1 if ends else min(len(window), OVERLAP))
    inside = _KEY_END.search(data, first, first + LONGEST_KEY)
    if inside is not None and not _KEY_BEGIN.search(data, first, inside.start()):
        return inside.end()
    return first
