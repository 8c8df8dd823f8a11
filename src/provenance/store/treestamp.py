"""A folder's files in portions, and by what the whole folder is known again.

The stamp of a folder is one hash over the names in it and what each file is known by. It costs
little more than walking through the folder, and a fifth of asking the cache for each file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Set
from hashlib import blake2b
from stat import S_ISLNK, S_ISREG
from typing import NamedTuple

from provenance.core import digest
from provenance.store import _clocks
from provenance.store._digesttable import IDENTITY, pack_identity
from provenance.store._readdigest import SMALL

MANY, BYTES = 128, 16 << 20
"""Files in a portion at most, and bytes of small ones after which it ends."""

_LINK = b"\xff" * 8


class Portion:
    """Files and links that follow each other in the order of `digest.walk`.

    names: relative POSIX paths. identities: per name, of a link made of its target. sizes: per
    name, -1 for a link. changes: the newer of both times of a file, 0 for a link. targets: of the
    links, by place. devices: where its files are.
    """

    __slots__ = (
        "changes",
        "devices",
        "entries",
        "identities",
        "names",
        "sizes",
        "small",
        "targets",
    )

    def __init__(self) -> None:
        self.names: list[str] = []
        self.entries: list[os.DirEntry[str]] = []
        self.identities: list[bytes] = []
        self.sizes: list[int] = []
        self.changes: list[int] = []
        self.targets: dict[int, str] = {}
        self.devices: set[int] = set()
        self.small = 0


def portions(folder: str, leave_out: Set[str] = frozenset()) -> Iterator[Portion]:
    """Yield all files and links below ``folder`` but for the relative paths ``leave_out``.

    What is neither has no content. Raises OSError.
    """
    one = Portion()
    names, entries, identities = one.names, one.entries, one.identities
    for below, entry in digest.walk(folder):  # each step is paid once per file of a data set
        if leave_out and below in leave_out:
            continue
        status = entry.stat(follow_symlinks=False)
        mode = status.st_mode
        if S_ISREG(mode):
            device, size = status.st_dev, status.st_size
            changed, modified = status.st_ctime_ns, status.st_mtime_ns
            identities.append(pack_identity(device, status.st_ino, size, modified, changed))
            one.sizes.append(size)
            one.changes.append(changed if changed > modified else modified)
            if device not in one.devices:
                one.devices.add(device)
            if size <= SMALL:
                one.small += size
        elif S_ISLNK(mode):
            target = os.readlink(entry.path)
            one.targets[len(names)] = target
            mark = blake2b(os.fsencode(target), digest_size=IDENTITY - len(_LINK))
            identities.append(_LINK + mark.digest())
            one.sizes.append(-1)
            one.changes.append(0)
        else:
            continue
        names.append(below)
        entries.append(entry)
        if len(names) == MANY or one.small > BYTES:
            yield one
            one = Portion()
            names, entries, identities = one.names, one.entries, one.identities
    if names:
        yield one


class Stamp(NamedTuple):
    """What a folder is known by.

    identity: of the folder as it is. files, size: as `core.digest.Tree` counts. last_ns: the newest
    time of a file in it. devices: where its files are.
    """

    identity: bytes
    files: int
    size: int
    last_ns: int
    devices: frozenset[int]

    def settled(self, now_ns: int) -> bool:
        """Return whether nothing in it can change after ``now_ns`` and look the same."""
        return self.last_ns < _clocks.settled_before(now_ns, self.devices)


class Stamper:
    """Makes the stamp of a folder of which it is given all portions in their order."""

    def __init__(self) -> None:
        self._state = blake2b(digest_size=32)
        self._files = self._size = self._last = 0
        self._devices: set[int] = set()

    def add(self, one: Portion) -> None:
        """Take in a portion."""
        self._files += len(one.names)
        self._size += sum(one.sizes) + len(one.targets)
        self._last = max(self._last, *one.changes)
        self._devices |= one.devices
        names = os.fsencode("\0".join(one.names))
        self._state.update(b"".join((b"%d\0" % len(one.names), names, b"\0", *one.identities)))

    def stamp(self) -> Stamp:
        """Return the stamp of what was added."""
        devices = frozenset(self._devices)
        return Stamp(self._state.digest(), self._files, self._size, self._last, devices)


def stamp(parts: Iterable[Portion]) -> Stamp:
    """Return by what the folder with these portions is known. Raises OSError where they do."""
    made = Stamper()
    for one in parts:
        made.add(one)
    return made.stamp()
