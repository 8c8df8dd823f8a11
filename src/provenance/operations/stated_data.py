"""Digests that files state of data (DVC's, lists of checksums), against the data that is here.

Small files first, each read once for all of its digests, until the time is over. What is not here,
or would take too long, is not compared; what has another digest is broken.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator

from provenance.core import filekinds
from provenance.core.difference import BROKEN, UNKNOWN, Comparison, Difference, NotCompared
from provenance.operations import _dvc
from provenance.operations._stated_digests import (
    RATE,
    Digester,
    Result,
    Stated,
    few,
    is_dvc,
    size_of,
    split,
)
from provenance.specs.model import DATA, OUTPUT, Fact

FACET, SUBJECT, UNIT = "data", "run", "data files"

SECONDS = 10.0
_MOST_LOOKED_AT = 20_000
"""Files of a folder of which more is asked than its digest."""


def compare_data(
    facts: Iterable[Fact],
    root: str,
    cache: str = "",
    seconds: float | None = SECONDS,
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Compare the files below ``root`` with the digests that are stated of them.

    cache: file of the project's digest cache, "" for none. seconds: that digesting may take, None
    for as long as it takes. progress: called with what is being done.
    """
    check = _Check(os.path.abspath(root))
    digester = Digester(check.root, cache, seconds)
    here = sorted(check.here(facts), key=_weight)
    late: list[Stated] = []
    for number, one in enumerate(here):
        if progress is not None and (one.size > RATE or number % 1000 == 999):
            progress("digesting %s (%d of %d)" % (one.name, number + 1, len(here)))
        try:
            check.take(one, digester.of(one))
        except TimeoutError:
            late.append(one)
        except OSError:
            check.miss("it cannot be read", one.name)
    digester.save()
    if late:
        size = sum(_weight(one) for one in late)
        limit = "%g s" % seconds if seconds is not None else "the time"
        why = "%s: digesting takes longer than %s; --full takes it" % (_readable(size), limit)
        for one in late:
            check.miss(why, one.name)
    return check.comparison()


class _Check:
    """What was found so far of the files below ``root``."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._found: list[Difference] = []
        self._missed: dict[str, list[str]] = {}
        self._equal = 0

    def comparison(self) -> Comparison:
        """Return all of it; what was not compared for one reason stands together."""
        missed = [
            NotCompared(FACET, "%d files: %s" % (len(names), few(names)), why)
            if len(names) > 1
            else NotCompared(FACET, few(names), why)
            for why, names in self._missed.items()
        ]
        found = sorted(self._found, key=lambda one: one.name)
        total = self._equal + len(found)
        return Comparison(tuple(found), self._equal, total, UNIT, tuple(missed))

    def here(self, facts: Iterable[Fact]) -> Iterator[Stated]:
        """Yield the files and folders that are here, each with all that is stated of it."""
        by_name: dict[str, list[Fact]] = {}
        for fact in dict.fromkeys(one for one in facts if one.kind == DATA):
            by_name.setdefault(self._name(fact), []).append(fact)
        for name, several in by_name.items():
            wanted = tuple({fact.digest: fact for fact in several if fact.digest}.values())
            where = {
                one.digest: tuple(same.where for same in several if same.digest == one.digest)
                for one in wanted
            }
            path = os.path.normpath(os.path.join(self.root, name))
            if "://" in name or not path.startswith(self.root.rstrip(os.sep) + os.sep):
                self.miss("outside of this repository", name)
            elif not wanted:
                self.miss("no digest is stated", name)
            elif not os.path.exists(path):
                self.miss("not here", name)
            elif os.path.isdir(path):
                yield Stated(name, path, wanted, -1, where)
            elif os.path.isfile(path):
                yield Stated(name, path, wanted, size_of(path), where)
            else:
                self.miss("it is no file", name)

    def _name(self, fact: Fact) -> str:
        """Return a path relative to the root: stated ones are relative to the file they stand in.

        Where nothing is there, but is from the root on, that is meant.
        """
        if "://" in fact.name or os.path.isabs(fact.name) or fact.name.startswith("~"):
            return fact.name
        folder = os.path.dirname(fact.where.rpartition(":")[0])
        name = os.path.normpath(os.path.join(folder, fact.name)).replace(os.sep, "/")
        plain = os.path.normpath(fact.name).replace(os.sep, "/")
        if os.path.lexists(os.path.join(self.root, name)) or plain.startswith("../"):
            return name
        return plain if os.path.lexists(os.path.join(self.root, plain)) else name

    def miss(self, why: str, name: str) -> None:
        """Note that something was not compared."""
        self._missed.setdefault(why, []).append(name)

    def take(self, one: Stated, results: dict[str, Result]) -> None:
        """Note what digesting gave."""
        for fact in one.facts:
            told = results[fact.digest]
            if told.why:
                self.miss(told.why, one.name)
            elif told.same:
                self._equal += 1
            else:
                self._found.append(_difference(one, fact, told))


def _difference(one: Stated, fact: Fact, told: Result) -> Difference:
    effect, text = BROKEN, told.text
    if is_dvc(fact) and _is_source(one):
        # A step of DVC names its scripts among what it reads; what changed there code tells.
        effect, text = UNKNOWN, "; ".join(filter(None, (text, "source that DVC lists")))
    elif fact.group == OUTPUT:
        effect, text = UNKNOWN, "; ".join(filter(None, (text, "a result of a step of DVC")))
    algorithm, wanted = split(fact)
    where = one.where[fact.digest]
    text = "has other content: %s" % text if text else ""
    old, new = {algorithm: wanted}, dict(told.now)
    return Difference(FACET, SUBJECT, "digest", one.name, effect, old, new, where, text)


def _is_source(one: Stated) -> bool:
    """Return whether it is source, or a folder that holds some."""
    if one.size >= 0:
        return filekinds.is_source(one.path)
    first = itertools.islice(_dvc.files(one.path), _MOST_LOOKED_AT)
    return any(filekinds.is_source(path) for _, path in first)


def _weight(one: Stated) -> int:
    if one.size >= 0:
        return one.size
    first = itertools.islice(_dvc.files(one.path), _MOST_LOOKED_AT)
    return sum(size_of(path) for _, path in first)


def _readable(size: int) -> str:
    for unit, factor in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6)):
        if size >= factor:
            return "%.3g %s" % (size / factor, unit)
    return "%d bytes" % size
