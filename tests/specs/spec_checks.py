"""Short forms of what a reader gave, for tests."""

from __future__ import annotations

from collections.abc import Callable

from provenance.specs.model import (
    PACKAGE,
    PLATFORM,
    Fact,
    Source,
    Spec,
)

Reader = Callable[[Source], Spec]


def read(reader: Reader, text: str | bytes, path: str = "f") -> Spec:
    data = text.encode() if isinstance(text, str) else text
    return reader(Source(path, data))


def rows(spec: Spec) -> list[tuple[int, str, str, str]]:
    """Return line, name, exactness and version (or specifier) of the packages."""
    return [
        (int(one.where.rpartition(":")[2]), one.name, one.exactness, one.version or one.specifier)
        for one in spec.facts
        if one.kind != PLATFORM
    ]


def platforms(spec: Spec) -> list[tuple[str, str]]:
    return [(one.name, one.where) for one in spec.facts if one.kind == PLATFORM]


def fact(spec: Spec, name: str, kind: str = PACKAGE) -> Fact:
    (one,) = (one for one in spec.facts if one.name == name and one.kind == kind)
    return one


def unread(spec: Spec) -> list[tuple[str, str]]:
    return [(one.where, one.text) for one in spec.unread]
