"""Objections to the environment files: what the run used against what they state."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from packaging.markers import default_environment

from provenance.core.distributions import key_of, scan
from provenance.core.versions import requirement
from provenance.environments import closure
from provenance.errors import BadRecord
from provenance.facets import packages, runtime
from provenance.facets._installed import Packages
from provenance.facets.runtime import Runtime
from provenance.knowledge import match
from provenance.operations import _owners, stated
from provenance.operations._publishable import (
    ADVICE,
    BLOCKS,
    NOTE,
    Case,
    Objection,
    Repository,
    few,
)
from provenance.specs import against, find, names, ranges
from provenance.specs.against import Here, Row
from provenance.specs.find import Candidate
from provenance.specs.model import EXACT, NAMED, PACKAGE, PLACED, PYTHON, Fact, Spec

_LISTS = (find.FREEZE, find.ENVIRONMENT, find.REQUIREMENTS, find.EXPLICIT)
"""Kinds of files that an installer reads line by line: one bad line stops it."""
_OWN_TOOLS = frozenset("pip setuptools wheel uv prov-run".split())


class _Used(NamedTuple):
    """What the run used.

    python: its version. imported: keys of distributions. own: those of them that the user's source
    names, with the first place. needed: what each installed one requires, empty where the
    environment is gone.
    """

    python: str
    packages: Packages
    imported: frozenset[str]
    own: Mapping[str, str]
    needed: Mapping[str, frozenset[str]]


class _File(NamedTuple):
    """An environment file, and what comparing it with the run gave."""

    candidate: Candidate
    spec: Spec
    rows: tuple[Row, ...]

    @property
    def binding(self) -> bool:
        """Whether people install from it, and do not only read it."""
        return self.candidate.rank not in (find.CONTAINER, find.README)


def of_run(case: Case) -> Iterator[Objection]:
    """Yield where environment files and the run disagree, and what they leave open."""
    used = _used(case)
    if used is None:
        return
    files = list(_files(case, used))
    stating = [one for one in files if any(fact.kind == PACKAGE for fact in one.spec.facts)]
    if not [one for one in stating if one.candidate.rank != find.README]:
        pins = [_pin(used, key) for key in used.own]
        text = "no environment file says what to install"
        fix = "write requirements.txt with: %s" % few(pins, 6) if pins else "write requirements.txt"
        yield Objection("no-environment", BLOCKS, text, (), fix)
    for one in files:
        yield from _disagreeing(one, used)
        yield from _unread(one)
    if stating:
        yield from _left_out(stating, used)
        yield from _unpinned(stating, used)
    yield from _python(files, used)


def of_repository(repository: Repository) -> Iterator[Objection]:
    """Yield what the environment files leave open, where no run says what was used."""
    found = stated.of_repository(repository.top)
    if found is None or not found.packages:
        text = "no environment file says what to install"
        fix = "write one, such as: pip freeze > requirements.txt"
        yield Objection("no-environment", BLOCKS, text, (), fix)
        return
    exact = {fact.name for fact in found.packages if fact.exactness != NAMED}
    loose = [one for one in found.packages if one.name not in exact and not one.group]
    if loose:
        text = "stated with no version: %s" % few(one.name for one in loose)
        where = tuple(one.where for one in loose)
        fix = "state the versions that gave the results"
        yield Objection("package-not-pinned", ADVICE, text, where, fix)


def _used(case: Case) -> _Used | None:
    """Return what the run's main interpreter used, None where no Python took part."""
    held, ran = packages.of(case.run) or {}, runtime.of(case.run) or {}
    first = next(iter(held), "")
    if not first or not isinstance(ran.get(first), Runtime):
        return None
    imported = {
        key for one in held.values() for key, dist in one.distributions.items() if dist.imported
    }
    owners = _owners.of_modules(case.run)
    own: dict[str, str] = {}
    for use in match.uses_of(case.run):
        key = owners.get(use.symbol.partition(".")[0])
        if key in imported:
            own.setdefault(str(key), use.where)
    return _Used(
        ran[first].version,
        held[first],
        frozenset(imported - _OWN_TOOLS),
        {key: where for key, where in own.items() if not _is_own(held[first], key, case)},
        _requirements(case, held[first]),
    )


def _is_own(held: Packages, key: str, case: Case) -> bool:
    """Return whether a distribution is the repository itself, installed editable."""
    dist = held.distributions.get(key)
    place = dist.editable.path if dist is not None and dist.editable is not None else None
    if place is None:
        return False
    full = case.roots.locate(place)
    return full is not None and (case.below(place) is not None or full == case.repository.top)


def _requirements(case: Case, held: Packages) -> dict[str, frozenset[str]]:
    """Return what each installed distribution requires; empty where the environment is gone."""
    places = [case.roots.locate(path) for path in held.sys_path]
    site = [one for one in places if one and os.path.isdir(one) and "-packages" in one]
    return {key_of(one.name): frozenset(closure.required(one.folder)) for one in scan(site)}


def _files(case: Case, used: _Used) -> Iterator[_File]:
    here = Here(used.python, used.packages, _markers(used.python))
    for one in find.files(case.repository.paths)[: stated.MOST_FILES]:
        if one.rank in (find.PROV_LOCK, find.DATA) or one.other:
            continue
        top = case.repository.top
        try:
            spec = stated.read(os.path.join(top, one.path), top)
        except BadRecord:
            continue
        rows = against.packages(spec.facts, here).rows
        yield _File(one, spec, rows)


def _markers(python: str) -> dict[str, str]:
    """Return the PEP 508 environment of the run, as far as a version tells it."""
    return {
        **{name: str(value) for name, value in default_environment().items()},
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "implementation_version": python,
    }


def _disagreeing(one: _File, used: _Used) -> Iterator[Objection]:
    """Yield stated versions that the run did not have, and packages that it did not need."""
    absent, idle = [], []
    for row in one.rows:
        key = key_of(row.name)
        imported = key in used.imported
        if row.status == against.DIFFERS:
            weight = BLOCKS if imported and one.binding else ADVICE if imported else NOTE
            text = "%s %s is stated; the run used %s" % (row.name, row.stated, row.installed)
            fix = "state %s" % requirement(row.name, row.installed)
            yield Objection("version-not-used", weight, text, (row.where,), fix)
        elif row.status == against.MISSING:
            absent.append(row)
        elif row.status in (against.SAME, against.NOT_STATED) and not imported:
            idle.append(row)
    if absent:
        weight = ADVICE if one.candidate.rank in _LISTS else NOTE
        text = "%s asks for what the run did not have: %s" % (
            one.candidate.path,
            few(row.name for row in absent),
        )
        where = tuple(row.where for row in absent)
        yield Objection("stated-not-had", weight, text, where, "remove them, or say what for")
    if idle and not one.spec.complete and one.binding:
        text = "%s asks for what the run did not import: %s" % (
            one.candidate.path,
            few(row.name for row in idle),
        )
        where = tuple(row.where for row in idle)
        yield Objection("stated-not-used", NOTE, text, where)


def _unread(one: _File) -> Iterator[Objection]:
    if one.candidate.rank in _LISTS and one.spec.unread:
        first = one.spec.unread[0]
        more = len(one.spec.unread) - 1
        text = "a line of %s cannot be read: %s" % (one.candidate.path, first.why.rstrip("."))
        text += " (and %d more)" % more if more else ""
        yield Objection("line-not-read", ADVICE, text, (first.where,), "mend or remove it")


def _stated_keys(files: Iterable[_File]) -> set[str]:
    return {
        key_of(name)
        for one in files
        for fact in one.spec.facts
        if not fact.group
        for name in (*names.installed_names(fact), fact.name)
    }


def _left_out(files: Sequence[_File], used: _Used) -> Iterator[Objection]:
    """Yield packages that the user's source imports and no file states."""
    told = _stated_keys(files)
    pulled = _pulled(told, used)
    missing = [key for key in used.own if key not in told]
    hard = [key for key in missing if used.needed and key not in pulled]
    soft = [key for key in missing if key not in hard]
    for keys, weight in ((hard, BLOCKS), (soft, ADVICE)):
        if not keys:
            continue
        text = "imported, and stated in no environment file: %s" % few(keys)
        if weight == ADVICE and used.needed:
            text += " (others bring it, in any version)"
        fix = "add %s to %s" % (few([_pin(used, key) for key in keys], 6), _main(files))
        where = tuple(used.own[key] for key in keys)
        yield Objection("package-not-stated", weight, text, where, fix)
    rest = [
        key
        for key in sorted(used.imported - told - set(missing))
        if key in used.packages.distributions
    ]
    if rest and not any(one.spec.complete for one in files):
        text = "%d imported packages come with others, in any version: %s" % (
            len(rest),
            few(_pin(used, key) for key in rest),
        )
        fix = "prov.lock holds their versions; `pip freeze` would state them"
        yield Objection("dependencies-not-stated", NOTE, text, (), fix)


def _pulled(told: set[str], used: _Used) -> set[str]:
    """Return what the stated packages require, and so on."""
    found: set[str] = set()
    left = list(told)
    while left:
        for key in used.needed.get(left.pop(), frozenset()) - found:
            found.add(key)
            left.append(key)
    return found


def _unpinned(files: Sequence[_File], used: _Used) -> Iterator[Objection]:
    """Yield packages that the user's source imports and no file gives one version of."""
    pinned = {
        key_of(name)
        for one in files
        for fact in one.spec.facts
        if fact.exactness in (EXACT, PLACED) or _is_whole(fact, used)
        for name in (*names.installed_names(fact), fact.name)
    }
    facts: dict[str, Fact] = {}
    for one in files:
        if one.candidate.rank == find.README:
            continue
        for fact in one.spec.facts:
            for name in names.installed_names(fact):
                facts.setdefault(key_of(name), fact)
    told = {key_of(row.name) for one in files for row in one.rows if row.status == against.DIFFERS}
    open_ = [key for key in used.own if key in facts and key not in pinned | told]
    if open_:
        how = "no version" if all(facts[k].exactness == NAMED for k in open_) else "no one version"
        text = "stated with %s: %s" % (how, few(open_))
        fix = "state what the run used: %s" % few([_pin(used, key) for key in open_], 6)
        where = tuple(facts[key].where for key in open_)
        yield Objection("package-not-pinned", ADVICE, text, where, fix)


def _is_whole(fact: Fact, used: _Used) -> bool:
    """Return whether a range of conda's ("=1.26.4") spells out the whole version that was used."""
    version = fact.specifier.lstrip("= ").removesuffix(".*")
    held = (used.packages.distributions.get(key_of(name)) for name in names.installed_names(fact))
    return any(one is not None and one.version == version for one in held)


def _python(files: Sequence[_File], used: _Used) -> Iterator[Objection]:
    stated_ = [(one, fact) for one in files for fact in one.spec.facts if fact.kind == PYTHON]
    wrong = [
        (one, fact)
        for one, fact in stated_
        if (fact.version or fact.specifier) and not fact.group
        if ranges.allows(fact, used.python) is False
    ]
    for one, fact in wrong:
        if fact.exactness == EXACT and used.python.startswith(fact.version + "."):
            continue
        weight = BLOCKS if one.binding else ADVICE
        text = "Python %s is stated; the run used %s" % (ranges.shown(fact), used.python)
        yield Objection(
            "python-not-used", weight, text, (fact.where,), "state Python %s" % used.python
        )
    if files and not stated_:
        minor = ".".join(used.python.split(".")[:2])
        text = "no file says which Python: the run used %s" % used.python
        fix = "say so in the README, or: echo %s > .python-version" % minor
        yield Objection("no-python-stated", ADVICE, text, (), fix)


def _main(files: Sequence[_File]) -> str:
    """Return the file that people would add a package to."""
    lists = [one.candidate for one in files if one.candidate.rank in (*_LISTS, find.PROJECT)]
    return posixpath.normpath(lists[0].path) if lists else "requirements.txt"


def _pin(used: _Used, key: str) -> str:
    dist = used.packages.distributions.get(key)
    return requirement(dist.name, dist.version) if dist is not None else key
