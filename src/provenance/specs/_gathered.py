"""What a reader gathers on its way, and the wording of versions that are stated in part."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from provenance.specs._text import brief
from provenance.specs.model import (
    CUDA,
    EXACT,
    NAMED,
    PLATFORM,
    PYTHON,
    RANGE,
    Fact,
    Spec,
    Unread,
    Unreadable,
)

MOST_FACTS = 200_000
MOST_UNREAD = MOST_NOTES = 1_000
"""Of one file: more is no list of packages or data, and nobody reads more sentences."""


NO_PACKAGE = "It lists no package."


class Gathered:
    """Facts, unread places, notes and included files, in the order of the file.

    at: returns the place of a number that the reader counts by, "path:line"; without one it counts
    by lines.
    """

    def __init__(self, path: str, at: Callable[[int], str] | None = None) -> None:
        self.path, self._at = path, at
        self.facts: list[Fact] = []
        self.unread: list[Unread] = []
        self.notes: list[str] = []
        self.included: list[str] = []
        self._more = 0

    def where(self, at: int) -> str:
        """Return the place of a line, or of what else the reader counts by."""
        return self._at(at) if self._at else "%s:%d" % (self.path, at)

    def take(self, *found: Fact | Unread) -> None:
        """Add facts and unread places; raises `Unreadable` where there are too many facts."""
        for one in found:
            if isinstance(one, Unread):
                if len(self.unread) < MOST_UNREAD:
                    self.unread.append(one)
                else:
                    self._more += 1
            elif len(self.facts) < MOST_FACTS:
                self.facts.append(one)
            else:
                raise Unreadable("It states more than %d things." % MOST_FACTS)

    def miss(self, at: int, text: str, why: str) -> None:
        """Add that ``text`` could not be taken."""
        self.take(Unread(self.where(at), brief(text), why))

    def miss_all(self, problems: Iterable[tuple[int, str, str]]) -> None:
        """Add several things that could not be taken: place, text and reason of each."""
        for at, text, why in problems:
            self.miss(at, text, why)

    def note(self, sentence: str) -> None:
        """Add a sentence for people, once."""
        if sentence not in self.notes[-50:] and len(self.notes) < MOST_NOTES:
            self.notes.append(sentence)

    def within(self, at: Callable[[int], str]) -> Gathered:
        """Return an empty one for a part of the file that is counted otherwise."""
        return Gathered(self.path, at)

    def merge(self, part: Gathered) -> None:
        """Add what was gathered of a part."""
        self.take(*part.facts, *part.unread)
        self.notes += part.notes
        self.included += part.included

    def spec(self, form: str, complete: bool = False, nothing: str = "") -> Spec:
        """Return all of it; a file in which something was not read is not complete.

        nothing: what to say of a file that states nothing about a package.
        """
        if nothing and not self.unread and all(one.kind == PLATFORM for one in self.facts):
            self.miss(1, "", nothing)
        if self._more:
            self.note("%d more things were not read." % self._more)
        return Spec(
            path=self.path,
            format=form,
            facts=tuple(self.facts),
            unread=tuple(self.unread),
            complete=complete and not self.unread,
            included=tuple(self.included),
            notes=tuple(self.notes),
        )


def of_version(kind: str, name: str, version: str, where: str) -> Fact:
    """Return the fact of a version named in a tag or in prose.

    Three numbers or more are the version; fewer stand for all that begin so: "Python 3.8" is any
    3.8. "" is a name only.
    """
    if not version:
        return Fact(kind, name, NAMED, where)
    if version.partition("+")[0].count(".") >= 2:
        return Fact(kind, name, EXACT, where, version, "==" + version)
    return Fact(kind, name, RANGE, where, "", "==%s.*" % version.partition("+")[0])


def python(version: str, where: str) -> Fact:
    """Return the fact of a Python; "38" and "310" are 3.8 and 3.10."""
    if version.isdigit() and len(version) > 1:
        version = "%s.%s" % (version[0], version[1:])
    return of_version(PYTHON, "python", version, where)


def cuda(version: str, where: str) -> Fact:
    """Return the fact of a CUDA; "111" and "92" are 11.1 and 9.2."""
    if version.isdigit() and len(version) > 1 and not version.startswith(("10", "11", "12", "13")):
        version = "%s.%s" % (version[:-1], version[-1])
    elif version.isdigit() and len(version) > 2:
        version = "%s.%s" % (version[:2], version[2:])
    return of_version(CUDA, "cuda", version, where)


def platform(name: str, version: str, where: str) -> Fact:
    """Return the fact of an operating system."""
    return of_version(PLATFORM, name, version, where)
