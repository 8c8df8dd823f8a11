"""Places that a package is installed from: addresses, repositories, files and folders.

Name and version are taken from what the place itself says: an ``#egg=`` fragment, or the name of a
wheel or sdist. A repository or folder says no version; its own name stands for the package's where
nothing else does, and the reader is told so.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from provenance.core.redact import without_credentials

ARCHIVES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tbz", ".tar.xz", ".txz", ".tar.lz",
            ".tar", ".egg")  # fmt: skip
NO_COMMIT = "A repository is named without a commit: what it gives changes with time"
GUESSED = "A package's name is not stated; that of its repository, file or folder stands for it"

_SCHEME = re.compile(r"(?:git|hg|svn|bzr)\+[a-z+]+:|(?:https?|ftp|file|git|ssh|s3):", re.I)
_REPOSITORY = re.compile(r"(?:git|hg|svn|bzr)\+|git://|git@|ssh://", re.I)
_SHORT_SSH = re.compile(r"[\w.-]+@[\w.-]+:(?!//)[\w./~-]+(?:@[\w./-]+)?\Z")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_COMMIT = re.compile(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?\Z")
_DIGEST = re.compile(r"(sha256|sha384|sha512|sha1|sha224|md5)=([0-9a-fA-F]+)\Z")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z")
_WITH_EXTRAS = re.compile(r"([^\[\]]*)\[([^\[\]]*)\]\Z")
_LOOSE = re.compile(r"(.+?)-v?(\d[^-]*)\Z")
_HOSTS = re.compile(r"https?://(?:www\.|codeload\.)?(?:github\.com|gitlab\.[\w.-]+|bitbucket\.org)/",
                    re.I)  # fmt: skip

_OF_FILES = ("/archive/", "/zipball", "/tarball", "/releases/download/", "//codeload.")
"""Parts of addresses that lead to files although their names do not end so."""


class Place(NamedTuple):
    """Where a package is installed from.

    name: normalised, "" where the place says none (``.``). version: of a wheel or sdist, else "".
    url: without credentials, egg and digest. digest: "sha256:...". notes: sentences without places.
    """

    name: str
    url: str
    version: str = ""
    digest: str = ""
    extras: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def is_place(text: str) -> bool:
    """Return whether ``text``, one word of a requirements file, is an address or a path."""
    if _SCHEME.match(text) or _DRIVE.match(text) or text.startswith(("./", "../", "/", "~/")):
        return True
    if text.startswith((".\\", "..\\", "\\\\")) or text in (".", ".."):
        return True
    bare = _without_extras(text)[0].partition("#")[0]
    if bare in (".", "..") or bare.lower().endswith(ARCHIVES) or _SHORT_SSH.match(bare):
        return True
    return "/" in bare and " " not in bare and not bare.startswith(("-", "<", "=", ">"))


def is_fixed(url: str) -> bool:
    """Return whether ``url`` is of a repository at a commit, which always gives the same."""
    address = url.partition("#")[0]
    return _REPOSITORY.match(address) is not None and bool(_COMMIT.match(_revision(address)))


def leads_to_a_page(text: str) -> bool:
    """Return whether ``text`` is the address of a web page rather than of a file to install."""
    bare, _, fragment = text.partition("#")
    path = bare.partition("?")[0].rstrip("/").lower()
    if not path.startswith(("http://", "https://")) or fragment.startswith("egg="):
        return False
    return not path.endswith(ARCHIVES) and not any(
        part in path
        for part in ("/archive/", "/zipball", "/tarball", "/releases/download/", "//codeload.")
    )


def is_short_ssh(text: str) -> bool:
    """Return whether ``text`` is an SSH address as scp and git write it: ``git@host:path``."""
    return _SHORT_SSH.match(text.partition("#")[0]) is not None


def placed(text: str, name: str = "") -> Place:
    """Return what the address or path ``text`` says.

    name: of the package where the file states it besides (``name @ text``), as written.
    """
    bare, _, fragment = text.partition("#")
    parts = _fragment(fragment)
    address, extras = _without_extras(bare) if "://" not in bare else (bare, ())
    egg, egg_extras = _without_extras(parts.get("egg", ""))
    egg = egg.partition("==")[0].strip()
    if egg and not _NAME.match(egg):
        egg = ""
    url = without_credentials(address)
    if parts.get("subdirectory"):
        url += "#subdirectory=" + parts["subdirectory"]
    digest = next((":".join(found.groups()) for part in fragment.split("&")
                   if (found := _DIGEST.match(part))), "")  # fmt: skip
    of_file, version = _file(address)
    known = name or egg or of_file
    notes: list[str] = []
    repository = _REPOSITORY.match(address) is not None
    if not known:
        known = _last(parts.get("subdirectory") or _named(address))
        notes += [GUESSED] if known else []
    if repository and not _revision(address):
        notes.append(NO_COMMIT)
    return Place(
        canonicalize_name(known) if known else "",
        url,
        version,
        digest.lower(),
        extras or egg_extras,
        tuple(notes),
    )


def _fragment(text: str) -> dict[str, str]:
    """Return the named parts of what stands after the ``#`` of an address."""
    pairs = (part.partition("=") for part in unquote(text).split("&"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _without_extras(text: str) -> tuple[str, tuple[str, ...]]:
    """Return ``./folder[a,b]`` as the folder and its extras."""
    found = _WITH_EXTRAS.match(text)
    if found is None:
        return text, ()
    extras = {one.strip() for one in found.group(2).split(",")} - {""}
    return found.group(1).strip(), tuple(sorted(extras))


def _base(address: str) -> str:
    """Return the last part of an address or path, of Windows too, decoded."""
    path = address.partition("?")[0].replace("\\", "/").rstrip("/")
    return unquote(path.rpartition("/")[2])


def _file(address: str) -> tuple[str, str]:
    """Return name and version that the file name of a wheel or sdist states, else empty ones."""
    base = _base(address)
    lower = base.lower()
    if not lower.endswith(ARCHIVES):
        return "", ""
    try:
        if lower.endswith(".whl"):
            name, _, _, _ = parse_wheel_filename(base)
            return name, base.split("-")[1]
        if not _HOSTS.match(address):
            name, _ = parse_sdist_filename(base)
            return name, _stem(base).rpartition("-")[2]
    except (InvalidWheelFilename, InvalidSdistFilename, ValueError):
        pass
    return _loosely(_stem(base), wheel=lower.endswith(".whl")) if _loose(address) else ("", "")


def _loose(address: str) -> bool:
    """Return whether an archive's name speaks of the package, not of a tag of its repository."""
    return not _HOSTS.match(address) or "/releases/download/" in address


def _loosely(stem: str, wheel: bool) -> tuple[str, str]:
    """Return name and version of a file that is not named as the standard asks."""
    if wheel:
        parts = stem.split("-")
        name, version = parts[0], parts[1] if len(parts) > 1 else ""
    else:
        found = _LOOSE.match(stem)
        name, version = (found.group(1), found.group(2)) if found else (stem, "")
    if not _NAME.match(name):
        return "", ""
    try:
        Version(version)
    except (InvalidVersion, ValueError):
        version = ""
    return name, version


def _stem(base: str) -> str:
    ending = next((one for one in ARCHIVES if base.lower().endswith(one)), "")
    return base[: len(base) - len(ending)] if ending else base


def _revision(address: str) -> str:
    """Return what follows the ``@`` of a repository's path, "" for none."""
    path = address.partition("://")[2].partition("/")[2] or address.partition(":")[2]
    return path.rpartition("@")[2] if "@" in path else ""


def _named(address: str) -> str:
    """Return the path whose last part names what ``address`` leads to."""
    revision = _revision(address) if _REPOSITORY.match(address) else ""
    path = address[: len(address) - len(revision) - 1] if revision else address
    if _HOSTS.match(path):
        # Of a host's page the owner and the repository come first; branches and tags follow.
        path = "/".join(path.partition("://")[2].split("/")[1:3])
    return path


def _last(path: str) -> str:
    base = _base(path)
    base = base[:-4] if base.lower().endswith(".git") else _stem(base)
    base = base.rpartition(":")[2].strip()
    return base if _NAME.match(base) else ""
