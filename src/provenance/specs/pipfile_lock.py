"""What a ``Pipfile.lock`` states."""

from __future__ import annotations

import re
from typing import Any

from provenance.specs import _json, _poetry
from provenance.specs._lines import Document, Key
from provenance.specs._locked import Found, canonical, digest_of, spec
from provenance.specs._pep508 import of_version
from provenance.specs.model import PACKAGE, PLACED, Fact, Source, Spec, Unread, Unreadable
from provenance.specs.pipfile import group_of, python_facts

FORMAT = "Pipfile.lock"


def read(source: Source) -> Spec:
    """Return what a Pipfile.lock states. Raises `Unreadable`.

    A package that stands in several sections with the same version is one fact, of the first.
    """
    file = _json.load(source)
    if "_meta" not in file.root and "default" not in file.root:
        raise Unreadable("It has neither _meta nor default: it is no lock of pipenv.", 1)
    found: Found = python_facts(file, ("_meta", "requires"))
    seen: set[tuple[str, str, str]] = set()
    for section, packages in file.root.items():
        if section == "_meta" or not isinstance(packages, dict):
            continue
        for name, one in packages.items():
            fact = _fact(name, one, file, (section, name), group_of(section))
            if isinstance(fact, Fact):
                same = (fact.name, fact.version, fact.url)
                if same in seen:
                    continue
                seen.add(same)
            found.append(fact)
    return spec(source, FORMAT, found)


def _fact(name: str, one: Any, file: Document, key: Key, group: str) -> Fact | Unread:
    table = {"version": one} if isinstance(one, str) else one
    if not isinstance(table, dict):
        return file.unread(key, one, "A locked package is an object.")
    place = _poetry.place_of(table)
    where = file.where(*key)
    if place:
        fact: Fact | Unread = Fact(PACKAGE, canonical(name), PLACED, where, url=place, group=group)
    else:
        version = table.get("version", "*")
        if not isinstance(version, str):
            return file.unread(key, version, "A version is a text in quotes.")
        if re.match(r"\s*\d", version):
            version = "==" + version.strip()
        fact = of_version(name, version, where, group)
    if isinstance(fact, Unread):
        return fact
    hashes, extras = table.get("hashes"), table.get("extras")
    return fact._replace(
        marker=_poetry.marker_of(table),
        digest=digest_of(hashes[0]) if isinstance(hashes, list) and len(hashes) == 1 else "",
        extras=tuple(sorted(e for e in extras if isinstance(e, str)))
        if isinstance(extras, list)
        else (),
    )
