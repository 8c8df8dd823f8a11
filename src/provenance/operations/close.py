"""Taking the digests that a run had no time for.

A digest is taken only of what is still the file that the run saw (see `facets._pending`); what
changed since is said to have changed, and its digest is lost for good. The record is written anew
and sealed after each run; doing it twice does nothing more.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Set
from typing import Any, NamedTuple

from provenance.core import digest, record
from provenance.core.digest import Tree
from provenance.core.record import Payload, Record
from provenance.facets import _pending
from provenance.operations import settle
from provenance.operations._hashing import tell
from provenance.operations.recorder import CACHE
from provenance.store import project, records
from provenance.store.digestcache import DigestCache
from provenance.store.project import Project

FACETS = ("data", "outputs")
"""Those whose payloads hold files with digests."""

CHEAP_BYTES, CHEAP_FILES = 64 << 20, 64
"""What another command may digest on its way, without being asked: a tenth of a second."""


class Closed(NamedTuple):
    """What became of one run's pending digests.

    taken: digests that the record now has. changed: files that are no longer what the run saw.
    left: still pending. running: the run goes on, nothing was done.
    """

    id: str
    taken: int = 0
    changed: int = 0
    left: int = 0
    running: bool = False


class Result(NamedTuple):
    """The runs looked at, and sentences about records that cannot be read."""

    runs: tuple[Closed, ...]
    problems: tuple[str, ...] = ()


def close(
    cwd: str, names: tuple[str, ...] = (), progress: Callable[[str], None] | None = None
) -> Result:
    """Finish the runs that ``names`` mean, all of the project without. Raises `ProvError`."""
    place = project.find(cwd)
    problems: list[str] = []
    if names:
        chosen = [records.find(place, name) for name in names]
    else:
        chosen = []
        for one in records.each(place):
            if isinstance(one, records.Unreadable):
                problems.append(one.problem)
            elif waiting(one.record)[0] or one.record.status == record.RUNNING:
                chosen.append(one)
    cache = DigestCache(os.path.join(place.folder, CACHE))
    tell(cache, progress)
    try:
        done = tuple(_close(place, settle.settled(place, one), cache)[1] for one in chosen)
    finally:
        cache.save()
    return Result(done, tuple(problems))


def waiting(run: Record) -> tuple[int, int]:
    """Return how many digests of ``run`` may still be taken, and of how many bytes."""
    entries = [one for name in FACETS if name in run.facets for one in _of(run.facets[name])]
    return len(entries), sum(one.size for one in entries)


def _of(payload: Payload) -> tuple[Any, ...]:
    return _pending.pending(payload) if payload.status == record.CAPTURED else ()


def _close(
    place: Project, stored: records.Stored, cache: DigestCache
) -> tuple[records.Stored, Closed]:
    """Finish one run and write its record anew where that gave anything. Raises `ProvError`."""
    run = stored.record
    if run.status == record.RUNNING:
        return stored, Closed(run.id, running=True)
    if stored.origin is not None:  # the files are theirs, and so is the record
        return stored, Closed(run.id, left=waiting(run)[0])
    roots = settle.recorded_roots(place, run)
    answers = dict(run.facets)

    def tree_of(folder: str, left_out: Set[str]) -> Tree:
        return cache.tree(folder, digest.best_algorithm(), left_out)

    taken = changed = left = 0
    for name in FACETS:
        if name in answers and _of(answers[name]):
            done = _pending.finish(answers[name], roots.locate, cache.digest, tree_of)
            answers[name] = done.payload
            taken, changed, left = taken + done.taken, changed + done.changed, left + done.left
    if taken or changed:
        stored = stored._replace(record=run._replace(facets=answers))
        records.write(stored.folder, stored.record)
    return stored, Closed(run.id, taken, changed, left)


def if_cheap(place: Project, stored: records.Stored) -> records.Stored:
    """Return ``stored`` with its pending digests taken where that takes no time. Never raises."""
    count, size = waiting(stored.record)
    if not count or count > CHEAP_FILES or size > CHEAP_BYTES or _has_folder(stored.record):
        return stored
    return finished(place, stored)


def finished(
    place: Project, stored: records.Stored, progress: Callable[[str], None] | None = None
) -> records.Stored:
    """Return ``stored`` with its pending digests taken, however long that takes. Never raises."""
    if not waiting(stored.record)[0]:
        return stored
    cache = DigestCache(os.path.join(place.folder, CACHE))
    tell(cache, progress)
    try:
        return _close(place, stored, cache)[0]
    except Exception:  # noqa: BLE001  # not what the user asked for: the record stays as it is
        return stored
    finally:
        cache.save()


def _has_folder(run: Record) -> bool:
    answers = (run.facets[name] for name in FACETS if name in run.facets)
    return any(one.kind == "folder" for answer in answers for one in _of(answer))


def as_json(result: Result) -> dict[str, Any]:
    """Return the ``data`` member of ``prov close --json``."""
    return {
        "runs": [one._asdict() for one in result.runs],
        "problems": list(result.problems),
    }
