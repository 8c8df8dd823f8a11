"""What conda's formats share: facts of specs and artifacts, platforms, channels."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from packaging.utils import canonicalize_name

from provenance.core.redact import without_credentials
from provenance.specs import _matchspec
from provenance.specs._gathered import Gathered
from provenance.specs.model import (
    CONDA,
    CUDA,
    EXACT,
    NAMED,
    PACKAGE,
    PLACED,
    PLATFORM,
    PYPI,
    PYTHON,
    Fact,
)

_CUDAS = ("cuda", "cudatoolkit", "cuda-toolkit", "cuda-version", "cuda-runtime", "pytorch-cuda")
"""Packages whose version is that of the CUDA toolkit."""

_SYSTEMS = {"linux": "linux", "osx": "darwin", "win": "win32"}
_MACHINES = {
    "64": "x86_64", "32": "i686", "aarch64": "aarch64", "arm64": "arm64", "ppc64le": "ppc64le",
    "armv7l": "armv7l", "armv6l": "armv6l", "s390x": "s390x", "riscv64": "riscv64",
}  # fmt: skip
_ON_WINDOWS = {"64": "AMD64", "32": "x86", "arm64": "ARM64"}

_ARTIFACT = re.compile(r"(.+)-([^-/]+)-([^-/]+)(?:\.conda|\.tar\.bz2)\Z")
_DIGESTS = {32: "md5", 64: "sha256"}
_HEX = re.compile(r"[0-9a-fA-F]+\Z")
_BY_PIP = frozenset(("pypi", "pip", "<pip>", "<pypi>", "<develop>", "dev"))
"""What conda's list has for a build or a channel of what pip installed; the last two: editable."""
_TOKEN = re.compile(r"/t/[^/\s]+(?=/)")


def kind_of(name: str) -> str:
    """Return what a package of conda's is about, by its name."""
    return PYTHON if name == "python" else CUDA if name in _CUDAS else PACKAGE


def fact_of(text: str, where: str, marker: str = "", group: str = "") -> Fact:
    """Return the fact of a spec as written in a list; raises ValueError with a sentence."""
    text = text.strip()
    if text.partition("#")[0].rstrip().endswith((".conda", ".tar.bz2")) and "[" not in text:
        found = artifact(text)
        if found is None:
            raise ValueError("The name of this package file has no version and build in it.")
        return of_artifact(found, where, marker, group)
    if text.startswith(("-", ".", "/")) or "git+" in text or text.endswith(".whl"):
        raise ValueError("conda takes no option, folder or repository here; pip does below pip:.")
    one = _matchspec.parse(text)
    return Fact(
        kind=kind_of(one.name),
        name=one.name,
        exactness=PLACED if one.url and not one.version else one.exactness,
        where=where,
        version=one.version,
        specifier=one.specifier,
        ecosystem=CONDA,
        marker=both(marker, marker_of(one.subdir)),
        url=without_secret(one.url),
        build=one.build,
        channel=without_secret(one.channel),
        digest=one.digest,
        group=group,
    )


class Artifact(NamedTuple):
    """A package file of conda's: what its address says. subdir: its platform or "noarch"."""

    name: str
    version: str
    build: str
    channel: str
    subdir: str
    url: str
    digest: str


def artifact(url: str) -> Artifact | None:
    """Return what the address of a package file says, None if it is none.

    The digest is what follows ``#``: of MD5, of SHA-256, or with its kind before it.
    """
    address, _, fragment = url.strip().partition("#")
    top, _, base = address.rpartition("/")
    found = _ARTIFACT.match(base)
    if found is None:
        return None
    above, _, subdir = top.rpartition("/")
    if not _matchspec.is_subdir(subdir):
        above, subdir = top, ""
    return Artifact(
        name=found[1].lower(),
        version=found[2],
        build=found[3],
        channel=channel_of(above),
        subdir=subdir,
        url=without_secret(address),
        digest=digest_of(fragment.strip()),
    )


def of_artifact(one: Artifact, where: str, marker: str = "", group: str = "") -> Fact:
    """Return the fact that this very package file is installed."""
    return Fact(
        kind=kind_of(one.name),
        name=one.name,
        exactness=EXACT,
        where=where,
        version=one.version,
        specifier="==" + one.version,
        ecosystem=CONDA,
        marker=marker,
        url=one.url,
        build=one.build,
        channel=one.channel,
        digest=one.digest,
        group=group,
    )


def channel_of(address: str) -> str:
    """Return the name of the channel at ``address``: its path where that is how one writes it.

    That is ``conda-forge`` and ``pkgs/main``; of a channel anywhere else, its whole address.
    """
    address = without_secret(address.rstrip("/"))
    if "://" not in address:
        return address
    path = address.partition("://")[2].partition("/")[2]
    return path if path and ("/" not in path or path.startswith("pkgs/")) else address


def without_secret(address: str) -> str:
    """Return ``address`` without a user's name, password or token."""
    return _TOKEN.sub("", without_credentials(address)) if "://" in address else address


def digest_of(text: str) -> str:
    """Return "md5:..." or "sha256:..." of what is written behind ``#``, "" if it is none."""
    kind, _, value = text.rpartition(":" if ":" in text else "=")
    if not _HEX.match(value) or len(value) not in _DIGESTS:
        return ""
    right = _DIGESTS[len(value)]
    return "%s:%s" % (right, value.lower()) if kind in ("", right) else ""


def marker_of(subdir: str) -> str:
    """Return the marker of PEP 508 of a platform of conda's: "" for noarch or none."""
    system, _, machine = subdir.partition("-")
    if system not in _SYSTEMS:
        return ""
    marker = 'sys_platform == "%s"' % _SYSTEMS[system]
    known = _ON_WINDOWS if system == "win" else _MACHINES
    return '%s and platform_machine == "%s"' % (marker, known.get(machine, machine) or "")


def both(one: str, other: str) -> str:
    """Return the marker that holds where both do."""
    return "%s and %s" % (one, other) if one and other and one != other else one or other


_SELECTORS = {
    "linux": 'sys_platform == "linux"',
    "osx": 'sys_platform == "darwin"',
    "win": 'sys_platform == "win32"',
    "unix": 'sys_platform != "win32"',
    "linux64": marker_of("linux-64"),
    "win64": marker_of("win-64"),
    "osx64": marker_of("osx-64"),
    "aarch64": 'platform_machine == "aarch64"',
    "arm64": 'platform_machine == "arm64"',
    "ppc64le": 'platform_machine == "ppc64le"',
    "x86_64": 'platform_machine == "x86_64"',
    "not win": 'sys_platform != "win32"',
    "not osx": 'sys_platform != "darwin"',
    "not linux": 'sys_platform != "linux"',
}


def selector(text: str) -> str | None:
    """Return the marker of a selector (``linux``, ``not win``, ``linux-64``), None if unknown."""
    words = " ".join(text.split())
    if words in _SELECTORS:
        return _SELECTORS[words]
    return marker_of(words) or None if _matchspec.is_subdir(words) else None


def platforms(names: Iterable[tuple[str, int]], told: Gathered) -> bool:
    """Note the platforms that a file is for; return whether there are several.

    Where there are, each is stated under its own marker, as are the packages that are listed for
    it: what holds elsewhere drops out where markers are evaluated. In a file for one platform
    nothing is marked: its versions are what the authors used, wherever they are compared.
    """
    first: dict[str, int] = {}
    for name, line in names:
        if name and name != "noarch":
            first.setdefault(name, line)
    for name, line in first.items():
        marker = marker_of(name) if len(first) > 1 else ""
        where = told.where(line)
        told.take(Fact(PLATFORM, name, NAMED, where, ecosystem=CONDA, marker=marker))
    return len(first) > 1


def pypi_fact(name: str, version: str, where: str, **more: str) -> Fact:
    """Return the fact that pip installs this version; without one, that a place says which."""
    exactness = EXACT if version else PLACED if more.get("url") else NAMED
    specifier = "==" + version if version else ""
    name = canonicalize_name(name)
    return Fact(PACKAGE, name, exactness, where, version, specifier, PYPI, **more)  # type: ignore[arg-type]


def is_by_pip(build: str, channel: str) -> bool:
    """Return whether a line of conda's list names what pip installed."""
    return build.startswith("pypi_") or bool({build, channel} & _BY_PIP)


def listed(name: str, version: str, build: str, channel: str, where: str) -> Fact:
    """Return the fact of a line of conda's list: this package is installed."""
    if is_by_pip(build, channel):
        return pypi_fact(name, version, where)
    name = name.lower()
    return Fact(
        kind_of(name), name, EXACT, where, version, "==" + version, CONDA,
        build=build, channel=channel_of(channel),
    )  # fmt: skip
