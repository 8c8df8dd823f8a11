"""Members of a zip file as bytes: stored ones are read in place, deflated ones on the way."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib

from provenance.readers._bytes import Data, Store, Stream, inflated
from provenance.readers.model import Unreadable

MOST_MEMBERS = 200_000
MOST_PACKED = 1032
"""Deflate makes at most so many bytes of one (zlib, technical details); more is a lie."""


class Members:
    """The members of one zip file by name; raises `Unreadable` where it is none."""

    def __init__(self, store: Store) -> None:
        self.store = store
        try:
            # A descriptor of its own: zipfile moves the place at which it reads.
            with open("/dev/fd/%d" % store.fd, "rb") as stream, zipfile.ZipFile(stream) as archive:
                infos = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as error:
            raise Unreadable("is not a whole zip file: %s" % one_line(error)) from None
        except (OSError, EOFError, struct.error, RuntimeError, IndexError) as error:
            raise Unreadable("is not a whole zip file: %s" % one_line(error)) from None
        if len(infos) > MOST_MEMBERS:
            raise Unreadable("has more than %d members" % MOST_MEMBERS)
        self._infos = {info.filename: info for info in infos if info.filename[-1:] not in ("", "/")}

    def names(self) -> list[str]:
        """Return the names of the members in the order of the file."""
        return list(self._infos)

    def data(self, name: str) -> Data:
        """Return the bytes of a member; raises `Unreadable` where they cannot be had."""
        info = self._infos[name]
        if info.flag_bits & 1:
            raise Unreadable("is encrypted")
        head = self.store.read(info.header_offset, 30)
        if len(head) < 30 or head[:4] != b"PK\x03\x04":
            raise Unreadable("is a damaged zip file: %s is not where it should be" % shown(name))
        named, extra = struct.unpack("<HH", head[26:30])
        start = info.header_offset + 30 + named + extra
        span = self.store.all().part(start, info.compress_size)
        if info.compress_type == zipfile.ZIP_STORED:
            return span
        if info.compress_type != zipfile.ZIP_DEFLATED:
            raise Unreadable("is packed in a way that is not read: %s" % shown(name))
        if info.file_size > (span.size + 64) * MOST_PACKED:
            raise Unreadable("is a damaged zip file: %s cannot be so large" % shown(name))
        return Stream(lambda: inflated(span, -zlib.MAX_WBITS), info.file_size)

    def content(self, name: str, limit: int) -> bytes:
        """Return all bytes of a member of at most ``limit`` bytes."""
        data = self.data(name)
        if data.size > limit:
            raise Unreadable("has a member of more than %d MiB: %s" % (limit >> 20, shown(name)))
        buffer = bytearray(data.size)
        data.reader()(memoryview(buffer))
        return bytes(buffer)


def shown(name: str, most: int = 80) -> str:
    """Return a name or text found in a file so that it can stand in a sentence."""
    text = "".join(char if char.isprintable() else "?" for char in name[:most])
    return text + ("..." if len(name) > most else "")


def one_line(error: BaseException) -> str:
    """Return what an error says, as part of a sentence."""
    return shown(str(error).split("\n", 1)[0]) or type(error).__name__


def folder(path: str) -> str:
    """Return the folder that the file ``path`` is in."""
    return os.path.dirname(os.path.abspath(path))
