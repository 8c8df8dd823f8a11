"""What is installed of Julia: its version, and the packages that lie in its depots.

Julia is not started. A depot keeps each version of a package in a folder of its own,
``packages/NAME/SLUG``, whose name follows from the package's UUID and the tree that a manifest
names. Which Julia is here is told by where ``julia`` on PATH leads to, or by juliaup's settings.
"""

from __future__ import annotations

import functools
import json
import os
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from provenance.core import programs
from provenance.environments import elsewhere
from provenance.environments.elsewhere import Release

ECOSYSTEM = "julia"

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
SLUGS = (5, 4)
"""Letters of a slug; before Julia 1.0 there were four, and Pkg still finds these."""
_CASTAGNOLI = 0x82F63B78
_FIELD = re.compile(r"^[ \t]*(uuid|version)[ \t]*=[ \t]*[\"']([^\"'\n]*)[\"']", re.MULTILINE)
_HEADER = re.compile(r'#define\s+JULIA_VERSION_STRING\s+"([^"]+)"')
_NUMBER = re.compile(r"\d+\.\d+\.\d+(?:-[\w.]+)?")


class Julia(NamedTuple):
    """The Julia that a program would be run by. prefix: the folder above its ``bin``."""

    version: str = ""
    prefix: str = ""


def find(environ: Mapping[str, str], folder: str) -> Julia:
    """Return the Julia for programs that are started in ``folder``; no version where none is."""
    program = programs.find("julia", environ)
    if program is not None:
        real = os.path.realpath(program)
        prefix = os.path.dirname(os.path.dirname(real))
        version = "" if _is_launcher(real) else version_of(prefix)
        if version:
            return Julia(version, prefix)
    return _of_juliaup(environ, folder, program)


def version_of(prefix: str) -> str:
    """Return the version of the Julia in ``prefix``: from its header, library or folder name."""
    told = _HEADER.search(
        elsewhere.text(os.path.join(prefix, "include", "julia", "julia_version.h"))
    )
    if told:
        return told[1]
    for folder in ("lib", "lib64", os.path.join("lib", "x86_64-linux-gnu")):
        for name in _names(os.path.join(prefix, folder)):
            library = re.match(r"libjulia(?:\.so\.([\d.]+)|\.([\d.]+)\.dylib)$", name)
            number = _NUMBER.fullmatch((library[1] or library[2] or "") if library else "")
            if number:
                return number[0]
    named = re.search(r"julia-(\d+\.\d+\.\d+(?:-[a-z]+\d*)?)", os.path.basename(prefix))
    return named[1] if named else ""


def _is_launcher(program: str) -> bool:
    """Return whether a ``julia`` is juliaup's, which starts another one."""
    beside = os.path.join(os.path.dirname(program), "juliaup")
    return os.path.basename(program).startswith("julialauncher") or os.path.isfile(beside)


def _of_juliaup(environ: Mapping[str, str], folder: str, program: str | None) -> Julia:
    """Return the Julia of the channel that juliaup would take."""
    own = environ.get("HOME", "")
    depots = [environ.get("JULIAUP_DEPOT_PATH", ""), os.path.join(own, ".julia")]
    if program is not None:
        depots.append(os.path.dirname(os.path.dirname(os.path.realpath(program))))
    for depot in filter(None, depots):
        place = os.path.join(depot, "juliaup")
        try:
            settings = json.loads(elsewhere.text(os.path.join(place, "juliaup.json")) or "{}")
            version = _chosen(settings, environ, folder)
        except (ValueError, TypeError, AttributeError, RecursionError):
            continue
        if version:
            path = settings.get("InstalledVersions", {}).get(version, {}).get("Path", "")
            prefix = os.path.normpath(os.path.join(place, str(path))) if path else ""
            number = _NUMBER.match(version)
            return Julia(number[0] if number else version.partition("+")[0], prefix)
    return Julia()


def _chosen(settings: Any, environ: Mapping[str, str], folder: str) -> str:
    """Return the version of juliaup's channel: of the environment, the folder, or the default."""
    channel = environ.get("JULIAUP_CHANNEL", "")
    here = os.path.realpath(folder) + os.sep
    overrides = [
        (len(str(one.get("Path"))), str(one.get("Channel")))
        for one in settings.get("Overrides") or ()
        if here.startswith(str(one.get("Path")).rstrip(os.sep) + os.sep)
    ]
    channel = channel or max(overrides, default=(0, ""))[1] or str(settings.get("Default") or "")
    return str(settings.get("InstalledChannels", {}).get(channel, {}).get("Version") or "")


# --- depots --------------------------------------------------------------------------------------


def depots(environ: Mapping[str, str], prefix: str = "") -> tuple[str, ...]:
    """Return the depots that packages are looked for in, as far as they are there.

    An empty entry of JULIA_DEPOT_PATH stands for the usual ones.
    """
    own = environ.get("HOME") or environ.get("USERPROFILE", "")
    usual = [os.path.join(own, ".julia")] if own else []
    if prefix:
        shared = os.path.join("share", "julia")
        usual += [os.path.join(prefix, "local", shared), os.path.join(prefix, shared)]
    found: list[str] = []
    for part in environ.get("JULIA_DEPOT_PATH", "").split(os.pathsep):
        place = own + part[1:] if part.startswith("~") and own else part
        found += [place] if place else usual
    return tuple(one for one in dict.fromkeys(found) if os.path.isdir(one))


def version_slug(package: str, tree: str, letters: int = 5) -> str:
    """Return the name of the folder of one version of a package.

    package: its UUID. tree: the SHA-1 of its git tree. It is the CRC-32C of the UUID's 16 bytes, as
    a little-endian number, and the tree's 20, written in 62 letters, the last digit first (Julia's
    ``Base.version_slug`` in ``base/loading.jl``). Raises ValueError.
    """
    data = uuid.UUID(package).int.to_bytes(16, "little") + bytes.fromhex(tree)
    rest, found = _crc32c(data), ""
    for _ in range(letters):
        rest, digit = divmod(rest, len(_LETTERS))
        found += _LETTERS[digit]
    return found


def installed(places: tuple[str, ...], name: str) -> Iterator[tuple[str, str, Release]]:
    """Yield the versions of a package in the depots: folder name, UUID ("" unknown), release."""
    if not re.fullmatch(r"\w[\w.-]*", name):
        return
    for depot in places:
        above = os.path.join(depot, "packages", name)
        for slug in _names(above):
            place = os.path.join(above, slug)
            told = project(place)
            if os.path.isdir(place):
                release = Release(told.get("version", ""), "", "", place)
                yield slug, told.get("uuid", ""), release


def project(folder: str) -> dict[str, str]:
    """Return the UUID and version that the project file in ``folder`` states."""
    for name in ("JuliaProject.toml", "Project.toml"):
        text = elsewhere.text(os.path.join(folder, name))
        if text:
            return dict(_FIELD.findall(re.split(r"^[ \t]*\[", text, maxsplit=1, flags=re.M)[0]))
    return {}


def has_tree(package: str, tree: str, slugs: frozenset[str]) -> bool:
    """Return whether one of the folders ``slugs`` of a package is that of ``tree``."""
    try:
        return any(version_slug(package, tree, letters) in slugs for letters in SLUGS)
    except ValueError:
        return False


@functools.cache
def _table() -> tuple[int, ...]:
    found = []
    for byte in range(256):
        state = byte
        for _ in range(8):
            state = (state >> 1) ^ (_CASTAGNOLI if state & 1 else 0)
        found.append(state)
    return tuple(found)


def _crc32c(data: bytes) -> int:
    """Return the CRC-32C (Castagnoli, RFC 3720) of ``data``; zlib has another one."""
    state, table = 0xFFFFFFFF, _table()
    for byte in data:
        state = (state >> 8) ^ table[(state ^ byte) & 255]
    return state ^ 0xFFFFFFFF


def _names(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError:
        return []
