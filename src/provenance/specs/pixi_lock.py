"""pixi.lock, versions 1 to 7: environments, the packages of each by platform, and their digests.

What the environment ``default`` has counts always; what only others have is stated once for each
of them, as its group. A package that is not on all platforms of its environment has a marker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from provenance.specs import _conda, conda_lock
from provenance.specs._gathered import NO_PACKAGE, Gathered
from provenance.specs._yaml import MAP, Document, Node, document
from provenance.specs.conda_explicit import version_of
from provenance.specs.model import CONDA, EXACT, NAMED, PLACED, Fact, Source, Spec, Unreadable

FORMAT = "pixi.lock"
_NEWEST = 7
_OLD = 3
"""Up to this version the form was conda-lock's."""
_KINDS = ("conda", "pypi", "conda_source")
_SOURCE = re.compile(r"([A-Za-z0-9_.+-]{1,200})(?:\[\w{0,80}\])? @ (.*)\Z")


def read(source: Source) -> Spec:
    """Return what a pixi.lock states."""
    file = document(source.data)
    told = Gathered(source.path)
    told.miss_all(file.problems)
    root = file.root
    if root is None or root.kind != MAP:
        raise Unreadable("No lock file of pixi's: it is no map.", 1)
    version = _number(root.string("version"))
    if version > _NEWEST:
        told.note("Version %d of the format is newer than the known %d." % (version, _NEWEST))
    if version <= _OLD and root.get("package") is not None:
        conda_lock.state(root, told)
    elif root.get("environments") is None or root.get("packages") is None:
        raise Unreadable("No lock file of pixi's: it has no environments and packages.", 1)
    else:
        _Lock(file, root, told).state()
    return told.spec(FORMAT, any(one.version for one in told.facts), nothing=NO_PACKAGE)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


class _Lock:
    """A file of the form with environments."""

    def __init__(self, file: Document, root: Node, told: Gathered) -> None:
        self._file, self._root, self._told = file, root, told
        self._subdirs = {
            one.string("name"): one.string("subdir")
            for one in root.children("platforms")
            if one.kind == MAP and one.string("subdir")
        }
        # The platforms of a package in each environment, and of each environment.
        self._uses: dict[str, dict[str, set[str]]] = {}
        self._on: dict[str, set[str]] = {}
        self._mentioned: dict[str, int] = {}

    def state(self) -> None:
        places: list[tuple[str, int]] = []
        for environment, platform, reference, line in self._references():
            uses = self._uses.setdefault(reference, {})
            uses.setdefault(environment, set()).add(platform)
            places.append((platform, line))
        several = _conda.platforms(places, self._told)
        packages = self._root.children("packages")
        known: set[str] = set()
        for one in packages:
            reference = _reference(one) if one.kind == MAP else ""
            if not reference:
                self._told.miss(one.line, self._shown(one), "No entry of a package.")
                continue
            known.add(reference)
            for marker, group in self._placed(reference, several):
                self._told.take(_fact(one, reference, self._told, marker, group))
        if self._on and not any("default" in uses for uses in self._uses.values()):
            note = "The environment default is empty; there are: %s."
            self._told.note(note % ", ".join(one[:60] for one in list(self._on)[:20]))
        for reference in sorted(set(self._uses) - known):
            why = "An environment names this package; it is not described below packages."
            self._told.miss(self._mentioned[reference], reference.partition(" ")[2], why)

    def _references(self) -> Iterator[tuple[str, str, str, int]]:
        """Yield environment, platform, package and line of each mention."""
        environments = self._root.get("environments")
        for key, environment in environments.pairs if environments else []:
            packages = environment.get("packages")
            for platform, items in packages.pairs if packages is not None else []:
                name = self._subdirs.get(platform.text, platform.text)
                self._on.setdefault(key.text, set()).add(name)
                for item in items.items:
                    reference = _reference(item)
                    if reference:
                        self._mentioned.setdefault(reference, item.line)
                        yield key.text, name, reference, platform.line

    def _placed(self, reference: str, several: bool) -> Iterator[tuple[str, str]]:
        """Yield marker and group of each fact that the package gives."""
        uses = self._uses.get(reference, {})
        always = uses.get("default", set())
        for environment, on in uses.items():
            platforms = on if environment == "default" else on - always
            if not platforms:
                continue
            marker = ""
            if several and platforms != self._on[environment]:
                markers = sorted({_conda.marker_of(one) for one in platforms} - {""})
                marker = " or ".join("(%s)" % one for one in markers)
                marker = markers[0] if len(markers) == 1 else marker
            yield marker, "" if environment == "default" else "group:" + environment

    def _shown(self, node: Node) -> str:
        return self._file.lines[node.line - 1].strip()


def _reference(one: Node) -> str:
    """Return by what a package is named: its address, with its kind."""
    for kind in _KINDS:
        value = one.string(kind)
        if value:
            return "pypi " + value if kind == "pypi" else "conda " + value
    kind = one.string("kind")
    value = one.string("url") or one.string("path")
    return "%s %s" % (kind, value) if kind in _KINDS and value else ""


def _fact(one: Node, reference: str, told: Gathered, marker: str, group: str) -> Fact:
    kind, _, address = reference.partition(" ")
    where = told.where(one.line)
    address = address.removeprefix("direct+")
    if kind == "pypi":
        return _of_pip(one, address, where, marker, group)
    found = _conda.artifact(address)
    named = _SOURCE.match(address)
    name = one.string("name") or (found.name if found else named[1] if named else address)
    version = one.string("version") or (found.version if found else "")
    name = name.lower()
    return Fact(
        kind=_conda.kind_of(name),
        name=name,
        exactness=EXACT if version else PLACED if named or not found else NAMED,
        where=where,
        version=version,
        specifier="==" + version if version else "",
        ecosystem=CONDA,
        marker=marker,
        url=_conda.without_secret(named[2] if named else address),
        build=one.string("build") or (found.build if found else ""),
        channel=found.channel if found else "",
        digest=conda_lock.digest(one),
        group=group,
    )


def _of_pip(one: Node, address: str, where: str, marker: str, group: str) -> Fact:
    version = one.string("version") or version_of(address)
    ordinary = version and version_of(address) and "://" in address
    return _conda.pypi_fact(
        one.string("name") or address.rpartition("/")[2].partition("-")[0] or address,
        version,
        where,
        marker=marker,
        url="" if ordinary else _conda.without_secret(address),
        digest=conda_lock.digest(one),
        group=group,
    )
