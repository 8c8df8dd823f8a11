"""What the ``DESCRIPTION`` of an R package or project states.

It is in the form of Debian's control files: "Field: value", continued on indented lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from provenance.specs._locked import Found, spec
from provenance.specs._text import brief, decoded
from provenance.specs.model import (
    EXACT,
    NAMED,
    PACKAGE,
    RANGE,
    Fact,
    R,
    Source,
    Spec,
    Unread,
    Unreadable,
)

FORMAT = "DESCRIPTION"

MOST_BYTES = 1 << 20

_FIELDS = {
    "Depends": "",
    "Imports": "",
    "LinkingTo": "",
    "Suggests": "group:suggests",
    "Enhances": "group:enhances",
}
"""Those of a DESCRIPTION that name packages, with the group of what is optional."""

_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9/@_.-]*):[ \t]*(.*)")
_ENTRY = re.compile(
    r"([A-Za-z][A-Za-z0-9.]*)\s*(?:\(\s*([<>=!]{1,2})\s*([0-9][0-9A-Za-z.-]*)\s*\))?"
)

_Field = list[tuple[str, int]]


class Block(NamedTuple):
    """Fields up to an empty line. line: its first. fields: the lines of each, with numbers."""

    line: int
    fields: dict[str, _Field]


def read(source: Source) -> Spec:
    """Return what a DESCRIPTION states. Raises `Unreadable`. R itself is the fact "r"."""
    blocks = list(blocks_of(decoded(source.data, MOST_BYTES)))
    if not blocks or not {"Package", "Version", *_FIELDS} & set(blocks[0].fields):
        raise Unreadable("It has none of the fields of a DESCRIPTION of R.", 1)
    found: Found = []
    for field, group in _FIELDS.items():
        for text, line in _items(blocks[0].fields.get(field, [])):
            found.append(_fact(text, "%s:%d" % (source.path, line), group))
    for text, line in _items(blocks[0].fields.get("Remotes", [])):
        why = "A remote only says where a package above comes from; its version is not stated here."
        found.append(Unread("%s:%d" % (source.path, line), brief(text), why))
    return spec(source, FORMAT, found, complete=False)


def blocks_of(text: str) -> Iterator[Block]:
    """Yield the blocks of a control file, which empty lines part."""
    block, field = Block(0, {}), ""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            if block.fields:
                yield block
            block, field = Block(0, {}), ""
            continue
        if line[0] in " \t":
            if field:
                block.fields[field].append((line.strip(), number))
            continue
        found = _FIELD.match(line)
        if found is None or line[0] == "#":
            continue
        field = found[1]
        if not block.fields:
            block = Block(number, {})
        block.fields[field] = [(found[2].strip(), number)] if found[2].strip() else []
    if block.fields:
        yield block


def _items(lines: _Field) -> Iterator[tuple[str, int]]:
    """Yield what stands between commas, each with the line where it begins."""
    waiting: list[str] = []
    began = 0
    for text, number in lines:
        parts = text.split(",")
        for at, part in enumerate(parts):
            if part.strip():
                began = began if waiting else number
                waiting.append(part.strip())
            if at < len(parts) - 1 and waiting:
                yield " ".join(waiting), began
                waiting = []
    if waiting:
        yield " ".join(waiting), began


def _fact(text: str, where: str, group: str) -> Fact | Unread:
    found = _ENTRY.fullmatch(text) if len(text) < 400 else None
    if found is None:
        return Unread(where, brief(text), 'A package is written as "name (>= 1.2)".')
    name, operator, version = found[1], found[2] or "", found[3] or ""
    fact = Fact(PACKAGE, "r" if name == "R" else name, NAMED, where, ecosystem=R, group=group)
    if not operator:
        return fact
    exact = operator in ("==", "=")
    return fact._replace(
        exactness=EXACT if exact else RANGE,
        version=version if exact else "",
        specifier="%s %s" % (operator, version),
    )
