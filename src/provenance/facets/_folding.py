"""Folders above, below and instead of others."""

from __future__ import annotations

import os
from typing import List, Optional, Set, Tuple

from provenance.core.context import FolderUse
from provenance.core.paths import is_inside
from provenance.facets import _files

MOST_SIBLINGS = 64
"""Folders of one folder, each one entry, beyond which that is the entry."""


def fold(folders: Tuple[FolderUse, ...], tops: Tuple[str, ...]) -> Tuple[FolderUse, ...]:
    """Return ``folders`` without those inside others, crowds of siblings as the folder above."""
    by_path = {one.path: one.files for one in folders}
    ways = {one.path: one.how for one in folders}
    never = frozenset(one for top in tops for one in above(top))
    groups, _ = _files.grouped(by_path, MOST_SIBLINGS, never)
    for folder, members in groups.items():
        by_path[folder] = sum(by_path.pop(m) for m in members if m in by_path)
        ways[folder] = tuple(dict.fromkeys(way for m in members for way in ways.get(m, ())))
    kept: Set[str] = set()
    result = []
    for path in sorted(by_path):
        if not any(one in kept for one in above(os.path.dirname(path))):
            kept.add(path)
            result.append(FolderUse(path, by_path[path], how=ways[path]))
    return tuple(result)


def above(folder: str) -> List[str]:
    """Return ``folder`` and everything above it."""
    found = [folder]
    while os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
        found.append(folder)
    return found


def below(folder: str, paths: List[str]) -> Tuple[str, ...]:
    inside = (p for p in paths if is_inside(p, folder))
    return tuple(os.path.relpath(p, folder).replace(os.sep, "/") for p in inside)


def below_a_root(folder: str, tops: Tuple[str, ...]) -> str:
    """Return ``folder`` as it is written below the root that it really lies in, else as it is."""
    real: Optional[str] = None
    for top in tops:
        real = real or os.path.realpath(folder)
        real_top = os.path.realpath(top)
        if is_inside(real, real_top):
            return os.path.normpath(os.path.join(top, os.path.relpath(real, real_top)))
    return folder


def device(folder: str) -> int:
    """Return the number of the device that ``folder`` is on, -1 where it is not there."""
    try:
        return os.stat(folder).st_dev
    except OSError:
        return -1
