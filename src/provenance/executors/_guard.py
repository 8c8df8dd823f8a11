"""The process between prov and a sandboxed command: it starts it, watches it and ends it.

It lives as long as its standard input, which only prov holds open, and takes all that it started
with it, also where prov was killed. It has one thread, so that it may fork and then call the
system as it likes. Run by `sandbox`: ``python -I -S -c "..."``, the task as a line of JSON on
standard input, the process id and then the end as lines of JSON on standard output.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys
import time
from typing import Any

from provenance.executors import _confined, _proc

_SUBREAPER = 36  # prctl(2)
LOOK_S = 0.05
MEASURE_S = 0.5
"""Pauses between looks at processes and at what they have written."""
_SHARE = 0.05
"""The share of the time that walking through the written files may take."""
_GRACE_S = 10.0
_SOME = 1000
"""How many processes outside of the command's group are killed at a time."""
_ENOUGH = 65536
"""Bytes of each stream that are kept, from its end."""


class Command:
    """A started command with all that came from it."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.started = time.monotonic()
        self.status: int | None = None
        self.kept: dict[int, bytearray] = {}
        self._page = os.sysconf("SC_PAGE_SIZE")
        out, err, trouble, start = os.pipe(), os.pipe(), os.pipe(), os.pipe()
        me = os.getpid()
        self._before = written(spec["writable"])
        self.pid = os.fork()
        if self.pid == 0:
            os.close(start[1])
            if not os.read(start[0], 1):
                os._exit(1)
            _child(spec, (out[1], err[1]), trouble[1], me)
        for pipe in (out, err, trouble):
            os.close(pipe[1])
        try:
            os.setpgid(self.pid, self.pid)
        except OSError:  # it has done so itself, or is gone
            pass
        # prov knows the group before anything runs in it, should we be killed
        _tell({"pid": self.pid})
        os.write(start[1], b"x")
        os.close(start[0])
        os.close(start[1])
        self.trouble = _whole(trouble[0])
        self.streams = (out[0], err[0])
        self.kept = {out[0]: bytearray(), err[0]: bytearray()}
        self._next = time.monotonic() + MEASURE_S

    def has_ended(self) -> bool:
        """Return whether the first process has ended; its id stays taken until `kill`."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT  # an id that is not waited for stays taken
        return bool(os.waitid(os.P_PID, self.pid, flags))

    def excess(self) -> str:
        """Return which limit has been passed, "" for none."""
        if time.monotonic() - self.started > self.spec["limit_s"]:
            return "time"
        most = self.spec["limit_processes"]
        tree = descendants(os.getpid(), most)
        if len(tree) > most:
            return "processes"
        if self._uses_too_much(tree):
            return "memory"
        began = time.monotonic()
        if began < self._next:
            return ""
        size = written(self.spec["writable"]) - self._before
        now = time.monotonic()
        self._next = now + max(MEASURE_S, (now - began) / _SHARE)
        return "written" if size > self.spec["limit_bytes"] else ""

    def _uses_too_much(self, tree: list[int]) -> bool:
        limit: int = self.spec["limit_memory"]
        if sum(_proc.resident(pid, self._page) for pid in tree) <= limit:
            return False
        # pages that processes share are counted once for each of them until here
        return sum(_proc.proportional(pid) for pid in tree) > limit

    def take(self, stream: int) -> bool:
        """Read some of what the command prints; return False at its end."""
        data = os.read(stream, 65536)
        self.kept[stream] += data
        del self.kept[stream][:-_ENOUGH]
        return bool(data)

    def kill(self) -> None:
        """Kill everything that came from the command, and wait until it is gone."""
        until = time.monotonic() + _GRACE_S
        while time.monotonic() < until:
            _kill(-self.pid)
            for pid in descendants(os.getpid(), _SOME):
                _kill(pid)
            if self._reaped():
                return
            time.sleep(0.002)

    def _reaped(self) -> bool:
        """Wait for whatever has ended; return whether nothing is left."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return False
                if pid == self.pid:
                    self.status = status
        except ChildProcessError:
            return True


def main() -> None:
    """See the module."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    spec = json.loads(_line(0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, ctypes.c_ulong(1))
    command = Command(spec)
    limit = "" if command.trouble else _watch(command)
    seconds = time.monotonic() - command.started
    command.kill()
    _drain(command)
    out, err = (command.kept[one].decode("utf-8", "replace") for one in command.streams)
    _tell(
        {
            "status": command.status,
            "limit": limit,
            "trouble": command.trouble.decode("utf-8", "replace"),
            "seconds": seconds,
            "out": out,
            "err": err,
        }
    )


def _child(spec: dict[str, Any], streams: tuple[int, int], trouble: int, guard: int) -> None:
    try:
        _confined.become(spec, streams, guard)
    except BaseException as error:  # noqa: BLE001  # whatever it is, it must not run on as a guard
        os.write(trouble, str(error).encode("utf-8", "replace")[:4096] or b"?")
    os._exit(127)


def _watch(command: Command) -> str:
    """Return when the command has ended, or the limit for which it is to be ended."""
    wanted = select.poll()
    for stream in command.streams:
        wanted.register(stream, select.POLLIN)
    wanted.register(0, 0)  # its end alone
    ended = _end_of(command.pid)
    if ended >= 0:
        wanted.register(ended, select.POLLIN)
    looked = time.monotonic()
    while True:
        for ready, _ in wanted.poll(LOOK_S * 1000):
            if ready == 0:
                return "stopped"
            if ready in command.streams and not command.take(ready):
                wanted.unregister(ready)
        if command.has_ended():
            return ""
        if time.monotonic() - looked >= LOOK_S:
            limit = command.excess()
            if limit:
                return limit
            looked = time.monotonic()


def _end_of(pid: int) -> int:
    """Return a descriptor that becomes readable when ``pid`` ends, -1 where there is none."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return -1


def _drain(command: Command) -> None:
    for stream in command.streams:
        os.set_blocking(stream, False)
        try:
            while command.take(stream):
                pass
        except BlockingIOError:
            continue


def descendants(pid: int, most: int) -> list[int]:
    """Return the descendants of ``pid``; a few more than ``most`` where there are more.

    Whoever wants to see all of a tree that doubles while it is walked never comes to its end.
    """
    found, at = [pid], 0
    while at < len(found) <= most + 1:
        found += _proc.children(found[at])
        at += 1
    return found[1:]


def written(folders: list[str]) -> int:
    """Return the bytes that the files below ``folders`` take on disk."""
    total, left = 0, list(folders)
    while left:
        try:
            with os.scandir(left.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue
    return total


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        return


def _whole(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read()


def _line(descriptor: int) -> bytes:
    read = bytearray()
    while not read.endswith(b"\n"):
        data = os.read(descriptor, 65536)
        if not data:
            sys.exit(1)
        read += data
    return bytes(read)


def _tell(value: dict[str, Any]) -> None:
    left = json.dumps(value).encode("ascii") + b"\n"
    try:
        while left:
            left = left[os.write(1, left) :]
    except OSError:  # prov is gone, and nobody asks any more
        return
