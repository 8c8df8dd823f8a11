"""A recorded environment as the files of other tools need it: plain values, nothing to look up."""

from __future__ import annotations

import shlex
from typing import NamedTuple


class Release(NamedTuple):
    """A release that an index has.

    hashes: "sha256:<hex>" of its files. options: of pip, for an index beside the usual one. url:
    of one file that is for the platform, "" where not known.
    """

    name: str
    version: str
    hashes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    url: str = ""

    @property
    def pin(self) -> str:
        """The requirement, "numpy==1.26.4"."""
        return "%s==%s" % (self.name, self.version)


class CondaFile(NamedTuple):
    """A package of conda. build, channel: as conda names them. Digests are of the package file."""

    name: str
    version: str
    build: str
    channel: str
    url: str
    md5: str
    sha256: str


class Environment(NamedTuple):
    """One recorded environment.

    title: of the run. made: by what and of what, in words. python: full version. platform:
    "linux-x86_64", of the machine that it was recorded on; files: for which the hashes are, "" for
    any. layers: (name, address) of what comes from one place and no index. left_out: (name,
    version, reason) of what cannot be had from either. conda: packages of its prefix. command: what
    was run. pylock: the releases as a pylock.toml. projects: folders below the repository that were
    installed editable.
    """

    title: str
    made: str
    python: str
    platform: str
    files: str = ""
    releases: tuple[Release, ...] = ()
    layers: tuple[tuple[str, str], ...] = ()
    left_out: tuple[tuple[str, str, str], ...] = ()
    conda: tuple[CondaFile, ...] = ()
    command: tuple[str, ...] = ()
    pylock: str = ""
    projects: tuple[str, ...] = ()

    @property
    def hashed(self) -> bool:
        """Whether every release has a hash, so that an installer may require them."""
        return bool(self.releases) and all(one.hashes for one in self.releases)


def heading(one: Environment) -> list[str]:
    """Return what every file says in its comments: of which run it is, and what it lacks."""
    lines = ["The environment of %s." % one.title, one.made]
    lines += ["Not in this file: %s %s (%s)" % lost for lost in one.left_out]
    return [" ".join("".join(c if c.isprintable() else " " for c in x).split()) for x in lines]


def options(one: Environment) -> list[str]:
    """Return the options of pip for indexes that some releases need, each once."""
    found = []
    for release in one.releases:
        words = " ".join(release.options).replace("--default-index", "--extra-index-url")
        if words and words not in found:
            found.append(words)
    return found


def requirement_lines(one: Environment) -> list[str]:
    """Return the releases as lines of a requirements file, with their hashes."""
    lines = options(one)
    for release in one.releases:
        parts = [release.pin, *("--hash=" + digest for digest in release.hashes)]
        lines.append(" \\\n    ".join(parts))
    return lines


def layer_commands(one: Environment, pip: str) -> list[str]:
    """Return the commands that install what comes from no index. pip: how it is called."""
    return ["%s install --no-deps %s" % (pip, shlex.quote(" @ ".join(x))) for x in one.layers]


def project_commands(one: Environment, pip: str) -> list[str]:
    """Return the commands that install the repository's own projects, given at its top."""
    return ["%s install --no-deps -e %s" % (pip, shlex.quote(x)) for x in one.projects]
