"""How much memory the command and its descendants hold together, by looking now and then.

Linux only: /proc. The sum counts a page twice that two processes share.
"""

from __future__ import annotations

import os
import sys
import time

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
        size = self._tree()
        if size:
            self.peak = max(self.peak or 0, size)
            self.interval_s = self._pause
        cost = time.thread_time() - began
        self._pause = min(max(self._pause * _GROWTH, cost / SHARE), max(LONGEST_S, cost / SHARE))
        return self._pause

    def _tree(self) -> int:
        total, waiting, seen = 0, [self._pid], {self._pid}
        while waiting:
            pid = waiting.pop()
            total += self._resident(pid)
            for child in _children(pid):
                if child not in seen:
                    seen.add(child)
                    waiting.append(child)
        return total

    def _resident(self, pid: int) -> int:
        try:
            with open("/proc/%d/statm" % pid, "rb", buffering=0) as file:
                return int(file.read().split()[1]) * self._page
        except (OSError, ValueError, IndexError):
            return 0


def _children(pid: int) -> list[int]:
    """Return the children of all threads of ``pid``; none where the kernel does not tell."""
    found: list[int] = []
    try:
        threads = os.listdir("/proc/%d/task" % pid)
    except OSError:
        return found
    for thread in threads:
        try:
            with open("/proc/%d/task/%s/children" % (pid, thread), "rb", buffering=0) as file:
                found.extend(int(word) for word in file.read().split())
        except (OSError, ValueError):
            continue
    return found
