"""The command's output as a whole: what goes through us, what does not, and the log of both."""

from __future__ import annotations

import os
import termios
from collections.abc import Callable

from provenance.core.record import Log
from provenance.executors import _interject, _late, _pty, _streams
from provenance.executors._lanes import Lane
from provenance.executors._log import PIECE, TAIL, LogWriter
from provenance.executors._relay import Channel
from provenance.executors._screen import TerminalChannel
from provenance.executors._streams import FILE, PIPE, TERMINAL, Stream


class Output:
    """Standard output and standard error of one run.

    redirections: pairs of our descriptor and the command's, for starting it.
    """

    def __init__(
        self,
        log_path: str | None,
        redact: Callable[[bytes], bytes],
        hits: Callable[[], int],
    ) -> None:
        """Look at our descriptors 1 and 2 and prepare for each what it needs; never raises."""
        self.redirections: list[tuple[int, int]] = []
        self._notes: list[str] = []
        self._channels: list[Channel] = []
        self._lanes: list[Lane] = []
        self._files: list[Stream] = []
        self._modes: list[str] = []
        self._error: Channel | Stream | None = None
        self._path = log_path
        self._name = os.path.basename(log_path or "")
        self._writer: LogWriter | None = None
        self._reserved = _streams.reserve()
        if log_path is None:
            return
        try:
            self._writer = LogWriter(log_path, redact, hits)
        except OSError as error:
            self._notes.append("The output was not kept: %s: %s." % (log_path, error.strerror))
            return
        self._prepare()

    def _prepare(self) -> None:
        ours: dict[tuple[int, ...], int] = {}
        channels: dict[tuple[int, ...], Channel] = {}
        for stream in (_streams.look(1), _streams.look(2)):
            if stream.mode == FILE:
                self._files.append(stream)
                self._error = stream
            elif stream.mode in (PIPE, TERMINAL):
                if stream.place not in ours:
                    side = self._channel(stream)
                    if side is None:
                        continue
                    ours[stream.place] = side
                    channels[stream.place] = self._channels[-1]
                self._error = channels[stream.place]
                self.redirections.append((ours[stream.place], stream.fd))
            else:
                self._error = None
                self._notes.append(
                    "Standard %s was a device or closed: not kept."
                    % ("output" if stream.fd == 1 else "error")
                )
                continue
            if stream.mode not in self._modes:
                self._modes.append(stream.mode)

    def _channel(self, stream: Stream) -> int | None:
        """Make the way for ``stream``; return the command's side, None where there can be none."""
        assert self._writer is not None
        terminal = stream.mode == TERMINAL
        try:
            source, side = _pty.open_like(stream.fd) if terminal else os.pipe()
        except (OSError, termios.error) as error:
            self._notes.append("Output to a %s was not kept: %s." % (stream.mode, error))
            return None
        lane = Lane(self._writer, self._lanes)
        channel = (
            TerminalChannel(source, stream.fd, os.fstat(side).st_rdev, lane)
            if terminal
            else Channel(source, stream.fd, lane)
        )
        channel.first = self._channels[0] if self._channels else None
        self._channels.append(channel)
        return side

    @property
    def places(self) -> tuple[tuple[str, int], ...]:
        """Files in which the output can be read while it comes, each from which byte on."""
        kept = [(self._path, 0)] if self._path and self._channels else []
        files = {one.place: one for one in reversed(self._files)}
        return (
            *kept,
            *((os.path.realpath("/proc/self/fd/%d" % f.fd), f.offset) for f in files.values()),
        )

    def say(self, text: str, always: bool) -> None:
        """Print a line of ours on standard error, between the command's; not where it would tear.

        always: also where that is no terminal.
        """
        error = self._error
        if isinstance(error, Channel):
            if error.terminal or always:
                error.voice.on = True
                error.voice.say(text)
        elif error is not None and always and _interject.at_line_start(error.fd):
            os.write(error.fd, text.encode("utf-8", "replace") + b"\n")

    def listen(self, always: bool) -> None:
        """Follow where the lines of standard error begin, so that `say` can be called."""
        if isinstance(self._error, Channel):
            self._error.voice.on = self._error.terminal or always

    def _close_their_side(self) -> None:
        for fd in {ours for ours, _ in self.redirections}.union(self._reserved):
            os.close(fd)
        self.redirections, self._reserved = [], []

    def abandon(self) -> None:
        """Undo the preparations: the command was not started."""
        self._close_their_side()
        for channel in self._channels:
            channel.abandon()
        if self._writer is not None:
            self._writer.close()

    def start(self, pid: int) -> None:
        """Begin to relay; the command has been started as ``pid``."""
        self._close_their_side()
        for channel in self._channels:
            channel.start(pid)

    def settle(self, patience: float) -> None:
        """Hand on all that was written so far, within ``patience`` seconds."""
        for channel in self._channels:
            channel.settle(patience)

    def resize(self) -> None:
        """Follow the size of the user's terminal."""
        for channel in self._channels:
            channel.resize()

    def finish(self) -> tuple[Log, tuple[str, ...]]:
        """Hand on and keep what is still there; return what became of it, and notes.

        Call it when the command has ended. Output of processes that it left behind is handed on by
        somebody else, and not kept.
        """
        for channel, lane in zip(self._channels, self._lanes, strict=True):
            leftover = channel.finish()
            lane.finish()
            self._note(channel.trouble)
            if leftover is not None:
                self._note(_late.hand_over(leftover))
                if not leftover.pending:
                    self._note("processes left in the background may print more: that is not kept")
        writer = self._writer
        if writer is None:
            return Log(), tuple(self._notes)
        for fd, start, end in _streams.written(self._files):
            self._note(_copy_file(fd, start, end, writer))
        writer.close()
        self._note(writer.trouble)
        if not self._modes:
            return Log(), tuple(self._notes)
        mode = "+".join(self._modes)
        log = Log(self._name, mode, writer.size, writer.redactions, writer.truncated)
        return log, tuple(self._notes)

    def _note(self, sentence: str) -> None:
        if sentence:
            sentence = sentence[0].upper() + sentence[1:] + "."
            if sentence not in self._notes:
                self._notes.append(sentence)


def _copy_file(fd: int, start: int, end: int, writer: LogWriter) -> str:
    """Take bytes ``start`` to ``end`` of the user's file into the log, the middle only if it fits.

    Return what went wrong, empty where nothing did.
    """
    if end <= start:
        return ""
    try:
        source = _streams.reopened(fd, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        return "the output file could not be read: %s" % error.strerror
    try:
        head = min(end, start + writer.room + PIECE)
        tail = max(head, end - TAIL - PIECE)
        _feed(source, start, head, writer)
        if tail > head:
            writer.skip(tail - head)
        _feed(source, tail, end, writer)
    except OSError as error:
        return "the output file could not be read: %s" % error.strerror
    finally:
        os.close(source)
    return ""


def _feed(source: int, start: int, end: int, writer: LogWriter) -> None:
    while start < end:
        data = os.pread(source, min(PIECE, end - start), start)
        if not data:
            return
        writer.feed(data)
        start += len(data)
