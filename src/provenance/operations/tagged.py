"""Which runs to publish together: those of a tag, and those that their data came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from provenance.core import record
from provenance.core.record import Record
from provenance.errors import NoSuchRun
from provenance.operations import inputs, listing


class Tagged(NamedTuple):
    """Runs in the order in which they began. ancestors: ids of those that lack the tag."""

    ids: tuple[str, ...]
    ancestors: tuple[str, ...]


def runs(cwd: str, tag: str) -> Tagged:
    """Return the finished runs of ``tag`` and their ancestors. Raises `NoSuchRun` for no such."""
    known = [one for one in listing.ls(cwd).runs if _counts(one)]
    wanted = [one for one in known if tag in one.tags]
    if not wanted:
        raise NoSuchRun("no finished run has the tag %r." % tag, "see: prov ls")
    chosen = {one.id: one for one in (*wanted, *ancestors(wanted, known))}
    ordered = sorted(chosen.values(), key=lambda one: (one.started, one.id))
    tagged = {one.id for one in wanted}
    ids = tuple(one.id for one in ordered)
    return Tagged(ids, tuple(one for one in ids if one not in tagged))


def ancestors(wanted: Iterable[Record], known: Iterable[Record]) -> list[Record]:
    """Return those of ``known`` that made what ``wanted`` read, directly or through others."""
    makers = _makers(known)
    todo = list(wanted)
    chosen = {one.id for one in todo}
    found = []
    while todo:
        run = todo.pop()
        for digest in _digests(run, "data"):
            before = [one for one in makers.get(digest, ()) if one.started < run.started]
            if before and before[-1].id not in chosen:
                chosen.add(before[-1].id)
                found.append(before[-1])
                todo.append(before[-1])
    return found


def _counts(run: Record) -> bool:
    return run.status == record.DONE and not run.replay_of


def _makers(known: Iterable[Record]) -> dict[str, list[Record]]:
    """Return by digest the runs that wrote such a file, the newest last."""
    found: dict[str, list[Record]] = {}
    for run in sorted(known, key=lambda one: one.started):
        for digest in _digests(run, "outputs"):
            found.setdefault(digest, []).append(run)
    return found


def _digests(run: Record, facet: str) -> Iterator[str]:
    for entry in inputs.entries(run, facet):
        for algorithm, digest in (entry.get("digests") or {}).items():
            yield "%s:%s" % (algorithm, digest)
