"""Changed interfaces of what the run's own source calls (L2), read from installed sources.

The old side is what ``prov.lock`` carries, else the sources of the recorded interpreter or of one
like it that is at hand; where there is neither, what the new release documents of its own changes
is told. Nothing is imported, built or fetched, and nothing of this happens during ``prov run``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from provenance.agent import inventory
from provenance.core.difference import NotCompared
from provenance.core.distributions import key_of
from provenance.core.interfaces import Library
from provenance.core.use import Use
from provenance.core.verdict import Finding
from provenance.errors import ProvError
from provenance.facets import behaviour
from provenance.knowledge import match
from provenance.knowledge.documented import documented
from provenance.knowledge.interfaces import UNREAD, Signature, calls_in, calls_of, explained
from provenance.operations import _signatures, recorded
from provenance.operations._signatures import Kept
from provenance.operations.present import Present
from provenance.operations.references import Reference
from provenance.store.project import Project

FACET = "interfaces"
MOST_SYMBOLS = 1000
"""Symbols whose signatures a lock carries: about 1 kB each."""


class Told(NamedTuple):
    """The findings with their reasons of this level, and what could not be compared."""

    findings: tuple[Finding, ...]
    not_compared: tuple[NotCompared, ...] = ()


class Signed(NamedTuple):
    """What a lock carries of a run's interfaces.

    carried: ``signatures`` by symbol, or why there are none (``missing``). library: what they were
    read from, below ``folders``; None where it is not at hand or the run calls nothing.
    """

    carried: dict[str, Any]
    library: Library | None = None
    folders: tuple[str, ...] = ()


def kept(reference: Reference, environ: Mapping[str, str], place: Project) -> Signed:
    """Return the signatures of what the source of a run calls, as a lock carries them."""
    symbols = sorted({use.symbol for use in calls_of(match.uses_of(reference.record))})
    if not symbols:
        return Signed({})
    old, why = _recorded_library(reference, environ, place)
    if old is None:
        return Signed({"missing": why})
    found = {}
    for symbol in symbols[:MOST_SYMBOLS]:
        signature = old.library.signature(symbol)
        if "parameters" in signature:
            found[symbol] = signature
    return Signed({"signatures": found}, old.library, old.folders)


def explain(
    findings: Sequence[Finding],
    reference: Reference,
    today: Present,
    environ: Mapping[str, str],
    place: Project,
) -> Told:
    """Return ``findings`` with the changed interfaces of packages that have another version."""
    own = _packages_of(reference)
    uses = calls_of(match.uses_of(today.record) or match.uses_of(reference.record))
    changed = [one for one in findings if _is_version(one)]
    concerned = {id(one): _calls_in(one, uses, own) for one in changed}
    if not today.interpreters or not any(concerned.values()):
        return Told(tuple(findings))
    here = _signatures.of(today.interpreters[0].sys_path, place.folder)
    old, there, why = _old_side(reference, environ, place)
    found, dark = [], []
    for finding in findings:
        calls = concerned.get(id(finding), [])
        found.append(explained(finding, calls, old, here.library, documented) if calls else finding)
        if calls and why:
            what = "the interface of %s %s" % (finding.name, finding.old)
            dark.append(NotCompared(FACET, what, why))
    here.keep()
    if there is not None:
        there.keep()
    return Told(tuple(found), tuple(dark))


def _is_version(finding: Finding) -> bool:
    plain = isinstance(finding.old, str) and isinstance(finding.new, str)
    return finding.facet == "packages" and finding.kind == "version" and plain


def _packages_of(reference: Reference) -> dict[str, list[str]]:
    """Return the importable names of every recorded distribution by its key."""
    found: dict[str, list[str]] = {}
    for subject in reference.record.payloads("packages"):
        for name, one in subject.payload.get("distributions", {}).items():
            if isinstance(one, dict):
                found.setdefault(name, list(one.get("modules", ())))
    return found


def _calls_in(finding: Finding, uses: Sequence[Use], own: Mapping[str, list[str]]) -> list[Use]:
    package = key_of(finding.name)
    return calls_in(package, own.get(package, []), uses)


def _old_side(
    reference: Reference, environ: Mapping[str, str], place: Project
) -> tuple[Callable[[str], Signature] | None, Kept | None, str]:
    """Return the recorded signatures, what they are read from, or why there are none."""
    carried = reference.interfaces.get("signatures") or _seen(reference)
    if isinstance(carried, dict):
        return (lambda symbol: carried.get(symbol, UNREAD)), None, ""
    old, why = _recorded_library(reference, environ, place)
    return (old.library.signature, old, "") if old is not None else (None, None, why)


def _seen(reference: Reference) -> dict[str, Signature] | None:
    """Return the signatures that the call table of the record holds, None where it has none."""
    told = behaviour.of(reference.record)
    return told.calls.signatures if told is not None and told.calls is not None else None


def _recorded_library(
    reference: Reference, environ: Mapping[str, str], place: Project
) -> tuple[Kept | None, str]:
    """Return the libraries as they were at the run, if an interpreter that has them is at hand."""
    found = recorded.recorded_python(reference, environ, place)
    if found.python is None:
        return None, found.why
    try:
        sys_path = inventory.probe(found.python, environ, place.root).sys_path
    except ProvError as error:
        return None, error.message
    return _signatures.of(sys_path, place.folder), ""
