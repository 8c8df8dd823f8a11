"""Under which condition, and for which optional part, each package of a lock file is installed.

Lock files list all packages for all systems. What is installed on one of them follows from the
packages that are asked for, the dependencies of each, and the markers on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion

from provenance.specs._pep508 import both, either

Edges = Mapping[str, Sequence[tuple[str, str]]]
"""Of each package: those it depends on, each with the marker under which it does."""

MOST_MARKERS = 3
"""In one way to a package. More are left out: the condition then holds a little too often."""

MOST_WAYS = 6
"""With different conditions; a package with more of them counts as always installed."""

MOST_STEPS = 2_000_000
"""Of all walks over a graph; optional parts beyond are taken together."""

MOST_VERSIONS = 20
"""Of one package in a lock; of more, all count as one."""

_Ways = set[frozenset[str]]

_EXTRA = re.compile(r"""extra\s*==\s*["']([^"']*)["']""")


class Packages:
    """The packages of a lock as nodes of a graph. One name may be locked in several versions."""

    def __init__(self, locked: Iterable[tuple[str, str]]) -> None:
        self.versions: dict[str, dict[str, None]] = {}  # in order, each once
        for name, version in locked:
            self.versions.setdefault(name, {})[version] = None
        self._found: dict[tuple[str, str], list[str]] = {}

    def node(self, name: str, version: str) -> str:
        """Return the node of one locked package."""
        known = self.versions.get(name, {})
        return "%s==%s" % (name, version) if 1 < len(known) <= MOST_VERSIONS else name

    def nodes(self, name: str, specifier: str = "") -> list[str]:
        """Return the nodes of the locked versions that a specifier allows; all if it allows none.

        specifier: of PEP 440.
        """
        known = self.versions.get(name, {})
        if not 1 < len(known) <= MOST_VERSIONS:
            return [name]
        key = (name, specifier)
        if key not in self._found:
            allowed = [v for v in known if _allows(specifier, v)] or list(known)
            self._found[key] = [self.node(name, version) for version in allowed]
        return self._found[key]


def _allows(specifier: str, version: str) -> bool:
    try:
        return SpecifierSet(specifier[:1000]).contains(version[:200], prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return False


def with_extra(node: str, extra: str) -> str:
    """Return the node of a package with one of its extras."""
    return "%s[%s]" % (node, extra)


def split_extra(marker: str) -> tuple[list[str], str]:
    """Return the extras that a marker of a dependency names, and the marker without them.

    Only "and" is taken apart; of what is joined otherwise no condition is left.
    """
    extras = _EXTRA.findall(marker)
    if not extras:
        return [], marker
    if " or " in marker:
        return extras, ""
    rest = [one for one in marker.split(" and ") if not _EXTRA.search(one)]
    return extras, " and ".join(rest)


def conditions(roots: Iterable[tuple[str, str]], edges: Edges) -> dict[str, str]:
    """Return of each package that is reached from ``roots`` the marker under which it is."""
    ways: dict[str, _Ways] = {}
    waiting: list[str] = []
    for name, marker in roots:
        if _add(ways.setdefault(name, set()), frozenset([marker]) - {""}):
            waiting.append(name)
    while waiting:
        name = waiting.pop()
        for target, marker in edges.get(name, ()):
            reached = ways.setdefault(target, set())
            changed = [_add(reached, way | (frozenset([marker]) - {""})) for way in set(ways[name])]
            if any(changed):
                waiting.append(target)
    return {name: _marker(found) for name, found in ways.items()}


def _add(ways: _Ways, way: frozenset[str]) -> bool:
    """Add a way unless a shorter one is known; whether anything changed."""
    way = frozenset(sorted(way)[:MOST_MARKERS])
    if any(known <= way for known in ways):
        return False
    longer = {known for known in ways if way < known}
    ways -= longer
    ways.add(way)
    if len(ways) > MOST_WAYS:
        ways.clear()
        ways.add(frozenset())
    return True


def _marker(ways: _Ways) -> str:
    found = []
    for way in sorted(ways, key=sorted):
        marker = ""
        for one in sorted(way):
            marker = both(marker, one)
        found.append(marker)
    return either(found)


def parts(
    roots: Iterable[tuple[str, str]],
    optional: Mapping[str, Sequence[tuple[str, str]]],
    edges: Edges,
) -> dict[str, tuple[str, str]]:
    """Return of each package reached its group and its marker.

    roots: what is always asked for. optional: what each optional part ("extra:x", "group:dev")
    asks for. The group is "" for what is always installed, else the parts joined with commas.
    """
    found = {name: ("", marker) for name, marker in conditions(roots, edges).items()}
    always = set(found)
    size = sum(len(targets) + 1 for targets in edges.values()) + 1
    for part in list(optional)[: max(1, MOST_STEPS // size)]:
        for name, marker in conditions(optional[part], edges).items():
            if name in always:
                continue
            known = found.get(name)
            if known is None:
                found[name] = (part, marker)
            elif len(known[0]) < 400:
                found[name] = (known[0] + "," + part, either([known[1], marker]))
    return found
