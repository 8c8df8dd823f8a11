"""The claims as they stood when ``prov.lock`` was written: what was published stays comparable.

Whoever widens a tolerance or edits a number after the lock was written is told so; nothing else of
the check rests on it, which reads ``prov.yaml``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from provenance.compare.claims import Claim
from provenance.store.lockfile import Lock


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
