"""How much memory the command and its descendants hold together, by looking now and then.

Linux only: /proc. The sum counts a page twice that two processes share.
"""

from __future__ import annotations

import os
import sys
import time

from provenance.executors import _proc

FIRST_S, LONGEST_S = 0.1, 5.0
SHARE = 0.004
"""The share of one CPU's time that looking may take; with longer trees looks become rarer."""
_GROWTH = 1.3


class TreeMemory:
    """The peak of the memory of a process tree."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._pause = FIRST_S
        self._looks = -1
        self.peak: int | None = None
        self.interval_s: float | None = None

    def sample(self) -> float | None:
        """Look at the tree; return in how many seconds to look again, None for never.

        The first call, at the start, does not look: there is nothing yet.
        """
        if sys.platform != "linux":
            return None
        self._looks += 1
        if self._looks == 0:
            return self._pause
        began = time.thread_time()
        size = sum(_proc.resident(pid, self._page) for pid in _proc.tree(self._pid))
        if size:
            self.peak = max(self.peak or 0, size)
            self.interval_s = self._pause
        cost = time.thread_time() - began
        self._pause = min(max(self._pause * _GROWTH, cost / SHARE), max(LONGEST_S, cost / SHARE))
        return self._pause
