"""The command and its descendants, by looking now and then: which they are, how much they hold.

Linux only: /proc. The sum counts a page twice that two processes share.
"""

from __future__ import annotations

import os
import sys
import time

from provenance.core.context import Sighting
from provenance.executors import _proc

FIRST_S, LONGEST_S = 0.1, 5.0
SHARE = 0.004
"""The share of one CPU's time that looking may take; with longer trees looks become rarer."""
_GROWTH = 1.3
MOST_SIGHTINGS = 500
_HOOK = "PROV_AGENT_DIR"
"""The variable without which a Python process is not observed; see `agent.launch`."""


class TreeMemory:
    """The peak of the memory of a process tree, and the processes that were seen in it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._pause = FIRST_S
        self._looks = -1
        self.peak: int | None = None
        self.interval_s: float | None = None
        self._seen: dict[int, Sighting] = {}
        self._known: set[int] = set()
        self._gone: list[Sighting] = []

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
        tree = _proc.tree(self._pid)
        size = sum(_proc.resident(pid, self._page) for pid in tree)
        if size:
            self.peak = max(self.peak or 0, size)
            self.interval_s = self._pause
            self._sight(tree)
        cost = time.thread_time() - began
        self._pause = min(max(self._pause * _GROWTH, cost / SHARE), max(LONGEST_S, cost / SHARE))
        return self._pause

    @property
    def sightings(self) -> tuple[Sighting, ...]:
        """The processes that were seen, those first that were seen first."""
        found = [*self._gone, *self._seen.values()]
        return tuple(sorted(found, key=lambda one: one.began))

    def _sight(self, tree: list[int]) -> None:
        """Take note of processes that are new, and once more when they may have become another."""
        for pid in self._seen.keys() - set(tree):
            self._gone.append(self._seen.pop(pid))
            self._known.discard(pid)
        room = MOST_SIGHTINGS - len(self._gone)
        for pid in tree[:room]:
            before = self._seen.get(pid)
            if pid in self._known or (before is None and len(self._seen) >= room):
                continue
            argv = _proc.words(pid)
            if before is not None:
                self._known.add(pid)  # between fork and exec it looks like its parent
            if argv and (before is None or before.argv != argv):
                name = os.path.basename(argv[0])
                python = name.startswith(("python", "pypy"))
                hooked = _proc.has_variable(pid, _HOOK) if python else None
                began = before.began if before is not None else time.time()
                self._seen[pid] = Sighting(pid, _proc.parent(pid), argv, began, hooked)
