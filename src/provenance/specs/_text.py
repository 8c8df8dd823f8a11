"""Bytes of files written by people, as numbered lines of text.

A file may be UTF-8 with or without a mark, UTF-16 as PowerShell's ``>`` writes it, or of an old
8-bit encoding; its lines may end as on Linux, Windows or old Macs. Lines are numbered as in an
editor.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

from provenance.specs.model import MOST_BYTES, Unreadable

LONGEST_LINE = 1 << 16
"""Characters of a logical line; a package with all its hashes needs some thousands."""

SHOWN = 100
"""Characters of a line that are quoted to people."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Marks that open a file; UTF-32's begins with UTF-16's, so it comes first."""

_SAMPLE = 4096
_COMMENT = re.compile(r"(?:^|\s)#")
_WEB_PAGE = re.compile(r"\s*<(?:!doctype\s+html|html|head|body)\b", re.I)
_POINTER = "version https://git-lfs.github.com/spec/"


class Line(NamedTuple):
    """A logical line.

    number: of its first line. text: joined, without comment and outer spaces. comment: what its
    ``#`` introduced, without outer spaces. cut: whether it was longer than `LONGEST_LINE`.
    """

    number: int
    text: str
    comment: str = ""
    cut: bool = False


def decoded(data: bytes, most: int = MOST_BYTES) -> str:
    r"""Return the text of a file, its lines ended by "\n"; bytes that are no text become U+FFFD.

    most: bytes. The encoding is UTF-8, or what a byte order mark says, or UTF-16 where every other
    byte is zero. Raises `Unreadable` for a file that is too large, is no text, or stands for
    another one (a web page saved in its place, a pointer of Git LFS).
    """
    if len(data) > most:
        raise Unreadable("The file has %d bytes; at most %d are read." % (len(data), most))
    text = _text(data).replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise Unreadable("The file is not text: it holds NUL characters.", line)
    if text.startswith(_POINTER):
        raise Unreadable("Only a pointer of Git LFS is here: run `git lfs pull` for the file.", 1)
    if _WEB_PAGE.match(text):
        raise Unreadable("A web page was saved in place of the file: download the raw file.", 1)
    return text


def _text(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    sample = data[:_SAMPLE]
    # Most letters of such files are ASCII: in UTF-16 every second byte is then zero.
    if len(sample) > 3 and sample.count(0) * 3 >= len(sample):
        odd, even = sample[1::2].count(0), sample[::2].count(0)
        return data.decode("utf-16-le" if odd >= even else "utf-16-be", "replace")
    return data.decode("utf-8", "replace")


def numbered(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of ``text`` with their numbers from 1, without their ends, one at a time."""
    at, number = 0, 1
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        yield number, text[at:end]
        at, number = end + 1, number + 1


def logical(text: str) -> Iterator[Line]:
    r"""Yield the lines of ``text`` as pip joins them, also those that are empty or only a comment.

    A line goes on in the next where it ends with ``\``; a comment ends it. A comment begins with a
    ``#`` that opens the line or follows a space.
    """
    parts: list[str] = []
    first, length = 0, 0
    for number, physical in numbered(text):
        first = first if parts else number
        alone = physical.lstrip().startswith("#")
        going_on = physical.endswith("\\") and not alone
        # An endless line is not kept whole: it states nothing that could be told.
        if length <= LONGEST_LINE:
            part = " " + physical if alone and parts else physical
            parts.append(part.rstrip("\\") if going_on else part)
            length += len(parts[-1])
        if not going_on:
            yield from _split(first, "".join(parts))
            parts, length = [], 0
    if parts:
        yield from _split(first, "".join(parts))


def _split(number: int, joined: str) -> Iterator[Line]:
    if len(joined) > LONGEST_LINE:
        yield Line(number, joined[:SHOWN], cut=True)
        return
    # Form feeds and the line ends of Unicode also end a line for pip, but not for an editor.
    for one in joined.splitlines() or [""]:
        found = _COMMENT.search(one)
        if found is None:
            yield Line(number, one.strip())
        else:
            yield Line(number, one[: found.start()].strip(), one[found.end() :].strip())


def brief(text: str, most: int = SHOWN) -> str:
    """Return ``text`` on one line and at most ``most`` characters long, for showing to people."""
    flat = " ".join(text[: 4 * most].split())
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in flat)
    if len(printable) > most or len(text) > 4 * most:
        return printable[: most - 3].rstrip() + "..."
    return printable
