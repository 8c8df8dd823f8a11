"""The conda tables of a pyproject.toml: those of conda-lock and pixi."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provenance.specs import _poetry
from provenance.specs._lines import Document, Key
from provenance.specs.model import (
    CONDA,
    EXACT,
    NAMED,
    PACKAGE,
    PLACED,
    PYPI,
    PYTHON,
    RANGE,
    Fact,
    Unread,
)

Found = Iterator[Fact | Unread]


def tables(file: Document) -> Found:
    """Yield what ``[tool.conda-lock]`` and ``[tool.pixi]`` state."""
    yield from _conda(file, ("tool", "conda-lock", "dependencies"), "")
    yield from pixi(file, ("tool", "pixi"))


def pixi(file: Document, top: Key) -> Found:
    """Yield what pixi's tables below ``top`` state; a feature's are optional."""
    for key, group in _sections(file, top):
        yield from _conda(file, (*key, "dependencies"), group)
        for name, value in file.table(*key, "pypi-dependencies").items():
            place: Key = (*key, "pypi-dependencies", name)
            yield from _poetry.entry(name, value, file, place, group)


def _sections(file: Document, top: Key) -> Iterator[tuple[Key, str]]:
    yield top, ""
    for name in file.table(*top, "feature"):
        yield (*top, "feature", name), "group:" + name


def _conda(file: Document, key: Key, group: str) -> Found:
    for name, value in file.table(*key).items():
        yield _fact(name, value, file, (*key, name), group)


def _fact(name: str, value: Any, file: Document, key: Key, group: str) -> Fact | Unread:
    table = {"version": value} if isinstance(value, str) else value
    if not isinstance(table, dict):
        return file.unread(key, value, "A dependency is a version or a table.")
    version = table.get("version", "")
    if not isinstance(version, str):
        return file.unread(key, version, "A version is a text in quotes.")
    specifier = "" if version.strip() == "*" else version.strip()
    exact = specifier[2:] if specifier[:2] == "==" and not specifier.endswith("*") else ""
    if any(mark in exact for mark in ",|<>=!"):
        exact = ""
    level = EXACT if exact else RANGE if specifier else NAMED
    kind = PYTHON if name.lower() == "python" else PACKAGE
    fact = Fact(kind, name.lower(), level, file.where(*key), exact, specifier, CONDA, group=group)
    place = _poetry.place_of(table)
    if place:
        fact = fact._replace(exactness=PLACED, url=place)
    if table.get("source") == "pypi":
        fact = fact._replace(ecosystem=PYPI)
    build, channel = table.get("build"), table.get("channel")
    return fact._replace(
        build=build if isinstance(build, str) else "",
        channel=channel if isinstance(channel, str) else "",
    )
