"""Bytes of a file read at their place, or unpacked on the way: what all tensors are read from."""

from __future__ import annotations

import os
import stat
import tempfile
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from provenance.readers.model import Unreadable

Fill = Callable[[memoryview], None]
"""Fills the buffer with the bytes that come next; raises `Unreadable` where there are none."""

PIECE = 1 << 18
"""Bytes of a packed stream that are read at once."""


class Data(Protocol):
    """So many bytes, which are read from some place on, one after the other."""

    @property
    def size(self) -> int:
        """Return how many bytes there are."""
        ...

    def reader(self, start: int = 0) -> Fill:
        """Return what gives the bytes from ``start`` on."""
        ...


class Store:
    """An open regular file that is read at places; it is closed once nothing refers to it."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable("is not a regular file")
        self.size = found.st_size

    def __del__(self) -> None:
        os.close(self.fd)

    def fill(self, view: memoryview, offset: int) -> None:
        """Fill ``view`` with the bytes from ``offset`` on."""
        done = 0
        while done < len(view):
            try:
                count = os.preadv(self.fd, [view[done:]], offset + done)
            except OSError as error:
                raise Unreadable("cannot be read: %s" % error.strerror) from None
            if count == 0:
                raise Unreadable("is cut short at byte %d" % (offset + done))
            done += count

    def read(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes from ``offset`` on; fewer at the end of the file."""
        size = max(0, min(size, self.size - offset))
        buffer = bytearray(size)
        if size:
            self.fill(memoryview(buffer), offset)
        return bytes(buffer)

    def all(self) -> Span:
        """Return the whole file."""
        return Span(self, 0, self.size)


class Memory(Store):
    """Bytes that are in memory already, read in the same way."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size = len(content)

    def __del__(self) -> None:
        pass

    def fill(self, view: memoryview, offset: int) -> None:
        """Fill ``view`` with the bytes from ``offset`` on."""
        part = self.content[offset : offset + len(view)]
        if len(part) < len(view):
            raise Unreadable("is cut short: its data end early")
        view[:] = part


def open_store(path: str) -> Store:
    """Open the regular file ``path``; raises `Unreadable` where that does not go."""
    try:
        # A pipe or a device must not make us wait.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Unreadable("cannot be opened: %s" % reason) from None
    return Store(fd)


class Span(NamedTuple):
    """Bytes that stand in a file as they are."""

    store: Store
    start: int
    size: int

    def reader(self, start: int = 0) -> Fill:
        """Return what gives the bytes from ``start`` on."""
        place = self.start + start
        end = self.start + self.size

        def fill(view: memoryview) -> None:
            nonlocal place
            if place + len(view) > end:
                raise Unreadable("is cut short at byte %d" % end)
            self.store.fill(view, place)
            place += len(view)

        return fill

    def part(self, start: int, size: int) -> Span:
        """Return ``size`` bytes of these; raises `Unreadable` where there are not as many."""
        if start < 0 or size < 0 or start + size > self.size:
            raise Unreadable("is cut short: %d bytes wanted at byte %d" % (size, start))
        return Span(self.store, self.start + start, size)

    def read(self, start: int, size: int) -> bytes:
        """Return up to ``size`` bytes from ``start`` on; fewer at the end."""
        return self.store.read(self.start + start, max(0, min(size, self.size - start)))

    def pieces(self) -> Iterator[bytes]:
        """Yield all of the bytes, some at a time."""
        for start in range(0, self.size, PIECE):
            yield self.read(start, PIECE)


class Stream(NamedTuple):
    """Bytes that are made on the way, from the beginning each time. size: what they must be."""

    made: Callable[[], Iterator[bytes]]
    size: int

    def reader(self, start: int = 0) -> Fill:
        """Return what gives the bytes from ``start`` on."""
        made = self.made()
        rest = memoryview(b"")

        def fill(view: memoryview) -> None:
            nonlocal rest
            done = 0
            while done < len(view):
                if not rest:
                    rest = memoryview(next(made, b""))
                    if not rest:
                        raise Unreadable("is cut short: its packed data end early")
                part = rest[: len(view) - done]
                view[done : done + len(part)] = part
                rest = rest[len(part) :]
                done += len(part)

        left = start
        while left:
            size = min(left, PIECE)
            fill(memoryview(bytearray(size)))
            left -= size
        return fill


def inflated(span: Span, wbits: int) -> Iterator[bytes]:
    """Yield what the deflated ``span`` unpacks to, at most `PIECE` bytes at a time.

    wbits: as of `zlib.decompressobj`: -15 for a member of a zip file, 47 for gzip or zlib.
    Members of a gzip file that follow each other are one stream.
    """
    machine = zlib.decompressobj(wbits)
    try:
        for piece in span.pieces():
            waiting = piece
            while waiting:
                if machine.eof:
                    if wbits < 0:
                        return
                    machine = zlib.decompressobj(wbits)
                made = machine.decompress(waiting, PIECE)
                waiting = machine.unconsumed_tail or machine.unused_data
                if made:
                    yield made
        while made := machine.decompress(machine.unconsumed_tail, PIECE):
            yield made
    except zlib.error:
        raise Unreadable("has damaged packed data") from None
    if not machine.eof:
        raise Unreadable("is cut short: its packed data end early")


def spooled(made: Iterator[bytes], limit: int) -> Span:
    """Return what is made, written to a file without a name, so that it can be read at places.

    Raises `Unreadable` where it is more than ``limit`` bytes.
    """
    with tempfile.TemporaryFile() as stream:
        size = 0
        for piece in made:
            size += len(piece)
            if size > limit:
                raise Unreadable("unpacks to more than %d MiB" % (limit >> 20))
            stream.write(piece)
        stream.flush()
        return Store(os.dup(stream.fileno())).all()
