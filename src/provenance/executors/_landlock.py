"""Landlock, by which a Linux process gives up rights to files for good, without being root.

landlock(7) and the kernel's Documentation/userspace-api/landlock.rst are the source of all numbers
here. What a kernel offers depends on its ABI version: 1 is Linux 5.13, 2 is 5.19, 3 is 6.2, 4 is
6.7, 5 is 6.10, 6 is 6.12, 9 is 7.1.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same on all architectures
_VERSION = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVS = 38  # prctl(2)

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in range(6))
MAKE_REG, MAKE_SOCK, MAKE_FIFO, MAKE_SYM = 1 << 8, 1 << 9, 1 << 10, 1 << 12
REFER, TRUNCATE, IOCTL_DEV, RESOLVE_UNIX = 1 << 13, 1 << 14, 1 << 15, 1 << 16
_SINCE_ABI = ((1, (1 << 13) - 1), (2, REFER), (3, TRUNCATE), (5, IOCTL_DEV), (9, RESOLVE_UNIX))
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV | RESOLVE_UNIX
_TCP = 3
"""LANDLOCK_ACCESS_NET_BIND_TCP and CONNECT_TCP, since ABI 4."""
_SCOPES = 3
"""LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET and LANDLOCK_SCOPE_SIGNAL, since ABI 6."""

READ = EXECUTE | READ_FILE | READ_DIR
DEVICE = READ_FILE | WRITE_FILE | IOCTL_DEV
SHARED = (
    READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | MAKE_REG | REMOVE_FILE | REMOVE_DIR | (1 << 7)
)
"""For /dev/shm: semaphores and shared memory, made, mapped and removed; folders of joblib."""
MOST_ENTRIES = 20000
"""Of one folder that is opened up entry by entry, to leave one of them out."""


class Rule(NamedTuple):
    """Rights that are granted to what is at ``path`` and below it."""

    path: str
    rights: int


def everything(abi: int) -> int:
    """Return all rights to files that a kernel of version ``abi`` can withhold."""
    return sum(rights for since, rights in _SINCE_ABI if abi >= since)


def version() -> tuple[int, str]:
    """Return the ABI version of this kernel; 0 and why where it has no Landlock."""
    if sys.platform != "linux":
        return 0, "%s has no Landlock" % sys.platform
    found, number = _call(_CREATE, None, 0, _VERSION)
    if found >= 1:
        return found, ""
    if number == errno.ENOSYS:
        return 0, "this kernel (%s) has no Landlock; Linux 5.13 is the first" % os.uname().release
    if number == errno.EOPNOTSUPP:
        return 0, "Landlock is switched off in this kernel (boot option lsm=)"
    return 0, "Landlock cannot be used here: %s" % os.strerror(number)


def restrict(rules: Iterable[Rule], abi: int) -> None:
    """Give up every right to files that no rule grants, TCP, and reaching other processes.

    For this process and all that come from it, for good. Rules for paths that are not there are
    passed over. Raises OSError.
    """
    handled = everything(abi)
    parts = [handled, _TCP if abi >= 4 else 0, _SCOPES if abi >= 6 else 0]
    attributes = struct.pack("=QQQ", *parts)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = _must(_CREATE, attributes, len(attributes), 0)
    try:
        for rule in rules:
            _grant(ruleset, rule, handled)
        no_new_privileges()
        _must(_RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)


def no_new_privileges() -> None:
    """Forbid that a set-user-ID program gives this process rights. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVS, ctypes.c_ulong(1), *(ctypes.c_ulong(0),) * 3) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_NO_NEW_PRIVS)")


def readable(hidden: Iterable[str]) -> list[Rule]:
    """Return rules that let all be read but the contents of ``hidden``, which are real paths.

    Landlock can only allow. So every folder above a hidden path is opened up entry by entry; what
    is made beside its entries later cannot be read. Raises ValueError for one of too many entries.
    """
    all_hidden = {path for path in hidden if path != os.sep}
    left_out = {path for path in all_hidden if all_hidden.isdisjoint(_above(path))}
    above = {folder for path in left_out for folder in _above(path)}
    rules = [Rule(os.sep, READ_DIR)]
    if not above:
        return [Rule(os.sep, READ)]
    for folder in sorted(above):
        try:
            names = os.listdir(folder)
        except PermissionError:  # then only the way through it is known, as with some /home
            continue
        if len(names) > MOST_ENTRIES:
            raise ValueError("%s has %d entries" % (folder, len(names)))
        paths = (os.path.join(folder, name) for name in names)
        rules += [Rule(path, READ) for path in paths if path not in left_out | above]
    return rules


def _above(path: str) -> Iterator[str]:
    while path != os.sep:
        path = os.path.dirname(path)
        yield path


def _grant(ruleset: int, rule: Rule, handled: int) -> None:
    try:
        place = os.open(rule.path, os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        mode = os.fstat(place).st_mode
        if mode & 0o170000 == 0o120000:  # what a link points to has a rule of its own
            return
        rights = rule.rights & handled
        if mode & 0o170000 != 0o040000:
            rights &= _OF_FILES
        _must(_ADD, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)


def _must(number: int, *words: int | bytes | None) -> int:
    answer, why = _call(number, *words)
    if answer < 0:
        raise OSError(why, "landlock: %s" % os.strerror(why))
    return answer


def _call(number: int, *words: int | bytes | None) -> tuple[int, int]:
    """Call the system; return its answer and errno."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    given = [ctypes.c_long(word) if isinstance(word, int) else word for word in words]
    ctypes.set_errno(0)
    answer = int(libc.syscall(ctypes.c_long(number), *given))
    return answer, ctypes.get_errno()
