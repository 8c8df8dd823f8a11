"""The output files of one run held against those of another."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from provenance.compare import contents
from provenance.compare.tolerance import DEFAULT, Tolerance
from provenance.compare.values import Tally
from provenance.core import codec, digest
from provenance.core.digest import TREE
from provenance.core.paths import PathRef
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN
from provenance.facets._entries import AMBIGUOUS, MISSING, UNCHANGED, FileEntry
from provenance.facets._filenames import LINK

Locate = Callable[[Any], str | None]

STAMPED = frozenset(".pdf .ps .eps .h5 .hdf5 .nc .sqlite .db .parquet .tar .tgz .mat".split())
"""Forms that carry times or versions of the writer, so that other bytes prove nothing."""


class OutputResult(NamedTuple):
    """One output file of two runs.

    path: as recorded. verdict: same, within tolerance, different or not compared. detail: a clause
    where that does not say it all. kind: of the outputs facet.
    """

    path: PathRef
    verdict: str
    detail: str = ""
    kind: str = ""


def compare_outputs(
    old_files: Iterable[FileEntry | Mapping[str, Any]],
    new_files: Iterable[FileEntry | Mapping[str, Any]],
    locate_old: Locate,
    locate_new: Locate,
    tolerance: Tolerance | None = None,
) -> list[OutputResult]:
    """Return one result per output file of either run, the recorded ones first.

    locate_old, locate_new: from a `PathRef` to where the file of that run should be, None where
    that is not known; what is found there counts only if it still has the recorded digest.
    """
    before, after = _by_path(old_files), _by_path(new_files)
    renamed = _renamed(before, after)
    found = []
    for path, was in before.items():
        now = after.get(path) or renamed.get(path)
        sides = (locate_old, locate_new)
        verdict, detail = _judged(was, now, sides, tolerance or DEFAULT)
        if now is not None and now.path != path:
            detail = "; ".join(part for part in ("now %s" % (now.path,), detail) if part)
        found.append(OutputResult(path, verdict, detail, was.kind))
    taken = {one.path for one in renamed.values()}
    for path, one in after.items():
        if path not in before and path not in taken:
            text = "the recorded run has no such file"
            found.append(OutputResult(path, NOT_COMPARED, text, one.kind))
    return found


def _by_path(files: Iterable[FileEntry | Mapping[str, Any]]) -> dict[PathRef, FileEntry]:
    entries = (
        one if isinstance(one, FileEntry) else codec.decode(FileEntry, dict(one), "files[]")
        for one in files
    )
    return {one.path: one for one in entries}


def _renamed(
    before: dict[PathRef, FileEntry], after: dict[PathRef, FileEntry]
) -> dict[PathRef, FileEntry]:
    """Return new files whose names differ from a recorded one in digits only (dates, numbers)."""
    new: dict[str, list[FileEntry]] = {}
    for path, one in after.items():
        if path not in before:
            new.setdefault(_pattern(path), []).append(one)
    old: dict[str, list[PathRef]] = {}
    for path in before:
        if path not in after:
            old.setdefault(_pattern(path), []).append(path)
    return {
        paths[0]: new[pattern][0]
        for pattern, paths in old.items()
        if len(paths) == 1 and len(new.get(pattern, ())) == 1
    }


def _pattern(path: PathRef) -> str:
    return path.root + ":" + re.sub(r"\d+|(?<=[-_])[0-9a-f]{6,}(?=[-_./]|$)", "0", path.path)


def _judged(
    was: FileEntry, now: FileEntry | None, locate: tuple[Locate, Locate], tolerance: Tolerance
) -> tuple[str, str]:
    if was.state in (MISSING, AMBIGUOUS, UNCHANGED):
        return NOT_COMPARED, "%s in the recorded run" % was.state
    if now is None or now.state == MISSING:
        return DIFFERENT, "the new run did not write it"
    if now.state == AMBIGUOUS:
        return NOT_COMPARED, "may be another run's"
    if was.kind == LINK and now.kind == LINK:
        return NOT_COMPARED, "a symbolic link"
    same = digest.same(was.digests, now.digests)
    if same:
        return SAME, ""
    if was.files is not None or now.files is not None:
        return _folders(was, now, same)
    old_path, new_path = _at_hand(was, locate[0]), _at_hand(now, locate[1])
    if old_path and new_path:
        return _by_content(was, old_path, new_path, same, tolerance)
    if same is None:
        return NOT_COMPARED, "no digest to compare"
    return _unread(was.path.path, "the recorded content is not at hand" if new_path else "")


def _folders(was: FileEntry, now: FileEntry, same: bool | None) -> tuple[str, str]:
    if same is None and was.files == now.files:
        return NOT_COMPARED, "no digest to compare"
    return DIFFERENT, "%s files when recorded, %s now; differs (digest)" % (was.files, now.files)


def _at_hand(entry: FileEntry, locate: Locate) -> str | None:
    """Return where the content that ``entry`` speaks of is, None where it is not to be had."""
    path = locate(entry.path)
    try:
        if path is None or os.path.getsize(path) != entry.size or not os.path.isfile(path):
            return None
        if entry.size > contents.LIMIT:
            return path
        names = tuple(name for name in entry.digests if not name.endswith(TREE))
        wanted = digest.available(names)[:1]
        now = digest.file_digests(path, wanted)
    except OSError:
        return None
    return None if digest.same(now, entry.digests) is False else path


def _by_content(
    was: FileEntry, old: str, new: str, same: bool | None, tolerance: Tolerance
) -> tuple[str, str]:
    try:
        tally = contents.compare(old, new, was.path.path, tolerance)
    except contents.Opaque as reason:
        if same is None:
            return NOT_COMPARED, str(reason) or "no digest to compare"
        return _unread(was.path.path, str(reason))
    return _sentence(tally)


def _unread(name: str, why: str) -> tuple[str, str]:
    """Return the verdict on other bytes in a form that is not read."""
    detail = "differs (digest)" + ("; " + why if why else "")
    if os.path.splitext(name)[1].lower() in STAMPED:
        return NOT_COMPARED, detail + "; files of this form hold times of writing"
    return DIFFERENT, detail


def _sentence(tally: Tally) -> tuple[str, str]:
    if tally.different:
        text = "%d of %d values differ" % (tally.different, max(tally.compared, tally.different))
        return DIFFERENT, "%s, the first at %s" % (text, tally.first)
    parts = []
    if tally.within:
        parts.append("%d values within tolerance" % tally.within)
    if tally.volatile:
        parts.append("differs only in times, durations, paths and the like")
    if not parts:
        parts.append("the same values in another layout")
    return WITHIN, "; ".join(parts)
