"""Two files or folders held against each other by what they say: ``prov diff a.csv b.csv``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from provenance.compare import contents, pairing
from provenance.compare.files import OutputResult
from provenance.compare.judged import Judged, gravest
from provenance.compare.tolerance import DEFAULT, Tolerance
from provenance.core import codec, digest
from provenance.core.paths import PathRef
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN
from provenance.errors import NothingToCompare, SystemRefused, UsageError
from provenance.facets._entries import FileEntry
from provenance.operations import _sides
from provenance.operations._sides import Side, Sides

sides = _sides.sides

MOST_FILES = 100_000
"""Files of a folder that are paired; a folder of more is named wrongly more often than wanted."""
_SKIPPED = re.compile(r"(?:^|/)(?:\.git|\.prov|__pycache__|\.ipynb_checkpoints)/")
_NUMBER = re.compile(r"\d+")
_SERIES = 3
"""Files that differ only in a number and make up a series, from so many on."""


class LooseResult(NamedTuple):
    """Two files or folders compared.

    judged: of two files; of folders the gravest of ``files`` with the counts. files: one result per
    file of two folders. tolerance: the one applied. notes: see `Sides`.
    """

    old: Side
    new: Side
    judged: Judged
    files: tuple[OutputResult, ...]
    tolerance: Tolerance
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 for same or within tolerance, 1 for different, 3 for not compared."""
        return {DIFFERENT: 1, NOT_COMPARED: 3}.get(self.judged.verdict, 0)


def diff(
    meant: Sides, rtol: float | None = None, atol: float | None = None, ulp: int | None = None
) -> LooseResult:
    """Compare the two files or folders of ``meant``. Raises `ProvError`."""
    old, new = meant.old, meant.new
    assert old is not None
    assert new is not None
    try:
        chosen = Tolerance.of(rtol, atol, ulp)
        if (rtol, atol, ulp) == (None, None, None):
            chosen = DEFAULT
    except ValueError as error:
        raise UsageError("%s." % error) from error
    try:
        if not old.is_folder:
            judged = _files(old, new, chosen)
            return LooseResult(old, new, judged, (), chosen, (*meant.notes, *judged.notes))
        found, notes = _folders(old, new, chosen)
    except OSError as error:
        text = "%s cannot be read: %s." % (error.filename or old.given, error.strerror)
        raise SystemRefused(text) from error
    return LooseResult(old, new, _whole(found), found, chosen, (*meant.notes, *notes))


def _files(old: Side, new: Side, tolerance: Tolerance) -> Judged:
    if old.path is None or new.path is None:
        return _by_digest(old, new)
    if contents.is_equal(old.path, new.path):
        return Judged(SAME, "the same bytes")
    names = _name(old), _name(new)
    try:
        return contents.compare(old.path, new.path, names[0], tolerance, names[1])
    except contents.Opaque as reason:
        return contents.unread(names[0], str(reason))


def _name(side: Side) -> str:
    return side.entry.path.path if side.entry is not None else os.path.basename(side.given)


def _by_digest(old: Side, new: Side) -> Judged:
    """Return the verdict where the recorded content of an output is not at hand."""
    lost = old if old.path is None else new
    why = "the content of %s that was recorded is not at hand" % lost.given
    wanted = {name for one in (old, new) if one.entry for name in one.entry.digests}
    had = [
        one.entry.digests
        if one.path is None and one.entry
        else digest.file_digests(one.path or "", digest.available(sorted(wanted)))
        for one in (old, new)
    ]
    same = digest.same(*had)
    if same:
        return Judged(SAME, "the same digest; " + why)
    return Judged(NOT_COMPARED, why) if same is None else contents.unread(_name(old), why)


def _folders(
    old: Side, new: Side, tolerance: Tolerance
) -> tuple[tuple[OutputResult, ...], list[str]]:
    """Compare two folders: files paired by name, the rest by their bytes, then by numbers."""
    if old.path is None or new.path is None:
        lost = old if old.path is None else new
        raise NothingToCompare("the folder %s is not there any more." % lost.given)
    before, after = _listed(old.path), _listed(new.path)
    if not before and not after:
        raise NothingToCompare("%s and %s hold no files." % (old.given, new.given))
    moved = _moved(old.path, new.path, before, after)
    found = []
    for name in before:
        now = name if name in after else moved.get(name)
        if now is None:
            found.append(OutputResult(PathRef("abs", name), DIFFERENT, "only in %s" % old.given))
            continue
        pair = Side(name, os.path.join(old.path, name)), Side(now, os.path.join(new.path, now))
        one = _files(*pair, tolerance)
        same = "" if one.verdict == SAME else one.detail
        detail = "; ".join(part for part in ("" if now == name else "now %s" % now, same) if part)
        made = OutputResult(PathRef("abs", name), one.verdict, detail, "", one.kind, one.compared)
        found.append(made._replace(parts=one.parts, figures=one.figures))
    taken = set(moved.values())
    added = [name for name in after if name not in before and name not in taken]
    text = "only in %s" % new.given
    found += [OutputResult(PathRef("abs", name), DIFFERENT, text) for name in added]
    return tuple(found), _series(found)


def _listed(folder: str) -> dict[str, int]:
    """Return the sizes of the files below ``folder`` by relative path. Raises `UsageError`."""
    found: dict[str, int] = {}
    for name, _ in digest.walk(folder):
        path = os.path.join(folder, name)
        if _SKIPPED.search(name) or not os.path.isfile(path):
            continue
        found[name] = os.path.getsize(path)
        if len(found) > MOST_FILES:
            text = "%s holds more than %d files." % (folder, MOST_FILES)
            raise UsageError(text, "compare a folder inside it")
    return found


def _moved(old: str, new: str, before: dict[str, int], after: dict[str, int]) -> dict[str, str]:
    """Return the new names of files without a namesake: of the same bytes, or but for digits."""
    left = {name: size for name, size in after.items() if name not in before}
    moved: dict[str, str] = {}
    for name, size in before.items():
        if name in after or not size:
            continue
        for other, length in left.items():
            if size == length and contents.is_equal(
                os.path.join(old, name), os.path.join(new, other)
            ):
                moved[name] = other
                del left[other]
                break
    rest = {name: size for name, size in before.items() if name not in after and name not in moved}
    pairs = pairing.renamed(_entries(rest), _entries(left))
    return {**moved, **{one.path: other.path.path for one, other in pairs.items()}}


def _entries(sizes: dict[str, int]) -> dict[PathRef, FileEntry]:
    paths = {name: PathRef("abs", name) for name in sizes}
    return {path: FileEntry(path, "output", sizes[name]) for name, path in paths.items()}


def _whole(found: tuple[OutputResult, ...]) -> Judged:
    verdicts = [one.verdict for one in found]
    order = (SAME, WITHIN, DIFFERENT, NOT_COMPARED)
    words = ["%d %s" % (verdicts.count(one), one) for one in order if one in verdicts]
    text = "%d file%s: %s" % (len(found), "" if len(found) == 1 else "s", ", ".join(words))
    return Judged(gravest(verdicts), text, "folder", sum(one.compared for one in found))


def _series(found: list[OutputResult]) -> list[str]:
    """Return a sentence per series of files (checkpoints by step) on where it first differs."""
    series: dict[str, list[tuple[int, OutputResult]]] = {}
    for one in found:
        for match in _NUMBER.finditer(one.path.path):
            text = one.path.path
            pattern = text[: match.start()] + "N" + text[match.end() :]
            series.setdefault(pattern, []).append((int(match[0]), one))
    return [text for text in map(_first_apart, sorted(series), _in_order(series)) if text]


def _in_order(
    series: dict[str, list[tuple[int, OutputResult]]],
) -> Iterator[list[tuple[int, OutputResult]]]:
    for pattern in sorted(series):
        yield sorted(series[pattern], key=lambda item: item[0])


def _first_apart(pattern: str, members: list[tuple[int, OutputResult]]) -> str:
    apart = [one for _, one in members if one.verdict == DIFFERENT]
    if len(members) < _SERIES or not apart or "only in" in apart[0].detail:
        return ""
    place = next(at for at, (_, one) in enumerate(members) if one is apart[0])
    before = ", equal up to %s" % members[place - 1][1].path.path if place else " (the first)"
    return "series %s: apart from %s on%s" % (pattern, apart[0].path.path, before)


def as_json(result: LooseResult) -> dict[str, Any]:
    """Return the ``data`` member of ``prov diff --json`` for two files or folders."""
    judged = result.judged
    return {
        "verdict": judged.verdict,
        "detail": judged.detail,
        "exit_code": result.exit_code,
        "reference": _side_json(result.old),
        "other": _side_json(result.new),
        "content": judged.kind,
        "compared": judged.compared,
        "parts": codec.encode(judged.parts),
        "figures": codec.encode(dict(judged.figures)),
        "tolerance": codec.encode(result.tolerance),
        "files": codec.encode(result.files),
        "notes": list(result.notes),
    }


def _side_json(side: Side) -> dict[str, Any]:
    kind = "output" if side.entry is not None else "folder" if side.is_folder else "file"
    return {"kind": kind, "given": side.given, "path": side.path, "run": side.run or None}
