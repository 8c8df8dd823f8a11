"""The text of a file, and on which line each of its entries stands.

TOML and JSON libraries tell values but not lines. A scanner (`_toml`, `_json`) notes where each
entry begins; a `Document` puts both together.
"""

from __future__ import annotations

import bisect
from typing import Any, NamedTuple

from provenance.specs._text import brief
from provenance.specs.model import Unread

Key = tuple[str | int, ...]
"""The way to an entry: names of tables and members, positions in lists."""

MOST_ENTRIES = 200_000
"""Names and items of one file. The largest lock files of repositories have some 60,000."""

DEEPEST = 60
"""Levels of nested lists and tables; real files have less than ten."""


def shown(value: object) -> str:
    """Return a value of a file in brief."""
    if isinstance(value, str):
        return brief(value)
    if isinstance(value, dict):
        return brief("{%s}" % ", ".join("%s = ..." % brief(str(key)) for key in list(value)[:8]))
    if isinstance(value, list):
        return "[%d items]" % len(value)
    return str(value) if not isinstance(value, int) or abs(value) < 1 << 64 else "a huge number"


class Document(NamedTuple):
    """A file of tables. root: its values. places: offset of each entry. ends: of each line end."""

    path: str
    root: dict[str, Any]
    places: dict[Key, int]
    ends: list[int]

    def line(self, *key: str | int) -> int:
        """Return the line of an entry, from 1; of the nearest one around it where it is unknown."""
        while key:
            if key in self.places:
                return bisect.bisect_left(self.ends, self.places[key]) + 1
            key = key[:-1]
        return 1

    def where(self, *key: str | int) -> str:
        """Return "path:line" of an entry."""
        return "%s:%d" % (self.path, self.line(*key))

    def unread(self, key: Key, value: object, why: str) -> Unread:
        """Return that the entry at ``key`` could not be taken."""
        return Unread(self.where(*key), shown(value), why)

    def table(self, *key: str | int) -> dict[str, Any]:
        """Return the table at ``key``, an empty one where there is none."""
        value = self.get(*key)
        return value if isinstance(value, dict) else {}

    def items(self, *key: str | int) -> list[Any]:
        """Return the list at ``key``, an empty one where there is none."""
        value = self.get(*key)
        return value if isinstance(value, list) else []

    def text(self, *key: str | int) -> str:
        """Return the string at ``key``, "" where there is none."""
        value = self.get(*key)
        return value if isinstance(value, str) else ""

    def get(self, *key: str | int) -> Any:
        """Return the value at ``key``, None where there is none."""
        value: Any = self.root
        for part in key:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value):
                value = value[part]
            else:
                return None
        return value


def ends_of(text: str) -> list[int]:
    """Return the offsets of all line ends."""
    found, at = [], text.find("\n")
    while at >= 0:
        found.append(at)
        at = text.find("\n", at + 1)
    return found
