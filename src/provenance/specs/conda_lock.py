"""conda-lock.yml: for each platform what conda and pip install, with digests.

Which entries count: all are stated. In a file for several platforms each entry has the marker of
its platform, so that only those of the machine at hand are left once markers are evaluated; in one
for a single platform none has (`_conda.platforms`). What is of another category than ``main`` is
of that group.
"""

from __future__ import annotations

from provenance.specs import _conda
from provenance.specs._gathered import NO_PACKAGE, Gathered
from provenance.specs._yaml import LIST, MAP, SCALAR, Node, document
from provenance.specs.conda_explicit import version_of
from provenance.specs.model import CONDA, EXACT, NAMED, PLACED, Fact, Source, Spec, Unreadable

FORMAT = "conda-lock.yml"
_KNOWN = ("", "1")


def read(source: Source) -> Spec:
    """Return what a conda-lock.yml states."""
    file = document(source.data)
    told = Gathered(source.path)
    told.miss_all(file.problems)
    root = file.root
    if root is None or root.kind != MAP or root.get("package") is None:
        raise Unreadable("No file of conda-lock's: it has no list named package.", 1)
    version = root.string("version")
    if version not in _KNOWN:
        told.note("Version %s of the format is newer than the known 1." % version[:20])
    state(root, told)
    return told.spec(FORMAT, any(one.version for one in told.facts), nothing=NO_PACKAGE)


def state(root: Node, told: Gathered) -> None:
    """Add what the list ``package`` states to ``told``; pixi once wrote such files too."""
    packages = root.get("package")
    if packages is None or packages.kind != LIST:
        told.miss(root.line, "package", "The packages are no list.")
        return
    entries = [one for one in packages.items if one.kind == MAP]
    for other in packages.items:
        if other.kind != MAP:
            told.miss(other.line, other.text, "No entry of a package.")
    listed = [(one.text, one.line) for one in root.children("metadata", "platforms")]
    used = [(one.string("platform"), one.line) for one in entries]
    several = _conda.platforms(listed + used, told)
    for one in entries:
        marker = _conda.marker_of(one.string("platform")) if several else ""
        fact = _fact(one, told, marker)
        if fact is not None:
            told.take(fact)


def _fact(one: Node, told: Gathered, marker: str) -> Fact | None:
    name, version, url = one.string("name"), one.string("version"), one.string("url")
    if not name:
        told.miss(one.line, url, "A package without a name.")
        return None
    if one.string("manager") in ("pip", "pypi") or one.string("kind") == "pypi":
        return pip_fact(one, told.where(one.line), marker, _group(one))
    found = _conda.artifact(url)
    version = version or (found.version if found else "")
    name = name.lower()
    return Fact(
        kind=_conda.kind_of(name),
        name=name,
        exactness=EXACT if version else PLACED if url else NAMED,
        where=told.where(one.line),
        version=version,
        specifier="==" + version if version else "",
        ecosystem=CONDA,
        marker=marker,
        url=_conda.without_secret(url),
        build=one.string("build") or (found.build if found else ""),
        channel=found.channel if found else "",
        digest=digest(one.get("hash") or one),
        group=_group(one),
    )


def pip_fact(one: Node, where: str, marker: str, group: str) -> Fact:
    """Return the fact of an entry for pip; its address counts where it is no package's file."""
    url = one.string("url")
    version = one.string("version") or version_of(url)
    return _conda.pypi_fact(
        one.string("name"),
        version,
        where,
        marker=marker,
        url="" if version and version_of(url) else _conda.without_secret(url),
        digest=digest(one.get("hash") or one),
        group=group,
    )


def digest(node: Node) -> str:
    """Return the strongest digest below ``node``."""
    for kind in ("sha256", "md5"):
        value = node.string(kind) if node.kind != SCALAR else ""
        if value:
            return "%s:%s" % (kind, value.removeprefix(kind + ":").lower())
    return ""


def _group(one: Node) -> str:
    category = one.string("category")
    return "" if category in ("", "main") else "group:" + category
