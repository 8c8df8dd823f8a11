"""What environment files state, held against what is installed for an interpreter.

Pure: facts and an inventory in, one row per package and the differences out. A file that gives no
version is never contradicted: the package is there or it is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from packaging.markers import (
    InvalidMarker,
    Marker,
    UndefinedComparison,
    UndefinedEnvironmentName,
)
from packaging.version import InvalidVersion

from provenance.core.difference import (
    BROKEN,
    NONE,
    POSSIBLE,
    UNKNOWN,
    Comparison,
    Difference,
    NotCompared,
)
from provenance.core.distributions import key_of
from provenance.facets._conda import CondaPackage
from provenance.facets._installed import Installed, Packages
from provenance.specs import importable, names, places_here, ranges
from provenance.specs._remarks import CONSTRAINT
from provenance.specs.model import CONDA, EXACT, NAMED, PACKAGE, PLACED, PYPI, PYTHON, RANGE, Fact

SAME, DIFFERS, MISSING, EXTRA = "same", "differs", "not installed", "extra"
NOT_STATED, NOT_COMPARED, ELSEWHERE = "not stated", "not compared", "not for here"
"""What can be said of a package. Not stated: it is here, and no version is asked for. Not for here:
its marker names another platform or Python."""

OWN_TOOLS = frozenset("pip setuptools wheel distribute pkg-resources uv".split())
"""Never told as extra, and harmless where they are gone: they only install."""
_EXTRA = re.compile(r"""\bextra\s*==\s*["']([^"']+)["']""")
_NO_CONDA = "there is no conda environment here"
_FACET, _SUBJECT = "packages", "python"


class Here(NamedTuple):
    """The interpreter that is compared with.

    python: its version. packages: what is installed for it. markers: its PEP 508 environment.
    imports: per importable name, where the source here imports it and does not catch its absence.
    """

    python: str
    packages: Packages
    markers: Mapping[str, str]
    imports: Mapping[str, tuple[str, ...]] = {}


class Row(NamedTuple):
    """One package: what is stated ("1.1.3", ">=1,<2", "" for nothing), what is here, and where."""

    name: str
    status: str
    stated: str
    installed: str
    where: str
    reason: str = ""


class Against(NamedTuple):
    """What the comparison gave: a row per package, and the same as a facet would tell it."""

    rows: tuple[Row, ...]
    comparison: Comparison


def packages(facts: Iterable[Fact], here: Here, complete: bool = False) -> Against:
    """Compare the package facts of one file with what is installed.

    complete: whether the file lists all that was installed, so that what it leaves out is extra.
    """
    rows: list[Row] = []
    found: list[Difference] = []
    for key, stated in _by_package(facts, here).items():
        row, difference = _one(key, stated, here)
        rows.append(row)
        found += [difference] if difference else []
    if complete:
        extra = _extra(rows, facts, here)
        rows += extra
        found += [_added(row) for row in extra]
    return Against(tuple(rows), _comparison(rows, found))


def _comparison(rows: Sequence[Row], found: Sequence[Difference]) -> Comparison:
    """Return rows and differences as a facet's answer; "not stated" compares that it is there."""
    equal = sum(row.status in (SAME, NOT_STATED) for row in rows)
    total = equal + sum(row.status in (DIFFERS, MISSING) for row in rows)
    left = [
        NotCompared(_FACET, row.name, "no version is stated")
        for row in rows
        if row.status == NOT_STATED and key_of(row.name) not in OWN_TOOLS
    ]
    left += [
        NotCompared(_FACET, row.name, row.reason) for row in rows if row.status == NOT_COMPARED
    ]
    return Comparison(tuple(found), equal, total, "packages", tuple(left))


def python(
    facts: Iterable[Fact], version: str, markers: Mapping[str, str] = MappingProxyType({})
) -> Comparison:
    """Compare what is stated of Python's version with ``version``; markers: of its platform."""
    stated = [one for one in facts if one.kind == PYTHON and (one.version or one.specifier)]
    stated = [one for one in stated if not one.group and _applies(one, markers, installed=True)]
    if not stated:
        return Comparison(unit="Python versions")
    asked = [one for one in stated if _python_allows(one, version) is False]
    if not asked:
        return Comparison((), 1, 1, "Python versions")
    one = asked[0]
    effect = POSSIBLE if ranges.is_bound(one.specifier) else UNKNOWN
    text = "outside of what %s allows" % one.where if effect == POSSIBLE else ""
    told = Difference(
        "runtime", _SUBJECT, "version", "python", effect, ranges.shown(one), version, (), text
    )
    return Comparison((told,), 0, 1, "Python versions")


def _python_allows(fact: Fact, version: str) -> bool | None:
    """Return whether a Python is meant: "3.8" means every 3.8."""
    if fact.exactness == EXACT and fact.version.count(".") == 1:
        return version.split(".")[:2] == fact.version.split(".")
    return ranges.allows(fact, version)


def _by_package(facts: Iterable[Fact], here: Here) -> dict[str, list[Fact]]:
    """Return the facts on packages by the name that is installed, else by the one stated.

    Of an optional part only what nothing else states and what is here: nobody asked for the rest.
    A constraint says which version, of what is here or asked for.
    """
    found: dict[str, list[Fact]] = {}
    beside: dict[str, list[Fact]] = {}
    for one in facts:
        if one.kind == PACKAGE and one.ecosystem in (PYPI, CONDA):
            if places_here.is_top(one.url) and _key(one, here) not in here.packages.distributions:
                continue  # the project itself: its code is here without being installed
            kept = beside if one.group else found
            kept.setdefault(_key(one, here), []).append(one)
    for key, optional in beside.items():
        if key in found:
            found[key] += [one for one in optional if one.group == CONSTRAINT]
        elif key in here.packages.distributions:
            found[key] = optional
    return found


def _key(fact: Fact, here: Here) -> str:
    installed = here.packages.distributions
    for name in names.installed_names(fact):
        if name in installed:
            return name
    if fact.ecosystem == CONDA and fact.name in here.packages.conda:
        return fact.name
    from_there = places_here.find(fact, installed)
    if from_there:
        return from_there
    return next(iter(names.installed_names(fact)), fact.name)


def _one(key: str, stated: list[Fact], here: Here) -> tuple[Row, Difference | None]:
    """Return what can be said of one package, and its difference if it differs."""
    here_is = key in here.packages.distributions
    applying = [one for one in stated if _applies(one, here.markers, here_is)]
    if not applying:
        first = stated[0]
        return Row(key, ELSEWHERE, ranges.shown(first), "", first.where, first.marker), None
    facts = _last_word(applying)
    first = facts[0]
    dist = here.packages.distributions.get(key)
    conda = here.packages.conda.get(first.name) if first.ecosystem == CONDA else None
    if dist is None and conda is None:
        return _absent(key, first, here)
    version = dist.version if dist is not None else ""
    if conda is not None and (dist is None or dist.conda):
        version = conda.version  # builds of conda may call themselves 2.1.0.post300
    name = dist.name if dist is not None else key
    for one in facts:
        row, told = _held(name, one, version, dist, conda)
        if told is not None or one is facts[-1]:
            return row, told
    raise AssertionError("a package without facts")


def _last_word(facts: list[Fact]) -> list[Fact]:
    """Return the facts that count: of conda and pip pip's, installed later; versions before names.

    The surest first; a package that is listed with and without version is stated with it.
    """
    own = [one for one in facts if one.ecosystem == PYPI] or facts
    stated = [one for one in own if one.exactness in (EXACT, RANGE)]
    return sorted(stated or own, key=lambda one: one.exactness != EXACT)


def _held(
    name: str, fact: Fact, version: str, dist: Installed | None, conda: CondaPackage | None
) -> tuple[Row, Difference | None]:
    """Return what can be said of an installed package and one fact."""
    shown = ranges.shown(fact)
    row = Row(name, SAME, shown, version, fact.where)
    if fact.exactness == NAMED:
        return row._replace(status=NOT_STATED), None
    if fact.exactness == PLACED and not fact.version:
        return _placed(row, fact, dist)
    if fact.exactness == EXACT and fact.version and _public(fact.version) == _public(version):
        return _same_release(row, fact, conda)
    allowed = ranges.allows(fact, version)
    if allowed is None:
        why = "%s: %s cannot be compared with %s" % (fact.where, shown, version)
        return row._replace(status=NOT_COMPARED, reason=why), None
    if allowed:
        return row, None
    bound = fact.exactness == RANGE and ranges.is_bound(fact.specifier)
    text = "outside of what %s allows" % fact.where if bound else ""
    effect = POSSIBLE if bound else UNKNOWN
    told = Difference(_FACET, _SUBJECT, "version", name, effect, shown, version, (), text)
    return row._replace(status=DIFFERS), told


def _same_release(
    row: Row, fact: Fact, conda: CondaPackage | None
) -> tuple[Row, Difference | None]:
    """Return what can be said of the stated release: its build may differ."""
    build = [
        re.sub(r"[-_]", ".", text.partition("+")[2]).lower()
        for text in (fact.version, row.installed)
    ]
    old, new = fact.version, row.installed
    if build[0] and build[0] != build[1]:
        told = Difference(_FACET, _SUBJECT, "build", row.name, UNKNOWN, old, new)
        return row._replace(status=DIFFERS), told
    if fact.build and conda is not None and "*" not in fact.build and fact.build != conda.build:
        old, new = "%s %s" % (old, fact.build), "%s %s" % (new, conda.build)
        told = Difference(_FACET, _SUBJECT, "build", row.name, UNKNOWN, old, new)
        return row._replace(status=DIFFERS), told
    return row, None


def _placed(row: Row, fact: Fact, dist: Installed | None) -> tuple[Row, Difference | None]:
    """Return what can be said of a package that a URL, repository or folder gives."""
    if dist is not None and places_here.is_whole_repository(dist):
        return row, None  # its own code, which a file in it cannot state by commit
    commit = ranges.commit_of(fact.url)
    info = (dist.direct_url.get("vcs_info") if dist is not None else None) or {}
    have = str(info.get("commit_id", ""))
    if dist is not None and dist.editable is not None and not have:
        have = dist.editable.commit or ""
    if commit and have:
        if have.startswith(commit):
            return row, None
        told = Difference(
            _FACET, _SUBJECT, "origin", row.name, UNKNOWN, commit[:12], have[:12], (),
            "commit %s -> %s" % (commit[:12], have[:12]),
        )  # fmt: skip
        return row._replace(status=DIFFERS), told
    if not commit and dist is not None and places_here.same_revision(fact, dist):
        return row, None
    if commit:
        why = "stated by a commit, and what is installed does not say which it is"
    elif places_here.revision(fact.url):
        revision = places_here.revision(fact.url)
        why = "stated by the branch or tag %s, whose commit is not known here" % revision
    else:
        why = "stated by a place, without a version"
    return row._replace(status=NOT_COMPARED, reason=why), None


def _absent(key: str, fact: Fact, here: Here) -> tuple[Row, Difference | None]:
    """Return what can be said of a package that is not installed."""
    row = Row(key, MISSING, ranges.shown(fact), "", fact.where)
    library = fact.ecosystem == CONDA and names.is_never_python(fact.name)  # libyaml is no yaml
    modules = () if library else importable.modules(key)
    where = tuple(place for name in modules for place in here.imports.get(name, ()))
    elsewhere = fact.ecosystem == CONDA and not here.packages.conda
    if elsewhere and not where and not names.is_distribution(fact):
        return row._replace(status=NOT_COMPARED, reason=_NO_CONDA), None
    if fact.exactness == PLACED and not where and not ranges.is_remote(fact.url):
        why = "a folder of those who wrote it"
        return row._replace(status=NOT_COMPARED, reason=why), None
    effect = BROKEN if where else POSSIBLE
    if _needless(key, fact, here):
        effect, where = NONE, ()
    told = Difference(_FACET, _SUBJECT, "removed", key, effect, row.stated, None, where[:4])
    return row, told


def _needless(key: str, fact: Fact, here: Here) -> bool:
    """Return whether nothing is missing without the package: it installs, or Python has it."""
    stood_for = names.stood_for(fact)
    return (
        key in OWN_TOOLS
        or importable.is_of_python(key, here.python)
        or (stood_for != "" and stood_for in here.packages.distributions)
    )


def _extra(rows: Iterable[Row], facts: Iterable[Fact], here: Here) -> list[Row]:
    """Return what is installed and stated nowhere, installers apart."""
    told = {key_of(row.name) for row in rows}
    told |= {name for one in facts for name in names.installed_names(one)}
    return [
        Row(dist.name, EXTRA, "", dist.version, "")
        for key, dist in sorted(here.packages.distributions.items())
        if key not in told and key not in OWN_TOOLS and not places_here.is_of_repository(dist)
    ]


def _added(row: Row) -> Difference:
    return Difference(_FACET, _SUBJECT, "added", row.name, NONE, None, row.installed)


def _applies(fact: Fact, markers: Mapping[str, str], installed: bool) -> bool:
    """Return whether a fact's marker holds for the interpreter; one that cannot be judged does.

    installed: whether the package is here, so that an extra which asks for it may be meant.
    """
    if not fact.marker:
        return True
    extras = ["", *(_EXTRA.findall(fact.marker) if installed else ())]
    try:
        marker = Marker(fact.marker)
        return any(marker.evaluate({**markers, "extra": extra}) for extra in extras)
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, InvalidVersion):
        return True


def _public(version: str) -> str:
    return ranges.normal(version.partition("+")[0])
