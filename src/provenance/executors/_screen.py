"""The relay of a terminal: its output, and besides it modes, window size and keys."""

from __future__ import annotations

import select
import time

from provenance.executors import _keys, _pty, _streams
from provenance.executors._lanes import Lane
from provenance.executors._relay import Channel

TICK_S = 0.25
"""How often a terminal is asked for changes that no event announces."""


class TerminalChannel(Channel):
    """The way from a terminal of ours (``source``) to the user's (``sink``)."""

    terminal = True

    def __init__(self, source: int, sink: int, place: int, log: Lane) -> None:
        """place: the device number of the terminal that the command sees."""
        super().__init__(source, sink, log)
        self._mirror = _pty.Mirror(source, sink)
        self._place = place
        self._keys: _keys.Keys | None = None
        self._watching = False
        self._look_at = 0.0
        self._tick_at = 0.0
        self._mirror_after: int | None = None  # output modes follow after so many bytes

    def start(self, pid: int) -> None:
        """Begin to relay for the command ``pid``."""
        self._keys = _keys.Keys(self._source, self._sink, self._place, pid)
        super().start(pid)

    def resize(self) -> None:
        """Follow the size of the user's window."""
        self._mirror.resize()

    def _open_sink(self) -> tuple[int, int | None]:
        return self._sink, None  # blocking: who stops the terminal with ^S stops the command

    def _unpack(self, data: bytes) -> bytes:
        """Return the output; a packet that begins with something else than 0 has none."""
        if not data[0]:
            return data[1:]
        # The kernel does not say where in the output the modes were set. Line ends in what is
        # there now are better processed once too often than not at all.
        waiting = _streams.unread(self._source) if self._mirror.switches_off() else 0
        if not waiting:
            self._mirror_after = None
        elif self._mirror_after is None:
            self._mirror_after = waiting
        self._mirror.follow(data[0], output=not waiting)
        return b""

    def _passed(self, size: int) -> None:
        if self._mirror_after is not None:
            self._mirror_after -= size
            if self._mirror_after <= 0:
                self._mirror_after = None
                self._mirror.follow(_pty.PACKET_CHANGED)

    def _may_speak(self) -> bool:
        return not self._mirror.raw

    def _due(self) -> float | None:
        return _keys.RAW_LOOK_S if self._mirror.raw and not self._watching else TICK_S

    def _rest(self, ready: dict[int, int]) -> None:
        now = time.monotonic()
        if self._wake in ready or now >= self._tick_at:
            self._tick_at = now + TICK_S
            self._mirror.tick()
        if self._keys is None or self._deadline is not None:
            return
        if self._watching and self._keys.source in ready:
            self._keys.carry()
        elif not self._watching and now >= self._look_at:
            self._look_at = now + (_keys.RAW_LOOK_S if self._mirror.raw else _keys.LOOK_S)
            self._keys.look()
        self._watch(self._keys.wanted)

    def _watch(self, wanted: bool) -> None:
        if self._keys is not None and wanted != self._watching:
            self._watching = wanted
            if wanted:
                self._poll.register(self._keys.source, select.POLLIN)
            else:
                self._poll.unregister(self._keys.source)

    def _part(self) -> None:
        self._mirror.tick()
        self._watch(False)
        if self._keys is not None:
            self._keys.close()
        try:
            _pty.leave_packet_mode(self._source)
        except OSError:  # the terminal has gone
            return
