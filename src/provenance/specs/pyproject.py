"""What a ``pyproject.toml`` states: the standard's tables and those of tools.

``[project]`` (PEP 621), ``[dependency-groups]`` (PEP 735), and the tables of poetry, pdm, uv,
hatch, rye, flit, setuptools, pixi and conda-lock. What ``[build-system]`` asks for is needed to
build, not to run, and is no fact.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

from packaging.utils import canonicalize_name

from provenance.specs import _poetry, _toml, pixi_toml
from provenance.specs._gathered import Gathered
from provenance.specs._lines import Document, Key
from provenance.specs._pep508 import plain_lines, python, stated
from provenance.specs._text import decoded
from provenance.specs.model import CONDA, PACKAGE, PLACED, Fact, Source, Spec, Unread, Unreadable

FORMAT = "pyproject.toml"

Found = Iterator[Fact | Unread]


def read(source: Source) -> Spec:
    """Return what a pyproject.toml states. Raises `Unreadable`."""
    file = _toml.load(source)
    included: list[str] = []
    found = [*_project(file), *_dynamic(file, source, included), *_groups(file), *_tools(file)]
    if isinstance(file.get("tool", "conda-lock"), dict):
        # conda-lock takes the names as conda's, but for those with `source = "pypi"`.
        pypi = _from_pypi(file)
        found = [_of_conda(one, pypi) for one in found]
    told = Gathered(source.path)
    pixi_toml.dependencies(file, ("tool", "conda-lock", "dependencies"), told)
    pixi_toml.state(file, ("tool", "pixi"), told)
    found += [*told.facts, *told.unread]
    sources = _sources(file)
    own = canonicalize_name(file.text("project", "name")[:400])
    facts = tuple(
        _placed(one, sources)
        for one in found
        # "thisproject[test]" in an extra stands for facts that are here already.
        if isinstance(one, Fact) and not (one.group and one.extras and one.name == own)
    )
    unread = tuple(one for one in found if isinstance(one, Unread))
    notes = tuple(told.notes) if facts or unread else (_nothing(file),)
    return Spec(source.path, FORMAT, facts, unread, False, tuple(included), notes)


def _nothing(file: Document) -> str:
    tools = ", ".join("[tool.%s]" % name[:40] for name in list(file.table("tool"))[:6])
    held = "only settings of tools (%s)" % tools if tools else "no dependencies"
    return "%s:1 states no dependencies and no Python: it holds %s." % (file.path, held)


def listed(file: Document, key: Key, group: str = "") -> Found:
    """Yield the requirements of a list."""
    value = file.get(*key)
    if value is not None and not isinstance(value, list):
        yield file.unread(key, value, "A list of requirements is expected here.")
    for number, one in enumerate(file.items(*key)):
        if isinstance(one, str):
            yield stated(one, file.where(*key, number), group)
        else:
            yield file.unread((*key, number), one, "A requirement is a text in quotes.")


def _by_group(file: Document, key: Key, kind: str) -> Found:
    for name in file.table(*key):
        yield from listed(file, (*key, name), kind + name)


def _project(file: Document) -> Found:
    project = file.get("project")
    if project is not None and not isinstance(project, dict):
        yield file.unread(("project",), project, "[project] is no table.")
    wanted = file.get("project", "requires-python")
    if isinstance(wanted, str):
        yield python(wanted, file.where("project", "requires-python"))
    yield from listed(file, ("project", "dependencies"))
    yield from _by_group(file, ("project", "optional-dependencies"), "extra:")


def _groups(file: Document) -> Found:
    """Yield the groups of PEP 735. An included group's facts stand under its own name."""
    groups = file.table("dependency-groups")
    known = {canonicalize_name(name[:400]) for name in groups}
    for name, items in groups.items():
        if not isinstance(items, list):
            yield from listed(file, ("dependency-groups", name))
        for number, one in enumerate(items if isinstance(items, list) else ()):
            key: Key = ("dependency-groups", name, number)
            other = one.get("include-group") if isinstance(one, dict) else None
            if isinstance(one, str):
                yield stated(one, file.where(*key), "group:" + name)
            elif not isinstance(other, str) or canonicalize_name(other[:400]) not in known:
                yield file.unread(key, one, "This is no requirement and includes no known group.")


def _tools(file: Document) -> Found:
    yield from _poetry.tables(file)
    yield from _by_group(file, ("tool", "pdm", "dev-dependencies"), "group:")
    for tool in ("uv", "rye"):
        yield from listed(file, ("tool", tool, "dev-dependencies"), "group:dev")
    for name in file.table("tool", "hatch", "envs"):
        for member in ("dependencies", "extra-dependencies"):
            key: Key = ("tool", "hatch", "envs", name, member)
            yield from listed(file, key, "group:" + name)
    flit: Key = ("tool", "flit", "metadata")
    yield from listed(file, (*flit, "requires"))
    yield from _by_group(file, (*flit, "requires-extra"), "extra:")
    if file.text(*flit, "requires-python"):
        key = (*flit, "requires-python")
        yield python(file.text(*key), file.where(*key))


def _dynamic(file: Document, source: Source, included: list[str]) -> Found:
    """Yield what ``[project] dynamic`` leaves to setuptools to read from another file."""
    settings: Key = ("tool", "setuptools", "dynamic")
    for number, name in enumerate(file.items("project", "dynamic")):
        here: Key = ("project", "dynamic", number)
        if name == "requires-python":
            yield file.unread(here, name, "Python's version is computed when the project is built.")
        if name not in ("dependencies", "optional-dependencies"):
            continue
        table = file.table(*settings, name)
        named = (
            {"": table} if name == "dependencies" else {"extra:" + k: v for k, v in table.items()}
        )
        before = len(included)
        for group, one in named.items():
            for path in _files_of(one):
                yield from beside(source, path, file.where(*here), group, included)
        handled = any(_files_of(one) for one in named.values())
        by_poetry = name == "dependencies" and file.table("tool", "poetry", "dependencies")
        if len(included) == before and not handled and not by_poetry:
            why = "The %s are computed when the project is built; look at setup.py or setup.cfg."
            yield file.unread(here, name, why % name)


def _files_of(value: Any) -> list[str]:
    files = value.get("file") if isinstance(value, dict) else None
    listed_files = [files] if isinstance(files, str) else files if isinstance(files, list) else []
    return [one for one in listed_files[:50] if isinstance(one, str)]


def beside(source: Source, path: str, where: str, group: str, included: list[str]) -> Found:
    """Yield the requirements of another file, one a line; ``included`` grows by its path."""
    data = source.sibling(path)
    whole = posixpath.normpath(posixpath.join(posixpath.dirname(source.path), path))
    if data is None:
        why = "This file, which the requirements stand in, is not there or cannot be read."
        yield Unread(where, path[:120], why)
        return
    try:
        text = decoded(data, 1 << 20)
    except Unreadable as error:
        yield Unread(where, path[:120], error.why)
        return
    included.append(whole)
    yield from plain_lines(text, whole, group)


def _sources(file: Document) -> dict[str, str]:
    """Return of each name in ``[tool.uv.sources]`` the address it comes from."""
    found = {}
    for name, value in file.table("tool", "uv", "sources").items():
        one = value[0] if isinstance(value, list) and value else value
        place = _poetry.place_of(one) if isinstance(one, dict) else ""
        if isinstance(one, dict) and one.get("workspace") is True:
            place = "workspace"
        if place:
            found[str(canonicalize_name(name[:400]))] = place
    return found


def _placed(fact: Fact, sources: dict[str, str]) -> Fact:
    place = sources.get(fact.name)
    if place is None or fact.url or fact.kind != PACKAGE:
        return fact
    return fact._replace(exactness=PLACED, url=place, version="")


def _of_conda(one: Fact | Unread, pypi: set[str]) -> Fact | Unread:
    if isinstance(one, Unread) or one.kind != PACKAGE or one.url or one.name in pypi:
        return one
    return one._replace(ecosystem=CONDA)


def _from_pypi(file: Document) -> set[str]:
    table = file.table("tool", "poetry", "dependencies")
    return {
        str(canonicalize_name(name[:400]))
        for name, value in table.items()
        if isinstance(value, dict) and value.get("source") == "pypi"
    }
