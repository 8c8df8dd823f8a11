"""What a ``pylock.toml`` (or ``pylock.NAME.toml``) states: PEP 751, lock-version 1."""

from __future__ import annotations

from typing import Any

from provenance.specs import _toml
from provenance.specs._lines import Document, Key
from provenance.specs._locked import (
    Found,
    digest_of,
    package,
    placed,
    python_of,
    spec,
    text,
)
from provenance.specs.model import Fact, Source, Spec, Unreadable

FORMAT = "pylock.toml"


def read(source: Source) -> Spec:
    """Return what a pylock.toml states. Raises `Unreadable`.

    Groups and extras stand in the markers here ("'dev' in dependency_groups").
    """
    file = _toml.load(source)
    if not text(file.get("lock-version")):
        raise Unreadable("It names no lock-version: it is no pylock.toml.", 1)
    found: Found = python_of(file, ("requires-python",))
    for number, one in enumerate(file.items("packages")):
        key: Key = ("packages", number)
        if not isinstance(one, dict):
            found.append(file.unread(key, one, "A package is a table."))
            continue
        fact = package(one.get("name"), one.get("version"), file, key)
        if isinstance(fact, Fact):
            fact = placed(fact, _place(one))
            fact = fact._replace(marker=text(one.get("marker")), digest=_digest(one))
        found.append(fact)
    return spec(source, FORMAT, found, notes=_notes(file))


def _notes(file: Document) -> tuple[str, ...]:
    version = text(file.get("lock-version"))
    if version.partition(".")[0] == "1":
        return ()
    where = file.where("lock-version")
    return ("%s: lock-version %.20s is not known; read as 1.0." % (where, version),)


def _place(one: dict[str, Any]) -> str:
    """Return the address of a package that has a single source of its own."""
    vcs = one.get("vcs")
    if isinstance(vcs, dict):
        address = text(vcs.get("url")) or text(vcs.get("path"))
        commit = text(vcs.get("commit-id")) or text(vcs.get("requested-revision"))
        folder = text(vcs.get("subdirectory"))
        return "%s+%s%s%s" % (
            text(vcs.get("type")) or "git",
            address,
            "@" + commit if commit else "",
            "#subdirectory=" + folder if folder else "",
        )
    for kind in ("directory", "archive"):
        table = one.get(kind)
        if isinstance(table, dict):
            return text(table.get("url")) or text(table.get("path"))
    return ""


def _digest(one: dict[str, Any]) -> str:
    """Return the digest where the package has one file only."""
    wheels, files = one.get("wheels"), [one.get("archive"), one.get("sdist")]
    files += wheels if isinstance(wheels, list) else []
    tables = [table for table in files if isinstance(table, dict)]
    return digest_of(tables[0].get("hashes")) if len(tables) == 1 else ""
