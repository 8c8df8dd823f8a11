"""Looking at the command's processes in /proc. Linux; elsewhere there is nothing to see."""

from __future__ import annotations

import os


def tree(pid: int) -> list[int]:
    """Return ``pid`` and its descendants; those that their parents have left are not among them."""
    found, seen = [pid], {pid}
    for one in found:  # grows while it is walked
        for child in children(one):
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


def children(pid: int) -> list[int]:
    """Return the processes that ``pid`` has started and that are its children still."""
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


def words(pid: int) -> tuple[str, ...]:
    """Return the command line of ``pid``; nothing where it has gone or is of the kernel."""
    raw = _raw(pid, "cmdline", 1 << 16)
    return tuple(os.fsdecode(word) for word in raw.rstrip(b"\0").split(b"\0")) if raw else ()


def has_variable(pid: int, name: str) -> bool | None:
    """Return whether ``pid`` was started with a variable ``name``; None where not to be known."""
    try:
        with open("/proc/%d/environ" % pid, "rb", buffering=0) as file:
            raw = file.read(1 << 21) or b""
    except OSError:
        return None
    mark = name.encode() + b"="
    return raw.startswith(mark) or b"\0" + mark in raw


def cpu_ticks(pid: int) -> int:
    """Return the clock ticks that ``pid`` and the children it has waited for have run."""
    fields = _raw(pid, "stat", 4096).rpartition(b")")[2].split()
    try:
        return sum(
            int(field) for field in fields[11:15]
        )  # utime to cstime, fields 14-17 of proc(5)
    except ValueError:
        return 0


def io_bytes(pid: int) -> tuple[int, int, int, int]:
    """Return bytes asked to read, to write, and read from and written to disk, by ``pid``.

    What its children did counts once it has waited for them. Zeros where the system refuses.
    """
    told = dict(
        line.split(b": ", 1) for line in _raw(pid, "io", 4096).splitlines() if b": " in line
    )
    names = (b"rchar", b"wchar", b"read_bytes", b"write_bytes")
    try:
        first, second, third, fourth = (int(told.get(name, 0)) for name in names)
    except ValueError:
        return 0, 0, 0, 0
    return first, second, third, fourth


def proportional(pid: int) -> int:
    """Return the memory of ``pid`` in bytes, shared pages divided among those who share them."""
    for line in _raw(pid, "smaps_rollup", 8192).splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _raw(pid: int, name: str, limit: int) -> bytes:
    try:
        with open("/proc/%d/%s" % (pid, name), "rb", buffering=0) as file:
            return file.read(limit) or b""
    except OSError:
        return b""
