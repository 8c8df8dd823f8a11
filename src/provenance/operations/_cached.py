"""What the cache that all projects share could do without: what nobody asked for in a long time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping

from provenance.environments import build, cache, sources
from provenance.operations import recipes
from provenance.store import trash, usage
from provenance.store.trash import Trash

_KINDS = {
    build.KIND: "a built environment that was not used for long",
    sources.KIND: "files of a release that were not read for long",
    recipes.CHECKOUTS: "a repository restored for environments that were not used for long",
}
_PARTS = ".part-"
_LEFT_S = 86_400.0
_MOST = 1 << 16
"""Bytes of a process's environment that are searched."""


def folder(environ: Mapping[str, str]) -> str:
    """Return the cache folder."""
    return cache.folder(environ)


def unused(environ: Mapping[str, str], older_than_s: float) -> Iterator[tuple[str, str, str]]:
    """Yield ``(kind, path, why)`` of what may go."""
    above = cache.folder(environ)
    for path in usage.within(os.path.join(above, trash.FOLDER)):
        yield trash.FOLDER, path, "its removal was broken off"
    used: str | None = None
    for kind, why in _KINDS.items():
        for path in usage.within(os.path.join(above, kind)):
            if os.path.islink(path) or not os.path.isdir(path):
                continue
            if _PARTS in os.path.basename(path):
                if usage.age(path) > _LEFT_S and not _is_locked(path.rpartition(_PARTS)[0]):
                    yield kind, path, "left by a build that was killed"
            elif cache.unused_s(path) > max(older_than_s, _LEFT_S):
                used = _in_use() if used is None else used
                if os.path.realpath(path) not in used and path not in used:
                    yield kind, path, why


def take(bin_: Trash, path: str) -> bool:
    """Move ``path`` into the trash unless somebody builds it just now. Raises `SystemRefused`."""
    place = path.rpartition(_PARTS)[0] if _PARTS in os.path.basename(path) else path
    try:
        handle = os.open(place + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        return bin_.take(path)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass  # a file system without locks
        return bin_.take(path)
    finally:
        os.close(handle)


def _is_locked(place: str) -> bool:
    try:
        handle = os.open(place + ".lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False


def _in_use() -> str:
    """Return the command lines and environments of all processes that may be looked at."""
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        if not name.isdigit():
            continue
        for part in ("cmdline", "environ"):
            try:
                with open("/proc/%s/%s" % (name, part), "rb") as stream:
                    found.append(os.fsdecode(stream.read(_MOST)))
            except OSError:
                continue
    return "\0".join(found)
