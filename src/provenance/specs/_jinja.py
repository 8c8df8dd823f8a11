"""Templates in YAML files: what can be read of them without running one.

A line ``{% set name = "text" %}`` gives a value that stands in ``{{ name }}`` further down; all
else that is to be computed becomes `HOLE`, and no other statement is carried out.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from provenance.specs._text import decoded
from provenance.specs._yaml import MOST_BYTES, Document, document_of

HOLE = "\ue000"
"""Stands where a value is computed: a letter that no one else uses."""

COMPUTED = "A template computes this; write the value itself."

_SET = re.compile(
    r"\{%-?\s{0,9}set\s{1,9}(\w+)\s{0,9}=\s{0,9}(\"[^\"%]*\"|'[^'%]*'|[\d.]+)\s{0,9}-?%\}"
)
_STATEMENT = re.compile(r"\{%[^%\n]*%\}")
_COMMENT = re.compile(r"\{#[^#\n]*#\}")
_VALUE = re.compile(r"\{\{([^{}\n]*)\}\}")
_NAME = re.compile(r"\s*(\w+)\s*\Z")
_LONGEST = 4000


class Plain(NamedTuple):
    """A file without its template: the same lines. statements: line and text of each left out."""

    text: str
    statements: tuple[tuple[int, str], ...]


def document(data: bytes) -> tuple[Document, tuple[tuple[int, str], ...]]:
    """Return the YAML file ``data`` without its template, and the statements left out.

    The document's lines are those of the file itself. Raises Unreadable.
    """
    text = decoded(data, MOST_BYTES)
    found = plain(text)
    return document_of(found.text)._replace(lines=text.split("\n")), found.statements


def plain(text: str) -> Plain:
    """Return ``text`` without templates."""
    if "{{" not in text and "{%" not in text and "{#" not in text:
        return Plain(text, ())
    values: dict[str, str] = {}
    left: list[tuple[int, str]] = []
    lines = text.split("\n")

    def filled(found: re.Match[str]) -> str:
        name = _NAME.match(found[1])
        return values.get(name[1], HOLE) if name else HOLE

    for at, line in enumerate(lines):
        if len(line) > _LONGEST or "{" not in line:
            continue
        given = _SET.search(line)
        if given:
            values[given[1]] = given[2].strip("\"'")
            lines[at] = ""
            continue
        line, times = _STATEMENT.subn("", _COMMENT.sub("", line))  # noqa: PLW2901
        if times:
            left.append((at + 1, lines[at].strip()))
        lines[at] = _VALUE.sub(filled, line)
    return Plain("\n".join(lines), tuple(left))


def why(statement: str) -> str:
    """Return the sentence about a statement that was left out."""
    if re.match(r"\{%-?\s{0,9}set\b", statement):
        return "A template computes this value; what it is put into is not read."
    return "A statement of a template; what it encloses counts whatever it says."
