"""Short forms for the tests of readers: what a text states, one line for each fact."""

from __future__ import annotations

from provenance.specs import formats
from provenance.specs.model import Source, Spec


def read(path: str, text: str | bytes) -> Spec:
    return formats.read(Source(path, text.encode() if isinstance(text, str) else text))


def facts(path: str, text: str | bytes) -> list[str]:
    """Return "line kind name version-or-specifier"; a name only has nothing behind it."""
    found = []
    for fact in read(path, text).facts:
        said = fact.version or fact.specifier or fact.digest or fact.url
        where = fact.where.rpartition(":")[2]
        found.append(" ".join(part for part in (where, fact.kind, fact.name, said) if part))
    return found


def unread(path: str, text: str | bytes) -> list[tuple[int, str]]:
    return [(int(u.where.rpartition(":")[2]), u.text) for u in read(path, text).unread]
