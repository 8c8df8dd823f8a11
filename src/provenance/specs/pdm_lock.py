"""What a ``pdm.lock`` states (lock_version 4.x)."""

from __future__ import annotations

from typing import Any

from provenance.specs import _toml
from provenance.specs._graph import Packages, conditions
from provenance.specs._lines import Document
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
from provenance.specs._pep508 import stated
from provenance.specs.model import Fact, Source, Spec, Unreadable

FORMAT = "pdm.lock"


def read(source: Source) -> Spec:
    """Return what a pdm.lock states. Raises `Unreadable`.

    With the strategy "inherit_metadata" packages carry groups and markers. Without it the markers
    on dependencies are taken.
    """
    file = _toml.load(source)
    metadata = file.table("metadata")
    if "package" not in file.root and "lock_version" not in metadata:
        raise Unreadable("It has neither packages nor a lock_version: it is no lock of pdm.", 1)
    strategy = metadata.get("strategy")
    inherits = isinstance(strategy, list) and "inherit_metadata" in strategy
    markers = {} if inherits else _markers(file)
    packages = _packages([one for one in file.items("package") if isinstance(one, dict)])
    found: Found = []
    for number in range(len(file.items("metadata", "targets"))):
        found += python_of(file, ("metadata", "targets", number, "requires_python"))
    seen: set[str] = set()
    for number, one in enumerate(file.items("package")):
        key = ("package", number)
        if not isinstance(one, dict):
            found.append(file.unread(key, one, "A package is a table."))
            continue
        fact = package(one.get("name"), one.get("version"), file, key)
        if isinstance(fact, Fact):
            fact = _whole(fact, one, file)
            fact = fact._replace(
                marker=fact.marker or markers.get(packages.node(fact.name, fact.version), "")
            )
            # A package with extras stands here twice, with and without them.
            same = "%s %s %s" % (fact.name, fact.version, fact.url)
            if fact.extras and same in seen:
                continue
            seen.add(same)
        found.append(fact)
    return spec(source, FORMAT, found)


def _whole(fact: Fact, one: dict[str, Any], file: Document) -> Fact:
    groups = one.get("groups")
    names = [name for name in groups if isinstance(name, str)] if isinstance(groups, list) else []
    group = "" if "default" in names else ",".join("group:" + name for name in names[:20])
    extras = one.get("extras")
    listed = [text(extra) for extra in extras] if isinstance(extras, list) else []
    files = one.get("files")
    if files is None:  # before 4.? they stood at the end
        named = "%s %s" % (text(one.get("name")), text(one.get("version")))
        files = file.get("metadata", "files", named)
    return placed(fact, _place(one))._replace(
        group=group,
        extras=tuple(sorted(extra for extra in listed if extra)),
        marker=text(one.get("marker")),
        digest=only_digest(files),
    )


def _place(one: dict[str, Any]) -> str:
    for kind in VCS:
        if text(one.get(kind)):
            revision = text(one.get("revision")) or text(one.get("ref"))
            return "%s+%s%s" % (kind, text(one[kind]), "@" + revision if revision else "")
    return text(one.get("url")) or text(one.get("path"))


def _markers(file: Document) -> dict[str, str]:
    """Return the markers that dependencies carry, by node of the graph."""
    tables = [one for one in file.items("package") if isinstance(one, dict)]
    packages = _packages(tables)
    edges: dict[str, list[tuple[str, str]]] = {}
    nodes: list[str] = []
    for one in tables:
        node = packages.node(canonical(one.get("name")), text(one.get("version")))
        nodes.append(node)
        wanted = one.get("dependencies")
        for each in wanted if isinstance(wanted, list) else ():
            fact = stated(each, "") if isinstance(each, str) else None
            if isinstance(fact, Fact):
                ends = packages.nodes(fact.name, fact.specifier)
                edges.setdefault(node, []).extend((end, fact.marker) for end in ends)
    needed = {target for targets in edges.values() for target, _ in targets}
    reached = conditions([(node, "") for node in nodes if node not in needed], edges)
    return {node: marker for node, marker in reached.items() if marker}


def _packages(tables: list[dict[str, Any]]) -> Packages:
    return Packages((canonical(one.get("name")), text(one.get("version"))) for one in tables)
