"""TOML with the line of each entry.

The values come from the standard library's parser. Beside it a scanner passes once over the text
and notes where tables, members and items of lists begin. It also bounds what the parser is given:
very deep nesting and very long dotted names would make that one fail or take for ever.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from provenance.specs._lines import DEEPEST, MOST_ENTRIES, Document, Key, ends_of
from provenance.specs._text import decoded
from provenance.specs.model import Source, Unreadable

if sys.version_info >= (3, 11):
    import tomllib as toml
else:
    import tomli as toml

MOST_TOML = 4 << 20
"""Bytes; of a lock file the parser takes a second for these."""

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"[ \t\n]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STOP = re.compile(r"[,\]}\n#]")
_BASIC = re.compile(r'["\\\n]')
_LONG = re.compile(r'"""|\\')
_LINE = re.compile(r"line (\d+)")


def load(source: Source) -> Document:
    """Return a TOML file. Raises `Unreadable` with the line where the parser knows it."""
    text = decoded(source.data, MOST_TOML)
    places = Scanner(text).run()
    try:
        root = toml.loads(text)
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        said = str(error).splitlines() or [""]
        found = _LINE.search(said[0])
        what = said[0].partition(" (at ")[0][:120] or type(error).__name__
        raise Unreadable(
            "It is not valid TOML (%s): mend that line." % what,
            min(int(found[1][:9]), text.count("\n") + 1) if found else 0,
        ) from None
    return Document(source.path, root, places, ends_of(text))


class Scanner:
    """One pass over a text. places: where each entry begins, as far as the text is valid."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.end = text, 0, len(text)
        self.places: dict[Key, int] = {}
        self.tables: dict[Key, int] = {}  # of lists of tables: how many there are by now
        self.base: Key = ()
        self.entries = 0

    def run(self) -> dict[Key, int]:
        """Return the places. Raises `Unreadable` for what is too deep."""
        while True:
            self._skip(_BLANK)
            if self.at >= self.end:
                return self.places
            if self.text[self.at] == "#":
                self._next_line()
            elif self.text[self.at] == "[":
                self._header()
            elif not self._member(self.base, 0):
                self._next_line()

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _next_line(self) -> None:
        at = self.text.find("\n", self.at)
        self.at = self.end if at < 0 else at + 1

    def _too_deep(self) -> Unreadable:
        line = self.text.count("\n", 0, self.at) + 1
        return Unreadable("Tables or lists are nested more than %d deep." % DEEPEST, line)

    def _counted(self) -> None:
        self.entries += 1
        if self.entries > MOST_ENTRIES:
            line = self.text.count("\n", 0, self.at) + 1
            raise Unreadable("It has more than %d entries." % MOST_ENTRIES, line)

    def _header(self) -> None:
        start = self.at
        many = self.text.startswith("[[", start)
        self.at += 2 if many else 1
        names = self._key()
        self._next_line()
        key: Key = ()
        for number, name in enumerate(names, 1):
            key = (*key, name)
            if many and number == len(names):
                self.tables[key] = self.tables.get(key, 0) + 1
                self.places.setdefault(key, start)
            if key in self.tables:
                key = (*key, self.tables[key] - 1)
        self.places.setdefault(key, start)
        self.base = key

    def _key(self) -> list[str]:
        """Return the parts of a dotted name, and stand behind it."""
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            start = self.at
            if self.text[start : start + 1] in ('"', "'"):
                self._string()
                parts.append(_plain(self.text[start : self.at]))
            else:
                self._skip(_BARE)
                if self.at == start:
                    return parts
                parts.append(self.text[start : self.at])
            if len(parts) > DEEPEST:
                raise self._too_deep()
            self._counted()
            self._skip(_SPACE)
            if self.text[self.at : self.at + 1] != ".":
                return parts
            self.at += 1

    def _member(self, base: Key, depth: int) -> bool:
        """Pass over ``name = value``; False where there is none."""
        self._skip(_SPACE)
        start, key = self.at, base
        for part in self._key():
            key = (*key, part)
            self.places.setdefault(key, start)
        if key == base or self.text[self.at : self.at + 1] != "=":
            return False
        self.at += 1
        self._value(key, depth)
        return True

    def _value(self, key: Key, depth: int) -> None:
        if depth > DEEPEST:
            raise self._too_deep()
        self._skip(_SPACE)
        first = self.text[self.at : self.at + 1]
        if first in ('"', "'"):
            self._string()
        elif first == "[":
            self._items(key, depth)
        elif first == "{":
            self._inline(key, depth)
        else:
            found = _STOP.search(self.text, self.at)
            self.at = found.start() if found else self.end

    def _items(self, key: Key, depth: int) -> None:
        self.at += 1
        number = 0
        while self._to_item("]"):
            before = self.at
            self._counted()
            self.places.setdefault((*key, number), before)
            self._value((*key, number), depth + 1)
            number += 1
            if self.at == before:
                self.at += 1

    def _inline(self, key: Key, depth: int) -> None:
        self.at += 1
        while self._to_item("}"):
            before = self.at
            if not self._member(key, depth + 1) or self.at == before:
                self.at = max(self.at, before + 1)

    def _to_item(self, closing: str) -> bool:
        """Pass over spaces, commas and comments; False, standing behind it, at the closing."""
        while True:
            self._skip(_BLANK)
            mark = self.text[self.at : self.at + 1]
            if mark == "#":
                self._next_line()
            elif mark == ",":
                self.at += 1
            elif mark in ("", closing):
                self.at = min(self.at + 1, self.end)
                return False
            else:
                return True

    def _string(self) -> None:
        """Pass over a string of one of the four kinds."""
        quote = self.text[self.at]
        if self.text.startswith(quote * 3, self.at):
            self._long_string(quote)
            return
        self.at += 1
        if quote == "'":
            ends = [at for at in (self.text.find(c, self.at) for c in "'\n") if at >= 0]
            self.at = min(ends) if ends else self.end
        else:
            self._to(_BASIC)
        if self.text[self.at : self.at + 1] == quote:
            self.at += 1

    def _long_string(self, quote: str) -> None:
        self.at += 3
        if quote == "'":
            at = self.text.find("'''", self.at)
            self.at = self.end if at < 0 else at
        else:
            self._to(_LONG)
        self.at = min(self.at + 3, self.end)
        for _ in range(2):  # a string may end with quotes of its own
            if self.text[self.at : self.at + 1] == quote:
                self.at += 1

    def _to(self, pattern: re.Pattern[str]) -> None:
        r"""Go to what ``pattern`` finds, passing over "\" with what follows it."""
        while True:
            found = pattern.search(self.text, self.at)
            if found is None:
                self.at = self.end
                return
            if found[0] != "\\":
                self.at = found.start()
                return
            self.at = found.end() + 1


def _plain(quoted: str) -> str:
    """Return what a quoted name stands for."""
    if quoted[:1] == "'" or "\\" not in quoted:
        return quoted[1:-1]
    try:
        value: Any = toml.loads("x = " + quoted)["x"]
    except ValueError:
        return quoted[1:-1]
    return str(value)
