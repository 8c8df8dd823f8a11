"""What a ``uv.lock`` states (version 1)."""

from __future__ import annotations

from typing import Any

from provenance.specs import _toml
from provenance.specs._graph import Packages, parts, with_extra
from provenance.specs._locked import (
    Found,
    canonical,
    digest_of,
    merged,
    only_digest,
    package,
    placed,
    python_of,
    spec,
    text,
)
from provenance.specs._pep508 import either
from provenance.specs.model import Fact, Source, Spec, Unreadable

FORMAT = "uv.lock"

_Ends = list[tuple[str, str]]


def read(source: Source) -> Spec:
    """Return what a uv.lock states. Raises `Unreadable`.

    Which packages are optional, and under which marker each is installed, follows from the
    dependencies of the projects that the lock is for. A project itself is a fact only where uv
    installs it ("editable").
    """
    file = _toml.load(source)
    if "version" not in file.root:
        raise Unreadable("It names no version of its format: it is no lock of uv.", 1)
    found: Found = python_of(file, ("requires-python",))
    tables = [one for one in file.items("package") if isinstance(one, dict)]
    packages = Packages((canonical(one.get("name")), text(one.get("version"))) for one in tables)
    reached = _parts(tables, packages)
    for number, one in enumerate(file.items("package")):
        key = ("package", number)
        if not isinstance(one, dict):
            found.append(file.unread(key, one, "A package is a table."))
            continue
        origin = one.get("source")
        origin = origin if isinstance(origin, dict) else {}
        if "virtual" in origin:
            continue
        fact = package(one.get("name"), one.get("version"), file, key)
        if isinstance(fact, Fact):
            fact = placed(fact, _place(origin))._replace(digest=_digest(one))
            forks = one.get("resolution-markers")
            markers = [m for m in forks if isinstance(m, str)] if isinstance(forks, list) else []
            fact = fact._replace(marker=either(markers[:20]))
            fact = merged(fact, packages.node(fact.name, fact.version), reached)
        found.append(fact)
    version = file.get("version")
    notes = (
        ()
        if version == 1
        else (
            "%s: written for a later uv (version %.20s); read as version 1."
            % (file.where("version"), version),
        )
    )
    return spec(source, FORMAT, found, notes=notes)


def _place(origin: dict[str, Any]) -> str:
    """Return the address of what comes from no index."""
    git = text(origin.get("git"))
    if git:
        address, _, commit = git.partition("#")
        return "git+%s%s" % (address.partition("?")[0], "@" + commit if commit else "")
    for kind in ("url", "path", "directory", "editable"):
        if text(origin.get(kind)):
            return text(origin[kind])
    return ""


def _digest(one: dict[str, Any]) -> str:
    wheels, sdist = one.get("wheels"), one.get("sdist")
    if isinstance(wheels, list) and wheels:
        return only_digest(wheels) if sdist is None else ""
    return digest_of(sdist.get("hash")) if isinstance(sdist, dict) else ""


def _ends(listed: Any, packages: Packages) -> _Ends:
    """Return where a list of dependencies leads; an extra of a package is a node of its own."""
    found: _Ends = []
    for one in listed if isinstance(listed, list) else ():
        if not isinstance(one, dict):
            continue
        marker, version = text(one.get("marker")), text(one.get("version"))
        extras = one.get("extra")
        for node in packages.nodes(canonical(one.get("name")), "==" + version if version else ""):
            found.append((node, marker))
            for extra in extras if isinstance(extras, list) else ():
                found.append((with_extra(node, text(extra)), marker))
    return found


def _parts(tables: list[dict[str, Any]], packages: Packages) -> dict[str, tuple[str, str]]:
    edges: dict[str, _Ends] = {}
    roots: _Ends = []
    optional: dict[str, _Ends] = {}
    for one in tables:
        name, origin = canonical(one.get("name")), one.get("source")
        node = packages.node(name, text(one.get("version")))
        edges.setdefault(node, []).extend(_ends(one.get("dependencies"), packages))
        own = isinstance(origin, dict) and bool({"editable", "virtual"} & set(origin))
        if own:
            roots.append((node, ""))
        for member, kind in (("optional-dependencies", "extra:"), ("dev-dependencies", "group:")):
            table = one.get(member)
            for part, listed in table.items() if isinstance(table, dict) else ():
                ends = _ends(listed, packages)
                if kind == "extra:":
                    edges.setdefault(with_extra(node, part), []).extend(ends)
                if own:
                    optional.setdefault(kind + part, []).extend(ends)
    return parts(roots, optional, edges) if roots else {}
