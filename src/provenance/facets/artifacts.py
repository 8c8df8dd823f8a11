"""Which files the code itself named as worth keeping, and as what."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Tuple

from provenance.core import codec
from provenance.core.context import AFTER, PRESENT, Context
from provenance.core.difference import UNKNOWN, Comparison, Difference
from provenance.core.paths import PathRef
from provenance.core.record import RUN_ONLY, Payload, Record, captured, skipped
from provenance.facets import _entries, _facet

NAME = "artifacts"
VERSION = 1
PHASES = (AFTER,)
SITE = _facet.TARGET

upgrade = _facet.nothing_to_upgrade


class Named(NamedTuple):
    """A file or folder that the code named.

    name: what the code calls it. kind: what the code says it is ("model"), "" for nothing. where:
    the line that said so. size, digests, state: as in ``data`` and ``outputs``. rank: of the
    process that named it, in a distributed job.
    """

    name: str
    path: PathRef
    kind: str = ""
    where: str = ""
    size: int = 0
    digests: Dict[str, str] = {}
    state: str = _entries.DIGESTED
    rank: Optional[int] = None


class Artifacts(NamedTuple):
    """All that were named, in the order of their first mention."""

    files: Tuple[Named, ...] = ()


def capture(context: Context) -> Payload:
    """Return what the code named, as it is at the end."""
    if context.phase == PRESENT:
        return skipped(VERSION, RUN_ONLY)
    if not context.observed.sdk:
        return captured(VERSION, Artifacts())
    from provenance.facets import _sdk  # only where the code told something

    places, digester = _entries.Places(context), _entries.Digester(context)
    redact = context.redact.text
    found = []
    for one in _sdk.artifacts(context):
        path = places.refer(one.path)
        entry = digester.fill(_entries.FileEntry(path, one.kind), one.path)
        where = redact(_sdk.place(one.where, context))
        found.append(
            Named(
                redact(one.name),
                path,
                redact(one.kind),
                where,
                entry.size,
                entry.digests,
                entry.state,
                one.rank,
            )
        )
    return captured(VERSION, Artifacts(tuple(found)))


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare by name; whether a file's content agrees is judged where results are compared."""
    was, now = _by_name(old), _by_name(new)
    found = []
    for name in list(dict.fromkeys([*was, *now])):
        before, after = was.get(name), now.get(name)
        if before is None or after is None:
            kind = "added" if before is None else "removed"
            found.append(Difference(NAME, "run", kind, name, UNKNOWN, _told(before), _told(after)))
        elif (before.path, before.kind) != (after.path, after.kind):
            found.append(
                Difference(NAME, "run", "changed", name, UNKNOWN, _told(before), _told(after))
            )
    total = len(set(was) | set(now))
    return Comparison(tuple(found), total - len(found), total, "named files")


def _told(one: Optional[Named]) -> Any:
    return None if one is None else "%s %s" % (one.path, one.kind) if one.kind else str(one.path)


def _by_name(payload: Payload) -> Dict[str, Named]:
    files = _of(payload).files
    return {"%s rank %d" % (o.name, o.rank) if o.rank else o.name: o for o in files}


def _of(payload: Payload) -> Artifacts:
    return codec.decode(Artifacts, payload.subjects[0].payload)


def of(record: Record) -> Optional[Artifacts]:
    """Return what was named; None where the record does not say."""
    found = record.payloads(NAME)
    return codec.decode(Artifacts, found[0].payload) if found else None
