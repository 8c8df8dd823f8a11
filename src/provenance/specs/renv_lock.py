"""What an ``renv.lock`` states: the version of R and of each package."""

from __future__ import annotations

import re
from typing import Any

from provenance.specs import _json
from provenance.specs._lines import Document, Key
from provenance.specs._locked import Found, spec, text
from provenance.specs.model import (
    EXACT,
    NAMED,
    PACKAGE,
    PLACED,
    PLATFORM,
    Fact,
    R,
    Source,
    Spec,
    Unread,
    Unreadable,
)

FORMAT = "renv.lock"

_HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}


def read(source: Source) -> Spec:
    """Return what a renv.lock states. Raises `Unreadable`.

    The version of R is a fact of the ecosystem "r" named "r"; a package of Bioconductor has that as
    its channel.
    """
    file = _json.load(source)
    if not isinstance(file.get("R"), dict) and not isinstance(file.get("Packages"), dict):
        raise Unreadable("It has neither R nor Packages: it is no lock of renv.", 1)
    found: Found = []
    version = text(file.get("R", "Version"))
    if version:
        found.append(language("r", version, file.where("R", "Version")))
    release = text(file.get("Bioconductor", "Version"))
    if release:
        where = file.where("Bioconductor", "Version")
        found.append(Fact(PLATFORM, "bioconductor", EXACT, where, release, ecosystem=R))
    for name, one in file.table("Packages").items():
        found.append(_fact(name, one, file, ("Packages", name)))
    return spec(source, FORMAT, found)


def language(name: str, version: str, where: str, ecosystem: str = R) -> Fact:
    """Return the fact of the exact version of a language that is not Python."""
    return Fact(PACKAGE, name, EXACT, where, version, ecosystem=ecosystem)


def _fact(name: str, one: Any, file: Document, key: Key) -> Fact | Unread:
    if not isinstance(one, dict):
        return file.unread(key, one, "A locked package is an object.")
    version = text(one.get("Version"))
    channel = text(one.get("Repository")) or text(one.get("Source"))
    fact = Fact(
        PACKAGE,
        text(one.get("Package")) or name,
        EXACT if version else NAMED,
        file.where(*key),
        version,
        ecosystem=R,
        channel=channel,
    )
    return placed_at(fact, remote(one))


def placed_at(fact: Fact, place: str) -> Fact:
    """Return a fact whose package comes from an address; of no channel then."""
    return fact._replace(exactness=PLACED, url=place, channel="") if place else fact


def remote(one: dict[str, Any]) -> str:
    """Return the address of a package that comes from a repository of sources or a folder."""
    kind = (text(one.get("RemoteType")) or text(one.get("Source"))).lower()
    if kind in ("local", "unknown"):
        return text(one.get("RemoteUrl")) or text(one.get("RemotePath"))
    sha = text(one.get("RemoteSha"))
    user, repository = text(one.get("RemoteUsername")), text(one.get("RemoteRepo"))
    address = text(one.get("RemoteUrl"))
    if not address and kind in _HOSTS and user and repository:
        host = re.sub(r"^https?://", "", text(one.get("RemoteHost"))).strip("/")
        # What renv names is the address of the interface for programs.
        host = _HOSTS[kind] if not host or host.startswith("api.") else host
        address = "https://%s/%s/%s" % (host.partition("/")[0], user, repository)
    if not address or kind not in (*_HOSTS, "git", "git2r", "url", "xgit", "git ls-remote"):
        return ""
    if kind == "url":
        return address
    revision = sha or text(one.get("RemoteRef"))
    folder = text(one.get("RemoteSubdir"))
    return "git+%s%s%s" % (
        address,
        "@" + revision if revision else "",
        "#subdirectory=" + folder if folder else "",
    )
