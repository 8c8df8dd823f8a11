"""After the command has ended: signals while the record is being finished, and our own end."""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from typing import NoReturn

from provenance.core.context import Outcome

_ASK_TO_END = frozenset((signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT))
ENOUGH = 3
"""So many requests to end after the command has ended give up the record that is being finished."""
_OVER = signal.SIGUSR1
"""Sent by ourselves to the thread that waits, when its time is over."""


class _Patience(threading.Thread):
    """Swallows requests to end while the record is being finished, up to `ENOUGH` of them."""

    def __init__(self, mask: set[int], outcome: Outcome) -> None:
        super().__init__(name="prov-patience", daemon=True)
        self.mask, self._outcome = mask, outcome

    def run(self) -> None:
        asked = 0
        while asked < ENOUGH:
            caught = signal.sigwaitinfo({*_ASK_TO_END, _OVER})
            if caught.si_signo in _ASK_TO_END:
                asked += 1
            elif caught.si_pid == os.getpid():
                return
        os._exit(self._outcome.exit_code)

    def stop(self) -> None:
        """End the thread, which lives until it is told so."""
        assert self.ident is not None
        signal.pthread_kill(self.ident, _OVER)
        self.join()


_patience: list[_Patience] = []


def begin_patience(mask: set[int], outcome: Outcome) -> None:
    """Hold signals back from now on; ``mask`` is to be restored by `release`."""
    # programs that are asked while the record is finished may rely on it
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    _patience.append(_Patience(mask, outcome))
    if sys.platform == "linux":  # elsewhere, without sigwaitinfo, they are held back to the end
        _patience[0].start()


def release() -> None:
    """Restore the signal mask from before the run, forgetting requests to end meanwhile."""
    while _patience:
        patience = _patience.pop()
        if patience.is_alive():
            patience.stop()
        signal.pthread_sigmask(signal.SIG_SETMASK, patience.mask)


def end_as(outcome: Outcome) -> NoReturn:
    """See `local.end_as`."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):  # the reader has gone; that is no failure of the command
            continue
    if outcome.signal is not None:
        _die_by(outcome.signal)
    os._exit(outcome.exit_code)


def _die_by(number: int) -> None:
    """Die by signal ``number``; return where that does not kill (we are process 1)."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    # 1 and not 0: a core handler that is a program is called for 0 too (core(5))
    soft = 0 if hard == 0 else 1
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
