"""What a reviewer would trip over, told before it is published: ``prov lock --check``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from provenance.core.record import Record
from provenance.errors import NothingToCompare
from provenance.operations import (
    _publishable_code,
    _publishable_data,
    _publishable_repo,
    _publishable_run,
    _publishable_specs,
    _publishable_text,
    references,
    settle,
)
from provenance.operations._publishable import (
    ADVICE,
    BLOCKS,
    NOTE,
    WEIGHTS,
    Case,
    Objection,
    Repository,
)
from provenance.operations.recorder import CACHE
from provenance.operations.references import Reference
from provenance.store import lockfile, project
from provenance.store.digestcache import DigestCache
from provenance.store.project import Project

__all__ = ("ADVICE", "BLOCKS", "NOTE", "Objection")

_OF_A_RUN = (
    _publishable_run.of_run,
    _publishable_code.of_run,
    _publishable_code.of_records,
    _publishable_specs.of_run,
    _publishable_data.of_run,
    _publishable_text.of_run,
    _publishable_repo.claims,
)
_OF_THE_REPOSITORY = (
    _publishable_code.of_repository,
    _publishable_text.of_repository,
    _publishable_repo.of_repository,
)
_FIRST = (
    "no-run failed secret no-remote commit-not-pushed no-commit code-untracked code-ignored "
    "code-uncommitted code-changed lock-ignored lock-not-committed data-out-of-reach "
    "package-not-stated version-not-used python-not-used no-environment "
    "claim-unreadable claim-without-run "
    "not-repeatable package-not-pinned no-python-stated data-of-another-run read-from-cache "
    "path-in-source path-in-command stated-not-had"
).split()
"""Kinds in the order in which they are told within their weight; the others follow."""
_COVERED = {"commit-not-pushed": "head-not-pushed", "lock-not-committed": "head-not-pushed"}
"""Kinds that go without saying where another one is told."""
_OF_A_NEW_LOCK = frozenset(("no-lock", "lock-not-committed", "not-in-lock", "head-not-pushed"))
"""Kinds that go without saying when a lock was written just now."""


class CheckResult(NamedTuple):
    """What was found, the gravest first.

    top: the folder that places are relative to. runs: ids of those that were looked at. source:
    the lock or run that was asked for, "" where there is none.
    """

    objections: tuple[Objection, ...]
    top: str
    runs: tuple[Record, ...]
    source: str = ""

    @property
    def exit_code(self) -> int:
        """1 where something would stop a reviewer."""
        return 1 if any(one.weight == BLOCKS for one in self.objections) else 0


def check(cwd: str, environ: Mapping[str, str], name: str | None = None) -> CheckResult:
    """Return what a reviewer would object to in a run or lock. Raises `ProvError`.

    name: of a run or the path of a lock; the best one here where it is None.
    """
    place = project.find(cwd)
    chosen: tuple[Reference, ...] = ()
    nothing = ""
    try:
        chosen = references.choose(name, place, cwd)
    except NothingToCompare as error:
        if name is not None:
            raise
        nothing = error.message
    repository = Repository(place, environ)
    found = [*_none(nothing), *about(chosen, repository)]
    return CheckResult(
        ranked(found),
        repository.top,
        tuple(one.record for one in chosen),
        chosen[0].source if chosen else "",
    )


def about(chosen: Iterable[Reference], repository: Repository, lock: str = "") -> list[Objection]:
    """Return all objections to runs that are to be published from a repository in ``lock``."""
    place, chosen = repository.place, tuple(chosen)
    found = [one for ask in _OF_THE_REPOSITORY for one in ask(repository)]
    locks = [one.source for one in chosen if one.kind == "lock"]
    path = lock or next(iter(locks), os.path.join(repository.top, lockfile.FILE))
    found += _publishable_code.of_lock(repository, path)
    if not chosen:
        found += _publishable_specs.of_repository(repository)
    cache = DigestCache(os.path.join(place.folder, CACHE))
    for one in chosen:
        case = _case(one, repository, chosen, cache)
        found += [told._replace(run=one.record.id) for ask in _OF_A_RUN for told in ask(case)]
    return found


def _case(
    one: Reference, repository: Repository, chosen: tuple[Reference, ...], cache: DigestCache
) -> Case:
    place = repository.place
    roots = settle.recorded_roots(place, one.record)
    if not os.path.isdir(roots.repo or ""):
        roots = place.roots(place.root)  # recorded on another machine or in another checkout
    others = tuple(other.record for other in chosen)
    return Case(one, repository, roots, others, cache.digest)


def _none(why: str) -> Iterator[Objection]:
    if why:
        fix = "prov run --name main -- python train.py; prov lock main"
        yield Objection("no-run", BLOCKS, "no run is recorded: nobody can tell what to do", (), fix)


def ranked(found: Iterable[Objection]) -> tuple[Objection, ...]:
    """Return objections, the gravest first; what several runs have in common once."""
    found = tuple(found)
    once: dict[Objection, Objection] = {}
    for one in found:
        known = once.setdefault(one._replace(run=""), one)
        if known.run != one.run:
            once[one._replace(run="")] = one._replace(run="")
    kinds = {one.kind for one in found}
    for kind, covered in _COVERED.items():
        if kind in kinds:
            once = {key: one for key, one in once.items() if one.kind != covered}
    order = {kind: at for at, kind in enumerate(_FIRST)}

    def key(one: Objection) -> tuple[int, int]:
        return WEIGHTS.index(one.weight), order.get(one.kind, len(order))

    return tuple(sorted(once.values(), key=key))


def as_json(result: CheckResult) -> dict[str, Any]:
    """Return the ``data`` member of ``prov lock --check --json``."""
    return {
        "source": result.source,
        "runs": [run.id for run in result.runs],
        "exit_code": result.exit_code,
        "counts": {
            weight: sum(one.weight == weight for one in result.objections) for weight in WEIGHTS
        },
        "objections": [one._asdict() | {"where": list(one.where)} for one in result.objections],
    }


def warnings(
    chosen: Iterable[Reference], place: Project, path: str, environ: Mapping[str, str]
) -> list[str]:
    """Return what `prov lock`, which has just written ``path``, says: short, a sentence each."""
    found = ranked(about(chosen, Repository(place, environ), path))
    told = [one for one in found if one.weight != NOTE and one.kind not in _OF_A_NEW_LOCK]
    return [str(one) + "." for one in told]
