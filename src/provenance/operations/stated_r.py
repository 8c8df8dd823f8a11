"""What files state of R and its packages, against what is installed here."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Mapping

from provenance.core.difference import POSSIBLE, Comparison
from provenance.environments import elsewhere, installed_r
from provenance.environments.elsewhere import Installed
from provenance.operations import _versions_stated as versions
from provenance.operations._versions_stated import Told
from provenance.specs.model import EXACT, NAMED, PLACED, PLATFORM, Fact, R

UNIT = "R packages"

LANGUAGE = "R"
"""How R itself is named in differences; its fact is named "r"."""

_BIOCONDUCTOR = "bioconductor"
_CONDITION = re.compile(r"(>=|<=|==|!=|>|<|=)?\s*([0-9][0-9.-]*)")
_USES = re.compile(
    r"\b(?:library|require|requireNamespace|loadNamespace)\s*\(\s*[\"']?([A-Za-z][A-Za-z0-9.]*)"
    r"|\b([A-Za-z][A-Za-z0-9.]*):::?[A-Za-z.]"
)
_SOURCES = (".r", ".rmd", ".qmd", ".rnw")
_LEFT_OUT = frozenset(("renv", "packrat", "node_modules"))
_MOST_FOLDERS, _MOST_FILES = 2000, 2000
"""Folders and source files of a project that are looked at for the packages that it loads."""


def compare_r(facts: Iterable[Fact], environ: Mapping[str, str], folder: str) -> Comparison:
    """Compare R and its packages, as they would be found by R started in ``folder``.

    A package that is not here is "broken" where the project's own source loads it.
    """
    stated = list(facts)
    packages = versions.of_packages(stated, R)
    packages += [one for one in stated if one.kind == PLATFORM and one.name == _BIOCONDUCTOR]
    if not packages:
        return Comparison(unit=UNIT)
    here = installed_r.look(environ, folder)
    if not here.version and not here.packages:
        return versions.not_here(packages, UNIT, here.missing or "R is not installed here")
    used = uses(folder)
    if not here.missing:
        return versions.compared(packages, UNIT, lambda fact: _tell(fact, here, used))
    language = [one for one in packages if one.name == "r"]
    rest = [one for one in packages if one.name != "r"]
    found = versions.compared(language, UNIT, lambda fact: _tell(fact, here, used))
    missed = versions.not_here(rest, UNIT, here.missing).not_compared
    return found._replace(not_compared=found.not_compared + missed)


def _tell(fact: Fact, here: Installed, used: frozenset[str]) -> Told:
    if fact.name == "r":
        return _language(fact, here)
    if fact.kind == PLATFORM:
        return _bioconductor(fact, here)
    release = here.packages.get(fact.name)
    if release is None:
        return versions.absent(fact, fact.name in used)
    if fact.exactness == PLACED:
        return versions.placed(fact, release)
    if fact.exactness == EXACT:
        return versions.exact(fact, release)
    if fact.exactness == NAMED:
        return Told(reason="no version is stated")
    return _within(fact, release.version)


def _language(fact: Fact, here: Installed) -> Told:
    if not here.version:
        return Told(reason="R is not installed here")
    if fact.exactness == NAMED:
        return Told(reason="no version is stated")
    if fact.exactness == EXACT:
        stated, now = versions.numbers(fact.version), versions.numbers(here.version)
        if stated and stated == now[: len(stated)]:
            return Told()
        return versions.different(fact, "version", here.version, name=LANGUAGE)
    return _within(fact, here.version, LANGUAGE)


def _bioconductor(fact: Fact, here: Installed) -> Told:
    """Compare a release of Bioconductor: the package BiocVersion has the number of its release."""
    release = here.packages.get("BiocVersion")
    if release is None:
        return Told(reason="BiocVersion, which tells the release, is not installed")
    now = ".".join(release.version.split(".")[:2])
    if now == fact.version:
        return Told()
    return versions.different(fact, "version", now, name="Bioconductor")


def _within(fact: Fact, version: str, name: str = "") -> Told:
    """Compare a version with the conditions that a DESCRIPTION states (">= 1.2")."""
    conditions = _CONDITION.findall(fact.specifier[:400])
    now = versions.numbers(version)
    if not conditions or not now:
        return Told(reason="what is stated (%s) cannot be compared" % fact.specifier.strip()[:60])
    if all(_holds(now, operator, versions.numbers(wanted)) for operator, wanted in conditions):
        return Told()
    return versions.different(fact, "version", version, POSSIBLE, name=name)


def _holds(now: tuple[int, ...], operator: str, wanted: tuple[int, ...]) -> bool:
    return {
        ">=": now >= wanted,
        "<=": now <= wanted,
        ">": now > wanted,
        "<": now < wanted,
        "!=": now != wanted,
    }.get(operator, now == wanted)


def uses(folder: str) -> frozenset[str]:
    """Return the packages that the R sources below ``folder`` load, as far as their text tells."""
    found: set[str] = set()
    left = _MOST_FILES
    for place, folders, names in itertools.islice(os.walk(folder), _MOST_FOLDERS):
        folders[:] = sorted(n for n in folders if n not in _LEFT_OUT and not n.startswith("."))
        for name in sorted(names):
            if not name.lower().endswith(_SOURCES):
                continue
            left -= 1
            if left < 0:
                return frozenset(found)
            found |= _loaded(os.path.join(place, name))
    return frozenset(found)


def _loaded(path: str) -> set[str]:
    text = elsewhere.text(path)
    lines = (line.partition("#")[0] for line in text.splitlines())
    return {one for line in lines for pair in _USES.findall(line[:4096]) for one in pair if one}
