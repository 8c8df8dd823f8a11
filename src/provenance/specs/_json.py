"""JSON with the line of each entry; values by the standard library, places by a scanner."""

from __future__ import annotations

import json
import re
from typing import Any

from provenance.specs._lines import DEEPEST, MOST_ENTRIES, Document, Key, ends_of
from provenance.specs._text import decoded
from provenance.specs.model import Source, Unreadable

MOST_JSON = 4 << 20
"""Bytes; locks of pipenv and renv hold some hundred kilobytes."""

_MARK = re.compile(r'["\[\]{}:,]')
_BLANK = re.compile(r"\s*")
_QUOTE = re.compile(r'["\\]')


def load(source: Source) -> Document:
    """Return a JSON file whose top is an object. Raises `Unreadable`."""
    text = decoded(source.data, MOST_JSON)
    places = _scan(text)
    try:
        root = json.loads(text)
    except json.JSONDecodeError as error:
        why = "It is not valid JSON (%s): mend that line." % error.msg
        raise Unreadable(why, min(error.lineno, text.count("\n") + 1)) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unreadable("It is not valid JSON (%s)." % str(error)[:80]) from None
    if not isinstance(root, dict):
        raise Unreadable("It holds no JSON object.", 1)
    return Document(source.path, root, places, ends_of(text))


def _scan(text: str) -> dict[Key, int]:
    """Return where each member and item begins, as far as the text is valid."""
    places: dict[Key, int] = {}
    # Of each open object or list: its key, and the name or position of what comes in it.
    stack: list[list[Any]] = []
    at, word, began = 0, "", 0
    while True:
        found = _MARK.search(text, at)
        if found is None:
            return places
        at, mark = found.end(), found[0]
        if len(places) > MOST_ENTRIES:
            line = text.count("\n", 0, at) + 1
            raise Unreadable("It has more than %d entries." % MOST_ENTRIES, line)
        if mark == '"':
            began, end = found.start(), _string_end(text, at)
            word, at = text[at:end], end + 1
        elif mark in "[{":
            key: Key = (*stack[-1][0], stack[-1][1]) if stack else ()
            stack.append([key, 0 if mark == "[" else ""])
            if mark == "[":
                places.setdefault((*key, 0), at)
            if len(stack) > DEEPEST:
                line = text.count("\n", 0, at) + 1
                raise Unreadable("Objects or lists are nested more than %d deep." % DEEPEST, line)
        elif mark in "]}" and stack:
            stack.pop()
        elif mark == ":" and stack and isinstance(stack[-1][1], str):
            stack[-1][1] = _plain(word)
            places.setdefault((*stack[-1][0], stack[-1][1]), began)
        elif mark == "," and stack and isinstance(stack[-1][1], int):
            stack[-1][1] += 1
            blank = _BLANK.match(text, at)
            places.setdefault((*stack[-1][0], stack[-1][1]), blank.end() if blank else at)


def _string_end(text: str, at: int) -> int:
    while True:
        found = _QUOTE.search(text, at)
        if found is None:
            return len(text)
        if found[0] == '"':
            return found.start()
        at = found.end() + 1


def _plain(quoted: str) -> str:
    if "\\" not in quoted:
        return quoted
    try:
        return str(json.loads('"%s"' % quoted))
    except ValueError:
        return quoted
