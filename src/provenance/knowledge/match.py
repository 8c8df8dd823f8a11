"""Why a difference matters to this run: known behaviour changes against the calls it makes.

Pure: differences and records in, findings out. The two directions are one rule: going back to an
older release swaps old and new, and the remedy with them.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from provenance.core import verdict
from provenance.core._types import is_class
from provenance.core.difference import KNOWN, NONE, POSSIBLE, Difference
from provenance.core.distributions import key_of
from provenance.core.record import Record
from provenance.core.uses import UNRESOLVED, Use
from provenance.core.verdict import Finding, Reason
from provenance.core.versions import is_version, key
from provenance.knowledge import catalog
from provenance.knowledge import entry as entries_
from provenance.knowledge.entry import Entry
from provenance.knowledge.sites import Struck, files_of, struck

LEVEL = "L1"
MOST_PLACES = 20
SHOWN_PLACES = 3
PYTHON = "python"


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
    found = []
    for difference in differences:
        package, before, after = _versions(difference)
        about = known.get(package, ()) if package and difference.effect != NONE else ()
        own = [one for one in about if teller(one, changed) == package]
        found.append(finding(difference, judge(own, package, before, after, uses, gpu)))
    return tuple(found)


def teller(entry: Entry, changed: Mapping[str, Tuple[str, str]]) -> str:
    """Return the package whose change of version tells of ``entry``: the first that crosses it."""
    for package in entry.packages:
        if package in changed and entries_.span(entry, package, *changed[package]):
            return package
    return ""


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


class Judged(NamedTuple):
    """An entry that applies: its effect on this run, the reason, and where it strikes."""

    entry: Entry
    effect: str
    reason: Reason
    where: Tuple[str, ...]


def judge(
    entries: Sequence[Entry],
    package: str,
    old: str,
    new: str,
    uses: Sequence[Use],
    gpu: Optional[bool] = None,
) -> List[Judged]:
    """Return the ``entries`` that going from ``old`` to ``new`` of ``package`` makes apply.

    gpu: whether the run had a CUDA GPU, None where not known.
    """
    found = []
    for one in entries:
        crossed = entries_.span(one, package, old, new)
        if not crossed or (one.gpu and gpu is False):
            continue
        hits = struck(one, uses)
        if hits:
            sure = crossed == "whole" and (not one.gpu or gpu is True)
            found.append(_judged(one, package, old, new, hits, sure))
    return sorted(found, key=lambda j: (-verdict.rank(j.effect), j.where, j.entry.id))


def _judged(
    entry: Entry, package: str, old: str, new: str, hits: Sequence[Struck], sure: bool
) -> Judged:
    certain = [hit for hit in hits if hit.sure]
    effect = KNOWN if certain and sure and entry.certainty == KNOWN else POSSIBLE
    shown = certain or list(hits)
    where = files_of(shown)
    forward = key(old) < key(new)
    why = shown[0].why
    if entry.parameter and why.startswith(entry.parameter + " not passed"):
        why = why[len(entry.parameter) + 1 :]
    text = "%s; %s at %s" % (_line(entry, shown[0].use, forward), why, _places(where))
    reason = Reason(
        LEVEL,
        text,
        "%s: %s" % (shown[0].why, entry.effect),
        _source(entry),
        remedy(entry, package, old, new),
    )
    return Judged(entry, effect, reason, where[:MOST_PLACES])


def _line(entry: Entry, use: Use, forward: bool) -> str:
    """Return the change in one line: ``KMeans(n_init) default 10 -> 'auto'``."""
    old, new = (entry.old, entry.new) if forward else (entry.new, entry.old)
    name = _name(entry, use)
    if not (old and new):
        return "%s: %s changed" % (name, entry.what)
    if entry.parameter and entry.what.startswith("default"):
        return "%s(%s) default %s -> %s" % (name, entry.parameter, old, new)
    return "%s: %s: %s -> %s" % (name, entry.what, old, new)


def _name(entry: Entry, use: Use) -> str:
    """Return the short name of what is used: the class, or class and method."""
    symbol = use.symbol
    if symbol.startswith(UNRESOLVED):
        name = symbol[len(UNRESOLVED) :]
        symbol = next((s for s in entry.symbols if s.endswith("." + name)), symbol)
    parts = symbol.replace(".__getitem__", "[...]").replace(".__setitem__", "[...] =").split(".")
    while len(parts) > 1 and not is_class(parts[0]):
        parts.pop(0)
    return ".".join(parts[-1:] if is_class(parts[-1]) else parts)


def _places(where: Sequence[str]) -> str:
    more = len(where) - SHOWN_PLACES
    shown = ", ".join(where[:SHOWN_PLACES])
    return shown + (" and %d more" % more if more > 0 else "")


def _source(entry: Entry) -> str:
    address = entry.source.get("url", "")
    return entry.source["title"] + (" <%s>" % address if address else "")


def remedy(entry: Entry, package: str, old: str, new: str) -> str:
    """Return code that keeps the recorded behaviour, and the command that restores the version."""
    forward = key(old) < key(new)
    code = entry.restore_old if forward else entry.restore_new
    until = entry.restore_old_until
    if forward and until and is_version(new) and key(new) >= key(until):
        code = ""
    restore = "use Python " + old if package == PYTHON else "pip install %s==%s" % (package, old)
    if not code:
        return restore
    argument = entry.parameter and code.startswith(entry.parameter + "=")
    return "%s%s   or   %s" % ("add " if argument else "", code, restore)


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
    if difference.facet == "runtime" and difference.name in (PYTHON, "version", "python version"):
        return PYTHON, old, new
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
    found: Dict[str, str] = {PYTHON: ""}
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
