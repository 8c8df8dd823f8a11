"""Which output file of one run is which of another, where its name is not the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from provenance.core.paths import PathRef
from provenance.facets._entries import FileEntry

Files = Mapping[PathRef, FileEntry]


def renamed(before: Files, after: Files) -> dict[PathRef, FileEntry]:
    """Return, by its old path, each file that a run wrote under another name.

    First those in a folder with another name, as of ``--out a`` and ``--out b``; then those whose
    names differ in digits only (dates, numbers), where there is just one such on both sides.
    """
    old = {path: None for path in before if path not in after}
    new = {path: one for path, one in after.items() if path not in before}
    found = _elsewhere(list(old), new)
    taken = {one.path for one in found.values()}
    rest = [path for path in old if path not in found]
    found.update(_renumbered(rest, {p: one for p, one in new.items() if p not in taken}))
    return found


def _elsewhere(old: list[PathRef], new: Files) -> dict[PathRef, FileEntry]:
    """Pair files by the folders that have other names, the folder of the most files first."""
    by_tail: dict[tuple[str, int, str], list[PathRef]] = {}
    for path in new:
        parts = path.path.split("/")
        by_tail.setdefault((path.root, len(parts), parts[-1]), []).append(path)
    votes: Counter[tuple[int, str, str]] = Counter()
    pairs: dict[tuple[int, str, str], list[tuple[PathRef, PathRef]]] = {}
    for path in old:
        parts = path.path.split("/")
        for other in by_tail.get((path.root, len(parts), parts[-1]), ()):
            others = other.path.split("/")
            apart = [n for n, (a, b) in enumerate(zip(parts, others, strict=True)) if a != b]
            if len(apart) == 1:
                key = (apart[0], parts[apart[0]], others[apart[0]])
                votes[key] += 1
                pairs.setdefault(key, []).append((path, other))
    found: dict[PathRef, FileEntry] = {}
    taken: set[PathRef] = set()
    for key, count in votes.most_common():
        rivals = [n for k, n in votes.items() if k[0] == key[0] and k[1] == key[1] and k != key]
        if count in rivals:
            continue  # two folders would do as well
        for path, other in pairs[key]:
            if path not in found and other not in taken:
                found[path] = new[other]
                taken.add(other)
    return found


def _renumbered(old: list[PathRef], new: Files) -> dict[PathRef, FileEntry]:
    after: dict[str, list[FileEntry]] = {}
    for path, one in new.items():
        after.setdefault(_pattern(path), []).append(one)
    before: dict[str, list[PathRef]] = {}
    for path in old:
        before.setdefault(_pattern(path), []).append(path)
    return {
        paths[0]: after[pattern][0]
        for pattern, paths in before.items()
        if len(paths) == 1 and len(after.get(pattern, ())) == 1
    }


def _pattern(path: PathRef) -> str:
    return path.root + ":" + re.sub(r"\d+|(?<=[-_])[0-9a-f]{6,}(?=[-_./]|$)", "0", path.path)
