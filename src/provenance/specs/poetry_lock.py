"""What a ``poetry.lock`` states (lock-version 1.0 to 2.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from provenance.specs import _poetry, _toml, pyproject
from provenance.specs._caret import to_pep440
from provenance.specs._graph import MOST_STEPS, Packages, conditions, parts, split_extra, with_extra
from provenance.specs._lines import Document, Key
from provenance.specs._locked import (
    VCS,
    Found,
    canonical,
    only_digest,
    package,
    placed,
    python_of,
    spec,
    text,
)
from provenance.specs._pep508 import both, either
from provenance.specs.model import PACKAGE, Fact, Source, Spec, Unreadable

FORMAT = "poetry.lock"


def read(source: Source) -> Spec:
    """Return what a poetry.lock states. Raises `Unreadable`.

    Before lock-version 2.1 packages have no markers. Then those on the dependencies are taken, and
    the pyproject.toml beside the lock says which packages are asked for by name.
    """
    file = _toml.load(source)
    if not isinstance(file.get("package"), list) and not file.table("metadata"):
        raise Unreadable("It has neither packages nor [metadata]: it is no lock of poetry.", 1)
    asked, included = _asked(source)
    tables = [one for one in file.items("package") if isinstance(one, dict)]
    graph = _Graph(file)
    reached = {} if any("markers" in one for one in tables) else graph.parts(asked)
    extras = graph.extras(file)
    found: Found = []
    for number, one in enumerate(file.items("package")):
        key = ("package", number)
        if not isinstance(one, dict):
            found.append(file.unread(key, one, "A package is a table."))
            continue
        fact = package(one.get("name"), one.get("version"), file, key)
        if isinstance(fact, Fact):
            node = graph.packages.node(fact.name, fact.version)
            group, marker = reached.get(node, ("", ""))
            if "category" in one or "groups" in one or one.get("optional") is True:
                group, own = _part(one, extras.get(node, "optional"))
                marker = both(own, marker)
            fact = placed(fact, _place(one.get("source")))._replace(
                group=group,
                marker=marker,
                digest=only_digest(one.get("files") or _files(file, one)),
            )
        found.append(fact)
    found = [*python_of(file, ("metadata", "python-versions")), *found]
    return spec(source, FORMAT, found, included=included)


def _files(file: Document, one: dict[str, Any]) -> list[Any]:
    """Return the files of a package in a lock of version 1, which has them at the end."""
    name = text(one.get("name"))
    place: Key = ("metadata", "files")
    return file.items(*place, name) or file.items(*place, canonical(name))


def _part(one: dict[str, Any], optional: str) -> tuple[str, str]:
    """Return the group and the marker of a package; ``optional`` is the group of optional ones."""
    groups = _texts(one.get("groups"))
    groups = groups or ["main" if one.get("category", "main") == "main" else "dev"]
    marker = one.get("markers") or one.get("marker") or ""
    if isinstance(marker, dict):  # one for each group
        listed = [text(marker.get(group)) for group in groups]
        marker = either(listed)
    marker = text(marker)
    if "main" in groups and one.get("optional") is not True:
        return "", marker
    if "main" in groups:
        return optional, marker
    return ",".join("group:" + group for group in groups[:20]), marker


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _place(source: Any) -> str:
    """Return the address of a package that comes from no index, "" for one that does."""
    if not isinstance(source, dict):
        return ""
    kind, url = text(source.get("type")), text(source.get("url"))
    if kind in ("", "legacy", "pypi"):
        return ""
    if kind not in VCS:
        return url
    revision = text(source.get("resolved_reference")) or text(source.get("reference"))
    folder = text(source.get("subdirectory"))
    place = url if url.startswith(kind + "+") else "%s+%s" % (kind, url)
    place += "@" + revision if revision else ""
    return place + ("#subdirectory=" + folder if folder else "")


class _Graph:
    """The packages of a lock and what each depends on."""

    def __init__(self, file: Document) -> None:
        tables = [one for one in file.items("package") if isinstance(one, dict)]
        listed = [(canonical(one.get("name")), text(one.get("version"))) for one in tables]
        self.packages = Packages(listed)
        self.edges: dict[str, list[tuple[str, str]]] = {}
        self.nodes = [self.packages.node(*pair) for pair in listed]
        for node, one in zip(self.nodes, tables, strict=True):
            wanted = one.get("dependencies")
            for name, value in wanted.items() if isinstance(wanted, dict) else ():
                for entry in value if isinstance(value, list) else [value]:
                    self._add(node, canonical(name), entry)

    def _add(self, node: str, name: str, entry: Any) -> None:
        table = entry if isinstance(entry, dict) else {"version": text(entry)}
        extras, marker = split_extra(_poetry.marker_of(table))
        for start in [with_extra(node, extra) for extra in extras] or [node]:
            wanted = table.get("extras")
            self.edges.setdefault(start, []).extend(
                self.ends(name, text(table.get("version")), _texts(wanted), marker)
            )

    def ends(
        self, name: str, constraint: str, extras: Iterable[str], marker: str
    ) -> list[tuple[str, str]]:
        """Return where a dependency leads."""
        try:
            bare = to_pep440(constraint or "*")
        except ValueError:
            bare = ""
        nodes = self.packages.nodes(name, bare)
        return [
            (end, marker)
            for node in nodes
            for end in (node, *(with_extra(node, extra) for extra in extras))
        ]

    def parts(self, asked: list[Fact]) -> dict[str, tuple[str, str]]:
        """Return the group and marker of each node. asked: what the project asks for, if known."""
        needed = {target for targets in self.edges.values() for target, _ in targets}
        roots: list[tuple[str, str]] = []
        optional: dict[str, list[tuple[str, str]]] = {}
        for fact in asked:
            ends = self.ends(fact.name, fact.specifier, fact.extras, fact.marker)
            (optional.setdefault(fact.group, []) if fact.group else roots).extend(ends)
        named = {node for ends in (roots, *optional.values()) for node, _ in ends}
        roots += [(n, "") for n in self.nodes if n not in needed and n not in named]
        return parts(roots, optional, self.edges)

    def extras(self, file: Document) -> dict[str, str]:
        """Return of each name that only extras of the project bring "extra:a,extra:b"."""
        found: dict[str, str] = {}
        # In a lock of absurd size only the first extras are followed, to stay within seconds.
        most = min(100, 1 + MOST_STEPS // 4 // (len(self.nodes) + 1))
        for extra, value in list(file.table("extras").items())[:most]:
            names = _poetry.extras_of({extra: value})
            ends = [(node, "") for name in names for node in self.packages.nodes(name)]
            for node in conditions(ends, self.edges):
                known = found.get(node)
                found[node] = "%s,extra:%s" % (known, extra) if known else "extra:" + extra
        return found


def _asked(source: Source) -> tuple[list[Fact], tuple[str, ...]]:
    """Return what the pyproject.toml beside the lock asks for, and its path if it was read."""
    data = source.sibling("pyproject.toml")
    if data is None:
        return [], ()
    path = source.path.rpartition("/")[0]
    path = path + "/pyproject.toml" if path else "pyproject.toml"
    try:
        stated = pyproject.read(Source(path, data))
    except Unreadable:
        return [], ()
    return [fact for fact in stated.facts if fact.kind == PACKAGE], (path,)
