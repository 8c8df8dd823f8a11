"""Changed interfaces of what the run's own source calls (L2), read from installed sources.

The old side is what ``prov.lock`` carries, else the sources of the recorded interpreter or of one
like it that is at hand; where there is neither, what the new release documents of its own changes
is told. Nothing is imported, built or fetched, and nothing of this happens during ``prov run``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from provenance.agent import inventory
from provenance.compare import interfaces
from provenance.compare.interfaces import DEFAULT, Hit, Passed
from provenance.core import verdict
from provenance.core._types import is_class
from provenance.core.difference import POSSIBLE, NotCompared
from provenance.core.distributions import key_of
from provenance.core.interfaces import Library, library
from provenance.core.use import CALL, UNRESOLVED, Use
from provenance.core.verdict import Finding, Reason
from provenance.core.versions import is_version, key
from provenance.errors import ProvError
from provenance.knowledge import match
from provenance.operations import recorded
from provenance.operations.present import Present
from provenance.operations.references import Reference
from provenance.store.project import Project

FACET = "interfaces"
LEVEL, CURATED = "L2", "L1"
MOST_SYMBOLS = 1000
"""Symbols whose signatures a lock carries: about 1 kB each."""
_MOST_PLACES = 20
_SHOWN = 3

Signature = dict[str, Any]
_UNREAD: Signature = {"not_compared": "no signature was kept"}
_FAMILIES = (
    frozenset(("keras", "tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-keras")),
    frozenset(("lightning", "pytorch-lightning")),
)
"""Distributions that publish one thing under one name."""


class Told(NamedTuple):
    """The findings with their reasons of this level, and what could not be compared."""

    findings: tuple[Finding, ...]
    not_compared: tuple[NotCompared, ...] = ()


def kept(reference: Reference, environ: Mapping[str, str], place: Project) -> dict[str, Any]:
    """Return what a lock carries: ``signatures`` by symbol, or why it has none (``missing``)."""
    symbols = sorted({use.symbol for use in _calls(match.uses_of(reference.record))})
    if not symbols:
        return {}
    old, why = _recorded_library(reference, environ, place)
    if old is None:
        return {"missing": why}
    found = {}
    for symbol in symbols[:MOST_SYMBOLS]:
        signature = old.signature(symbol)
        if "parameters" in signature:
            found[symbol] = {name: v for name, v in signature.items() if name != "notes"}
    return {"signatures": found}


def explain(
    findings: Sequence[Finding],
    reference: Reference,
    today: Present,
    environ: Mapping[str, str],
    place: Project,
) -> Told:
    """Return ``findings`` with the changed interfaces of packages that have another version."""
    own = _packages_of(reference)
    uses = _calls(match.uses_of(today.record) or match.uses_of(reference.record))
    changed = [one for one in findings if _is_version(one)]
    concerned = {id(one): _uses_of(one, uses, own) for one in changed}
    if not today.interpreters or not any(concerned.values()):
        return Told(tuple(findings))
    new = library(today.interpreters[0].sys_path)
    old, why = _old_side(reference, environ, place)
    found, dark = [], []
    for finding in findings:
        calls = concerned.get(id(finding), [])
        found.append(explained(finding, calls, old, new) if calls else finding)
        if calls and why:
            what = "the interface of %s %s" % (finding.name, finding.old)
            dark.append(NotCompared(FACET, what, why))
    return Told(tuple(found), tuple(dark))


def _calls(uses: Sequence[Use]) -> list[Use]:
    return [use for use in uses if use.kind == CALL and not use.symbol.startswith(UNRESOLVED)]


def _is_version(finding: Finding) -> bool:
    plain = isinstance(finding.old, str) and isinstance(finding.new, str)
    return finding.facet == "packages" and finding.kind == "version" and plain


def _packages_of(reference: Reference) -> dict[str, frozenset[str]]:
    """Return the importable names of every recorded distribution by its key."""
    found: dict[str, frozenset[str]] = {}
    for subject in reference.record.payloads("packages"):
        for name, one in subject.payload.get("distributions", {}).items():
            if isinstance(one, dict):
                tops = {str(module).partition(".")[0] for module in one.get("modules", ())}
                found.setdefault(name, frozenset(tops or {name.replace("-", "_")}))
    return found


def _uses_of(finding: Finding, uses: Sequence[Use], own: Mapping[str, frozenset[str]]) -> list[Use]:
    """Return the uses that speak of the package of ``finding``."""
    package = key_of(finding.name)
    tops = set(own.get(package, {package.replace("-", "_")}))
    for family in _FAMILIES:
        if package in family:
            tops |= {name.replace("-", "_") for name in family}
    return [use for use in uses if use.symbol.partition(".")[0] in tops]


def _old_side(
    reference: Reference, environ: Mapping[str, str], place: Project
) -> tuple[Callable[[str], Signature] | None, str]:
    carried = reference.interfaces.get("signatures")
    if isinstance(carried, dict):
        return (lambda symbol: carried.get(symbol, _UNREAD)), ""
    old, why = _recorded_library(reference, environ, place)
    return (old.signature, "") if old is not None else (None, why)


def _recorded_library(
    reference: Reference, environ: Mapping[str, str], place: Project
) -> tuple[Library | None, str]:
    """Return the libraries as they were at the run, if an interpreter that has them is at hand."""
    found = recorded.recorded_python(reference, environ, place)
    if found.python is None:
        return None, found.why
    try:
        return library(inventory.probe(found.python, environ, place.root).sys_path), ""
    except ProvError as error:
        return None, error.message


def explained(
    finding: Finding,
    calls: Sequence[Use],
    old: Callable[[str], Signature] | None,
    new: Library,
) -> Finding:
    """Return ``finding`` with what concerns ``calls``; old None: what ``new`` documents itself."""
    hits: dict[str, tuple[Hit, list[str], str]] = {}
    for use in calls:
        label = short(use.symbol)
        now, call = new.signature(use.symbol), interfaces.passed(use)
        if old is not None:
            changes = interfaces.changes(old(use.symbol), now)
            told = [(hit, "") for hit in interfaces.for_call(changes, label, call)]
        else:
            told = _documented(finding, label, now, call)
        for hit, source in told:
            places = hits.setdefault(hit.text, (hit, [], source))[1]
            places += [] if use.where in places else [use.where]
    return _with_reasons(finding, list(hits.values()))


def _documented(
    finding: Finding, label: str, now: Signature, call: Passed
) -> list[tuple[Hit, str]]:
    """Return the changes of defaults since the old version that the new docstring tells."""
    old, new = str(finding.old), str(finding.new)
    order = [p["name"] for p in now.get("parameters", ()) if p["kind"] != "keyword"]
    found = []
    for name, notes in now.get("notes", {}).items():
        if name in call.keywords or (name in order and order.index(name) < call.positional):
            continue
        for release, said in notes:
            if not all(is_version(one) for one in (old, new, release)):
                continue
            if key(old)[:2] < key(release)[:2] <= key(new)[:2]:
                text = "%s(%s) since %s: %s; you don't pass it" % (
                    label,
                    name,
                    release,
                    said.rstrip("."),
                )
                change = interfaces.Change(DEFAULT, name, {"unknown": True})
                source = "the docstring of %s %s" % (label, new)
                found.append((Hit(change, POSSIBLE, text), source))
    return found


def _with_reasons(finding: Finding, hits: Sequence[tuple[Hit, list[str], str]]) -> Finding:
    reasons = list(finding.reasons)
    effects, where = [finding.effect], list(finding.where)
    for hit, places, source in hits:
        told = _told_before(reasons, hit, places)
        if told is not None:
            one = reasons[told]
            more = "; ".join(text for text in (one.evidence, "signature: " + hit.text) if text)
            reasons[told] = one._replace(evidence=more)
            continue
        reasons.append(_reason(finding, hit, places, source))
        effects.append(hit.effect)
        where += [one for one in places if one not in where]
    return finding._replace(
        effect=verdict.worst(effects), where=tuple(where[:_MOST_PLACES]), reasons=tuple(reasons)
    )


def _told_before(reasons: Sequence[Reason], hit: Hit, places: Sequence[str]) -> int | None:
    """Return which curated reason tells of the same parameter at one of the same places."""
    label = hit.text.partition(")")[0] + ")"
    for index, one in enumerate(reasons):
        same = one.text.startswith(label) or (
            label.partition("(")[0].rpartition(".")[2] in one.text
            and hit.change.parameter in one.text
        )
        if one.level == CURATED and same and any(place in one.text for place in places):
            return index
    return None


def _reason(finding: Finding, hit: Hit, places: Sequence[str], source: str) -> Reason:
    more = " and %d more" % (len(places) - _SHOWN) if len(places) > _SHOWN else ""
    line = "%s at %s%s" % (hit.text, ", ".join(places[:_SHOWN]), more)
    restore = "pip install %s==%s" % (finding.name, finding.old)
    argument = _argument(hit)
    return Reason(
        LEVEL,
        line,
        "",
        source or "the signatures of %s %s and %s" % (finding.name, finding.old, finding.new),
        "add %s   or   %s" % (argument, restore) if argument else restore,
        tuple(places[:_MOST_PLACES]),
        hit.effect,
    )


def _argument(hit: Hit) -> str:
    """Return the argument that keeps the old default, "" where it is no plain value."""
    change = hit.change
    if change.kind != DEFAULT or isinstance(change.old, dict) or change.old in _NO_VALUES:
        return ""
    value = tuple(change.old) if isinstance(change.old, list) else change.old
    return "" if "{" in repr(value) else "%s=%r" % (change.parameter, value)


_NO_VALUES = ("warn", "deprecated", "auto_deprecated")


def short(symbol: str) -> str:
    """Return the name people know: from the class on, else the last component."""
    parts = symbol.split(".")
    while len(parts) > 1 and not is_class(parts[0]):
        parts.pop(0)
    return ".".join(parts)
