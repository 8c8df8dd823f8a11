"""Rows of `pip list`, `conda list` and `conda list --export` in files named as requirements.

Such a table lists all that was installed. It is known by its head; rows of conda also by their form
alone, because a build string stands nowhere else.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from provenance.core.redact import without_credentials
from provenance.specs import _conda
from provenance.specs._requirement import fact, specifiers
from provenance.specs.model import CONDA, RANGE, Fact

PIP_LIST, CONDA_LIST, CONDA_EXPORT = "pip list", "conda list", "conda list --export"

_RULE = frozenset("-\u2500 ")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\Z")
_VERSION = re.compile(r"\d[\w.!+*-]*\Z", re.A)
_BUILD = re.compile(r"(?:[\w.]*_)?\d+\Z|<pip>\Z|<develop>\Z|pypi_\d+\Z|[a-z]{1,3}\d\w*_\d+\Z", re.A)
_EXPORTED = re.compile(r"([A-Za-z0-9_][\w.-]*)=([^=<>!~\s]+)=([^=<>!~\s]+)\Z", re.A)
_PLACE = re.compile(r"[/~\\]|[A-Za-z]:[\\/]")


class Row(NamedTuple):
    """A fact and the kind of table that it stands in."""

    fact: Fact
    table: str


class Tables:
    """Tells the rows of tables from other lines. seen: heads of tables that were met, in order."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._inside = ""

    def head(self, text: str) -> bool:
        """Return whether ``text`` is the head of a table or the rule below one.

        conda writes its head as a comment, pip does not.
        """
        words = text.lower().split()
        if words[:2] == ["package", "version"]:
            self._begin(PIP_LIST)
        elif words[:3] == ["name", "version", "build"]:
            self._begin(CONDA_LIST)
        elif text.startswith("This file may be used to create an environment"):
            self._begin(CONDA_EXPORT)
            self._inside = ""
        else:
            return bool(words) and len(text) > 2 and _RULE.issuperset(text)
        return True

    def _begin(self, table: str) -> None:
        self._inside = table
        if table not in self.seen:
            self.seen.append(table)

    def row(self, text: str, where: str) -> Row | None:
        """Return what a row of a table states, None for a line that is none."""
        exported = _EXPORTED.match(text)
        if exported is not None:
            name, version, build = exported.groups()
            return Row(_of_conda(name, version, build, "", where), CONDA_EXPORT)
        words = text.split(None, 4)
        if len(words) < 2 or not _NAME.match(words[0]) or not _VERSION.match(words[1]):
            return None
        if self._inside == PIP_LIST:
            return _of_pip(words, where)
        if self._inside == CONDA_LIST or (len(words) in (3, 4) and _BUILD.match(words[2])):
            build, channel = (*words[2:4], "", "")[:2]
            return Row(_of_conda(words[0], words[1], build, channel, where), CONDA_LIST)
        return None


def _of_pip(words: list[str], where: str) -> Row | None:
    found = pinned(words[0], words[1], where)
    if found is None:
        return None
    # The third column is a folder for editable installs, else another one ("Latest", "Installer").
    place = " ".join(words[2:]) if len(words) > 2 and _PLACE.match(words[2]) else ""
    return Row(found._replace(url=without_credentials(place)), PIP_LIST)


def pinned(name: str, version: str, where: str) -> Fact | None:
    """Return the fact that this very version of pip's is installed, None for no such name."""
    sign = "==" if specifiers("==" + version) is not None else "==="
    if specifiers(sign + version) is None:
        return None
    return fact(name, sign + version, where)


def _of_conda(name: str, version: str, build: str, channel: str, where: str) -> Fact:
    if _conda.is_by_pip(build, channel):
        found = pinned(name, version, where)
        if found is not None:
            return found
    return _conda.listed(name, version, build, channel, where)


def conda_range(found: Fact) -> Fact:
    """Return an entry ``name=1.2``, read as pip's, as conda means it: any 1.2."""
    kind = _conda.kind_of(found.name)
    version = found.version or found.specifier.removeprefix("==").removesuffix(".*")
    return found._replace(
        kind=kind, exactness=RANGE, version="", specifier="=" + version, ecosystem=CONDA
    )
