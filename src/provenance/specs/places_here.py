"""Which installed package came from a place that a file names, and whether from the same state.

A place often names its package wrongly or not at all: ``git+https://.../pytorch-image-models``
gives timm, ``./near`` whatever its own metadata says. What is installed knows its place (PEP 610).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from provenance.facets._installed import Installed
from provenance.specs.model import Fact

_SCHEME = re.compile(r"(?:(?:git|hg|svn|bzr)\+)?(\w+)://(?:[^/@]*@)?", re.IGNORECASE)
_SHORT_SSH = re.compile(r"(?:git\+)?[\w.-]+@([\w.-]+):(?!//)")
_REVISION = re.compile(r"@([^@/:][^@:]*)\Z")
_MOVING = frozenset(("main", "master", "head", "develop", "dev", "trunk", "default", "tip"))
"""Names that revisions have which are certainly branches."""

_GENERIC = frozenset(("work", "src", "python", "build", "dist", "package", "code", "lib", "tmp"))
"""Names of folders that say nothing: all that conda builds comes from one named ``work``."""


def find(fact: Fact, distributions: Mapping[str, Installed]) -> str:
    """Return the distribution that was installed from the place of ``fact``, "" for none."""
    if not fact.url:
        return ""
    found = [key for key, dist in distributions.items() if is_from(fact, dist)]
    return found[0] if len(found) == 1 else ""


def is_from(fact: Fact, dist: Installed) -> bool:
    """Return whether ``dist`` was installed from the place of ``fact``, whatever its state."""
    local = _local(fact.url)
    if local is not None:
        paths = [str(_path(dist.direct_url.get("path")) or "")]
        paths += [dist.editable.path.path] if dist.editable else []
        return bool(local) and any(path and _last(path) == _last(local) for path in paths)
    return bool(dist.direct_url.get("url")) and _remote(fact.url) == _remote(
        str(dist.direct_url["url"])
    )


def is_of_repository(dist: Installed) -> bool:
    """Return whether ``dist`` is a project of the repository itself, or an editable one."""
    place = dist.direct_url.get("path")
    inside = isinstance(place, Mapping) and place.get("root") in ("repo", "cwd")
    return dist.editable is not None or (inside and "dir_info" in dist.direct_url)


def is_whole_repository(dist: Installed) -> bool:
    """Return whether ``dist`` is the repository that is looked at, installed as it stands there."""
    path = dist.editable.path if dist.editable is not None else None
    return path is not None and path.root in ("repo", "cwd") and path.path == "."


def is_top(url: str) -> bool:
    """Return whether an address is that of the folder itself."""
    return url.partition("#")[0].rstrip("/") in (".", "file:.")


def revision(url: str) -> str:
    """Return the commit, tag or branch that a VCS address names, "" where it names none."""
    if not re.match(r"(?:git|hg|svn|bzr)\+|git://|ssh://", url):
        return ""
    match = _REVISION.search(_SCHEME.sub("", url.partition("#")[0]))
    return match.group(1) if match else ""


def same_revision(fact: Fact, dist: Installed) -> bool | None:
    """Return whether ``dist`` is what ``fact`` asks for by tag or folder, None for not told.

    A branch moves: that the same was asked for says nothing.
    """
    if _local(fact.url) is not None and not revision(fact.url):
        return True if is_from(fact, dist) else None
    asked = revision(fact.url)
    info = dist.direct_url.get("vcs_info") or {}
    have = str(info.get("requested_revision", ""))
    if not asked or not have or asked.lower() in _MOVING or not is_from(fact, dist):
        return None
    return asked == have or None


def _path(value: object) -> str | None:
    return str(value["path"]) if isinstance(value, Mapping) and "path" in value else None


def _local(url: str) -> str | None:
    """Return the path of a place on this machine, None where it is another machine's."""
    match = _SCHEME.match(url)
    if match is not None and match.group(1).lower() != "file":
        return None
    if match is None and (_SHORT_SSH.match(url) or "://" in url):
        return None
    path = _SCHEME.sub("", url.partition("#")[0]) if match else url.partition("#")[0]
    return _REVISION.sub("", path) if re.match(r"\w+\+", url) else path.removeprefix("file:")


def _last(path: str) -> str:
    """Return the last part of a path, two where many end alike; "" where that is no name."""
    above, _, name = path.replace("\\", "/").rstrip("/").rpartition("/")
    if name.lower() in _GENERIC:
        return "%s/%s" % (above.rpartition("/")[2], name)
    return "" if name in (".", "..") else name.removesuffix(".git")


def _remote(url: str) -> str:
    """Return host and path of an address, the same for all spellings of one repository."""
    bare = url.partition("#")[0].partition("?")[0]
    short = _SHORT_SSH.match(bare)
    rest = short.group(1) + "/" + bare[short.end() :] if short else _SCHEME.sub("", bare)
    rest = _REVISION.sub("", rest)
    return rest.lower().rstrip("/").removesuffix(".git").removeprefix("www.")
