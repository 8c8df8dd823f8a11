"""Digests that a run had no time to take, and taking them later.

An entry without its digest says in ``seen`` by what its file can be known again:

``file DEVICE INODE SIZE MTIME CTIME`` (times in nanoseconds) for a file;
``folder CTIME`` for a folder: nothing in it may have changed at or after this time;
``changed START END`` for a folder that stands for the files that the run changed in it.

Change times cannot be set by programs: a file that still has all of these is the one of the run.
"""

from __future__ import annotations

import os
import stat
from typing import AbstractSet, Any, Callable, Iterable, List, NamedTuple, Optional, Tuple

from provenance.core import codec, digest
from provenance.core.digest import TREE, Digests
from provenance.core.paths import PathRef
from provenance.core.record import Payload, Subject
from provenance.facets._entries import (
    CHANGED,
    DIGESTED,
    MISSING,
    PENDING,
    UNREADABLE,
    FileEntry,
    file_identity,
    pending_note,
)

DigestOf = Callable[[Any, Tuple[str, ...]], Digests]
TreeOf = Callable[[str, AbstractSet[str]], digest.Tree]


class Finished(NamedTuple):
    """What became of a payload's pending digests: how many were taken, and how many never can be.

    changed: the file is no longer what the run saw, or is gone. left: still pending.
    """

    payload: Payload
    taken: int = 0
    changed: int = 0
    left: int = 0


def is_pending(entry: FileEntry) -> bool:
    """Return whether the digest of ``entry`` may still be taken."""
    return bool(entry.seen) and not entry.digests


def pending(payload: Payload) -> Tuple[FileEntry, ...]:
    """Return the entries of ``payload`` whose digest may still be taken."""
    return tuple(
        codec.decode(FileEntry, one, "files[]")
        for subject in payload.subjects
        for one in subject.payload.get("files", [])
        if one.get("seen") and not one.get("digests")
    )


def finish(
    payload: Payload,
    locate: Callable[[PathRef], Optional[str]],
    digest_of: DigestOf,
    tree_of: Optional[TreeOf] = None,
) -> Finished:
    """Return ``payload`` with the digests that can still be taken of what the run saw.

    ``digest_of`` raises TimeoutError to stop; what is left then stays as it is. tree_of: digests a
    folder but for some paths, where there is something faster than file by file.
    """
    counts = {DIGESTED: 0, CHANGED: 0, PENDING: 0}
    notes: List[str] = []
    before = pending(payload)
    own = frozenset(one.path for one in before if one.files is None)
    subjects = []
    for subject in payload.subjects:
        files = []
        for raw in subject.payload.get("files", []):
            if not raw.get("seen") or raw.get("digests"):
                files.append(raw)
                continue
            entry = codec.decode(FileEntry, raw, "files[]")
            others = own | {PathRef.from_json(one["path"]) for one in subject.payload["files"]}
            now = _finished(entry, locate, digest_of, others, tree_of)
            state = PENDING if now.seen else DIGESTED if now.digests else CHANGED
            counts[state] += 1
            if state == CHANGED:
                notes.append(_LOST % (entry.path,))
            files.append(dict(raw, **now.to_json()) if now.seen else _without_seen(raw, now))
        subjects.append(
            Subject(
                subject.id, dict(subject.payload, files=files), subject.interpreter, subject.rank
            )
        )
    stale = pending_note(before)
    kept = tuple(note for note in payload.notes if note not in stale)
    done = payload._replace(subjects=tuple(subjects), notes=(*kept, *notes[:20]))
    done = done._replace(notes=(*done.notes, *pending_note(pending(done))))
    return Finished(done, counts[DIGESTED], counts[CHANGED], counts[PENDING])


_LOST = "%s changed after the run, before its digest was taken: what the run saw is lost"


def _without_seen(raw: dict, now: FileEntry) -> dict:  # type: ignore[type-arg]  # 3.7
    """Return the JSON of ``now``, members of ``raw`` that this version does not know included."""
    found = dict(raw, **now.to_json())
    found.pop("seen", None)
    return found


def _finished(
    entry: FileEntry,
    locate: Callable[[PathRef], Optional[str]],
    digest_of: DigestOf,
    others: AbstractSet[PathRef],
    tree_of: Optional[TreeOf],
) -> FileEntry:
    path = locate(entry.path)
    kind, _, rest = entry.seen.partition(" ")
    lost = entry._replace(state=CHANGED, seen="")
    try:
        if path is None or not os.path.exists(path):
            return lost._replace(state=MISSING if entry.state == MISSING else CHANGED)
        if kind == "file":
            done = _file(entry, path, rest, digest_of)
        elif kind == "folder":
            done = _folder(entry, path, int(rest), digest_of, tree_of)
        else:
            start, end = (int(word) for word in rest.split())
            left_out = {p for p in map(locate, others) if p is not None}
            done = _changed(entry, path, (start, end), digest_of, left_out)
    except TimeoutError:
        return entry
    except (digest.ChangedWhileRead, FileNotFoundError):
        return lost
    except (OSError, ValueError):
        return lost._replace(state=UNREADABLE)
    return done or lost


def _done(entry: FileEntry, digests: Digests, **more: int) -> FileEntry:
    state = DIGESTED if entry.state == PENDING else entry.state
    return entry._replace(digests=digests, state=state, seen="", **more)  # type: ignore[arg-type]  # only the counts


def _file(entry: FileEntry, path: str, seen: str, digest_of: DigestOf) -> Optional[FileEntry]:
    if file_identity(os.stat(path)) != seen:
        return None
    found = digest_of(path, (digest.best_algorithm(),))
    # The cache sees to it that nothing changed while it was read; this, that nothing did before.
    status = os.stat(path)
    if file_identity(status) != seen:
        return None
    return _done(entry, found, size=status.st_size)


def _folder(
    entry: FileEntry, path: str, end: int, digest_of: DigestOf, tree_of: Optional[TreeOf]
) -> Optional[FileEntry]:
    left_out = frozenset(entry.left_out)
    if _changed_since(path, end, left_out):
        return None
    algorithm = digest.best_algorithm()
    tree = (
        tree_of(path, left_out)
        if tree_of is not None
        else digest.tree_digest(path, algorithm, lambda one: digest_of(one, (algorithm,)), left_out)
    )
    if _changed_since(path, end, left_out):
        return None
    return _done(entry, tree.digests, size=tree.size, files=tree.files)


def _changed_since(folder: str, end: int, left_out: AbstractSet[str]) -> bool:
    """Return whether anything in ``folder``, or a folder in it, changed at or after ``end``."""
    if os.stat(folder).st_ctime_ns >= end:
        return True
    stack = [(folder, "")]
    while stack:
        place, below = stack.pop()
        with os.scandir(place) as entries:
            for one in entries:
                if below + one.name in left_out:
                    continue
                if one.stat(follow_symlinks=False).st_ctime_ns >= end:
                    return True
                if one.is_dir(follow_symlinks=False):
                    stack.append((one.path, below + one.name + "/"))
    return False


def _changed(
    entry: FileEntry,
    folder: str,
    between: Tuple[int, int],
    digest_of: DigestOf,
    others: AbstractSet[str],
) -> Optional[FileEntry]:
    """Digest the files that were changed in ``folder`` between two times, if these are all."""
    algorithm = digest.best_algorithm()
    rows = []
    for below, one in digest.walk(folder):
        status = one.stat(follow_symlinks=False)
        inside = between[0] <= status.st_ctime_ns < between[1]
        if inside and stat.S_ISREG(status.st_mode) and one.path not in others:
            rows.append((below, status.st_size, digest_of(one, (algorithm,))[algorithm]))
    if len(rows) != entry.files or sum(row[1] for row in rows) != entry.size:
        return None
    return _done(entry, {algorithm + TREE: digest.rows_digest(rows, algorithm)})


def total(entries: Iterable[FileEntry]) -> int:
    """Return how many bytes are to be digested, as far as that was known."""
    return sum(one.size for one in entries)
