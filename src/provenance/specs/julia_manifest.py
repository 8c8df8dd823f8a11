"""What Julia's ``Manifest.toml`` states: the lock beside a ``Project.toml``.

Julia itself is the fact "julia" of the ecosystem "julia"; names are kept as written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from provenance.specs import _toml
from provenance.specs._lines import Document, Key
from provenance.specs._locked import Found, spec, text
from provenance.specs.julia_project import place_of
from provenance.specs.model import (
    EXACT,
    JULIA,
    NAMED,
    PACKAGE,
    PLACED,
    Fact,
    Source,
    Spec,
    Unread,
    Unreadable,
)

FORMAT = "Manifest.toml"


def read(source: Source) -> Spec:
    """Return what a Manifest.toml states (format 1.0, where packages stand at the top, or 2).

    A package of the standard library may have no version: it is that of Julia. Raises
    `Unreadable`.
    """
    file = _toml.load(source)
    form = text(file.get("manifest_format"))
    top: Key = ("deps",) if form.partition(".")[0] not in ("", "1") else ()
    if not form and not any(isinstance(value, list) for value in file.root.values()):
        raise Unreadable(
            "It has no manifest_format and no packages: it is no manifest of Julia.", 1
        )
    found: Found = []
    version = text(file.get("julia_version"))
    if version:
        where = file.where("julia_version")
        found.append(Fact(PACKAGE, "julia", EXACT, where, version, ecosystem=JULIA))
    for key, name, one in _locked(file, top):
        found.append(_fact(name, one, file, key))
    return spec(source, FORMAT, found)


def _locked(file: Document, top: Key) -> Iterator[tuple[Key, str, Any]]:
    for name, entries in (file.table(*top) if top else file.root).items():
        if isinstance(entries, list):
            for number, one in enumerate(entries):
                yield (*top, name, number), name, one
        elif top:
            yield (*top, name), name, entries


def _fact(name: str, one: Any, file: Document, key: Key) -> Fact | Unread:
    if not isinstance(one, dict):
        return file.unread(key, one, "A package is a table.")
    version = text(one.get("version"))
    tree = text(one.get("git-tree-sha1"))
    fact = Fact(
        PACKAGE,
        name,
        EXACT if version else NAMED,
        file.where(*key),
        version,
        ecosystem=JULIA,
        digest="git-tree-sha1:" + tree if re.fullmatch(r"[0-9a-f]{40}", tree) else "",
    )
    place = place_of(one, "repo-url", "repo-rev")
    return fact._replace(exactness=PLACED, url=place) if place else fact
