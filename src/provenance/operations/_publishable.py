"""What stands between a run and its readers: the form of an objection, and the repository asked.

An objection is what a reviewer would trip over. Its weight says how badly: "blocks" stops whoever
wants to repeat the run, "advice" makes it harder or the answer another one, "note" is for
completeness and is folded.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from provenance.core.digest import Digests
from provenance.core.paths import REPO, PathRef, Roots, is_inside
from provenance.core.record import Record
from provenance.facets._git import Git
from provenance.operations.references import Reference
from provenance.store.project import Project

BLOCKS, ADVICE, NOTE = "blocks", "advice", "note"
WEIGHTS = (BLOCKS, ADVICE, NOTE)

SHOWN = 4
_AT_ONCE, _LONGEST = 100, 500
"""Files that git is asked for in one go, and bytes of a path: its question may have 60 kB."""
_MOST_BYTES = 4 << 20
"""Of a text file that is looked into; source and settings are smaller."""


class Objection(NamedTuple):
    """One thing that a reviewer would trip over.

    kind: a stable word ("commit-not-pushed"). weight: one of `WEIGHTS`. text: what, in a clause.
    where: "file:line" or a file, the first few. fix: what to do, "" for nothing. run: the id of the
    run that it is about, "" for the repository.
    """

    kind: str
    weight: str
    text: str
    where: tuple[str, ...] = ()
    fix: str = ""
    run: str = ""

    def __str__(self) -> str:
        places = ", ".join(self.where)
        return "%s%s" % (self.text, " (%s)" % places if places else "")


class Repository:
    """What git says about the folder that is to be published; asked at most once for each thing."""

    def __init__(self, place: Project, environ: Mapping[str, str]) -> None:
        self.place = place
        self.top = place.repo or place.root
        self._git = Git(environ, self.top)

    @property
    def has_git(self) -> bool:
        """Whether there is a git repository here at all."""
        return self.place.repo is not None

    def ask(self, *words: str, feed: bytes = b"") -> str | None:
        """Return what git prints, None where it refuses."""
        if not self.has_git:
            return None
        answer = self._git(self.top, *words, feed=feed)
        return os.fsdecode(answer.out) if answer.code == 0 else None

    @cached_property
    def tracked(self) -> frozenset[str]:
        """The paths that git holds, relative to the top."""
        return frozenset((self.ask("ls-files", "-z", "--cached") or "").split("\0")) - {""}

    @cached_property
    def loose(self) -> frozenset[str]:
        """The files that git neither holds nor ignores."""
        said = self.ask("ls-files", "-z", "--others", "--exclude-standard")
        return frozenset((said or "").split("\0")) - {""}

    @cached_property
    def folders(self) -> frozenset[str]:
        """The folders that hold something tracked."""
        found: set[str] = set()
        for path in self.tracked:
            folder = posixpath.dirname(path)
            while folder and folder not in found:
                found.add(folder)
                folder = posixpath.dirname(folder)
        return frozenset(found)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The files that will be published: those of git, and those that may yet be added."""
        if self.has_git:
            gone = frozenset((self.ask("ls-files", "-z", "--deleted") or "").split("\0"))
            return tuple(sorted((self.tracked | self.loose) - gone))
        return tuple(_walked(self.top, self.place.folder))

    @cached_property
    def remotes(self) -> Mapping[str, str]:
        """The addresses of the remotes, by name."""
        pairs = [line.split("\t") for line in (self.ask("remote", "-v") or "").splitlines()]
        return {one[0]: one[1].rpartition(" ")[0] for one in pairs if len(one) == 2}

    def ignored(self, path: str) -> bool:
        """Return whether git is told to ignore ``path`` (a tracked file is not ignored)."""
        return path not in self.tracked and self.ask("check-ignore", "-q", "--", path) is not None

    @cached_property
    def shallow(self) -> bool:
        """Whether this clone has the newest commits only, so that others cannot be looked up."""
        return (self.ask("rev-parse", "--is-shallow-repository") or "").strip() == "true"

    def at_head(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the content that the newest commit holds of ``paths``, where it has any."""
        asked = [one for one in paths if one in self.tracked and _askable(one)]
        found: dict[str, bytes | None] = {}
        for at in range(0, len(asked), _AT_ONCE):
            part = asked[at : at + _AT_ONCE]
            feed = "".join("HEAD:%s\n" % one for one in part)
            answer = self._git(self.top, "cat-file", "--batch", feed=os.fsencode(feed))
            if answer.code == 0:
                found.update(zip(part, _blobs(answer.out), strict=False))
        return {path: data for path, data in found.items() if data is not None}

    def text(self, path: str) -> str | None:
        """Return a file below the top as text, None where it is not there, not text or large."""
        full = os.path.normpath(os.path.join(self.top, path))
        if not is_inside(full, self.top):
            return None
        try:
            with open(full, "rb") as stream:
                data = stream.read(_MOST_BYTES + 1)
        except OSError:
            return None
        if len(data) > _MOST_BYTES or b"\0" in data[:4096]:
            return None
        return data.decode("utf-8", "replace")


class Case(NamedTuple):
    """A run that is to be published.

    roots: where its files are here. others: everything that is published with it. digest_of: as in
    a capture context.
    """

    reference: Reference
    repository: Repository
    roots: Roots
    others: tuple[Record, ...]
    digest_of: Callable[[str, tuple[str, ...]], Digests]

    @property
    def run(self) -> Record:
        """The record itself."""
        return self.reference.record

    def below(self, path: PathRef) -> str | None:
        """Return a recorded path relative to the top of the repository, None for one outside."""
        full = self.roots.locate(path)
        if full is None:
            return path.path if path.root == REPO else None
        top = self.repository.top
        inside = is_inside(full, top) and full != top
        return os.path.relpath(full, top).replace(os.sep, "/") if inside else None


def _askable(path: str) -> bool:
    return "\n" not in path and len(os.fsencode(path)) <= _LONGEST


def _blobs(out: bytes) -> Iterator[bytes | None]:
    """Yield what ``git cat-file --batch`` answers: the content, None for what is missing."""
    at = 0
    while at < len(out):
        end = out.find(b"\n", at)
        head = out[at : end if end >= 0 else len(out)].split()
        at = end + 1 if end >= 0 else len(out)
        if len(head) == 3 and head[1] == b"blob" and head[2].isdigit():
            size = int(head[2])
            yield out[at : at + size]
            at += size + 1
        else:
            yield None


def few(words: Iterable[str], most: int = SHOWN) -> str:
    """Return the first few of ``words`` as text, and how many more there are."""
    every = list(dict.fromkeys(words))
    more = len(every) - most
    return ", ".join(every[:most]) + (" and %d more" % more if more > 0 else "")


def _walked(top: str, own: str) -> list[str]:
    """Return the files below ``top`` where git does not tell them, at most 20,000."""
    found: list[str] = []
    for folder, folders, files in os.walk(top):
        folders[:] = [
            one
            for one in sorted(folders)
            if not one.startswith(".") and os.path.join(folder, one) != own
        ]
        found += [os.path.relpath(os.path.join(folder, one), top) for one in sorted(files)]
        if len(found) > 20_000:
            break
    return found
