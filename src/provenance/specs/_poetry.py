"""The dependency tables of poetry, which Pipfile and pixi write in a similar way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from packaging.utils import canonicalize_name

from provenance.specs._caret import to_pep440
from provenance.specs._lines import Document, Key
from provenance.specs._locked import VCS
from provenance.specs._pep508 import both, is_marker, of_version, python
from provenance.specs.model import NAMED, PACKAGE, PLACED, Fact, Unread

_REVISIONS = ("rev", "ref", "tag", "branch")
_COMPARED = re.compile(r"(==|!=|<=|>=|<|>)(\d[\w.]*(?:\.\*)?)")


def tables(file: Document) -> Iterator[Fact | Unread]:
    """Yield what ``[tool.poetry]`` of a pyproject.toml states."""
    top: Key = ("tool", "poetry")
    extras = extras_of(file.table(*top, "extras"))
    stated = _names(file.items("project", "dependencies"))
    for name, value in file.table(*top, "dependencies").items():
        key: Key = (*top, "dependencies", name)
        if name.lower() == "python":
            yield python_fact(value, file, key)
        elif not (canonicalize_name(name[:400]) in stated and _is_remark(value)):
            yield from entry(name, value, file, key, extras=extras)
    yield from _group(file, (*top, "dev-dependencies"), "group:dev")
    for group, value in file.table(*top, "group").items():
        if isinstance(value, dict):
            key = (*top, "group", group, "dependencies")
            yield from _group(file, key, "group:" + group)


def _names(requirements: list[Any]) -> set[str]:
    found = (re.match(r"\s*([\w.-]{1,400})", one) for one in requirements if isinstance(one, str))
    return {str(canonicalize_name(one[1])) for one in found if one}


def _is_remark(value: Any) -> bool:
    """Return whether an entry only adds to one of ``[project]``, as where to get it from."""
    return isinstance(value, dict) and not {"version", "git", "url", "path", "file"} & set(value)


def _group(file: Document, key: Key, group: str) -> Iterator[Fact | Unread]:
    for name, value in file.table(*key).items():
        if name.lower() != "python":
            yield from entry(name, value, file, (*key, name), group)


def extras_of(table: dict[str, Any]) -> dict[str, str]:
    """Return of each package that extras name the group "extra:a,extra:b"."""
    found: dict[str, list[str]] = {}
    for extra, names in table.items():
        for name in names if isinstance(names, list) else ():
            bare = re.match(r"\s*([\w.-]{1,400})", name) if isinstance(name, str) else None
            if bare:
                found.setdefault(str(canonicalize_name(bare[1])), []).append("extra:" + extra)
    return {name: ",".join(dict.fromkeys(extras[:20])) for name, extras in found.items()}


def python_fact(value: Any, file: Document, key: Key) -> Fact | Unread:
    """Return which Python a constraint in poetry's words asks for."""
    if isinstance(value, dict):
        value = value.get("version")
    if not isinstance(value, str):
        return file.unread(key, value, "This is no range of versions of Python.")
    try:
        return python(to_pep440(value), file.where(*key))
    except ValueError as error:
        return file.unread(key, value, "This is no range of versions as poetry has it: %s." % error)


def entry(
    name: str,
    value: Any,
    file: Document,
    key: Key,
    group: str = "",
    extras: dict[str, str] | None = None,
) -> Iterator[Fact | Unread]:
    """Yield what ``name = value`` states; a list holds one entry for each of several systems."""
    if isinstance(value, list):
        for number, one in enumerate(value):
            if isinstance(one, list):
                yield file.unread((*key, number), one, "A list in a list is no dependency.")
            else:
                yield from entry(name, one, file, (*key, number), group, extras)
        return
    table = {"version": value} if isinstance(value, str) else value
    if not isinstance(table, dict):
        yield file.unread(key, value, "A dependency is a version or a table.")
        return
    canonical = str(canonicalize_name(name[:400]))
    if table.get("optional") is True and not group:
        group = (extras or {}).get(canonical, "optional")
    where = file.where(*key)
    place = place_of(table)
    if place:
        fact: Fact | Unread = Fact(PACKAGE, canonical, PLACED, where, url=place, group=group)
    elif not isinstance(table.get("version", ""), str):
        fact = file.unread(key, table["version"], "A version is a text in quotes.")
    else:
        try:
            bare = to_pep440(table.get("version") or "*")
        except ValueError as error:
            yield file.unread(key, value, "This is no range of versions: %s." % error)
            return
        fact = of_version(name, bare, where, group)
    if isinstance(fact, Fact):
        wanted = table.get("extras")
        texts = [one for one in wanted if isinstance(one, str)] if isinstance(wanted, list) else []
        fact = fact._replace(extras=tuple(sorted(texts)), marker=marker_of(table))
    yield fact


def place_of(table: dict[str, Any]) -> str:
    """Return the address that a table gives ("git+URL@revision", a URL, a path), "" for none."""
    for kind in VCS:
        address = table.get(kind)
        if isinstance(address, str):
            found = [table[r] for r in _REVISIONS if isinstance(table.get(r), str)]
            folder = table.get("subdirectory")
            start = "" if address.startswith(kind + "+") else kind + "+"
            end = "#subdirectory=%s" % folder if isinstance(folder, str) and folder else ""
            return start + address + ("@" + found[0] if found else "") + end
    for kind in ("url", "path", "file"):
        if isinstance(table.get(kind), str):
            return str(table[kind])
    return ""


def marker_of(table: dict[str, Any]) -> str:
    """Return the marker that ``markers``, ``python`` and ``platform`` of an entry say together."""
    marker = table.get("markers") or table.get("marker") or ""
    marker = marker if isinstance(marker, str) else ""
    versions = table.get("python")
    if isinstance(versions, str):
        marker = both(marker, python_marker(versions))
    platform = table.get("platform")
    if isinstance(platform, str) and re.fullmatch(r"[\w-]{1,40}", platform):
        marker = both(marker, 'sys_platform == "%s"' % platform)
    return marker


def python_marker(versions: str) -> str:
    """Return a range of versions of Python as a marker, "" for any and for what is no range."""
    try:
        bare = to_pep440(versions)
    except ValueError:
        return ""
    parts = []
    for operator, version in _COMPARED.findall(bare):
        full = version.count(".") > 1 and not version.endswith("*")
        name = "python_full_version" if full else "python_version"
        parts.append('%s %s "%s"' % (name, operator, version))
    marker = " and ".join(parts)
    return marker if marker and is_marker(marker) else ""


def named(name: str, where: str, group: str = "") -> Fact:
    """Return the fact of a name alone."""
    return Fact(PACKAGE, str(canonicalize_name(name[:400])), NAMED, where, group=group)
