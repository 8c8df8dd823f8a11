"""Which files the run changed, and what they contain."""

from __future__ import annotations

import os
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from provenance.core import codec, digest
from provenance.core.context import AFTER, PRESENT, Context
from provenance.core.difference import UNKNOWN, Comparison, Difference, NotCompared
from provenance.core.paths import PathRef
from provenance.core.record import RUN_ONLY, Payload, Record, captured, skipped
from provenance.facets import _entries, _facet, _files, _touched
from provenance.facets._entries import (
    AMBIGUOUS,
    DIGESTED,
    MISSING,
    PENDING,
    UNCHANGED,
    Digester,
    FileEntry,
    Places,
)
from provenance.facets._filenames import CHECKPOINT, FOLDER, LINK, LOG, METRICS, UPDATED
from provenance.facets._files import Use

NAME = "outputs"
VERSION = 1
PHASES = (AFTER,)
SITE = _facet.HOST
UNIT = "output files"

MOST_PER_FOLDER = 256
"""Changed files of one folder beyond which the folder is one entry."""

MOST_CROWDED = 20

upgrade = _facet.nothing_to_upgrade


class Outputs(NamedTuple):
    """What the run changed.

    files: ``kind`` is output, checkpoint, metrics, log, plot, intermediate, updated, link or folder
    (then the digest is over the changed files in it). removed: files that were there before.
    temporary: how many files it wrote and removed again. crowded: folders with so many files that
    they were not looked at one by one, since nothing was made or removed in them.
    """

    files: Tuple[FileEntry, ...] = ()
    removed: Tuple[PathRef, ...] = ()
    temporary: int = 0
    crowded: Tuple[PathRef, ...] = ()


def capture(context: Context) -> Payload:
    """Return what the run changed, digested until the deadline."""
    if context.phase == PRESENT:
        return skipped(VERSION, RUN_ONLY)
    touched = _touched.touched(context)
    places, digester = Places(context), Digester(context)
    singles, crowds = _arranged(touched.outputs)
    found = [_single(one, places, digester) for one in sorted(singles, key=lambda u: u.size)]
    for folder, members in crowds.items():
        found.append(_crowd(folder, members, places, digester))
    kept = tuple(sorted(found, key=lambda e: e.path))
    payload = Outputs(
        kept,
        tuple(places.refer(path) for path in touched.removed),
        touched.temporary,
        tuple(places.refer(path) for path in touched.crowded[:MOST_CROWDED]),
    )
    notes = (*touched.notes, *_notes(kept, context))
    return captured(VERSION, payload, notes=notes)


def _arranged(uses: Tuple[Use, ...]) -> Tuple[List[Use], Dict[str, List[Use]]]:
    """Return the files that stand for themselves, and folders that stand for many files.

    Metrics, checkpoints and logs are kept apart from a crowd of other files, unless they are one.
    """
    special = (METRICS, CHECKPOINT, LOG, UPDATED)
    singles: List[Use] = []
    crowds: Dict[str, List[Use]] = {}
    for part in (
        {one.path: one for one in uses if one.kind not in special},
        {one.path: one for one in uses if one.kind in special},
    ):
        groups, rest = _files.grouped(part, MOST_PER_FOLDER)
        singles += [part[path] for path in rest]
        for folder, members in groups.items():
            crowds.setdefault(folder, []).extend(part[path] for path in members)
    return singles, crowds


def _single(use: Use, places: Places, digester: Digester) -> FileEntry:
    entry = FileEntry(places.refer(use.path), use.kind, use.size, {}, use.how, read=use.read)
    if use.kind == LINK:
        return entry._replace(target=places.refer(os.path.realpath(use.path)))
    if use.state == MISSING:
        return entry._replace(state=MISSING)
    filled = digester.fill(entry._replace(target=places.target(use.path)), use.path)
    keep = use.state in (AMBIGUOUS, UNCHANGED) and filled.state in (DIGESTED, PENDING)
    return filled._replace(state=use.state) if keep else filled


def _crowd(folder: str, members: List[Use], places: Places, digester: Digester) -> FileEntry:
    how = tuple(dict.fromkeys(way for one in members for way in one.how))
    size = sum(one.size for one in members)
    entry = FileEntry(places.refer(folder), FOLDER, size, {}, how, files=len(members))
    filled = digester.rows(entry, folder, [one.path for one in members if one.kind != LINK])
    ambiguous = any(one.state == AMBIGUOUS for one in members)
    ambiguous = ambiguous and filled.state in (DIGESTED, PENDING)
    return filled._replace(state=AMBIGUOUS) if ambiguous else filled


def _notes(found: Tuple[FileEntry, ...], context: Context) -> Tuple[str, ...]:
    notes = list(_entries.pending_note(found))
    ambiguous = sum(1 for one in found if one.state == AMBIGUOUS)
    if ambiguous:
        others = ", ".join(context.overlapping[:3])
        notes.append(
            "%d of the files may be another run's (%s went on at the same time)"
            % (ambiguous, others)
        )
    texts = {
        MISSING: "declared output %s is not there",
        UNCHANGED: "declared output %s did not change",
    }
    notes.extend(texts[one.state] % (one.path,) for one in found if one.state in texts)
    return tuple(notes[:20])


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare the outputs of two runs by digest; whether that matters is judged elsewhere."""
    before, after = _entries.by_path(old), _entries.by_path(new)
    found: List[Difference] = []
    missed: List[NotCompared] = []
    equal = 0
    for path, was in before.items():
        now = after.get(path)
        if now is None:
            found.append(_difference("removed", path, was, None))
            continue
        same = _same(was, now)
        if same is None:
            missed.append(NotCompared(NAME, str(path), _why_not(was, now)))
        elif same:
            equal += 1
        else:
            found.append(_difference("digest", path, was, now))
    found += [_difference("added", p, None, one) for p, one in after.items() if p not in before]
    return Comparison(tuple(found), equal, equal + len(found), UNIT, tuple(missed))


def _same(was: FileEntry, now: FileEntry) -> Optional[bool]:
    if AMBIGUOUS in (was.state, now.state):
        return None
    if was.kind == LINK == now.kind:
        return was.target == now.target
    return digest.same(was.digests, now.digests)


def _why_not(was: FileEntry, now: FileEntry) -> str:
    states = [one.state for one in (was, now) if one.state != DIGESTED]
    return "%s" % states[0] if states else "no algorithm in common"


def _difference(
    kind: str, path: PathRef, was: Optional[FileEntry], now: Optional[FileEntry]
) -> Difference:
    old: Any = was.digests if was else None
    new: Any = now.digests if now else None
    return Difference(NAME, "run", kind, str(path), UNKNOWN, old, new)


def of(record: Record) -> Optional[Outputs]:
    """Return what the run changed; None where the record does not say."""
    subjects = record.payloads(NAME)
    if not subjects:
        return None
    parts = [codec.decode(Outputs, one.payload) for one in subjects]
    return Outputs(
        tuple(file for part in parts for file in part.files),
        tuple(path for part in parts for path in part.removed),
        sum(part.temporary for part in parts),
        tuple(path for part in parts for path in part.crowded),
    )
