"""What environment files state, in one form for all formats.

A reader takes a `Source` and returns a `Spec`: facts, each with the line where it stands, and what
of the file it could not read, each with a sentence. A reader never executes or fetches anything,
never opens another file but through ``Source.sibling``, and raises only `Unreadable`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

MOST_BYTES = 64 << 20
"""Of one file; the largest lock files of research repositories hold some megabytes."""

EXACT, RANGE, NAMED, PLACED = "exact", "range", "name only", "from a place"
"""How exactly a version is stated. From a place: a URL, a repository or a folder says which."""
EXACTNESS = (NAMED, RANGE, PLACED, EXACT)

PACKAGE, PYTHON, CUDA, PLATFORM, DATA = "package", "python", "cuda", "platform", "data"
"""What a fact is about. Platform: an operating system or base image; data: a file's digest."""

OUTPUT = "output"
"""The group of a data file that a step of a pipeline writes and no other step reads."""

PYPI, CONDA, JULIA, R = "pypi", "conda", "julia", "r"


class Fact(NamedTuple):
    """One thing that a file states.

    kind: what it is about. name: normalised as its ecosystem does; of data a path with "/",
    relative to the folder of the stating file, unless it is absolute or an address. exactness: one
    of `EXACTNESS`. where: "path:line". version: the exact one, also of what is from a place where
    the file names it, else "". specifier: as written, without name, extras and marker (PEP 440, of
    conda a MatchSpec's version part, of data empty). marker: of PEP 508, unevaluated, "" for
    always. url: a direct URL, VCS address with its revision or local path. build, channel: of
    conda. digest: "md5:...", "sha256:..." of the artifact or data file; of a folder's list where it
    ends in ".dir" (DVC). group: of an optional part ("extra:dev", "group:docs"), "" for what is
    always installed; of data `OUTPUT` or "". size: of data in bytes, of a folder with all in it; -1
    where it is not stated.
    """

    kind: str
    name: str
    exactness: str
    where: str
    version: str = ""
    specifier: str = ""
    ecosystem: str = PYPI
    marker: str = ""
    extras: tuple[str, ...] = ()
    url: str = ""
    build: str = ""
    channel: str = ""
    digest: str = ""
    group: str = ""
    size: int = -1


class Unread(NamedTuple):
    """Something that a reader could not take: where, the text in brief, and why, in a sentence."""

    where: str
    text: str
    why: str


class Spec(NamedTuple):
    """What one file states.

    path: as the reader was given it. format: "requirements.txt", "poetry.lock", ... complete:
    whether it lists all that was installed, with exact versions (a lock file, a freeze). included:
    other files that were read for it. notes: sentences for people.
    """

    path: str
    format: str
    facts: tuple[Fact, ...] = ()
    unread: tuple[Unread, ...] = ()
    complete: bool = False
    included: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _nothing(path: str) -> bytes | None:
    del path
    return None


class Source(NamedTuple):
    """A file to read.

    sibling: returns another one's content by its path relative to this one's folder, None where it
    is not there, is too large or lies outside of the repository.
    """

    path: str
    data: bytes
    sibling: Callable[[str], bytes | None] = _nothing


class Unreadable(Exception):
    """A file as a whole cannot be read: why, in a sentence, with the line where it is known."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.why, self.line = why, line
