"""Whether today's environment, code and data still match a record, and why it matters."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from provenance import config
from provenance.core import codec, verdict
from provenance.core.difference import Difference, NotCompared
from provenance.core.verdict import Finding
from provenance.knowledge import match
from provenance.operations import (
    _claims_locked,
    calls,
    comparing_calls,
    deep,
    facts,
    interfaces,
    measuring,
    present,
    recorded,
    references,
    remote_data,
    replayed,
    verify_stated,
)
from provenance.operations.calls import Coverage
from provenance.operations.facts import Facts
from provenance.operations.references import Reference
from provenance.operations.stated import Stated
from provenance.specs.against import Row
from provenance.store import project
from provenance.store.project import Project


class Checked(NamedTuple):
    """One reference compared with the present.

    reference: the record compared with. interpreter: path and version of the one looked at.
    findings: gravest first. facts: how many were compared, per facet. not_compared: what was not.
    calls: how many of the user's calls were compared, None where that was not tried. rows: of a
    reference that environment files state, what can be said of each package.
    """

    reference: Reference
    interpreter: dict[str, str] | None
    findings: tuple[Finding, ...]
    facts: dict[str, Facts]
    not_compared: tuple[NotCompared, ...]
    notes: tuple[str, ...] = ()
    calls: Coverage | None = None
    rows: tuple[Row, ...] = ()

    @property
    def total(self) -> int:
        """The number of facts compared."""
        return sum(one.total for one in self.facts.values())

    @property
    def verdict(self) -> str:
        """The verdict over the findings."""
        return verdict.verdict(self.findings, self.total)


class VerifyResult(NamedTuple):
    """All references that were asked for, each compared. exit_code: of the process."""

    checked: tuple[Checked, ...]
    verdict: str
    exit_code: int
    fail_on: str


class Wish(NamedTuple):
    """What to verify: the reference's name, the interpreter, the effect from which it fails.

    calls: how the user's calls are compared, None for what the settings say. build: whether the
    recorded environment may be built where it is gone. progress: told in a few words what is going
    on now, whenever that changes. offline: nothing is fetched. full: stated data is digested
    however long that takes. deep: installed files are digested, too.
    """

    cwd: str
    environ: Mapping[str, str]
    reference: str | None = None
    python: str | None = None
    fail_on: str | None = None
    calls: str | None = None
    build: bool = False
    progress: Callable[[str], None] | None = None
    offline: bool = False
    full: bool = False
    deep: bool = False


def verify(wish: Wish) -> VerifyResult:
    """Compare the present with the reference that ``wish`` names. Raises `ProvError`."""
    place = project.find(wish.cwd)
    fail_on = wish.fail_on or config.load(place.root).fail_on
    chosen = references.best(wish.reference, place, wish.cwd)
    checked = tuple(
        check(one, place, wish)
        if one.stated is None
        else _check_stated(one, one.stated, place, wish)
        for one in chosen
    )
    findings = [finding for one in checked for finding in one.findings]
    total = min(one.total for one in checked)
    return VerifyResult(
        checked,
        verdict.verdict(findings, total),
        verdict.exit_code(findings, total, fail_on),
        fail_on,
    )


def top(cwd: str) -> str:
    """Return the folder that the places of findings are relative to."""
    place = project.find(cwd)
    return place.repo or place.root


def check(reference: Reference, place: Project, wish: Wish) -> Checked:
    """Compare the present with one reference. Raises `ProvError`."""
    python = wish.python
    if python and os.sep in python:
        python = os.path.normpath(os.path.join(wish.cwd, python))
    here = present.Here(wish.environ, place, _roots(reference, place), python, wish.progress)
    today = present.capture(reference.record, here)
    if not wish.offline:
        today = today._replace(
            record=remote_data.today(reference.record, today.record, wish.environ)
        )
    compared = facts.compare(reference.record, today.record)
    findings = _explained(compared.differences, reference, today, here, wish)
    built: tuple[str, ...] = ()
    if wish.build and comparing_calls.could_matter(compared.differences, reference.record):
        built = recorded.rebuilt(reference, wish.environ, place, wish.progress)
    signed = interfaces.Told(findings)
    if "L2" in measuring.levels(wish.environ):
        signed = interfaces.explain(findings, reference, today, wish.environ, place)
    stated = config.load(place.root).calls
    mode = calls.mode(wish.calls, stated, reference)
    unasked = calls.left_out(wish.calls, stated, reference, compared.differences)
    main = today.interpreters[0] if today.interpreters else None
    asked = comparing_calls.Wish(
        mode if "L3" in measuring.levels(wish.environ) else calls.OFF,
        wish.environ,
        place,
        main.executable if main else None,
        wish.build,
        wish.progress,
    )
    called = comparing_calls.compare(
        signed.findings, compared.differences, reference, today.record, asked
    )
    looked = deep.Looked((), Facts(0, 0, ""), ())
    if wish.deep and main is not None:
        wanted = deep.Wish(wish.environ, place.root, wish.offline)
        looked = deep.look(reference.record, main, wanted)
    counted = {deep.FACTS: looked.facts} if looked.facts.total else {}
    left = (*signed.not_compared, *unasked, *called.not_compared, *looked.not_compared)
    return Checked(
        reference,
        {"executable": main.executable, "version": main.version} if main else None,
        tuple(verdict.ranked([*called.findings, *looked.findings])),
        {**compared.facts, **counted},
        (*compared.not_compared, *left),
        tuple(
            dict.fromkeys(
                (
                    *today.notes,
                    *built,
                    *called.notes,
                    *_replayed(reference),
                    *_claims_locked.told(place, reference.record, called.findings),
                )
            )
        ),
        called.coverage,
    )


def _explained(
    differences: Sequence[Difference],
    reference: Reference,
    today: present.Present,
    here: present.Here,
    wish: Wish,
) -> tuple[Finding, ...]:
    """Return the differences with the reasons of the knowledge room, and what changed in data."""
    entries = measuring.entries(wish.environ)
    findings = match.explain(differences, reference.record, today.record, entries)
    if any(one.facet == "data" for one in findings):
        from provenance.operations import data_told

        pair = (reference.record, here.roots), (today.record, here.roots)
        findings = data_told.told(findings, here.place, *pair)
    return findings


def _replayed(reference: Reference) -> tuple[str, ...]:
    """Return what receipts beside a lock say of its run."""
    if reference.kind != references.LOCK:
        return ()
    return replayed.told(os.path.dirname(os.path.abspath(reference.source)), reference.record)


def _check_stated(reference: Reference, stated: Stated, place: Project, wish: Wish) -> Checked:
    """Compare the present with what environment files state. Raises `ProvError`."""
    asked = verify_stated.Wish(
        wish.cwd, wish.environ, wish.python, wish.offline, wish.full, progress=wish.progress
    )
    found = verify_stated.verify(stated, place, asked)
    main = found.interpreter
    return Checked(
        reference,
        {"executable": main.executable, "version": main.version} if main else None,
        found.findings,
        found.facts,
        found.not_compared,
        found.notes,
        rows=found.rows,
    )


def _roots(reference: Reference, place: Project) -> Any:
    roots = place.roots(place.root)
    cwd = roots.locate(reference.record.cwd)
    return roots._replace(cwd=cwd) if cwd else roots


def as_json(result: VerifyResult) -> dict[str, Any]:
    """Return the ``data`` member of ``prov verify --json``."""
    blocks = [block(one) for one in result.checked]
    first = blocks[0]
    return {
        "verdict": result.verdict,
        "fail_on": result.fail_on,
        "reference": first["reference"],
        "interpreter": first["interpreter"],
        "compared": first["compared"],
        "findings": [finding for one in blocks for finding in one["findings"]],
        "not_compared": [item for one in blocks for item in one["not_compared"]],
        "calls": first["calls"],
        "references": blocks,
    }


def block(checked: Checked) -> dict[str, Any]:
    """Return one compared reference as plain JSON."""
    return {
        "verdict": checked.verdict,
        "reference": _reference(checked.reference),
        "interpreter": checked.interpreter,
        "compared": codec.encode(checked.facts),
        "findings": codec.encode(checked.findings),
        "not_compared": codec.encode(checked.not_compared),
        "notes": list(checked.notes),
        "calls": codec.encode(checked.calls),
        "packages": [row._asdict() for row in checked.rows],
    }


def _reference(one: Reference) -> dict[str, Any]:
    """Return a reference as plain JSON; one that no run made says how exact it is."""
    stated = one.stated
    if stated is None:
        run = one.record
        return {
            "kind": one.kind,
            "source": one.source,
            "run": run.id,
            "name": run.name,
            "started": run.started,
        }
    return {
        "kind": one.kind,
        "source": one.source,
        "run": None,
        "name": None,
        "started": None,
        "file": stated.path,
        "format": stated.format,
        "complete": stated.complete,
        "stated": stated.counts(),
        "also": list(stated.also),
    }
