"""Handing the command's output on, byte by byte as it comes, to where it would have gone.

One thread per destination: one that does not read must not hold up the other. The user's side is
served first, then the log. When the reader beyond goes away, our end is closed at once, so that
the command's next write fails as it would have without us.
"""

from __future__ import annotations

import os
import select
import threading
import time
from typing import NamedTuple

from provenance.executors import _streams
from provenance.executors._interject import Interjector
from provenance.executors._lanes import Lane

CHUNK = 64 << 10
DRAIN = 1 << 20
"""The most that is copied after the command has ended; what comes then is of other processes."""
ORDER_S = 0.2
"""How long the log waits for what was printed on the other output before."""
_LOOK_S = 0.0005
STALL_S = 1.0
"""How long a reader beyond may keep us waiting after the command has ended."""
_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL
_NEWS = select.POLLIN | select.POLLPRI | select.POLLHUP | select.POLLERR


class Leftover(NamedTuple):
    """An output that other processes still hold open, or that its reader does not take.

    source: to read from, to be closed. sink: to write to. pending: read, but not yet written.
    """

    source: int
    sink: int
    pending: bytes


class Channel:
    """One way of the command's output: from ``source`` (ours) to ``sink`` (the user's)."""

    terminal = False

    def __init__(self, source: int, sink: int, log: Lane) -> None:
        self.trouble = ""
        self.first: Channel | None = None
        """The output whose unread bytes come first in the log: most likely they are older."""
        self.voice = Interjector(sink, self.terminal)
        self._source, self._sink, self._log = source, sink, log
        self._out, self._most = self._open_sink()
        self._wake, self._waker = os.pipe()
        self._drained = threading.Event()
        self._deadline: float | None = None  # of writing, once the command has ended
        self._budget = DRAIN
        self._pending = b""
        self._busy = False
        self._in_order = True
        self._poll = select.poll()
        self._poll.register(source, select.POLLIN | select.POLLPRI)
        self._poll.register(sink, 0)
        self._poll.register(self._wake, select.POLLIN)
        self._thread = threading.Thread(target=self._run, name="prov-relay", daemon=True)

    def start(self, pid: int) -> None:  # noqa: ARG002  # terminals need to know the command
        """Begin to relay for the command ``pid``."""
        self._thread.start()

    def settle(self, patience: float) -> None:
        """Wait until all that has been written so far is handed on, but no longer than that."""
        self._drained.clear()
        if self._thread.is_alive():
            os.write(self._waker, b"d")
            self._drained.wait(patience)

    def resize(self) -> None:
        """Follow the size of the user's window, where there is one."""

    def finish(self) -> Leftover | None:
        """Hand on what is there and stop; return what has to be carried on by somebody else.

        Call it once, when the command has ended.
        """
        self._deadline = time.monotonic() + STALL_S
        os.write(self._waker, b"f")
        self._thread.join()
        if self._source >= 0:
            self._part()
        self._close_ours()
        return Leftover(self._source, self._sink, self._pending) if self._source >= 0 else None

    def abandon(self) -> None:
        """Close everything of ours: it was never started."""
        self._close()
        self._close_ours()

    def _close_ours(self) -> None:
        for fd in {self._wake, self._waker, self._out} - {self._sink}:
            os.close(fd)

    def _run(self) -> None:
        try:
            while self._step():
                pass
        except OSError as error:
            self.trouble = "an output could no longer be handed on: %s" % error
            self._close()
        finally:
            self._drained.set()

    def _step(self) -> bool:
        """Serve one event; return whether to go on."""
        ready = dict(self._poll.poll(self._patience()))
        if ready.get(self._sink, 0) & _GONE:
            return self._close()
        if ready.get(self._source, 0) & _NEWS and self._budget > 0:
            return self._copy()
        self._rest(ready)
        if self._wake in ready or self._budget <= 0:
            return self._obey()
        return self._interject()

    def _interject(self) -> bool:
        """Say what we have to say, where that may be now; return whether to go on."""
        if not self.voice.on or self._deadline is not None or not self._may_speak():
            return True
        text = self.voice.now()
        return not text or self._write(text)

    def _may_speak(self) -> bool:
        """Return whether the user's side is in no state in which nobody must interfere."""
        return True

    def _patience(self) -> float | None:
        """Return for how many milliseconds to wait for events, None for ever."""
        due = [
            wait
            for wait in (self._log.refresh(), self._due(), self.voice.due())
            if wait is not None
        ]
        return min(due) * 1000 + 1 if due else None

    def _obey(self) -> bool:
        """Do what the main thread asks for; nothing is left to read at this moment."""
        orders = os.read(self._wake, 64) if self._budget > 0 else b"f"
        if b"d" in orders:
            self._drained.set()
        return b"f" not in orders

    def _copy(self) -> bool:
        self._busy = True
        try:
            return self._copied()
        finally:
            self._busy = False

    def _copied(self) -> bool:
        try:
            data = os.read(self._source, CHUNK + 1)
        except OSError:  # EIO: nobody has the terminal open any more
            data = b""
        if not data:
            return self._close()
        data = self._unpack(data)
        if not data:
            return True
        if self._deadline is not None:
            self._budget -= len(data)
        alive = self._write(data)
        self._await_first()
        self._log.feed(data)
        self._passed(len(data))
        self.voice.passed(data)
        return (alive and self._interject()) or self._stalled()

    def _await_first(self) -> None:
        """Wait until the other output's older bytes are in the log; not again for a slow one."""
        until = time.monotonic() + ORDER_S
        while self.first is not None and self.first.is_behind():
            if not self._in_order or time.monotonic() > until:
                self._in_order = False
                return
            time.sleep(_LOOK_S)
        self._in_order = True

    def is_behind(self) -> bool:
        """Return whether there is output that is not in the log yet."""
        return self._busy or (self._source >= 0 and _streams.unread(self._source) > 0)

    def _due(self) -> float | None:
        """Return in how many seconds `_rest` wants to be called, None for never."""
        return None

    def _rest(self, ready: dict[int, int]) -> None:
        """Use the time while there is nothing to read; ``ready``: what poll(2) gave."""

    def _unpack(self, data: bytes) -> bytes:
        """Return the output in what was read."""
        return data

    def _passed(self, size: int) -> None:
        """Take note that ``size`` bytes were handed on."""

    def _part(self) -> None:
        """Do what is to be done before the source is closed or given away."""

    def _open_sink(self) -> tuple[int, int | None]:
        """Return a descriptor for writing to the user, and how much may be written at once.

        A pipe is opened anew without blocking. Where that cannot be done (sockets, the pipe of
        another user), as much as always fits is written when there is room.
        """
        try:
            return _streams.reopened(self._sink, os.O_WRONLY | os.O_NONBLOCK), None
        except OSError:
            return self._sink, select.PIPE_BUF

    def _write(self, data: bytes) -> bool:
        """Write ``data`` completely; return False where it was given up (`_pending`, or closed)."""
        view = memoryview(data)
        while view:
            try:
                if self._most is None or self._writable(0):
                    view = view[os.write(self._out, view[: self._most]) :]
                    continue
            except BlockingIOError:
                pass
            except OSError:  # EPIPE, EIO: nobody reads any more
                return self._close()
            if not self._writable(None):
                self._pending = bytes(view)
                return False
        return True

    def _writable(self, patience: int | None) -> bool:
        """Wait until the user's side takes more; False where it does not in time."""
        poll = select.poll()
        poll.register(self._out, select.POLLOUT)
        if patience is not None:
            return bool(poll.poll(patience))
        while not poll.poll(100):
            if self._deadline is not None and time.monotonic() > self._deadline:
                return False
        return True

    def _stalled(self) -> bool:
        """Take what is still unread into the log and into `_pending`; always False."""
        poll = select.poll()
        poll.register(self._source if self._source >= 0 else self._wake, select.POLLIN)
        while self._source >= 0 and self._budget > 0 and poll.poll(0):
            try:
                data = os.read(self._source, CHUNK)
            except OSError:
                break
            if not data:
                break
            self._budget -= len(data)
            self._pending += data
            self._log.feed(data)
        return False

    def _close(self) -> bool:
        """Close our end: the command's next write fails as it would without us. Always False."""
        if self._source >= 0:
            self._part()
            os.close(self._source)
            self._source = -1
        return False
