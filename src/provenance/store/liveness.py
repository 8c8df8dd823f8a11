"""Whether the process that writes a record still lives.

A record that says "running" while its writer is gone was interrupted (killed -9, power cut). The
writer is identified by host, boot and start time, since process numbers are used again.
"""

from __future__ import annotations

import functools
import os
import zlib

from provenance.core.record import INTERRUPTED, RUNNING, Process, Record


def this_process() -> Process:
    """Return the identity of the calling process."""
    pid = os.getpid()
    return Process(pid, os.uname().nodename, _boot_id(), _start_ticks(pid) or 0)


def lives(process: Process | None) -> bool | None:
    """Return whether ``process`` still runs; None where it ran on another host."""
    if process is None:
        return False
    if process.host != os.uname().nodename:
        return None
    if process.boot_id and process.boot_id != _boot_id():
        return False
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    ticks = _start_ticks(process.pid)
    return not (process.start_ticks and ticks and ticks != process.start_ticks)


def mark() -> str:
    """Return a part of a file name that tells whose unfinished file it is: see `is_left`."""
    return "%s.%d" % (_here(), os.getpid())


def is_left(name: str) -> bool:
    """Return whether what ``name`` ends with is the `mark` of a process that has ended.

    Never of one of another host: that cannot be seen from here.
    """
    before, _, pid = name.rpartition(".")
    if not before.endswith(_here()) or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


@functools.lru_cache(maxsize=1)
def _here() -> str:
    """Return a short word for this host since it was booted, and for its table of processes."""
    try:
        table = os.readlink("/proc/self/ns/pid")
    except OSError:
        table = ""
    return "%08x" % zlib.crc32(repr((os.uname().nodename, _boot_id(), table)).encode())


def status(record: Record) -> str:
    """Return the status of ``record`` as it is now: a dead writer makes it interrupted."""
    if record.status == RUNNING and lives(record.process) is False:
        return INTERRUPTED
    return record.status


def _boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
            return stream.read().strip()
    except OSError:
        return ""


def _start_ticks(pid: int) -> int | None:
    """Return field 22 of /proc/PID/stat (proc(5)): start time in clock ticks since boot."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as stream:
            return int(stream.read().rsplit(b")", 1)[1].split()[19])
    except (OSError, IndexError, ValueError):
        return None
