"""Signals: each one reaches the command once, as if it had been sent to the command itself.

The command stays in our process group. What is sent to the group (by a terminal, by ``kill
-PGID``, to every process of a job by a scheduler) reaches it without us; what is sent to us alone
is passed on. To tell the two apart we keep a *canary*: a tiny process in the same group which
blocks everything. If a signal is pending there too, it was not meant for us alone.

All signals are blocked while a command runs, and fetched one by one; so nothing interrupts us, and
no traceback of an interrupted Python appears.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

_FAULTS = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP)
_NEVER = {*_FAULTS, signal.SIGSYS, signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE, signal.SIGXFSZ}
"""Tell of a fault of our own, cannot be blocked, or are ignored by Python for its own use."""
HELD = frozenset(signal.valid_signals()) - _NEVER
_STOPS = frozenset((signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU))
_FROM_KEYBOARD = frozenset((signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP))
_HANGUP = frozenset((signal.SIGHUP, signal.SIGCONT))
"""The kernel sends these to the leader of a session alone when its terminal goes away."""
_SI_KERNEL = 0x80
LOOK_S = 5.0
"""Seconds after which the command is looked at unasked: a thread that was there before us, and does
not block signals, may have been handed the one that tells of its end."""
_LOOKS_S = (0.0, 0.002, 0.005, 0.013)
"""Pauses between looks at the canary: one kill() of a group takes microseconds, a scheduler that
signals its processes one by one some milliseconds."""


class Caught(NamedTuple):
    """A signal that was fetched. sender: process id, 0 for the kernel or where unknown."""

    number: int
    from_kernel: bool
    sender: int


def hold() -> set[int]:
    """Block all signals in this thread and its future ones; return the mask from before."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
    return {int(number) for number in before}


def fetch(timeout: float | None) -> Caught | None:
    """Wait for the next signal, for at most ``timeout`` seconds."""
    if sys.platform != "linux":
        # No time limit and no sender here; what a keyboard can send is taken to be from there.
        number = int(signal.sigwait(HELD))
        return Caught(number, number in _FROM_KEYBOARD, 0)
    info = (
        signal.sigwaitinfo(HELD)
        if timeout is None
        else signal.sigtimedwait(HELD, max(timeout, 0.0))
    )
    if info is None:
        return None
    return Caught(info.si_signo, info.si_code == _SI_KERNEL, info.si_pid)


class Canary:
    """A process in our group that receives what we receive, if it is not for us alone."""

    def __init__(self) -> None:
        """Start it. Call while no other thread runs, with all signals blocked."""
        self.pid = 0
        if sys.platform != "linux":
            return
        orders, self._orders = os.pipe()
        self._answers, answers = os.pipe()
        try:
            self.pid = os.fork()
        except OSError:  # no more processes: every signal counts as sent to us alone
            self.pid = 0
            os.close(self._answers)
            os.close(self._orders)
        else:
            if self.pid == 0:
                _sit(orders, answers)
        os.close(orders)
        os.close(answers)

    def heard(self, number: int) -> bool:
        """Return whether the canary got signal ``number`` too, and make it forget it."""
        if not self.pid:
            return False
        for pause in _LOOKS_S:
            time.sleep(pause)
            if self._pending() >> (number - 1) & 1:
                self._forget()
                return True
        return False

    def _pending(self) -> int:
        try:
            with open("/proc/%d/status" % self.pid, "rb") as file:
                for line in file:
                    if line.startswith(b"ShdPnd:"):
                        return int(line[7:], 16)
        except (OSError, ValueError):
            pass
        return 0

    def _forget(self) -> None:
        try:
            os.write(self._orders, b"f")
            if select.select([self._answers], [], [], 0.2)[0]:
                os.read(self._answers, 16)
        except OSError:
            return

    def close(self) -> None:
        """End it."""
        if self.pid:
            os.close(self._orders)
            os.close(self._answers)
            os.waitpid(self.pid, 0)
            self.pid = 0


def _sit(orders: int, answers: int) -> None:
    """Be the canary: keep signals pending, forget them when told to, end when our parent has."""
    try:
        low, high = sorted((orders, answers))
        os.closerange(0, low)
        os.closerange(low + 1, high)
        os.closerange(high + 1, max(os.sysconf("SC_OPEN_MAX"), 1024))
        while os.read(orders, 1):
            while signal.sigtimedwait(HELD, 0) is not None:
                pass
            os.write(answers, b".")
    finally:
        os._exit(0)


class Attendance:
    """Waits for the end of the command and passes on what is meant for it."""

    def __init__(
        self,
        pid: int,
        canary: Canary,
        settle: Callable[[], None],
        resized: Callable[[], None],
    ) -> None:
        """settle: called before we stop together with the command. resized: on SIGWINCH."""
        self._pid, self._canary = pid, canary
        self._settle, self._resized = settle, resized
        self._stop_asked = False
        self._stopped_by = 0

    def wait(self, sample: Callable[[], float | None]) -> tuple[int, Any]:
        """Return the wait status and the resource usage of the command when it has ended.

        sample: called now and then; returns in how many seconds it wants to be called again.
        """
        pause = sample()
        due = None if pause is None else time.monotonic() + pause
        while True:
            left = LOOK_S if due is None else min(due - time.monotonic(), LOOK_S)
            caught = fetch(left)
            if caught is None:
                ended = self._reap()
                if ended is not None:
                    return ended
                if due is not None and time.monotonic() >= due:
                    pause = sample()
                    due = None if pause is None else time.monotonic() + pause
            elif caught.number == signal.SIGCHLD:
                ended = self._reap()
                if ended is not None:
                    return ended
            elif caught.number == signal.SIGWINCH:
                if caught.sender != os.getpid():
                    self._resized()
            else:
                self._pass_on(caught)
            if self._stop_asked and self._stopped_by:
                self._stop_too()

    def _reap(self) -> tuple[int, Any] | None:
        while True:
            pid, status, usage = os.wait4(self._pid, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            if pid == 0:
                return None
            if os.WIFSTOPPED(status):
                self._stopped_by = os.WSTOPSIG(status)
            elif os.WIFCONTINUED(status):
                self._stopped_by = 0
            else:
                return status, usage

    def _pass_on(self, caught: Caught) -> None:
        number = caught.number
        if number in _STOPS:
            self._stop_asked = True
        elif number == signal.SIGCONT:
            self._stop_asked = False
        if caught.sender == os.getpid() or self._canary.heard(number):
            return
        if caught.from_kernel and number not in _HANGUP:
            return  # of a limit or timer of our own, or from the keyboard and we have no canary
        try:
            os.kill(self._pid, number)
        except OSError:
            return

    def _stop_too(self) -> None:
        """Stop as the command has stopped, so that a shell sees its job stop; return on SIGCONT."""
        number = self._stopped_by
        self._settle()
        self._stop_asked, self._stopped_by = False, 0
        if signal.SIGCONT in signal.sigpending():
            return
        if number != signal.SIGSTOP:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
        self._resized()
