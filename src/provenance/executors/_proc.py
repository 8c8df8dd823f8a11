"""Looking at the command's processes in /proc. Linux; elsewhere there is nothing to see."""

from __future__ import annotations

import os


def tree(pid: int) -> list[int]:
    """Return ``pid`` and its descendants; those that their parents have left are not among them."""
    found, seen = [pid], {pid}
    for one in found:  # grows while it is walked
        for child in _children(one):
            if child not in seen:
                seen.add(child)
                found.append(child)
    return found


def threads(pid: int) -> list[str]:
    """Return the ids of the threads of ``pid``; none where it has gone."""
    try:
        return os.listdir("/proc/%d/task" % pid)
    except OSError:
        return []


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for thread in threads(pid):
        try:
            with open("/proc/%d/task/%s/children" % (pid, thread), "rb", buffering=0) as file:
                found.extend(int(word) for word in file.read().split())
        except (OSError, ValueError):
            continue
    return found


def resident(pid: int, page: int) -> int:
    """Return the bytes of ``pid`` that are in memory; page: the size of a page."""
    try:
        with open("/proc/%d/statm" % pid, "rb", buffering=0) as file:
            return int(file.read().split()[1]) * page
    except (OSError, ValueError, IndexError):
        return 0


def parent(pid: int) -> int:
    """Return the parent of ``pid``, 0 where that is not known."""
    try:
        with open("/proc/%d/stat" % pid, "rb", buffering=0) as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0
