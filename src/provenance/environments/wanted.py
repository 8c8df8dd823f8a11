"""What an environment must hold to stand for the one of a record.

Pure: a record in, exact requirements out. What no index can have (local builds, editable installs,
repositories) is left out and named, never replaced by something similar.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from provenance.core import versions
from provenance.core.record import Record
from provenance.core.redact import MASK
from provenance.environments import conda
from provenance.facets import packages, runtime
from provenance.facets._installed import Installed, Packages

_TOOLS = frozenset(("pip", "uv", "wheel", "pkg-resources", "distribute"))
"""Installers: an environment needs none of them unless the run imported it."""

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
_ADDRESS = re.compile(r"^(https?|ssh|git)://")
_PLAIN = re.compile(r"^[!-~]+$")
_WHY = {
    "vcs": "installed from a repository",
    "archive": "installed from a file or an address",
    "folder": "installed from a folder",
    "editable": "an editable install: its code is not the index's",
}
"""Why distributions of these origins are left out."""


class LeftOut(NamedTuple):
    """A distribution that the environment does not hold, and why."""

    name: str
    version: str
    reason: str

    def __str__(self) -> str:
        """Return it as people read it."""
        return "%s: %s" % (" ".join(filter(None, self[:2])), self.reason)


class Layer(NamedTuple):
    """A distribution that comes from one place and no index: installed after the others.

    address: as pip takes it, "git+https://host/a/b@COMMIT#subdirectory=c" or the URL of a file with
    its digest; it names one content for ever. With ``editable`` a folder, to be installed so.
    """

    name: str
    version: str
    address: str
    editable: bool = False


class Wanted(NamedTuple):
    """An environment as a recipe.

    python: version, "3.10.13" or "3.10". requirements: exact, "numpy==1.23.5", sorted by name.
    left_out: what the record has beyond these. optional: further requirements, taken only where one
    of the first asks for them. notes: sentences for people. prefer: interpreters to try first.
    layers: what is installed after these, from elsewhere. hashes: by requirement, "sha256:<hex>" of
    the files that will do; any file where there are none. conda: packages of the prefix that it is
    to be, Python among them; none for a virtual environment.
    """

    python: str
    requirements: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    optional: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    implementation: str = "cpython"
    prefer: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = ()
    hashes: Mapping[str, Collection[str]] = MappingProxyType({})
    conda: tuple[conda.Package, ...] = ()


def of(record: Record, only_used: bool = False, subject: str = "") -> Wanted | None:
    """Return what stands for an interpreter of ``record``, the first unless ``subject`` names one.

    only_used: leave out what the run did not import, except what the rest asks for, and what comes
    from repositories: enough to call what it called. None where the record holds no Python
    packages.
    """
    installed = packages.of(record)
    if not installed:
        return None
    name = subject or next(iter(installed))
    ran = (runtime.of(record) or {}).get(name)
    found = installed.get(name)
    if found is None or ran is None or not ran.version:
        return None
    layers = () if only_used else tuple(_layers(found))
    leave = {one.name for one in layers}
    if only_used:
        tools = (one for key, one in found.distributions.items() if key in _TOOLS)
        leave |= {one.name for one in tools if not one.imported}
    kept, left_out, notes = _sorted_out(found, leave)
    needed = kept
    if only_used and found.complete:
        needed = {key: one for key, one in kept.items() if one.imported}
    return Wanted(
        ran.version,
        _pins(needed),
        tuple(left_out),
        _pins({key: one for key, one in kept.items() if key not in needed}),
        tuple(notes),
        ran.implementation or "cpython",
        layers=layers,
    )


def _layers(found: Packages) -> Iterator[Layer]:
    """Yield what one address gives for ever: a commit of a repository, a file with its digest."""
    for one in found.distributions.values():
        url = str(one.direct_url.get("url", ""))
        if one.editable is not None or MASK in url or not _NAME.match(one.name):
            continue
        below = str(one.direct_url.get("subdirectory", ""))
        part = "#subdirectory=%s" % below if below else ""
        vcs = one.direct_url.get("vcs_info") or {}
        if one.origin == "vcs" and vcs.get("commit_id"):
            address = "%s+%s@%s%s" % (vcs.get("vcs", "git"), url, vcs["commit_id"], part)
            if _ADDRESS.match(url) and _PLAIN.match(address):
                yield Layer(one.name, one.version, address)
        digests = (one.direct_url.get("archive_info") or {}).get("hashes") or {}
        if one.origin == "archive" and digests.get("sha256"):
            address = "%s#sha256=%s" % (url, digests["sha256"])
            if _ADDRESS.match(url) and _PLAIN.match(address):
                yield Layer(one.name, one.version, address)


def _sorted_out(
    found: Packages, leave: Collection[str]
) -> tuple[dict[str, Installed], list[LeftOut], list[str]]:
    """Return what an index may have, what it cannot, and sentences; ``leave`` apart."""
    kept: dict[str, Installed] = {}
    left_out = []
    of_conda = []
    for key, one in sorted(found.distributions.items()):
        if one.name in leave:
            continue
        reason = _reason(one)
        if reason:
            left_out.append(LeftOut(one.name, one.version, reason))
            continue
        kept[key] = one
        if one.origin == "conda":
            of_conda.append(one.name)
    notes = []
    if of_conda:
        text = "conda had installed %d of these (%s%s): the index's builds stand in for them"
        more = " ..." if len(of_conda) > 3 else ""
        notes.append(text % (len(of_conda), ", ".join(of_conda[:3]), more))
    return kept, left_out, notes


def _reason(one: Installed) -> str:
    """Return why no index can have ``one``, "" where it may."""
    if one.editable is not None:
        return _WHY["editable"]
    if one.origin in _WHY:
        return _WHY[one.origin]
    if not one.version or not versions.is_version(one.version):
        return "its version %r is none that an index can have" % one.version
    if not _NAME.match(one.name):
        return "its name is none that an index can have"
    return ""


def _pins(found: dict[str, Installed]) -> tuple[str, ...]:
    return tuple("%s==%s" % (key, one.version) for key, one in sorted(found.items()))


def split(requirement: str) -> tuple[str, str]:
    """Return name and version of an exact requirement."""
    name, _, version = requirement.partition("==")
    return name, version
