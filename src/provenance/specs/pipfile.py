"""What a ``Pipfile`` states."""

from __future__ import annotations

from typing import Any

from provenance.specs import _poetry, _toml
from provenance.specs._lines import Document, Key
from provenance.specs._locked import Found, spec
from provenance.specs._pep508 import both, is_marker, python
from provenance.specs.model import Fact, Source, Spec, Unread

FORMAT = "Pipfile"

_NOT_PACKAGES = frozenset("source sources requires pipenv scripts build-system tool".split())

_MARKERS = (
    "os_name",
    "sys_platform",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_version",
    "python_full_version",
    "implementation_name",
    "implementation_version",
)


def read(source: Source) -> Spec:
    """Return what a Pipfile states. Raises `Unreadable`."""
    file = _toml.load(source)
    found: Found = python_facts(file, ("requires",))
    for section, value in file.root.items():
        if section in _NOT_PACKAGES or not isinstance(value, dict):
            continue
        for name, one in value.items():
            key: Key = (section, name)
            for fact in _poetry.entry(name, one, file, key, group_of(section)):
                found.append(_marked(fact, one))
    return spec(source, FORMAT, found, complete=False)


def group_of(section: str) -> str:
    """Return the group of a section; both names of the sections of all projects are known."""
    if section in ("packages", "default"):
        return ""
    if section in ("dev-packages", "develop"):
        return "group:dev"
    return "group:" + section


def python_facts(file: Document, key: Key) -> Found:
    """Return which Python is required: a series ("3.8") or a full version."""
    found: Found = []
    full, series = file.text(*key, "python_full_version"), file.text(*key, "python_version")
    if full:
        found.append(python("==" + full, file.where(*key, "python_full_version")))
    elif series and series[0].isdigit():
        bare = series if series.count(".") > 1 else series + ".*"
        found.append(python("==" + bare, file.where(*key, "python_version")))
    elif series:
        found.append(python(series, file.where(*key, "python_version")))
    return found


def _marked(fact: Fact | Unread, value: Any) -> Fact | Unread:
    """Return a fact with the markers that stand as members of their own."""
    if isinstance(fact, Unread) or not isinstance(value, dict):
        return fact
    marker = fact.marker
    for name in _MARKERS:
        condition = value.get(name)
        text = "%s %s" % (name, condition) if isinstance(condition, str) else ""
        if text and is_marker(text):
            marker = both(marker, text)
    return fact._replace(marker=marker)
