"""Versions that files state for R and Julia, against what is installed.

What is optional and not here, what states no version, and what cannot be told is not compared: a
reference that states nothing never differs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from provenance.core.difference import (
    BROKEN,
    POSSIBLE,
    UNKNOWN,
    Comparison,
    Difference,
    NotCompared,
)
from provenance.environments.elsewhere import Release
from provenance.specs.model import PACKAGE, Fact

FACET = "packages"


class Told(NamedTuple):
    """What comparing one fact gave: a difference, or why it was not compared; neither for equal."""

    difference: Difference | None = None
    reason: str = ""


def of_packages(facts: Iterable[Fact], ecosystem: str) -> list[Fact]:
    """Return what is stated of the packages of a language, each thing once."""
    wanted = (one for one in facts if one.kind == PACKAGE and one.ecosystem == ecosystem)
    return list(dict.fromkeys(wanted))


def compared(facts: list[Fact], unit: str, tell: Callable[[Fact], Told]) -> Comparison:
    """Return the comparison of all ``facts``, each as ``tell`` judges it."""
    found: list[Difference] = []
    missed: list[NotCompared] = []
    equal = 0
    for fact in facts:
        told = tell(fact)
        if told.reason:
            missed.append(NotCompared(FACET, fact.name, told.reason))
        elif told.difference is not None:
            found.append(told.difference)
        else:
            equal += 1
    return Comparison(tuple(found), equal, equal + len(found), unit, tuple(missed))


def not_here(facts: list[Fact], unit: str, reason: str) -> Comparison:
    """Return the comparison of facts none of which can be compared, for one reason."""
    what = "%d %s" % (len(facts), unit if len(facts) != 1 else unit.removesuffix("s"))
    return Comparison((), 0, 0, unit, (NotCompared(FACET, what, reason),) if facts else ())


def different(
    fact: Fact, kind: str, new: str | None, effect: str = UNKNOWN, text: str = "", name: str = ""
) -> Told:
    """Return that a fact differs; what is stated of it is the old side."""
    stated = fact.version or fact.specifier.strip() or _revision(fact.url) or None
    return Told(
        Difference(
            FACET,
            fact.ecosystem,
            kind,
            name or fact.name,
            effect,
            stated,
            new,
            (fact.where,),
            text,
        )
    )


def absent(fact: Fact, used: bool) -> Told:
    """Return what a package that is not installed is: needed, needed for all we know, or optional.

    used: whether the project's own source loads it.
    """
    if fact.group and not used:
        return Told(reason="optional, and not installed")
    if used:
        return different(fact, "removed", None, BROKEN, "not installed; the code here loads it")
    return different(fact, "removed", None, POSSIBLE, "not installed")


def same(one: str, other: str) -> bool:
    """Return whether two versions are the same number, however it is written ("1.8-4", "1.8.4")."""
    return one == other or (bool(numbers(one)) and numbers(one) == numbers(other))


def numbers(version: str) -> tuple[int, ...]:
    """Return the parts of a version of R or Julia, () where it has others than numbers."""
    if not re.fullmatch(r"v?\d+(?:[.-]\d+)*", version) or len(version) > 200:
        return ()
    return tuple(int(part) for part in re.split(r"[.-]", version.removeprefix("v")))


def _revision(url: str) -> str:
    """Return the revision that an address names, "" for none."""
    found = re.search(r"@([^@/#]+)(?:#.*)?$", url)
    return found[1] if found else ""


def placed(fact: Fact, here: Release) -> Told:
    """Return how a package that is stated by its place differs from the one that is here."""
    revision = _revision(fact.url)
    told = here.revision
    if revision and told:
        shared = min(len(revision), len(told))
        if revision[:shared] == told[:shared] and shared >= 7:
            return Told()
        if re.fullmatch(r"[0-9a-f]{7,64}", revision):
            return different(fact, "origin", told, text="built from another revision")
    if fact.version and not same(fact.version, here.version):
        return different(fact, "version", here.version)
    if revision and not told:
        now = here.origin or here.version
        return different(fact, "origin", now, text="stated from sources at a revision")
    if fact.version:
        return Told()
    return Told(reason="it is stated by its place, and what is installed names no revision")


def exact(fact: Fact, here: Release) -> Told:
    """Return how a package of an exact version differs from the one that is here."""
    if not here.version:
        return Told(reason="what is installed names no version")
    if same(fact.version, here.version):
        return Told()
    return different(fact, "version", here.version)
