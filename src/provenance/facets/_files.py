"""What each file was to the run: a pure classification of what is known about it.

A file is *data* (or *config*) if it was read before any write in the run, *updated* if it was read
and then written to, an *output* (or a checkpoint, metrics ...) if the run changed it, and
*intermediate* if the run wrote it and then read it. Source code that was read is left to the code
facet.
"""

from __future__ import annotations

import os
from typing import Dict, FrozenSet, Iterable, List, NamedTuple, Tuple

from provenance.core import filekinds
from provenance.facets import _filenames
from provenance.facets._entries import AMBIGUOUS, CHANGED, MISSING, OVERWRITTEN, UNCHANGED
from provenance.facets._filenames import INTERMEDIATE, LINK, OUTPUT, UPDATED

OBSERVED, TRACED, SCANNED, NAMED, DECLARED = (
    "observed",
    "traced",
    "scanned",
    "named",
    "declared",
)
_OBSERVED_ONLY = (OBSERVED,)


class Seen(NamedTuple):
    """All that is known of one path.

    exists: as a regular file, now. changed: its change time says that it was changed since the
    command started; rewritten: so does its modification time. first: "r", "w" or "" where no open
    was observed. scanned: the search for changed files found it. declared: "data", "output" or "".
    opened: how it is known that it was opened.
    alone: no other run went on in the project at the same time.
    """

    path: str
    exists: bool = True
    size: int = 0
    changed: bool = False
    rewritten: bool = False
    link: bool = False
    first: str = ""
    read: bool = False
    written: bool = False
    scanned: bool = False
    named: bool = False
    declared: str = ""
    opened: Tuple[str, ...] = _OBSERVED_ONLY
    alone: bool = True


class Use(NamedTuple):
    """One file in its part. state: of `_entries`, "" where its digest is to be taken.

    read: of an output, whether the run read it back.
    """

    path: str
    kind: str
    size: int
    how: Tuple[str, ...]
    state: str = ""
    read: bool = False


def how(seen: Seen) -> Tuple[str, ...]:
    """Return each way in which the file is known."""
    if not (seen.scanned or seen.named or seen.declared):
        return seen.opened if seen.first else ()
    ways = (
        *((way, bool(seen.first)) for way in seen.opened),
        (SCANNED, seen.scanned),
        (NAMED, seen.named),
        (DECLARED, bool(seen.declared)),
    )
    return tuple(dict.fromkeys(way for way, applies in ways if applies))


def as_input(seen: Seen) -> "Use | None":
    """Return the file as something the run read, None where it was not."""
    if seen.declared != "data":
        own = seen.first == "w" and (seen.written or seen.alone)
        if filekinds.is_source(seen.path) or own or seen.declared == "output":
            return None
        unknown_use = not seen.first and (not seen.named or seen.changed)
        if unknown_use or not seen.exists:
            return None
    kind = _filenames.input_kind(seen.path, seen.size)
    if not seen.exists:
        return Use(seen.path, kind, 0, how(seen), MISSING)
    if seen.first == "r" and seen.written and seen.changed:
        return Use(seen.path, UPDATED, seen.size, how(seen), OVERWRITTEN)
    state = CHANGED if seen.changed and seen.rewritten and not seen.written else ""
    return Use(seen.path, kind, seen.size, how(seen), state)


def as_output(seen: Seen) -> "Use | None":
    """Return the file as something the run changed, None where it did not."""
    declared = seen.declared == "output"
    if not seen.exists:
        return Use(seen.path, OUTPUT, 0, how(seen), MISSING) if declared else None
    if not (seen.changed or declared):
        return None
    kind = _output_kind(seen)
    if not seen.changed:
        return Use(seen.path, kind, seen.size, how(seen), UNCHANGED)
    only_scanned = not seen.written and not declared
    if only_scanned:
        touched_only = bool(seen.first) and not seen.rewritten
        of_an_editor = filekinds.is_source(seen.path) or _filenames.is_litter(seen.path)
        if not seen.scanned or touched_only or of_an_editor:
            return None
    ambiguous = only_scanned and not seen.alone
    return Use(seen.path, kind, seen.size, how(seen), AMBIGUOUS if ambiguous else "", seen.read)


def _output_kind(seen: Seen) -> str:
    if seen.link:
        return LINK
    if seen.first == "r":
        return UPDATED
    kind = _filenames.output_kind(seen.path)
    return INTERMEDIATE if kind == OUTPUT and seen.read else kind


def grouped(
    paths: Iterable[str], most: int, never: FrozenSet[str] = frozenset()
) -> Tuple[Dict[str, List[str]], List[str]]:
    """Return folders that stand for more than ``most`` of ``paths`` each, and the paths left over.

    The deepest such folder is taken; the root and the folders in ``never`` are not.
    """
    members: Dict[str, List[str]] = {}
    for path in paths:
        members.setdefault(path[: path.rfind(os.sep)] or os.sep, []).append(path)
    return arranged(members, most, never)


def arranged(
    members: Dict[str, List[str]], most: int, never: FrozenSet[str] = frozenset()
) -> Tuple[Dict[str, List[str]], List[str]]:
    """Do as `grouped` with paths that are already known by their folder; ``members`` is used up."""
    groups: Dict[str, List[str]] = {}
    rest: List[str] = []
    levels: Dict[int, List[str]] = {}
    for folder in members:
        levels.setdefault(folder.count(os.sep), []).append(folder)
    for level in range(max(levels, default=0), -1, -1):
        for folder in sorted(levels.get(level, ())):
            here = members.pop(folder)
            above = os.path.dirname(folder)
            if above == folder:
                rest.extend(here)
            elif len(here) > most and folder not in never:
                groups[folder] = here
            else:
                if above not in members:
                    levels.setdefault(min(level - 1, above.count(os.sep)), []).append(above)
                members.setdefault(above, []).extend(here)
    return groups, sorted(rest)
