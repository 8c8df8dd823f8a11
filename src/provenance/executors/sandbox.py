"""Run a command that can do no harm: it writes below given folders only, and has no network.

On Linux the kernel enforces it, by Landlock and a filter of system calls, for the command and all
that comes from it; no root is needed. `probe` says what this machine offers. Between this process
and the command stands another, `_guard`, so that everything ends with us, also when we are killed.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from provenance.errors import SystemRefused
from provenance.executors import _landlock, _seccomp, _secrets, _spawn
from provenance.executors._spawn import NotStarted

__all__ = [
    "Ended",
    "NotStarted",
    "Protection",
    "Task",
    "free_memory",
    "is_secret_place",
    "probe",
    "run",
]

is_secret_place = _secrets.is_place

TICK_S = 0.05
_LATE_S = 15.0
"""How long after the time limit a guard that does not answer is given up."""
_LONGEST_S = 86400.0
_START = "import sys; sys.path.append(sys.argv[1]); from provenance.executors import _guard as g;"
_HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Protection(NamedTuple):
    """What this machine can keep a command from.

    writes: writing outside of given folders. network: any network. others: signals to, and hidden
    sockets of, other processes. reasons: a sentence for each that is not offered, and for what
    stays open.
    """

    writes: bool
    network: bool
    others: bool
    reasons: tuple[str, ...]


class Task(NamedTuple):
    """What to run. argv: the command. cwd: absolute. environ: all of its environment.

    writable: folders below which it may write; what they hold belongs to it. limit_s: seconds.
    limit_bytes: written below ``writable``, and in any one file. limit_memory: bytes of all its
    processes together; None: half of what is free. limit_processes: that live at once. readable:
    paths that may be read although they are known to hold secrets. unprotected: start it also
    where writes cannot be kept in.
    """

    argv: tuple[str, ...]
    cwd: str
    environ: Mapping[str, str]
    writable: tuple[str, ...]
    limit_s: float = 60.0
    limit_bytes: int = 1 << 30
    limit_memory: int | None = None
    limit_processes: int = 512
    readable: tuple[str, ...] = ()
    unprotected: bool = False


class Ended(NamedTuple):
    """How a command ended.

    code: its exit code, 128 plus the signal where one killed it; None where it never started.
    signal: that killed it. limit: "" where it ended by itself, else time, memory, written,
    processes, stopped, start or lost. why: a sentence about that, "" where it ended by itself.
    seconds: wall time. stdout_tail, stderr_tail: the last 64 KiB of what it printed.
    """

    code: int | None
    signal: int | None
    limit: str
    why: str
    seconds: float
    stdout_tail: str
    stderr_tail: str

    @property
    def timed_out(self) -> bool:
        """Whether the time limit ended it."""
        return self.limit == "time"


def probe() -> Protection:
    """Return what this machine offers; it costs a few system calls."""
    abi, without = _landlock.version()
    no_filter = _seccomp.reason()
    reasons = []
    if not abi:
        reasons.append("nothing keeps a command from writing everywhere: %s." % without)
    if no_filter:
        reasons.append("the network cannot be switched off for a command: %s." % no_filter)
        if abi:
            reasons.append("modes, times and owners of files can be changed: %s." % no_filter)
    if 0 < abi < 6:
        reasons.append(
            "your other processes can be sent signals: Landlock is of version %d, not 6." % abi
        )
    if 0 < abi < 9:
        reasons.append(
            "programs that listen on a socket in the file system can be reached, as a Docker "
            "daemon that you may use: Landlock is of version %d, not 9." % abi
        )
    return Protection(abi > 0 and not no_filter, not no_filter, abi >= 6, tuple(reasons))


def run(
    task: Task,
    stop: Callable[[], bool] | None = None,
    tick: Callable[[], None] | None = None,
) -> Ended:
    """Run ``task`` to its end and return how it ended. Nothing of it is left running.

    stop: asked many times a second whether to end it now. tick: called as often. Raises
    `SystemRefused` where it cannot be kept from harm, `NotStarted` for a missing command; passes on
    KeyboardInterrupt and what ``stop`` and ``tick`` raise, when everything has been ended.
    """
    offered = probe()
    if not offered.writes and not task.unprotected:
        raise SystemRefused(
            offered.reasons[0], "run it elsewhere, or ask for it without protection"
        )
    spec = _spec(task)
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _START + "g.main()", _HERE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=os.sep,
        start_new_session=True,
    )
    watched = _Guarded(guard)
    try:
        watched.send(spec)
        return _ended(watched.follow(task.limit_s, stop, tick), task)
    finally:
        watched.end()


class _Guarded:
    """A running guard, of which ``answer`` has been read so far."""

    def __init__(self, guard: subprocess.Popen[bytes]) -> None:
        self._guard = guard
        assert guard.stdin is not None
        assert guard.stdout is not None
        self._life, self._answers = guard.stdin, guard.stdout
        self.answer = b""

    def send(self, spec: dict[str, Any]) -> None:
        """Give the guard its task."""
        try:
            self._life.write(json.dumps(spec).encode("ascii") + b"\n")
            self._life.flush()
        except BrokenPipeError as error:
            raise SystemRefused(
                "the process that watches over a rehearsal did not start."
            ) from error

    def follow(
        self, limit_s: float, stop: Callable[[], bool] | None, tick: Callable[[], None] | None
    ) -> bytes:
        """Wait for the guard's last word and return all that it said."""
        until = time.monotonic() + min(limit_s, _LONGEST_S) + _LATE_S
        while time.monotonic() < until:
            if self._reads(TICK_S):
                return self.answer
            if tick is not None:
                tick()
            if stop is not None and stop():
                self._let_go()
                stop = tick = None
                until = time.monotonic() + _LATE_S
        return self.answer

    def end(self) -> None:
        """Make sure that nothing is left, whatever happened; a second ^C does not stop it."""
        try:
            self._let_go()
            until = time.monotonic() + _LATE_S
            while not self._reads(TICK_S) and time.monotonic() < until:
                pass
        finally:
            self._kill()
            self._answers.close()
            self._guard.wait()

    def _kill(self) -> None:
        """End by force what has not ended: also where the guard was killed before it could."""
        said = _values(self.answer)
        if len(said) == 1:
            try:
                os.killpg(said[0]["pid"], signal.SIGKILL)
            except OSError:
                pass
        try:
            self._guard.wait(1.0)
        except subprocess.TimeoutExpired:
            self._guard.kill()

    def _let_go(self) -> None:
        """Close what the guard lives by: it ends the command."""
        try:
            self._life.close()
        except OSError:
            return

    def _reads(self, seconds: float) -> bool:
        """Wait for words of the guard; return whether it has said all."""
        ready, _, _ = select.select([self._answers], [], [], seconds)
        if not ready:
            return False
        data = os.read(self._answers.fileno(), 1 << 16)
        self.answer += data
        return not data


def _spec(task: Task) -> dict[str, Any]:
    environ = dict(task.environ)
    abi, _ = _landlock.version()
    hidden = _secrets.places(environ)
    shown = {os.path.realpath(path) for path in (*task.readable, *task.writable)}
    return {
        "argv": list(task.argv),
        "program": _spawn.find(task.argv[0], environ.get("PATH"), task.cwd),
        "cwd": task.cwd,
        "environ": environ,
        "writable": list(task.writable),
        "readable": sorted(os.path.realpath(path) for path in task.readable),
        "hidden": sorted(path for path in hidden if path not in shown),
        "limit_s": min(task.limit_s, _LONGEST_S),
        "limit_bytes": task.limit_bytes,
        "limit_processes": task.limit_processes,
        "limit_memory": free_memory() // 2 if task.limit_memory is None else task.limit_memory,
        "abi": abi,
        "filter": not _seccomp.reason(),
    }


def free_memory() -> int:
    """Return the bytes of memory that are free, as far as the system says so."""
    try:
        with open("/proc/meminfo", "rb") as stream:
            for line in stream:
                if line.startswith(b"MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _values(answer: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.splitlines(keepends=True) if line.endswith(b"\n")]


def _ended(answer: bytes, task: Task) -> Ended:
    said = _values(answer)
    if len(said) < 2:
        return Ended(
            None, None, "lost", "the process that watched over it was killed.", 0.0, "", ""
        )
    last = said[1]
    if last["trouble"]:
        why = "%s could not be started in the sandbox: %s." % (task.argv[0], last["trouble"])
        return Ended(None, None, "start", why, last["seconds"], "", last["err"])
    status = last["status"]
    number = os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else None
    code = None if status is None else 128 + number if number else os.WEXITSTATUS(status)
    why = _WHY.get(last["limit"], "") % {
        "seconds": task.limit_s,
        "written": task.limit_bytes / 1e6,
        "processes": task.limit_processes,
    }
    return Ended(code, number, last["limit"], why, last["seconds"], last["out"], last["err"])


_WHY = {
    "time": "it was ended after %(seconds).0f s, its time limit.",
    "memory": "it was ended because it used more memory than its limit.",
    "written": "it was ended because it wrote more than %(written).0f MB, its limit.",
    "processes": "it was ended because it started more than %(processes)d processes, its limit.",
    "stopped": "it was stopped.",
}
