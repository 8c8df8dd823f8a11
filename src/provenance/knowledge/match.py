"""Why a difference matters to this run: known behaviour changes against the calls it makes.

Pure: differences and records in, findings out.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from provenance.core import verdict
from provenance.core.difference import BROKEN, NONE, POSSIBLE, Difference
from provenance.core.distributions import key_of
from provenance.core.record import Record
from provenance.core.uses import Use
from provenance.core.verdict import Finding
from provenance.knowledge import catalog, surroundings
from provenance.knowledge import entry as entries_
from provenance.knowledge.entry import Entry
from provenance.knowledge.judge import MOST_PLACES, PYTHON_ITSELF, Judged, judge, teller
from provenance.knowledge.sites import struck


class Concern(NamedTuple):
    """An entry that concerns a run whatever version is met later, and the uses it strikes."""

    entry: Entry
    sites: Tuple[Use, ...]

    def to_json(self) -> Dict[str, Any]:
        """Return the entry's members with the sites beside them."""
        return dict(entries_.to_json(self.entry), sites=[use.to_json() for use in self.sites])


def explain(
    differences: Sequence[Difference],
    old: Record,
    new: Record,
    entries: Optional[Sequence[Entry]] = None,
) -> Tuple[Finding, ...]:
    """Return every difference as a finding, versions with the reasons why they matter here."""
    known = catalog.by_package(catalog.load() if entries is None else entries)
    uses = uses_of(new) or uses_of(old)
    gpu = has_gpu(old)
    changed = {p: (o, n) for p, o, n in map(_versions, differences) if p}
    here = surroundings.situation(old, new, uses, versions_of(old))
    found = []
    for seen in differences:
        difference = _softened(seen, uses, old, bool(changed))
        package, before, after = _versions(difference)
        about = known.get(package, ()) if package and difference.effect != NONE else ()
        own = [one for one in about if teller(one, changed) == package]
        told = finding(difference, judge(own, package, before, after, uses, gpu))
        found.append(told if package else surroundings.explained(told, here))
    return (*found, *surroundings.lost_cards(differences, here))


def _softened(difference: Difference, uses: Sequence[Use], old: Record, others: bool) -> Difference:
    """Return a package that is gone as "possible" where only libraries imported it.

    Another release of such a library may need it no more (``six``); whether so, only running tells.
    """
    gone = difference.facet == "packages" and difference.kind == "removed"
    read = uses or any(one.payload.get("files") for one in old.payloads("behaviour"))
    if not (gone and difference.effect == BROKEN and others and read):
        return difference
    key = key_of(difference.name)
    tops = {use.symbol.partition(".")[0] for use in uses}
    for subject in old.payloads("packages"):
        one = subject.payload.get("distributions", {}).get(key)
        if one is None:  # environment files state it, no run had it: its modules are not known
            return difference
        if tops.intersection(one.get("modules") or (key.replace("-", "_"),)):
            return difference
    return difference._replace(effect=POSSIBLE, text="a library that the run used imported it")


def concerning(record: Record, entries: Optional[Sequence[Entry]] = None) -> Tuple[Concern, ...]:
    """Return the entries on packages of ``record`` that strike its uses, whatever the version."""
    packages = versions_of(record)
    uses = uses_of(record)
    found = []
    for one in catalog.load() if entries is None else entries:
        if any(package in packages for package in one.packages):
            hits = struck(one, uses)
            if hits:
                found.append(Concern(one, tuple(hit.use for hit in hits)))
    return tuple(found)


def finding(difference: Difference, reasons: Sequence[Judged]) -> Finding:
    """Return ``difference`` as a finding with ``reasons``; they may raise its effect."""
    plain = verdict.finding(difference)
    if not reasons:
        return plain
    effect = verdict.worst([plain.effect] + [one.effect for one in reasons])
    where: List[str] = list(plain.where)
    for one in reasons:
        where.extend(place for place in one.where if place not in where)
    told = tuple(one.reason for one in reasons)
    return plain._replace(effect=effect, where=tuple(where[:MOST_PLACES]), reasons=told)


def _versions(difference: Difference) -> Tuple[str, str, str]:
    """Return package key, old and new version where ``difference`` is one of versions."""
    old, new = difference.old, difference.new
    if not (isinstance(old, str) and isinstance(new, str)):
        return "", "", ""
    if difference.facet == "packages" and difference.kind == "version":
        return key_of(difference.name), old, new
    if difference.facet == "runtime" and difference.name in (
        PYTHON_ITSELF,
        "version",
        "python version",
    ):
        return PYTHON_ITSELF, old, new
    return "", "", ""


def uses_of(record: Record) -> Tuple[Use, ...]:
    """Return the uses that the behaviour facet of ``record`` holds; unreadable ones left out."""
    found = []
    for subject in record.payloads("behaviour"):
        for site in subject.payload.get("sites", ()):
            try:
                found.append(Use.from_json(site))
            except (ValueError, AttributeError):
                continue
    return tuple(found)


def versions_of(record: Record) -> Dict[str, str]:
    """Return the version of every distribution of ``record`` by key; Python itself is "python"."""
    found: Dict[str, str] = {PYTHON_ITSELF: ""}
    for subject in record.payloads("packages"):
        for name, one in subject.payload.get("distributions", {}).items():
            if isinstance(one, dict) and isinstance(one.get("version"), str):
                found.setdefault(name, one["version"])
    return found


def has_gpu(record: Record) -> Optional[bool]:
    """Return whether the run had a GPU, None where its record does not say."""
    for subject in record.payloads("hardware"):
        gpus = subject.payload.get("gpus")
        if isinstance(gpus, list):
            return bool(gpus)
    return None
