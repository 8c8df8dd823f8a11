"""What Julia's ``Project.toml`` states.

Julia itself is the fact "julia" of the ecosystem "julia". Names of packages are kept as written:
Julia distinguishes upper and lower case.
"""

from __future__ import annotations

import re
from typing import Any

from provenance.specs import _toml
from provenance.specs._lines import Document, Key
from provenance.specs._locked import Found, spec, text
from provenance.specs.model import (
    EXACT,
    JULIA,
    NAMED,
    PACKAGE,
    PLACED,
    RANGE,
    Fact,
    Source,
    Spec,
    Unread,
)

FORMAT = "Project.toml"

_EXACT = re.compile(r"\s*==?\s*(v?\d+\.\d+\.\d+\S*)\s*")


def read(source: Source) -> Spec:
    """Return what a Project.toml states: names, with the versions of ``[compat]``.

    Raises `Unreadable`.
    """
    file = _toml.load(source)
    found: Found = []
    seen = set()
    for member, group in (
        ("deps", ""),
        ("weakdeps", "group:weakdeps"),
        ("extras", "group:extras"),
    ):
        for name in file.table(member):
            if name not in seen:
                seen.add(name)
                found.append(_wanted(name, file, (member, name), group))
    if "julia" in file.table("compat"):
        found.append(_wanted("julia", file, ("compat", "julia"), ""))
    return spec(source, FORMAT, found, complete=False)


def _wanted(name: str, file: Document, key: Key, group: str) -> Fact | Unread:
    fact = Fact(PACKAGE, name, NAMED, file.where(*key), ecosystem=JULIA, group=group)
    origin = file.table("sources", name)
    if origin:
        return fact._replace(exactness=PLACED, url=place_of(origin, "url", "rev"))
    compat = file.get("compat", name)
    if compat is None:
        return fact
    if not isinstance(compat, str):
        return file.unread(("compat", name), compat, "Versions are a text in quotes.")
    exact = _EXACT.fullmatch(compat[:200])
    return fact._replace(
        where=file.where("compat", name),
        exactness=EXACT if exact else RANGE,
        version=exact[1].removeprefix("v") if exact else "",
        specifier=compat.strip(),
    )


def place_of(one: dict[str, Any], url: str, revision: str) -> str:
    """Return the address that a table gives: a repository at a revision, or a folder."""
    if text(one.get(url)):
        wanted = text(one.get(revision))
        return "git+%s%s" % (text(one[url]), "@" + wanted if wanted else "")
    return text(one.get("path"))
