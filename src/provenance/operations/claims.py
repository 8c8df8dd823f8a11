"""A paper's claims checked against its runs: recorded, replayed, or another run's values."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from provenance.compare import claims as judging
from provenance.compare.claims import BAD, FAILS, HOLDS, NOT_CHECKED, STALE, WITHIN, Claim, Judged
from provenance.core import runid
from provenance.core.record import Record
from provenance.errors import UsageError
from provenance.facets import code as code_facet
from provenance.operations import (
    _claims_locked,
    _claims_replayed,
    _claims_runs,
    _claims_stale,
    _claims_stated,
    references,
)
from provenance.operations._claims_replayed import Counted, Replays
from provenance.operations._claims_runs import Pool
from provenance.operations._claims_stale import Changed
from provenance.operations.references import LOCK, Reference
from provenance.store import project
from provenance.store.project import Project

RECORDED, REPLAYED, OTHER = "recorded", "replayed", "run"
"""Whose values are held against the claims."""


class Wish(NamedTuple):
    """What to check. names: of claims, none for all. replayed: by the newest replays.

    run: by this run's values instead, where a claim is of one run.
    """

    cwd: str
    environ: Mapping[str, str]
    names: tuple[str, ...] = ()
    replayed: bool = False
    run: str | None = None


class Source(NamedTuple):
    """A run that a claim is about. kind: "lock" or "run"."""

    id: str
    name: str
    commit: str
    kind: str

    def __str__(self) -> str:
        """Return it for people: "baseline (1a2b3c4d)"."""
        short = runid.short(self.id)
        return "%s (%s)" % (self.name, short) if self.name else short


class Checked(NamedTuple):
    """One claim with its verdict.

    judged: what the values that were asked for say. recorded: what the recorded ones say, the same
    unless others were asked for. changed: what makes it stale. notes: clauses. replays: see there.
    """

    claim: Claim
    verdict: str
    judged: Judged
    recorded: Judged
    runs: tuple[Source, ...] = ()
    changed: tuple[Changed, ...] = ()
    notes: tuple[str, ...] = ()
    replays: Counted | None = None


class CheckResult(NamedTuple):
    """All claims checked. basis: whose values. top: what places are relative to. lock: its path."""

    checked: tuple[Checked, ...]
    basis: str
    top: str
    lock: str = ""

    def count(self, *verdicts: str) -> int:
        """Return how many claims have one of ``verdicts``."""
        return sum(one.verdict in verdicts for one in self.checked)

    def exit_code(self, strict: bool = False) -> int:
        """1 where one fails or is stale, 3 where none could be checked, else 0.

        strict: one that could not be checked counts as failed.
        """
        if self.count(*BAD) or (strict and self.count(NOT_CHECKED)):
            return 1
        return 0 if self.count(HOLDS, WITHIN) else 3


def check(wish: Wish) -> CheckResult:
    """Check the claims that ``wish`` names. Raises `ProvError`."""
    place = project.find(wish.cwd)
    chosen = _chosen(_claims_stated.read(place.root), wish.names)
    pool = Pool(place, wish.cwd)
    seen = _Seen(pool, wish)
    basis = REPLAYED if wish.replayed else OTHER if wish.run else RECORDED
    checked = tuple(seen.checked(one) for one in chosen)
    return CheckResult(checked, basis, place.root, pool.lock_path or "")


def stated(cwd: str) -> tuple[Claim, ...]:
    """Return the claims of the project at ``cwd``. Raises `ProvError`."""
    return _claims_stated.read(project.find(cwd).root)


def _chosen(every: tuple[Claim, ...], names: tuple[str, ...]) -> tuple[Claim, ...]:
    known = [one.name for one in every]
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, 3)
            hint = "did you mean %s?" % ", ".join(close) if close else "see: prov claims list"
            raise UsageError("there is no claim %r." % name, hint)
    return tuple(one for one in every if not names or one.name in names)


class _Seen:
    """Checks claims one after the other; what runs and files say is looked up once."""

    def __init__(self, pool: Pool, wish: Wish) -> None:
        self.pool, self.wish = pool, wish
        self.replays = Replays(pool)
        self._looked: dict[str, _claims_stale.Looked] = {}
        self.other: Reference | None = None
        if wish.run is not None:
            self.other = references.choose(wish.run, pool.place, wish.cwd)[0]

    def checked(self, claim: Claim) -> Checked:
        """Return the verdict on ``claim``."""
        recorded = self._judged(claim, self.pool.named)
        runs = self._runs(claim)
        judged = recorded
        if self.wish.replayed:
            judged = _claims_replayed.judge(claim, self.pool.named, self.replays)
        elif self.other is not None:
            judged, runs = self._instead(claim, self.other)
        changed, notes = self._changed(claim, runs) if runs else ((), ())
        verdict = judged.verdict
        if changed and verdict in (HOLDS, WITHIN):
            verdict = STALE
        counted = _claims_replayed.counted(claim, self.pool.named, self.replays)
        notes = (*notes, *_claims_locked.notes(claim, self.pool.lock))
        sources = tuple(map(_source, runs))
        return Checked(claim, verdict, judged, recorded, sources, changed, notes, counted)

    def _judged(self, claim: Claim, named: Any) -> Judged:
        def records(name: str) -> tuple[tuple[Record, ...], str]:
            found, why = named(name)
            return tuple(one.record for one in found), why

        return judging.judge(claim, _claims_runs.looking(records), records)

    def _instead(self, claim: Claim, other: Reference) -> tuple[Judged, tuple[Reference, ...]]:
        """Judge ``claim`` by one other run, where it speaks of one run."""
        if len(claim.selectors) != 1 or (claim.runs or 1) != 1:
            why = "it speaks of several runs; --run gives one"
            return Judged(NOT_CHECKED, detail=why), ()
        return self._judged(claim, lambda _: ((other,), "")), (other,)

    def _runs(self, claim: Claim) -> tuple[Reference, ...]:
        found = [one for name in claim.selectors for one in self.pool.named(name)[0]]
        return tuple({one.record.id: one for one in found}.values())

    def _changed(
        self, claim: Claim, runs: tuple[Reference, ...]
    ) -> tuple[tuple[Changed, ...], tuple[str, ...]]:
        """Return what makes the runs' numbers stale, and what could not be compared."""
        changed: list[Changed] = []
        notes: list[str] = []
        for one in runs:
            looked = self._look(one)
            changed += looked.changed
            if one.kind != LOCK and self.pool.published and not self.other:
                name = one.record.name or one.record.id
                notes.append("run %s is not in prov.lock: readers cannot check this" % name)
            notes += ["not compared: %s" % text for text in looked.left]
        for name in () if self.other else claim.selectors:
            for one in self.pool.named(name)[0]:
                newer = self.pool.newer(name, one)
                if newer is not None:
                    text = "is not the newest run of that name: %s is; prov lock %s, or rename it"
                    short = runid.short(newer.id)
                    changed.append(Changed("run %s" % name, text % (short, short), "run"))
        return tuple(dict.fromkeys(changed)), tuple(dict.fromkeys(notes))

    def _look(self, one: Reference) -> _claims_stale.Looked:
        if one.record.id not in self._looked:
            place: Project = self.pool.place
            self._looked[one.record.id] = _claims_stale.look(one, place, self.wish.environ)
        return self._looked[one.record.id]


def _source(one: Reference) -> Source:
    code = code_facet.of(one.record)
    commit = code.commit if code is not None and code.commit else ""
    return Source(one.record.id, one.record.name or "", commit, one.kind)


def as_json(result: CheckResult, strict: bool = False) -> dict[str, Any]:
    """Return the ``data`` member of ``prov claims check --json``."""
    every = (*judging.VERDICTS,)
    return {
        "basis": result.basis,
        "lock": os.path.relpath(result.lock, result.top) if result.lock else None,
        "exit_code": result.exit_code(strict),
        "counts": {verdict: result.count(verdict) for verdict in every},
        "claims": [_json(one) for one in result.checked],
    }


def _json(one: Checked) -> dict[str, Any]:
    judged = one.judged
    return {
        **claim_json(one.claim),
        "verdict": one.verdict,
        "found": judged.found,
        "recorded": one.recorded.found,
        "number": float(judged.number) if judged.number is not None else None,
        "spread": float(judged.spread) if judged.spread is not None else None,
        "tolerance": judged.tolerance,
        "detail": judged.detail,
        "runs": [run._asdict() for run in one.runs],
        "changed": [each._asdict() for each in one.changed],
        "replays": one.replays._asdict() if one.replays is not None else None,
        "notes": list(one.notes),
    }


def claim_json(claim: Claim) -> dict[str, Any]:
    """Return what a claim states as plain JSON."""
    return {
        "name": claim.name,
        "says": claim.says,
        "where": claim.where,
        "stated": claim.stated,
        "selectors": list(claim.selectors),
    }


def failed(result: CheckResult, strict: bool = False) -> tuple[Checked, ...]:
    """Return the claims because of which the check does not end with 0."""
    bad = (*BAD, NOT_CHECKED) if strict else BAD
    return tuple(one for one in result.checked if one.verdict in bad)


__all__ = ["FAILS", "CheckResult", "Checked", "Wish", "as_json", "check", "failed", "stated"]
