"""Where built environments are kept, and how two builders at once stay out of each other's way.

One folder per environment, named by the digest of what was wanted. It is built under another name
and renamed when all is there, so that a folder of its final name is whole; the marker in it says
what it holds. A lock keeps two builders from doing the same work, where the file system has locks.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from provenance.errors import SystemRefused

FORM = 1
"""Raised when environments built before no longer serve."""
MOST_REMEMBERED = 400
"""Answers of a kind that are kept; the older half goes when there are more."""
MARKER = "prov-environment.json"
UNFINISHED = ".prov-unfinished"
_TRIES, _PAUSE_S = 30, 0.1
_PART = ".part-"


def folder(environ: Mapping[str, str]) -> str:
    """Return the cache folder: ``PROV_CACHE``, else ``prov`` in the user's cache folder."""
    chosen = environ.get("PROV_CACHE")
    if chosen:
        return os.path.abspath(chosen)
    home = environ.get("HOME") or os.path.expanduser("~")
    base = environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return os.path.join(base, "prov")


def digest(*parts: Any) -> str:
    """Return the name under which what is made from ``parts`` is kept on this platform."""
    here = [FORM, sys.platform, platform.machine(), *platform.libc_ver()[:1]]
    text = json.dumps([here, *parts], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:24]


def marker(place: str) -> dict[str, Any] | None:
    """Return what the marker of the folder ``place`` says, None where there is no whole one.

    Asking is using: the time of access is set, also where the file system does not keep it.
    """
    path = os.path.join(place, MARKER)
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except (OSError, ValueError):
        return None
    with contextlib.suppress(OSError):  # a cache that others own
        os.utime(path, ns=(time.time_ns(), os.stat(path).st_mtime_ns))
    return found if isinstance(found, dict) else None


def age_s(place: str) -> float:
    """Return how many seconds ago the folder ``place`` was finished, 0 where nobody knows."""
    try:
        return max(0.0, time.time() - os.stat(os.path.join(place, MARKER)).st_mtime)
    except OSError:
        return 0.0


def unused_s(place: str) -> float:
    """Return for how many seconds nobody has asked for the folder ``place``, 0 if nobody knows."""
    try:
        status = os.stat(os.path.join(place, MARKER))
    except OSError:
        return 0.0
    return max(0.0, time.time() - max(status.st_atime, status.st_mtime))


@contextlib.contextmanager
def locked(place: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of ``place``; call ``waiting`` once where another holds it.

    Where the file system has no locks it goes on without: the final rename decides.
    """
    handle = os.open(place + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            pass
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def making(place: str) -> Iterator[str]:
    """Give a fresh folder to build in; finished, it gets the name ``place``, else it goes.

    Called under the lock, so that what interrupted builds of the same name left can be removed.
    """
    above, name = os.path.split(place)
    for left in os.listdir(above):
        if left.startswith(name + _PART):
            shutil.rmtree(os.path.join(above, left), ignore_errors=True)
    part = tempfile.mkdtemp(prefix=name + _PART, dir=above)
    try:
        yield part
        if marker(part) is None:
            return
        if os.path.isdir(place):
            shutil.rmtree(place, ignore_errors=True)
        try:
            os.rename(part, place)
        except OSError:
            if marker(place) is None:
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextlib.contextmanager
def filling(at: str) -> Iterator[None]:
    """Let the folder ``at``, which is new or empty, be filled; where that fails it is as before.

    A file marks it meanwhile, so that what a killed process left is known, and filled anew. Raises
    `SystemRefused` where it holds anything else.
    """
    mark = os.path.join(at, UNFINISHED)
    new = not os.path.lexists(at)
    if not new and not os.path.exists(mark) and (not os.path.isdir(at) or os.listdir(at)):
        hint = "name a folder that is not there yet, or remove it yourself"
        raise SystemRefused("%s is there and not empty: nothing was written." % at, hint)
    try:  # from here on the folder is ours, whatever is in it
        if not new:
            _empty(at)
        os.makedirs(at, exist_ok=True)
        with open(mark, "w", encoding="utf-8") as stream:
            stream.write("prov was filling this folder. It may be removed, or filled again.\n")
        yield
        os.unlink(mark)
    except BaseException as error:
        _clear(at, new)
        if isinstance(error, OSError):
            text = "%s cannot be written: %s." % (error.filename or at, error.strerror)
            raise SystemRefused(text) from error
        raise


def _clear(at: str, remove: bool) -> None:
    """Empty or remove the folder ``at``, in which a program that was just ended may still write."""
    for _ in range(_TRIES):
        with contextlib.suppress(OSError):
            _empty(at, remove)
            if not os.path.isdir(at) or not os.listdir(at):
                return
        time.sleep(_PAUSE_S)


def _empty(at: str, remove: bool = False) -> None:
    """Remove what is in the folder ``at``, the mark last; with ``remove`` the folder, too."""
    if not os.path.isdir(at):
        return
    for name in sorted(os.listdir(at), key=lambda one: one == UNFINISHED):
        path = os.path.join(at, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.unlink(path)
    if remove:
        os.rmdir(at)


def finish(part: str, told: dict[str, Any]) -> None:
    """Write the marker into ``part``: the last step of making it."""
    path = os.path.join(part, MARKER)
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(told, stream, indent=1, sort_keys=True)
        stream.write("\n")


def prepare(environ: Mapping[str, str], kind: str) -> str:
    """Return the folder for things of ``kind``, made if need be. Raises `SystemRefused`."""
    path = os.path.join(folder(environ), kind)
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise SystemRefused(
            "the cache folder %s cannot be made: %s." % (path, error.strerror),
            "name another one in the variable PROV_CACHE",
        ) from error
    return path


def recall(environ: Mapping[str, str], kind: str, name: str, longest_s: float) -> Any:
    """Return what was remembered as ``name`` in the last ``longest_s`` seconds, else None."""
    path = os.path.join(folder(environ), kind, name + ".json")
    try:
        if time.time() - os.stat(path).st_mtime > longest_s:
            return None
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)
    except (OSError, ValueError):
        return None


def remember(environ: Mapping[str, str], kind: str, name: str, value: Any) -> None:
    """Keep ``value`` (plain JSON) as ``name`` where that can be, and forget what is long past."""
    try:
        above = prepare(environ, kind)
        handle, path = tempfile.mkstemp(prefix=_PART, dir=above)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(value, stream)
        os.replace(path, os.path.join(above, name + ".json"))
        _forget(above)
    except (OSError, SystemRefused):
        return


def _forget(above: str) -> None:
    known = [os.path.join(above, name) for name in os.listdir(above)]
    if len(known) > MOST_REMEMBERED:
        for path in sorted(known, key=os.path.getmtime)[: -MOST_REMEMBERED // 2]:
            os.unlink(path)
