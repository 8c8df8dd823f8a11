"""Colour, and short forms of sizes, times and digests. Meaning never rests on colour alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TextIO

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


class Style:
    """Wraps words in terminal colours where ``stream`` is a terminal that wants them."""

    def __init__(self, stream: TextIO, environ: Mapping[str, str] = os.environ) -> None:
        self.on = stream.isatty() and "NO_COLOR" not in environ and environ.get("TERM") != "dumb"

    def __call__(self, text: str, *names: str) -> str:
        """Return ``text`` in the styles ``names``."""
        if not self.on or not names:
            return text
        return "\x1b[%sm%s\x1b[0m" % (";".join(_CODES[name] for name in names), text)


def size(count: float | None) -> str:
    """Return a number of bytes for people: ``41 GB``; decimal units."""
    if count is None:
        return "?"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            break
        count /= 1000
    return ("%.0f %s" if count >= 10 or unit == "B" else "%.1f %s") % (count, unit)


def duration(seconds: float | None) -> str:
    """Return a time span for people: ``0.31 s``, ``4 m 05 s``, ``2 h 14 m``."""
    if seconds is None:
        return "?"
    if seconds < 60:
        return "%.2g s" % seconds if seconds < 10 else "%.0f s" % seconds
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return "%d m %02d s" % (minutes, rest)
    return "%d h %02d m" % divmod(minutes, 60)


def value(item: Any) -> str:
    """Return a metric, parameter or fact in few characters."""
    if isinstance(item, dict) and set(item) == {"float"}:
        return str(item["float"])
    if isinstance(item, float):
        return "%.6g" % item
    text = "-" if item is None else item if isinstance(item, str) else repr(item)
    return text if len(text) <= 60 else text[:57] + "..."


def plural(count: int, word: str) -> str:
    """Return ``1 file``, ``3 files``."""
    return "%d %s%s" % (count, word, "" if count == 1 else "s")


def flat(text: str) -> str:
    """Return ``text`` on one line, without what could steer a terminal."""
    return " ".join("".join(c if c.isprintable() or c.isspace() else "?" for c in text).split())
