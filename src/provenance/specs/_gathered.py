"""What a reader gathers on its way, and the wording of versions that are stated in part."""

from __future__ import annotations

from collections.abc import Callable

from provenance.specs._text import brief
from provenance.specs.model import CUDA, EXACT, NAMED, PLATFORM, PYTHON, RANGE, Fact, Unread

MOST = 200_000
"""Facts and unread places of one file: what a file of some megabytes can hold at all."""


class Gathered:
    """Facts, unread places and notes in the order of the file. where: of an offset: "path:line"."""

    def __init__(self, where: Callable[[int], str]) -> None:
        self.where = where
        self.facts: list[Fact] = []
        self.unread: list[Unread] = []
        self.notes: list[str] = []
        self.full = False

    def take(self, *found: Fact | Unread) -> None:
        """Add facts and unread places."""
        for one in found:
            kept: list[Fact] | list[Unread] = self.facts if isinstance(one, Fact) else self.unread
            if len(kept) < MOST:
                kept.append(one)  # type: ignore[arg-type]
            elif not self.full:
                self.full = True
                self.unread.append(Unread(one.where, "", "There are more than %d entries." % MOST))

    def miss(self, offset: int, text: str, why: str) -> None:
        """Add that ``text`` could not be taken."""
        self.take(Unread(self.where(offset), brief(text), why))

    def note(self, sentence: str) -> None:
        """Add a sentence for people, once."""
        if sentence not in self.notes[-50:] and len(self.notes) < 1000:
            self.notes.append(sentence)


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
