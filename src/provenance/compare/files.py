"""The output files of one run held against those of another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from provenance.compare import contents, pairing
from provenance.compare.judged import Judged, Part
from provenance.compare.tolerance import DEFAULT, Tolerance
from provenance.core import codec, digest
from provenance.core.digest import TREE
from provenance.core.paths import PathRef
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME
from provenance.facets._entries import AMBIGUOUS, MISSING, UNCHANGED, FileEntry
from provenance.facets._filenames import LINK

Locate = Callable[[Any], str | None]


class OutputResult(NamedTuple):
    """One output file of two runs.

    path: as recorded. verdict: same, within tolerance, different or not compared. detail: a clause
    where that does not say it all. kind: of the outputs facet. content: what sort of content was
    compared ("table", "text", "tensors" ...), "" where only digests were. compared: how many values
    of it. parts: what differs in it, the gravest first. figures: as in `judged.Part`.
    """

    path: PathRef
    verdict: str
    detail: str = ""
    kind: str = ""
    content: str = ""
    compared: int = 0
    parts: tuple[Part, ...] = ()
    figures: Mapping[str, Any] = {}


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
    renamed = pairing.renamed(before, after)
    found = []
    for path, was in before.items():
        now = after.get(path) or renamed.get(path)
        sides = (locate_old, locate_new)
        one = judged(was, now, sides, tolerance or DEFAULT)
        detail = one.detail
        if now is not None and now.path != path:
            detail = "; ".join(part for part in ("now %s" % (now.path,), detail) if part)
        result = OutputResult(path, one.verdict, detail, was.kind, one.kind, one.compared)
        found.append(result._replace(parts=one.parts, figures=one.figures))
    taken = {one.path for one in renamed.values()}
    for path, entry in after.items():
        if path not in before and path not in taken:
            text = "the recorded run has no such file"
            found.append(OutputResult(path, NOT_COMPARED, text, entry.kind))
    return found


def _by_path(files: Iterable[FileEntry | Mapping[str, Any]]) -> dict[PathRef, FileEntry]:
    entries = (
        one if isinstance(one, FileEntry) else codec.decode(FileEntry, dict(one), "files[]")
        for one in files
    )
    return {one.path: one for one in entries}


def judged(
    was: FileEntry, now: FileEntry | None, locate: tuple[Locate, Locate], tolerance: Tolerance
) -> Judged:
    """Return how two files compare: by digest, else by content where both are at hand.

    locate: for each side, see `compare_outputs`.
    """
    if was.state in (MISSING, AMBIGUOUS, UNCHANGED):
        return Judged(NOT_COMPARED, "%s in the recorded run" % was.state)
    if now is None or now.state == MISSING:
        return Judged(DIFFERENT, "the new run did not write it")
    if now.state == AMBIGUOUS:
        return Judged(NOT_COMPARED, "may be another run's")
    if was.kind == LINK and now.kind == LINK:
        return Judged(NOT_COMPARED, "a symbolic link")
    same = digest.same(was.digests, now.digests)
    if same:
        return Judged(SAME, "")
    if was.files is not None or now.files is not None:
        return _folders(was, now, same)
    old_path, new_path = at_hand(was, locate[0]), at_hand(now, locate[1])
    if old_path and new_path:
        return _by_content(was, old_path, new_path, same, tolerance)
    if same is None:
        return Judged(NOT_COMPARED, "no digest to compare")
    which = "new" if old_path else "recorded"
    return contents.lost(was.path.path, "the %s content is not at hand" % which)


def _folders(was: FileEntry, now: FileEntry, same: bool | None) -> Judged:
    if same is None and was.files == now.files:
        return Judged(NOT_COMPARED, "no digest to compare")
    counts = (was.files, now.files)
    return Judged(DIFFERENT, "%s files when recorded, %s now; differs (digest)" % counts)


def at_hand(entry: FileEntry, locate: Locate, whole: bool = False) -> str | None:
    """Return where the content that ``entry`` speaks of is, None where it is not to be had.

    whole: check the digest of big files too, which takes a second per gigabyte.
    """
    path = locate(entry.path)
    try:
        if path is None or os.path.getsize(path) != entry.size or not os.path.isfile(path):
            return None
        if entry.size > contents.LIMIT and not whole:
            return path
        names = tuple(name for name in entry.digests if not name.endswith(TREE))
        wanted = digest.available(names)[:1]
        now = digest.file_digests(path, wanted)
    except OSError:
        return None
    return None if digest.same(now, entry.digests) is False else path


def _by_content(
    was: FileEntry, old: str, new: str, same: bool | None, tolerance: Tolerance
) -> Judged:
    try:
        return contents.compare(old, new, was.path.path, tolerance)
    except contents.Opaque as reason:
        if same is None:
            return Judged(NOT_COMPARED, str(reason) or "no digest to compare")
        return contents.unread(was.path.path, str(reason))
