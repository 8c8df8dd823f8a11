"""conda's environment.yml, with what conda-lock, mamba and templates add to it.

``name=1.2`` is a prefix for conda (1.2.*) and stated as a range, ``name==1.2``, ``name 1.2`` and
``name=1.2=build`` are exact. In what ``conda env export --no-builds`` wrote, ``name=1.2`` is what
was installed, and so exact; such a file is told by what no one writes by hand (`_is_export`).
"""

from __future__ import annotations

import re

from provenance.specs import _conda, _jinja, _pip
from provenance.specs._gathered import NO_PACKAGE, Gathered
from provenance.specs._yaml import LIST, MAP, SCALAR, Document, Node
from provenance.specs.model import (
    CONDA,
    EXACT,
    PLATFORM,
    PYPI,
    RANGE,
    Fact,
    Source,
    Spec,
    Unreadable,
)

FORMAT = "environment.yml"

_TOLD = ("name", "channels", "dependencies", "prefix", "variables", "platforms", "category")
_HARMLESS = ("channel_priority", "channel-priority", "pip-repositories", "version", "description")
_SELECTOR = re.compile(r"#\s{0,9}\[([^\[\]]{1,80})\]\s*\Z")
_SEL = re.compile(r"sel\(([^()]{1,80})\)\Z")
_LOW_LEVEL = frozenset(
    "_libgcc_mutex _openmp_mutex ca-certificates openssl libcxx libffi ncurses xz zlib sqlite "
    "vs2015_runtime vc ucrt readline tk".split()
)
"""Packages that others bring with them and nobody asks for."""
_EXPORT_HAS = 8
"""Packages at the least: python alone brings more than a dozen."""


def read(source: Source) -> Spec:
    """Return what an environment.yml states."""
    file, statements = _jinja.document(source.data)
    told = Gathered(source.path)
    told.miss_all((line, text, _jinja.why(text)) for line, text in statements)
    told.miss_all(file.problems)
    root = file.root
    if root is None or root.kind != MAP:
        raise Unreadable("No environment of conda's: the file is no map with dependencies.", 1)
    if root.get("dependencies") is None and root.get("channels") is None:
        raise Unreadable("No environment of conda's: it has no dependencies.", root.line)
    _others(root, told)
    several = _conda.platforms(
        ((one.text, one.line) for one in root.children("platforms") if one.kind == SCALAR), told
    )
    del several  # what is listed is for all of them
    category = root.string("category")
    group = "" if category in ("", "main") else "group:" + category
    reader = Dependencies(source, file, told)
    reader.read(root.get("dependencies"), "", group)
    complete = _settle(told)
    return told.spec(FORMAT, complete, nothing=NO_PACKAGE)


def _others(root: Node, told: Gathered) -> None:
    """Tell what stands beside the dependencies."""
    name = root.string("name")
    if name:
        told.note("The environment is named %s." % name[:100])
    channels = [one.text for one in root.children("channels") if one.kind == SCALAR]
    if channels:
        shown = [_conda.without_secret(one)[:100] for one in channels[:20]]
        told.note("Channels, the first one first: %s." % ", ".join(shown))
    if root.string("prefix"):
        told.note("prefix: is a folder of the author's machine; it is passed over.")
    variables = root.get("variables")
    if variables is not None and variables.kind == MAP and variables.pairs:
        names = ", ".join(key.text[:60] for key, _ in variables.pairs[:20])
        told.note("The environment sets variables: %s." % names)
    if root.get("dependencies") is None:
        told.miss(root.line, "", "No dependencies are listed.")
    for key, _ in root.pairs:
        if key.text == "pip":
            why = "conda reads pip: only as an item of dependencies; move it there."
            told.miss(key.line, key.text, why)
        elif key.text not in _TOLD and key.text not in _HARMLESS:
            told.miss(key.line, key.text, "No key that conda or conda-lock knows.")


class Dependencies:
    """Reads lists of conda's specs with ``pip:`` lists inside, in any file that has them."""

    def __init__(self, source: Source, file: Document, told: Gathered) -> None:
        self._source, self._file, self._told = source, file, told

    def read(self, node: Node | None, marker: str, group: str) -> None:
        """State the items of the list ``node``, all under ``marker`` and of ``group``."""
        if node is None or node.empty:
            return
        if node.kind == MAP:
            why = "Dependencies are a list: each begins with a dash."
            self._told.miss(node.line, self._shown(node), why)
            return
        for item in node.items if node.kind == LIST else [node]:
            if item.kind == SCALAR:
                self._spec(item, marker, group)
            elif item.kind == MAP:
                self._map(item, marker, group)
            else:
                why = "A list inside the list of dependencies; conda takes none."
                self._told.miss(item.line, self._shown(item), why)

    def _spec(self, item: Node, marker: str, group: str) -> None:
        if item.empty or not item.text.strip():
            return
        where = self._told.where(item.line)
        if _jinja.HOLE in item.text:
            self._told.miss(item.line, self._shown(item), _jinja.COMPUTED)
            return
        try:
            fact = _conda.fact_of(item.text, where, self._marker(item, marker), group)
        except ValueError as error:
            self._told.miss(item.line, item.text, str(error))
            return
        self._told.take(fact)

    def _marker(self, item: Node, marker: str) -> str:
        """Return the marker with the selector that stands in the line's comment."""
        line = self._file.lines[item.line - 1]
        found = _SELECTOR.search(line[-200:]) if "#" in line[-200:] else None
        if found is None:
            return marker
        own = _conda.selector(found[1])
        if own is None:
            why = "This selector is not known; the line counts everywhere."
            self._told.miss(item.line, line.strip(), why)
        return _conda.both(marker, own or "")

    def _map(self, item: Node, marker: str, group: str) -> None:
        condition = item.string("if")
        if condition:
            self._condition(item, condition, marker, group)
            return
        for key, value in item.pairs:
            chosen = _SEL.match(key.text)
            if key.text in ("pip", "pypi"):
                self.pip(value, marker, group)
            elif chosen and _conda.selector(chosen[1]):
                own = _conda.selector(chosen[1]) or ""
                self.read(value, _conda.both(marker, own), group)
            else:
                why = "Below dependencies only pip: holds a list of its own."
                self._told.miss(key.line, self._shown(key), why)

    def _condition(self, item: Node, condition: str, marker: str, group: str) -> None:
        own, opposite = _conda.selector(condition), _conda.selector("not " + condition)
        if own is None:
            why = "This condition is not known; what is below it counts everywhere."
            self._told.miss(item.line, condition, why)
        self.read(item.get("then"), _conda.both(marker, own or ""), group)
        self.read(item.get("else"), _conda.both(marker, opposite or ""), group)

    def pip(self, value: Node, marker: str, group: str) -> None:
        """State the lines for pip in the list ``value``."""
        if value.kind == MAP:
            why = "pip: holds a list: each line begins with a dash."
            self._told.miss(value.line, self._shown(value), why)
            return
        lines: list[tuple[int, str]] = []
        for item in value.items if value.kind == LIST else [value]:
            if item.kind != SCALAR:
                why = "A line for pip is a text; put it in quotes."
                self._told.miss(item.line, self._shown(item), why)
            elif _jinja.HOLE in item.text:
                self._told.miss(item.line, self._shown(item), _jinja.COMPUTED)
            elif not item.empty:
                lines.append((item.line, item.text))
        if lines:
            _pip.state(lines, self._source, self._told, marker, group)

    def _shown(self, node: Node) -> str:
        return self._file.lines[node.line - 1].strip()


def _settle(told: Gathered) -> bool:
    """Make the versions of an export exact; return whether the file lists all, with versions."""
    export = _is_export(told.facts)
    if export and any(one.exactness == RANGE for one in told.facts):
        told.facts = [_exact(one) for one in told.facts]
        note = "Written by conda env export without builds: name=1.2 is what was installed."
        told.note(note)
    listed = [one for one in told.facts if one.kind != PLATFORM]
    complete = export and all(one.exactness == EXACT or one.url for one in listed)
    if complete:
        told.note("Taken as complete: conda env export wrote it, with what pip installed.")
    return complete


def _is_export(facts: list[Fact]) -> bool:
    """Return whether conda itself wrote the list: only whole versions, much brought along."""
    own = [one for one in facts if one.ecosystem == CONDA and one.kind != PLATFORM]
    low = sum(one.name in _LOW_LEVEL for one in own)
    return len(own) >= _EXPORT_HAS and low >= 2 and all(_plain_pin(one) for one in own)


def _plain_pin(one: Fact) -> bool:
    inner = one.specifier[1:] if one.specifier[:1] == "=" else ""
    return bool(inner) and inner[0] != "=" and not set(inner) & set("*,|<>!=~ ")


def _exact(one: Fact) -> Fact:
    if one.ecosystem == PYPI or one.exactness != RANGE or not _plain_pin(one):
        return one
    return one._replace(exactness=EXACT, version=one.specifier[1:])
