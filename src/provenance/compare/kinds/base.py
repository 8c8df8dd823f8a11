"""What every kind of content is given, and how it says that it cannot compare."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from typing import IO, Any, NamedTuple, cast

from provenance.compare.judged import Judged
from provenance.compare.tolerance import Tolerance

LIMIT = 64 << 20
"""Bytes up to which a file is read as a whole, by kinds that cannot do it piece by piece."""


class Opaque(Exception):
    """The contents cannot be compared; the text, one line, says why, and of which of the two."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join("".join(c if c.isprintable() else " " for c in text).split()))


class Pair(NamedTuple):
    """Two files to compare.

    old, new: paths. old_name, new_name: what they are called, which says their form. depth: how
    many archives they lie in. again: compares what a kind unpacked from them.
    """

    old: str
    new: str
    old_name: str
    new_name: str
    tolerance: Tolerance
    depth: int
    again: Callable[[Pair], Judged]

    @property
    def sides(self) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
        """Path, name, and which of the two it is, in words."""
        return (self.old, self.old_name, FIRST), (self.new, self.new_name, SECOND)


FIRST, SECOND = "the first", "the second"


def suffix(name: str) -> str:
    """Return the end of a name that says its form, small; of ``x.csv.gz`` both parts."""
    stem, last = os.path.splitext(name.lower())
    return os.path.splitext(stem)[1] + last if last == ".gz" else last


def open_text(path: str, name: str, newline: str | None = "\n") -> IO[str]:
    """Open a text file, unpacked where its name ends in ``.gz``; undecodable bytes survive.

    newline: as of `open`. By default a carriage return ends no line: progress bars write it.
    """
    how: dict[str, Any] = {"encoding": "utf-8-sig", "errors": "surrogateescape"}
    how["newline"] = newline
    if name.lower().endswith(".gz"):
        return cast("IO[str]", gzip.open(path, "rt", **how))
    return cast("IO[str]", open(path, **how))


def read_text(path: str, name: str) -> str:
    """Return a text of at most `LIMIT` bytes. Raises `Opaque` for a larger one."""
    most = LIMIT
    if os.path.getsize(path) > most:
        raise Opaque("larger than %d MiB" % (most >> 20))
    with open_text(path, name) as stream:
        text = stream.read(most + 1)
    if len(text) > most:
        raise Opaque("unpacks to more than %d MiB" % (most >> 20))
    return text


def needs(module: str, what: str) -> Opaque:
    """Return the sentence on a library that is missing beside prov."""
    return Opaque("%s needs %s: pip install 'prov-run[files]'" % (what, module))
