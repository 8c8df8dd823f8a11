"""Blobs: contents of files, each kept once under its digest, in the layout of DVC 3's cache.

``files/md5/ab/cdef...`` holds the content whose MD5 is ``abcdef...``; a folder is a list
``files/md5/ab/cdef....dir``. DVC can take such a folder for its cache or for a remote. What is
called *oid* is the MD5 in hex, with ``.dir`` behind it for a list.

A blob is written under another name, forced to the disk, and renamed: what has its name is whole.
Blobs are read-only, since DVC trusts what cannot be written to. Nothing here moves, links or
changes a file of the user's.
"""

from __future__ import annotations

import binascii
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from provenance.core import digest
from provenance.core.digest import MD5, Digests
from provenance.errors import Damaged
from provenance.store import _copying, liveness

FOLDER = "objects"
LIST = ".dir"
BELOW = ("files", "md5")
_OID = re.compile(r"[0-9a-f]{32}(\.dir)?")
_TEMPORARY = "tmp"
_LEFT_S = 86_400.0
"""Age from which an unfinished file counts as left by a process that was killed elsewhere."""
_MODE = 0o444
_GROUP_MODE = 0o2775
"""As dvc-data makes the folders of a cache that a group shares."""


class Identity(NamedTuple):
    """By what it is seen that a file did not change: device, inode, size, times in ns."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


def identity(status: os.stat_result) -> Identity:
    """Return the identity in ``status``."""
    return Identity(
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )


def is_oid(text: str) -> bool:
    """Return whether ``text`` can be the name of a blob."""
    return _OID.fullmatch(text) is not None


def oid_of(data: bytes) -> str:
    """Return the MD5 of ``data``: what it is called by, no protection against forgery."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def relative(oid: str) -> tuple[str, ...]:
    """Return the path of a blob below the top of a store or remote. Raises ValueError."""
    if not is_oid(oid):
        raise ValueError("%.60r is no name of a blob" % oid)
    return (*BELOW, oid[:2], oid[2:])


class Store:
    """The blobs below the folder ``top``, which need not exist yet. Safe for threads and processes.

    group: folders and blobs are for the whole group, as DVC's setting ``cache.shared = group`` has
    it.
    """

    def __init__(self, top: str, group: bool = False) -> None:
        self.top = os.path.abspath(top)
        self.group = group
        _umask()

    def path(self, oid: str) -> str:
        """Return where the blob is, or would be. Raises ValueError."""
        return os.path.join(self.top, *relative(oid))

    def size(self, oid: str) -> int | None:
        """Return how many bytes the blob has, None where it is not here or is no plain file."""
        try:
            found = os.stat(self.path(oid))
        except OSError:
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def has(self, oid: str, size: int | None = None) -> bool:
        """Return whether the blob is here; of another size it is damaged and does not count."""
        found = self.size(oid)
        return found is not None and size in (None, found)

    def still_wanted(self, oid: str) -> bool:
        """Return whether the blob is here; if so, note that somebody counts on it just now."""
        try:
            os.utime(self.path(oid))
        except FileNotFoundError:
            return False
        except OSError:
            return self.has(oid)  # of another user, or on a read-only disk
        return True

    def put(
        self, source: str, oid: str, known: Identity | None = None, again: bool = False
    ) -> bool:
        """Copy the file ``source`` here as ``oid``; False where it is here already.

        known: what the file was when its MD5 was taken; then it is not read once more but must
        still be that file when the copy is done. again: also over a blob that is here. Raises
        `Damaged`, OSError.
        """
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not again and self.has(oid, status.st_size):
                return False
            temporary, target = self._begin()
            try:
                if known is None:
                    found = _copying.digested(descriptor, target, (MD5,))[MD5]
                    right = found == oid.removesuffix(LIST)
                else:
                    right = identity(status) == known
                    if right:
                        _copying.copy(descriptor, target)
                        right = identity(os.fstat(descriptor)) == known
                if not right:
                    raise Damaged("%s changed while it was copied." % source)
                self._finish(temporary, target, oid)
            finally:
                os.close(target)
                _remove(temporary)
        finally:
            os.close(descriptor)
        return True

    def put_bytes(self, data: bytes, name: str = "") -> str:
        """Keep ``data``; return its oid. name: the ending of it, ``.dir`` for a list."""
        oid = oid_of(data) + name
        if not self.has(oid, len(data)):
            temporary, target = self._begin()
            try:
                _copying.write_all(target, data)
                self._finish(temporary, target, oid)
            finally:
                os.close(target)
                _remove(temporary)
        return oid

    def receive(
        self, oid: str, bring: Callable[[str], None], watch: Callable[[int], None] | None = None
    ) -> int:
        """Have ``bring(path)`` write the blob to a path of ours; return its size.

        It is kept only if it is what it should be. Raises `Damaged`, and what ``bring`` raises.
        """
        temporary, target = self._begin()
        os.close(target)
        target = -1
        try:
            bring(temporary)
            target = os.open(temporary, os.O_RDWR | os.O_CLOEXEC)
            if self._digest(target, watch) != oid.removesuffix(LIST):
                raise Damaged("what came for %s is something else." % oid)
            self._finish(temporary, target, oid)
            return os.fstat(target).st_size
        finally:
            if target >= 0:
                os.close(target)
            _remove(temporary)

    def read(self, oid: str, most: int = 1 << 30) -> bytes:
        """Return the content of a small blob, verified. Raises OSError, `Damaged`."""
        with open(self.path(oid), "rb") as stream:
            data = stream.read(most + 1)
        if len(data) > most or oid_of(data) != oid.removesuffix(LIST):
            raise Damaged("%s is damaged." % self.path(oid))
        return data

    def is_whole(self, oid: str) -> bool:
        """Read the blob and return whether it is what its name says. Raises OSError."""
        return digest.file_digests(self.path(oid), (MD5,))[MD5] == oid.removesuffix(LIST)

    def discard(self, oid: str) -> None:
        """Remove a damaged blob. Raises OSError."""
        os.unlink(self.path(oid))

    def take_out(self, oid: str, target: str, algorithms: Sequence[str] = ()) -> Digests:
        """Copy the blob to ``target``, which must not exist; return the digests of the copy.

        The copy is writable and appears whole or not at all. Raises `Damaged` (nothing appears),
        FileExistsError, OSError.
        """
        source = os.open(self.path(oid), os.O_RDONLY | os.O_CLOEXEC)
        try:
            copy, temporary = _nameless(target)
            try:
                found = _copying.digested(source, copy, tuple({MD5, *algorithms}))
                if found[MD5] != oid.removesuffix(LIST):
                    raise Damaged("%s is damaged." % self.path(oid))
                os.fsync(copy)
                _appear(copy, temporary, target)
            finally:
                os.close(copy)
                if temporary:
                    _remove(temporary)
        finally:
            os.close(source)
        return found

    def left(self) -> list[str]:
        """Return the unfinished files of processes that were killed."""
        folder = os.path.join(self.top, _TEMPORARY)
        try:
            with os.scandir(folder) as entries:
                return [
                    one.path
                    for one in entries
                    if liveness.is_left(one.name) or time.time() - _age(one) > _LEFT_S
                ]
        except OSError:
            return []

    def sweep(self) -> int:
        """Remove what killed processes left unfinished; return how many files."""
        return sum(_remove(path) for path in self.left())

    def _digest(self, descriptor: int, watch: Callable[[int], None] | None) -> str:
        state = digest.new_hash(MD5)
        while chunk := os.read(descriptor, digest.CHUNK):
            state.update(chunk)
            if watch is not None:
                watch(len(chunk))
        return str(state.hexdigest())

    def _begin(self) -> tuple[str, int]:
        """Return path and descriptor of a new empty file on the store's file system."""
        folder = os.path.join(self.top, _TEMPORARY)
        path = os.path.join(folder, "%s-%s" % (_random(), liveness.mark()))
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            return path, os.open(path, flags, 0o600)
        except FileNotFoundError:
            self._make(folder)
            return path, os.open(path, flags, 0o600)

    def _finish(self, temporary: str, descriptor: int, oid: str) -> None:
        os.fchmod(descriptor, _MODE if self.group else _MODE & ~_umask())
        os.fsync(descriptor)
        path = self.path(oid)
        try:
            os.replace(temporary, path)
        except FileNotFoundError:
            self._make(os.path.dirname(path))
            os.replace(temporary, path)

    def _make(self, folder: str) -> None:
        if os.path.isdir(folder):
            return
        above = os.path.dirname(folder)
        if above != folder and is_below(folder, self.top):
            self._make(above)
        else:
            os.makedirs(above, exist_ok=True)
        try:
            os.mkdir(folder)
        except FileExistsError:
            return
        if self.group:
            os.chmod(folder, _GROUP_MODE)


def is_below(path: str, folder: str) -> bool:
    """Return whether ``path`` lies in ``folder`` and is not it."""
    return path.startswith(folder.rstrip(os.sep) + os.sep)


_UMASK: list[int] = []


def _umask() -> int:
    if not _UMASK:
        _UMASK.append(os.umask(0o077))
        os.umask(_UMASK[0])
    return _UMASK[0]


def _nameless(target: str) -> tuple[int, str]:
    """Return a new file in the folder of ``target``, and its path.

    The path is "" where the system can make files without a name: of these nothing is left behind
    by a process that is killed. Raises OSError.
    """
    folder, name = os.path.split(target)
    nameless = getattr(os, "O_TMPFILE", 0)
    if nameless and os.path.isdir("/proc/self/fd"):
        try:
            return os.open(folder, nameless | os.O_RDWR | os.O_CLOEXEC, 0o666), ""
        except OSError:
            pass
    path = os.path.join(folder, ".%s.%s.prov" % (name[:100], _random()))
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), path


def _appear(descriptor: int, temporary: str, target: str) -> None:
    """Give the file the name ``target``, which must be free. Raises FileExistsError, OSError.

    A link fails where the name is taken, which a renaming would not; some file systems have none.
    """
    if not temporary:
        # Only with a folder's descriptor does Python call linkat(2), which follows that link.
        os.link("/proc/self/fd/%d" % descriptor, target, src_dir_fd=descriptor)
        return
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(target):
            raise FileExistsError(17, "it is there already", target) from None
        os.rename(temporary, target)


def _random() -> str:
    return binascii.hexlify(os.urandom(8)).decode("ascii")


def _age(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except OSError:
        return time.time()


def _remove(path: str) -> bool:
    try:
        os.unlink(path)
    except OSError:
        return False
    return True
