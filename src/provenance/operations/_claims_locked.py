"""The claims as they stood when ``prov.lock`` was written: what was published stays comparable.

Whoever widens a tolerance or edits a number after the lock was written is told so; nothing else of
the check rests on it, which reads ``prov.yaml``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from provenance.compare.claims import Claim
from provenance.core.difference import BROKEN
from provenance.core.record import Record
from provenance.core.verdict import Finding
from provenance.errors import BadRecord
from provenance.operations import _claims_runs
from provenance.store.lockfile import Lock
from provenance.store.project import Project

STALE_BY = ("code", "data")
"""Facets whose changes make a claim stale."""


def of_project(root: str) -> tuple[Claim, ...]:
    """Return the claims of the project at ``root``. Raises `BadRecord`."""
    from provenance.operations import _claims_stated  # which brings PyYAML

    return _claims_stated.read(root)


def carried(place: Project, runs: Iterable[Record]) -> tuple[dict[str, Any], ...]:
    """Return what a lock of ``runs`` holds of the project's claims.

    A claim that names a run which is not published is carried as well: it will not be checkable.
    Claims that cannot be read are not; `_publishable_repo.claims` says so.
    """
    runs = tuple(runs)
    try:
        claims = of_project(place.root)
    except BadRecord:
        return ()
    found = []
    for claim in claims:
        named = [run.id for name in claim.selectors for run in _claims_runs.meant(name, runs)]
        found.append(as_locked(claim, set(named)))
    return tuple(found)


def as_locked(claim: Claim, runs: Iterable[str]) -> dict[str, Any]:
    """Return a claim as a lock holds it. runs: the ids that its names mean."""
    return {
        "name": claim.name,
        "says": claim.says,
        "stated": claim.stated,
        "tolerance": claim.tolerance,
        "at": claim.at,
        "runs": sorted(runs),
    }


def notes(claim: Claim, lock: Lock | None) -> tuple[str, ...]:
    """Return what differs between a claim and what the lock holds of it, in clauses."""
    if lock is None or not lock.claims:
        return ()
    was = next((one for one in lock.claims if one.get("name") == claim.name), None)
    if was is None:
        return ("it was added after prov.lock was written",)
    now = as_locked(claim, was.get("runs", ()))
    return tuple(
        "%s was %s when prov.lock was written" % (member, was.get(member) or "not stated")
        for member in ("stated", "tolerance", "at")
        if was.get(member, "") != now[member]
    )


def told(place: Project, run: Record, findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return a sentence on how many claims rest on ``run``, and whether they are stale."""
    try:
        claims = of_project(place.root)
    except BadRecord as error:
        return ("the claims cannot be read: %s" % error.message,)
    mine = [one for one in claims if any(_claims_runs.meant(n, (run,)) for n in one.selectors)]
    if not mine:
        return ()
    changed = [one.name for one in findings if one.facet in STALE_BY and one.effect == BROKEN]
    count = "%d claim%s of the paper rest%s on this run" % (
        len(mine),
        *(("", "s") if len(mine) == 1 else ("s", "")),
    )
    if not changed:
        return ("%s, not stale: prov claims check" % count,)
    more = " and %d more" % (len(changed) - 2) if len(changed) > 2 else ""
    return ("%s, stale since %s changed%s" % (count, ", ".join(changed[:2]), more),)
