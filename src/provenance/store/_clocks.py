"""What a file's time stamps can be trusted for.

A file system stamps a write with a clock of its own that ticks: two writes within one tick have one
stamp. Two things follow, and both have their answer here. A digest is kept only of a file whose
last change lay well in the past when the reading began (`settled`): git's care for racy stamps. And
a file that was changed a moment ago is read only after that tick is over (`wait`), because until
then a writer could change it under the reader's eyes without a trace.

The stamp that counts for a writer is the change time: programs cannot set it. Renaming a file, its
permissions and links change it as well, and then the file is read again: nothing tells that from a
file that was rewritten and given back its size and modification time. Renaming a folder changes no
file in it, so a whole data set keeps its digests when it is moved within a file system.

Stamps cannot tell what is written through a mapping: the kernel sets them when a page becomes dirty
and not again until it was written back.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Set

RACY_NS = 2_000_000_000
"""Two seconds: the coarsest time stamps in use (FAT); git works with the same reserve."""

NETWORK_NS = 60_000_000_000
"""A minute, where a server's clock sets the stamps: it need not agree with ours, and clients may
show what they know of a file for that long (``acregmax`` of nfs(5))."""

TICK_S, COARSE_S = 0.02, 2.0
"""Longest tick of file systems with fine stamps (a kernel that counts 100 a second has 0.01), and
of those that tell whole seconds."""

_SECOND_NS = 1_000_000_000
_TICK_NS = int(TICK_S * _SECOND_NS)
_NETWORK = ("nfs", "cifs", "smb", "9p", "afs", "lustre", "gpfs", "beegfs", "ceph", "fuse")
"""Beginnings of the types of file systems whose stamps may come from another machine's clock."""


def settled(status: os.stat_result, now_ns: int) -> bool:
    """Return whether a file with this status cannot change after ``now_ns`` and look the same."""
    last = max(status.st_mtime_ns, status.st_ctime_ns)
    if last >= now_ns - RACY_NS:
        return False
    return last < now_ns - NETWORK_NS or status.st_dev not in network_devices()


def settled_before(now_ns: int, devices: Set[int]) -> int:
    """Return the time before which a file on one of ``devices`` must have changed last.

    The same as `settled`, for many files at once.
    """
    return now_ns - (NETWORK_NS if devices & network_devices() else RACY_NS)


def still(changed_ns: int, now_ns: int) -> bool:
    """Return whether a write from now on would show in the stamp ``changed_ns``; see `wait`."""
    age = now_ns - changed_ns
    return age > RACY_NS or (age > _TICK_NS and bool(changed_ns % _SECOND_NS))


def wait(status: os.stat_result, limit_s: float = COARSE_S) -> bool:
    """Sleep until a change would show in the file's stamps; return whether that was needed.

    At most ``limit_s`` seconds; not at all for a stamp that lies in the future.
    """
    changed = status.st_ctime_ns
    tick = TICK_S if changed % _SECOND_NS else COARSE_S
    left = tick - (time.time_ns() - changed) / 1e9
    if not 0 < left <= tick or limit_s <= 0:
        return False
    time.sleep(min(left, limit_s))
    return True


@functools.cache
def network_devices() -> frozenset[int]:
    """Return the devices that may be another machine's; empty where the system does not tell."""
    try:
        with open("/proc/self/mountinfo", "rb") as stream:
            return devices(stream.read().decode("utf-8", "surrogateescape"))
    except OSError:
        return frozenset()


def devices(mountinfo: str) -> frozenset[int]:
    """Return the devices of network file systems in the text of a mountinfo, see proc(5)."""
    found = set()
    for line in mountinfo.splitlines():
        words, _, tail = line.partition(" - ")
        kind = tail.split(" ", maxsplit=1)[0]
        place = words.split(" ")[2:3]
        if kind.startswith(_NETWORK) and place and place[0].replace(":", "").isdigit():
            major, _, minor = place[0].partition(":")
            found.add(os.makedev(int(major), int(minor)))
    return frozenset(found)
