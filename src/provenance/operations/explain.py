"""What other versions would change for the user's own calls, before anything is installed.

The same comparison as verify's, with differences that nobody has yet: known changes (L1) from the
source alone, then the interfaces of the two releases (L2), whose wheels are fetched and read, not
run; then, for a run, a rehearsal (L3) in environments that are built for it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from provenance import config
from provenance.core import codec, verdict, versions
from provenance.core.difference import UNKNOWN, Difference, NotCompared
from provenance.core.distributions import key_of
from provenance.core.uses import CALL, Use
from provenance.core.verdict import Finding
from provenance.environments import newest as newest_
from provenance.environments import sources
from provenance.errors import NothingToCompare, ProvError, UsageError
from provenance.facets import packages
from provenance.facets._installed import Packages
from provenance.knowledge import catalog, match
from provenance.knowledge import entry as entries_
from provenance.knowledge.entry import Entry
from provenance.knowledge.judge import PYTHON_ITSELF
from provenance.operations import (
    _explain_calls,
    _explain_files,
    _explain_interfaces,
    _explain_source,
    calls,
    comparing_calls,
    measuring,
)
from provenance.operations._explain_source import Source
from provenance.operations._releases import Releases
from provenance.operations.called import calls_of, installed
from provenance.operations.calls import Coverage
from provenance.store import project

NEWEST = "newest"
"""The word that stands for a version: the newest that there is."""


class Wish(NamedTuple):
    """What to explain.

    package, old, new: the change; old "" is the version of the reference. files: read instead of
    the reference's call sites. reference: a run or lock, None for the best one here. newest: all
    packages of the reference against their newest releases. offline: nothing is fetched.
    limit_mb: no bigger wheel is fetched, None for the default. calls: how the calls are compared,
    None for what the settings say; files that no run knows are only run when that is asked for.
    """

    cwd: str
    environ: Mapping[str, str]
    package: str = ""
    old: str = ""
    new: str = ""
    files: tuple[str, ...] = ()
    reference: str | None = None
    newest: bool = False
    offline: bool = False
    limit_mb: float | None = None
    fail_on: str | None = None
    calls: str | None = None
    progress: Callable[[str], None] | None = None


class Change(NamedTuple):
    """A change of version.

    known: curated entries between the two; calls: of it in the source. needed: it changes only
    because another one does.
    """

    package: str
    old: str
    new: str
    known: int
    calls: int
    needed: bool = False


class Explained(NamedTuple):
    """What the changes mean. about: whose calls, "train.py" or "run 1a2b3c4d".

    calls: how many of the calls were compared, None where that was not tried.
    """

    about: str
    files: int
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    not_compared: tuple[NotCompared, ...]
    notes: tuple[str, ...]
    fail_on: str | None
    calls: Coverage | None = None

    @property
    def verdict(self) -> str:
        """The verdict over the findings."""
        return verdict.verdict(self.findings, len(self.changes))

    @property
    def exit_code(self) -> int:
        """0, or 1 where ``fail_on`` was asked for and reached."""
        return verdict.exit_code(self.findings, 1, self.fail_on) if self.fail_on else 0


def explain(wish: Wish) -> Explained:
    """Return what the change, or all newest versions, would do to the calls. Raises `ProvError`."""
    entries = measuring.entries(wish.environ)
    source = _explain_source.find(wish.files, wish.reference, wish.cwd, wish.environ)
    notes = list(source.notes)
    if wish.newest:
        differences = _newer(wish, source, notes)
    else:
        differences = [_change(wish, source)]
        notes += _misspelt(differences[0], source, entries)
    planned = _sides(wish, source, differences)
    also = planned.sides.also if planned.sides is not None else ()
    found = match.explain((*differences, *also), source.record, source.record, entries)
    uses = match.uses_of(source.record)
    findings, not_compared = [], [*planned.not_compared]
    here = installed(source.record)
    releases = Releases(source.python, wish, source.folders)
    for one in found:
        own = calls_of(one.name, uses, here)
        told, missing = _explain_interfaces.changed(one, own, releases)
        findings.append(told)
        not_compared += missing
    called = comparing_calls.Outcome(tuple(findings))
    if planned.sides is not None and differences:
        called = _explain_calls.compared(planned.sides, called.findings, planned.asked)
        notes += [*planned.sides.notes, *called.notes]
    changes = [_told(one, uses, here) for one in differences]
    changes += [_told(one, uses, here)._replace(needed=True) for one in also]
    return Explained(
        source.about,
        source.files,
        tuple(changes),
        tuple(verdict.ranked(called.findings)),
        (*not_compared, *called.not_compared),
        tuple(dict.fromkeys(notes)),
        wish.fail_on,
        called.coverage,
    )


class _Sides(NamedTuple):
    """The rehearsal that is planned: how, of what (None for none), and why not."""

    asked: _explain_calls.Asked
    sides: _explain_calls.Sides | None
    not_compared: tuple[NotCompared, ...] = ()


def _sides(wish: Wish, source: Source, differences: list[Difference]) -> _Sides:
    """Return what is to be rehearsed, or why nothing is."""
    place = project.find(wish.cwd)
    stated = config.load(place.root).calls
    mode = calls.mode(wish.calls, stated, source.reference)
    asked = _explain_calls.Asked(
        mode, wish.environ, place, wish.offline, wish.limit_mb or sources.LIMIT_MB, wish.progress
    )
    if mode == calls.OFF or not differences or "L3" not in measuring.levels(wish.environ):
        if not source.paths:
            unasked = calls.left_out(wish.calls, stated, source.reference, differences)
            return _Sides(asked, None, unasked)
        return _Sides(asked, None)
    try:
        reference = source.reference
        if source.paths:
            reference = _explain_files.reference(source, differences, asked, wish.cwd)
        return _Sides(asked, _explain_calls.sides(reference, differences, asked))
    except ProvError as error:
        return _Sides(asked, None, (_explain_calls.not_compared(error),))


def _misspelt(one: Difference, source: Source, entries: Sequence[Entry] | None) -> list[str]:
    """Return a question where nothing knows a package of this name, but one of nearly this name."""
    told = catalog.load() if entries is None else entries
    known = {*catalog.by_package(told), *match.versions_of(source.record)}
    if one.name in known or calls_of(
        one.name, match.uses_of(source.record), installed(source.record)
    ):
        return []
    near = difflib.get_close_matches(one.name, sorted(known), 1, 0.8)
    return ["nothing here knows %s: did you mean %s?" % (one.name, near[0])] if near else []


def _change(wish: Wish, source: Source) -> Difference:
    key = package_of(wish.package)
    old = wish.old or match.versions_of(source.record).get(key, "")
    if key == PYTHON_ITSELF and not old:
        old = source.python
    if not old:
        raise UsageError(
            "%s does not hold %s." % (source.about, wish.package),
            "name the old version, too: prov explain PACKAGE OLD NEW",
        )
    new = wish.new
    if NEWEST in (old, new):
        found = newest_.newest([key], source.python, wish.environ, wish.cwd, wish.offline)
        latest = found.versions.get(key)
        if latest is None:
            raise UsageError("no newest version of %s is known here." % wish.package)
        old, new = (latest if one == NEWEST else one for one in (old, new))
    for version in (old, new):
        if not versions.is_version(version):
            raise UsageError(
                "%r is not a version." % version, "prov explain scikit-learn 1.1.3 1.5.2 train.py"
            )
    return difference_of(key, old, new)


def difference_of(key: str, old: str, new: str) -> Difference:
    """Return the change of a package, or of Python itself, as a facet would tell it."""
    facet = "runtime" if key == PYTHON_ITSELF else "packages"
    return Difference(facet, "python", "version", key, UNKNOWN, old, new)


def _newer(wish: Wish, source: Source, notes: list[str]) -> list[Difference]:
    """Return the newer releases of what the run imported, as far as they go together."""
    installed = next(iter((packages.of(source.record) or {}).values()), None)
    if installed is None:
        raise NothingToCompare("%s holds no packages." % source.about, "prov explain RUN --newest")
    ours = {
        key: one
        for key, one in installed.distributions.items()
        if one.editable is None and (one.imported or not installed.complete)
    }
    found = newest_.newest(ours, source.python, wish.environ, wish.cwd, wish.offline)
    notes.extend("%s: %s" % (left.name, left.reason) for left in found.left_out)
    text = "newest releases that go together on Python %s; other releases on others"
    notes.append(text % ".".join(source.python.split(".")[:2]))
    return [
        difference_of(key, one.version, found.versions[key])
        for key, one in sorted(ours.items())
        if key in found.versions and _public(one.version) != found.versions[key]
    ]


def _public(version: str) -> str:
    return version.partition("+")[0]


def package_of(name: str) -> str:
    """Return the key of the package that people mean: "sklearn" is scikit-learn."""
    key = key_of(name)
    known = catalog.by_package(catalog.load())
    if key in known:
        return key
    for package, entries in known.items():
        tops = {symbol.partition(".")[0] for one in entries for symbol in one.symbols}
        if tops == {name} and all(len(one.packages) == 1 for one in entries):
            return package
    return key


def _told(one: Difference, uses: Sequence[Use], here: Sequence[Packages]) -> Change:
    known = catalog.by_package(catalog.load()).get(one.name, ())
    crossed = [entry for entry in known if entries_.span(entry, one.name, one.old, one.new)]
    calls = [use for use in calls_of(one.name, uses, here) if use.kind == CALL]
    return Change(one.name, one.old, one.new, len(crossed), len(calls))


def top(cwd: str) -> str:
    """Return the folder that the places of findings are relative to."""
    place = project.find(cwd)
    return place.repo or place.root


def as_json(result: Explained) -> dict[str, Any]:
    """Return the ``data`` member of ``prov explain --json``."""
    return {
        "verdict": result.verdict,
        "fail_on": result.fail_on,
        "about": result.about,
        "files": result.files,
        "changes": [one._asdict() for one in result.changes],
        "findings": codec.encode(result.findings),
        "not_compared": codec.encode(result.not_compared),
        "notes": list(result.notes),
        "calls": codec.encode(result.calls),
    }
