"""Unpacking an archive of a record, which may come from anybody: plain files and links only."""

from __future__ import annotations

import io
import os
import posixpath
import stat
import tarfile
import zlib

from provenance.errors import BadRecord

_LARGEST = 256 << 20
"""Bytes after decompression; what we pack is at most 10 MiB."""


def stays_inside(folder: str, path: str) -> bool:
    """Return whether the POSIX ``path`` stays below ``folder``, no matter what links are there."""
    parts = path.split("/")
    if not path or path.startswith("/") or "\0" in path or os.pardir in parts:
        return False
    if any(part.lower() == ".git" for part in parts):
        return False
    full = folder
    for part in parts[:-1]:
        full = os.path.join(full, part)
        if os.path.islink(full):
            return False
    return True


def extract(data: bytes, destination: str) -> list[str]:
    """Unpack ``data`` (tar, gzip) below ``destination``; return what was refused.

    Raises `BadRecord` where it is no such archive.
    """
    try:
        unpacked = _inflated(data)
        with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:", encoding="utf-8") as archive:
            members = archive.getmembers()
            refused = [m.name for m in members if not _place(archive, m, destination)]
    except (tarfile.TarError, zlib.error, EOFError, ValueError) as error:
        raise BadRecord("the archive of untracked files is damaged: %s." % error) from error
    return ["left out of the archive, for safety: %s" % ", ".join(refused[:5])] if refused else []


def _inflated(data: bytes) -> bytes:
    state = zlib.decompressobj(31)
    unpacked = state.decompress(data, _LARGEST)
    if state.unconsumed_tail or not state.eof:
        raise ValueError("it is cut off or too large")
    return unpacked


def _place(archive: tarfile.TarFile, member: tarfile.TarInfo, destination: str) -> bool:
    if not stays_inside(destination, member.name):
        return False
    full = os.path.join(destination, member.name)
    if os.path.isdir(full) and not os.path.islink(full):
        return False
    if member.issym():
        target = posixpath.normpath(posixpath.join(posixpath.dirname(member.name), member.linkname))
        if posixpath.isabs(member.linkname) or target.split("/")[0] == os.pardir:
            return False
        _clear(full)
        os.symlink(member.linkname, full)
        return True
    stream = archive.extractfile(member) if member.isreg() else None
    if stream is None:
        return False
    _clear(full)
    mode = 0o777 if member.mode & stat.S_IXUSR else 0o666
    descriptor = os.open(full, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as out:
        out.write(stream.read())
    return True


def _clear(full: str) -> None:
    os.makedirs(os.path.dirname(full), exist_ok=True)
    if os.path.lexists(full):
        os.unlink(full)
