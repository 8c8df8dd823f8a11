"""One line on a terminal that says how far something long is; nothing anywhere else."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

PATIENCE_S, AGAIN_S = 2.0, 0.5
"""Seconds before the line appears, and between its changes."""

_HEAD = "prov: "

Shown = TypeVar("Shown", bound="Progress")


class Progress:
    """While in the context, shows what ``text()`` returns on stderr, and removes it in the end."""

    def __init__(self, text: Callable[[], str]) -> None:
        self._text = text
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self: Shown) -> Shown:
        try:
            shown = sys.stderr.isatty()
        except (AttributeError, ValueError):
            shown = False
        if shown:
            self._thread = threading.Thread(target=self._show, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _show(self) -> None:
        pause, width = PATIENCE_S, 0
        while not self._ended.wait(pause):
            line = _HEAD + self._text()
            line = line[: shutil.get_terminal_size().columns - 1]  # a wrapped line stays behind
            _put("\r" + line.ljust(width))
            pause, width = AGAIN_S, max(width, len(line))
        if width:
            _put("\r" + " " * width + "\r")


class Stages(Progress):
    """Shows what was last said to it, and for how long that has been going on: ``... 12 s``."""

    def __init__(self, first: str = "comparing") -> None:
        super().__init__(self._now)
        self._stage, self._since = first, time.monotonic()

    def __call__(self, stage: str) -> None:
        """Say what is going on from now on; after a comma, how far it is."""
        if stage.partition(",")[0] != self._stage.partition(",")[0]:
            self._since = time.monotonic()
        self._stage = stage

    def _now(self) -> str:
        tail = " ... %d s" % (time.monotonic() - self._since)
        room = shutil.get_terminal_size().columns - len(_HEAD) - len(tail) - 1
        return self._stage[: max(room, 0)] + tail


def _put(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        pass
