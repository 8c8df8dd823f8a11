"""The bytes of a pickle, a window of them at a time."""

from __future__ import annotations

from provenance.readers._bytes import Span
from provenance.readers.model import Unreadable

MOST_TEXT = 128 << 20
"""Bytes of short texts and numbers that are held."""

WINDOW = 1 << 17


class Input:
    """The bytes of a pickle, read once from front to back."""

    def __init__(self, span: Span, start: int = 0) -> None:
        self.span = span
        self.window = b""
        self.base, self.at = start, 0

    @property
    def place(self) -> int:
        """Return where in the span the next byte stands."""
        return self.base + self.at

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes."""
        part = self.window[self.at : self.at + size]
        if len(part) < size:
            self.seek(self.place)
            self.window = self.span.read(self.base, max(size, WINDOW))
            part = self.window[:size]
            if len(part) < size:
                raise Unreadable("is a pickle that is cut short")
        self.at += size
        return part

    def line(self) -> bytes:
        """Return the bytes up to the end of the line, without it."""
        size = 256
        while True:
            part = self.span.read(self.place, size)
            end = part.find(b"\n")
            if end >= 0:
                self.seek(self.place + end + 1)
                return part[:end]
            if len(part) < size or size >= MOST_TEXT:
                raise Unreadable("is a pickle that is cut short")
            size *= 8

    def skip(self, size: int) -> Span:
        """Return the next ``size`` bytes without reading them."""
        part = self.span.part(self.place, size)
        self.seek(self.place + size)
        return part

    def seek(self, place: int) -> None:
        """Go on at ``place``."""
        self.base, self.at, self.window = place, 0, b""
