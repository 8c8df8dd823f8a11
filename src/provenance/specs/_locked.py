"""What the lock files of Python have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from packaging.utils import canonicalize_name

from provenance.specs._caret import to_pep440
from provenance.specs._lines import Document, Key
from provenance.specs._pep508 import both, python
from provenance.specs.model import EXACT, NAMED, PACKAGE, PLACED, Fact, Source, Spec, Unread

VCS = ("git", "hg", "svn", "bzr")
"""Repositories that pip installs from, by the words that lock files have for them."""
_DIGEST = re.compile(r"(md5|sha1|sha224|sha256|sha384|sha512|blake2b)[:=]([0-9a-fA-F]{32,128})")

Found = list[Fact | Unread]


def canonical(name: object) -> str:
    """Return a name as PEP 503 writes it, "" for what is none."""
    return str(canonicalize_name(name[:400])) if isinstance(name, str) else ""


def package(name: object, version: object, file: Document, key: Key) -> Fact | Unread:
    """Return the fact of one locked package; its place, marker and group are not known yet."""
    if not canonical(name):
        return file.unread(key, file.get(*key), "This package has no name.")
    exact = version if isinstance(version, str) else ""
    level = EXACT if exact else NAMED
    return Fact(PACKAGE, canonical(name), level, file.where(*key), exact)


def placed(fact: Fact, url: str) -> Fact:
    """Return a fact whose package comes from an address. Its version is kept as the lock has it."""
    return fact._replace(exactness=PLACED, url=url) if url else fact


def only_digest(files: object, member: str = "hash") -> str:
    """Return the digest of a package that has one file, "" of several: each machine takes its own.

    files: a list of tables with ``member``.
    """
    if not isinstance(files, list) or len(files) != 1 or not isinstance(files[0], dict):
        return ""
    return digest_of(files[0].get(member))


def digest_of(value: object) -> str:
    """Return "sha256:..." for a digest as locks write it (a text or a table), else ""."""
    if isinstance(value, dict):
        pairs = ["%s:%s" % (k, v) for k, v in value.items() if isinstance(v, str)][:8]
        return next((one for one in map(digest_of, sorted(pairs, reverse=True)) if one), "")
    found = _DIGEST.fullmatch(value.strip()) if isinstance(value, str) else None
    return "%s:%s" % (found[1], found[2].lower()) if found else ""


def python_of(file: Document, key: Key) -> Found:
    """Return which Python the lock was made for, as PEP 440 or poetry has it."""
    value = file.get(*key)
    if value is None or value == "*":
        return []
    try:
        return [python(to_pep440(value if isinstance(value, str) else ""), file.where(*key))]
    except ValueError as error:
        return [file.unread(key, value, "This is no range of versions of Python: %s." % error)]


def spec(
    source: Source,
    form: str,
    found: Found,
    complete: bool = True,
    included: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> Spec:
    """Return all that was found as one Spec."""
    facts = tuple(one for one in found if isinstance(one, Fact))
    unread = tuple(one for one in found if isinstance(one, Unread))
    if not facts and not unread and not notes:
        notes = ("%s:1 states no package and no version of a language." % source.path,)
    return Spec(source.path, form, facts, unread, complete and bool(facts), included, notes)


def merged(fact: Fact, node: str, parts: Mapping[str, tuple[str, str]]) -> Fact:
    """Return a fact with the group and marker that the graph of dependencies gives its node."""
    if node not in parts:
        return fact
    group, marker = parts[node]
    return fact._replace(group=fact.group or group, marker=both(fact.marker, marker))


def text(value: Any) -> str:
    """Return a text, "" for what is none."""
    return value if isinstance(value, str) else ""
