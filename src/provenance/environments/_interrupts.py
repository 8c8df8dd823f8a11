"""Holding back Ctrl-C for the moment in which a process is started but not yet known.

An interrupt within ``subprocess.Popen`` leaves the new process running with nobody to end it.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def held() -> Iterator[Callable[[], None]]:
    """Hold back Ctrl-C; the function that is given lets it through, and raises one that came.

    Outside of the main thread, which alone hears signals, nothing is changed.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield lambda: None
        return
    came: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))

    def listen() -> None:
        signal.signal(signal.SIGINT, before)
        if came:
            before(*came.pop())

    try:
        yield listen
    finally:
        listen()
