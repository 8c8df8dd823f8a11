"""The lines of a program's captured output, as a reader of the screen would see them.

A progress bar rewrites its line with carriage returns or backspaces: its last state counts. Colours
and cursor movements are left out.
"""

from __future__ import annotations

import os
import re
from typing import Iterator, List, NamedTuple, Tuple

HEAD, TAIL = 2 << 20, 4 << 20
"""Bytes that are read from the beginning and from the end of a log."""

LONGEST = 4000
"""Characters of a line beyond which it is data that somebody printed."""

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_REWRITE = re.compile(r"[\r\x08]+")
_BAR = re.compile(r"\d+%\s?(?:\||[━─╸╺█#=>.\-\s\[]{3})|\d+/\d+\s+[━\[]|\|[█▏▎▍▌▋▊▉#\s]+\|")
_BAR_BEGINS = re.compile(r"[\s\d.]*%|\d+/\d+")


class Line(NamedTuple):
    """number: from 1, of the line of the log; 0 where not known. bar: a progress bar's state."""

    number: int
    text: str
    bar: bool


def lines(path: str) -> Iterator[Line]:
    """Return the lines of the log at ``path``, of a huge one the first and last. Raises OSError.

    Numbers of lines behind a gap count from the beginning of the file all the same.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as stream:
        if size <= HEAD + TAIL:
            yield from _of(stream.read(), 1)
            return
        head = stream.read(HEAD)
        yield from _of(head[: head.rfind(b"\n") + 1], 1)
        passed = head.count(b"\n")
        left = size - HEAD - TAIL
        while left > 0:
            piece = stream.read(min(left, 1 << 20))
            if not piece:
                return
            passed += piece.count(b"\n")
            left -= len(piece)
        tail = stream.read(TAIL)
        first = max(tail.find(b"\n"), tail.find(b"\r")) + 1
        yield from _of(tail[first:], passed + 1 + tail[:first].count(b"\n"))


def left_out(path: str) -> int:
    """Return how many bytes in the middle of the log `lines` does not look at."""
    return max(os.path.getsize(path) - HEAD - TAIL, 0)


def of_text(text: str) -> Iterator[Line]:
    """Return the lines of something printed that is at hand; no more than of a log."""
    return _of(text[: HEAD + TAIL].encode("utf-8", "replace"), 1)


def of_lines(raw: List[bytes], first: int) -> Iterator[Line]:
    """Return whole lines of a log that were read already, the first of them number ``first``."""
    return _of(b"\n".join(raw), first) if raw else iter(())


def _of(data: bytes, first: int) -> Iterator[Line]:
    for place, raw in enumerate(data.split(b"\n")):
        if not raw:
            yield Line(first + place, "", False)
            continue
        if b"\r" in raw or b"\x08" in raw:
            for text, bar in _states(raw):
                yield Line(first + place, text, bar)
            continue
        text = raw[: LONGEST * 4].decode("utf-8", "replace")
        text = _ESCAPES.sub("", text) if "\x1b" in text else text
        yield Line(first + place, text, _is_bar(text))


def _is_bar(text: str) -> bool:
    return ("%" in text or "/" in text) and _BAR.search(text) is not None


def _states(raw: bytes) -> List[Tuple[str, bool]]:
    """Return the last state of each bar that was shown in one line, in order."""
    parts = _REWRITE.split(_ESCAPES.sub("", raw.decode("utf-8", "replace")))
    shown = [part for part in parts if part.strip()]
    found: List[Tuple[str, bool]] = []
    last = ""
    for part in shown:
        begins = _BAR_BEGINS.search(part)
        name, bar = part[: begins.start()].strip() if begins else part, _is_bar(part)
        if found and bar and found[-1][1] and name == last:
            found.pop()
        found.append((part[:LONGEST], bar))
        last = name
    return found
