"""Publishing runs: ``prov.lock`` from records, with warnings a careful reviewer would give."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from provenance import __version__, config
from provenance.core import codec
from provenance.core.record import Record
from provenance.errors import UsageError
from provenance.knowledge import match, surroundings
from provenance.operations import (
    _baked_checks,
    _claims_locked,
    _lock_calls,
    _lock_environments,
    allowed,
    anonymous,
    hashes,
    interfaces,
    publish,
    publishable,
    references,
    settle,
)
from provenance.operations._hashing import tell
from provenance.operations.recorder import CACHE
from provenance.operations.references import Reference
from provenance.store import lockfile, project
from provenance.store.digestcache import DigestCache

Wish = _lock_calls.Wish
_BLOB_LIMIT = 256 * 1024
"""Bytes of uncommitted code that a lock may carry for a run: people read it and git diffs it."""


class LockResult(NamedTuple):
    """path: of the lock written. runs: ids in it. warnings: sentences about what is doubtful.

    notes: what it carries of the runs' calls, and how big that is.
    """

    path: str
    runs: tuple[str, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...] = ()


def lock(
    cwd: str,
    names: tuple[str, ...],
    out: str | None = None,
    wish: Wish | None = None,
    nameless: bool = False,
    hashing: hashes.Wish | None = None,
) -> LockResult:
    """Write the runs that ``names`` mean to ``prov.lock``. Raises `ProvError`.

    wish: what it is to carry of the runs' calls, None for nothing. nameless: for double-blind
    review, without anything that says who made it and where. hashing: how the releases are locked
    with hashes, None for not at all.
    """
    asked = wish or Wish()
    _lock_calls.check(asked.mode)
    if not names:
        raise UsageError("prov lock needs at least one run.", "prov lock @last")
    place = project.find(cwd)
    chosen = [references.of_run(place, name, True, asked.progress) for name in names]
    path = os.path.join(cwd, out) if out else os.path.join(place.repo or place.root, lockfile.FILE)
    cache = tell(DigestCache(os.path.join(place.folder, CACHE)), asked.progress)
    runs, warnings = [], list[str]()
    blobs: dict[str, dict[str, Any]] = {}
    signed, checked = {}, []
    for one in chosen:
        roots = settle.recorded_roots(place, one.record)
        clean, problems = publish.published(one.record, roots, cache.digest)
        runs.append(allowed.locked(clean, config.load(place.root)))
        blobs[clean.id], left_out = _blobs(one)
        warnings += [*problems, *left_out]
        known = interfaces.kept(one, os.environ, place)
        signed[clean.id] = known.carried
        checked.append(_baked_checks.Run(clean, roots, known.library, known.folders))
    cache.save()
    called = _lock_calls.carried(chosen, place, asked)
    around = _surroundings(runs)
    checks = _baked_checks.of_runs(checked, around, path, place.repo or place.root)
    made = lockfile.Lock(
        tuple(runs),
        _knowledge(runs),
        blobs,
        __version__,
        signed,
        around,
        called.calls,
        checks=checks,
    )
    made, about, lacking = _lock_environments.added(made, chosen, place, hashing, nameless)
    notes = (*about, *called.notes)
    warnings += [*called.problems, *lacking]
    made = made._replace(claims=_claims_locked.carried(place, runs))
    if nameless:
        originals = [one.record for one in chosen]
        made, hidden = anonymous.lock(made, place, originals, os.environ)
        warnings += hidden
        notes += (anonymous.NOTE,)
    lockfile.write(path, made)
    warnings += publishable.warnings(chosen, place, path, os.environ)
    return LockResult(path, tuple(run.id for run in runs), tuple(dict.fromkeys(warnings)), notes)


def _knowledge(runs: list[Record]) -> tuple[dict[str, Any], ...]:
    """Return the entries that concern any of the runs, each once, with all sites it strikes."""
    baked: dict[str, dict[str, Any]] = {}
    for run in runs:
        for concern in match.concerning(run):
            entry = codec.encode(concern)
            sites = baked.setdefault(entry["id"], dict(entry, sites=[]))["sites"]
            sites += [site for site in entry["sites"] if site not in sites]
    return tuple(baked[key] for key in sorted(baked))


def _surroundings(runs: list[Record]) -> tuple[dict[str, Any], ...]:
    """Return which cards and settings concern any of the runs, each once."""
    found: list[dict[str, Any]] = []
    for run in runs:
        told = surroundings.concerning(run, match.uses_of(run), match.versions_of(run))
        found += [one for one in told if one not in found]
    return tuple(found)


def _blobs(reference: Reference) -> tuple[dict[str, Any], list[str]]:
    """Return what of a run's uncommitted code the lock carries, and sentences about the rest."""
    found: dict[str, Any] = {}
    problems = []
    room = _BLOB_LIMIT
    for name in _code_files(reference.record):
        content = reference.blob(name)
        if content is None or len(content) > room:
            text = "%s of run %s is %s the lock: commit that code and run again."
            why = "missing and not in" if content is None else "too big for"
            problems.append(text % (name, reference.record.id, why))
            continue
        room -= len(content)
        found[name] = lockfile.blob_to_json(content)
    return found, problems


def _code_files(run: Record) -> list[str]:
    """Return the names of the files beside the record that hold uncommitted code."""
    names = []
    for subject in run.payloads("code"):
        parts = [subject.payload.get(name) for name in ("patch", "untracked", "ignored")]
        names += [part["file"] for part in parts if isinstance(part, dict)]
        names += [one["patch"] for one in subject.payload.get("submodules", []) if one.get("patch")]
        for other in subject.payload.get("repositories", []):
            parts = [other.get(name) for name in ("patch", "untracked")]
            names += [part["file"] for part in parts if isinstance(part, dict)]
    return [name if isinstance(name, str) else name["file"] for name in names]


def as_json(result: LockResult) -> dict[str, Any]:
    """Return the ``data`` member of ``prov lock --json``."""
    return {
        "path": result.path,
        "runs": list(result.runs),
        "warnings": list(result.warnings),
        "notes": list(result.notes),
    }
