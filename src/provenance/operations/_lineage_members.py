"""Finding a file that a record names only as part of a folder: through the lists of folders' files.

Of a folder with very many files a record keeps one digest. Which files it held, by MD5, stand in
the lists that `prov push` made of it (in ``.prov/objects``), and in those that DVC has of what it
tracks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from provenance.errors import ProvError
from provenance.operations import _dvc
from provenance.operations._lineage_facts import Touch
from provenance.operations._lineage_records import Records
from provenance.store import blobs, objects
from provenance.store.objects import LIST, Store
from provenance.store.project import Project

MOST = 2000
"""Lists that are looked through for one file."""


class Member(NamedTuple):
    """A folder that a run touched, and the path in it under which a list names the file."""

    run: str
    touch: Touch
    path: str


def holding(value: str, known: Records, place: Project) -> list[Member]:
    """Return the recorded folders whose lists name a file with the MD5 ``value``, oldest first."""
    lists = _Lists(place)
    found = []
    for run_id in sorted(known.ids(), key=lambda one: known.facts(one).order):
        if lists.read > MOST:
            break
        for touch, oid, start in _folders(run_id, known):
            names = lists.paths(oid, value)
            found += [
                Member(run_id, touch, path[len(start) :])
                for path in names
                if path.startswith(start)
            ]
    return found


def _folders(run_id: str, known: Records) -> Iterator[tuple[Touch, str, str]]:
    """Yield the folders of a run with the list that names their files, and where in it they are."""
    facts = known.facts(run_id)
    folders = [one for one in facts.touches if one.files is not None and one.digests]
    if not folders:
        return
    kept = blobs.load(os.path.dirname(known.source(run_id)))
    for touch in folders:
        oids = {kept[one].oid for one in touch.digests if one in kept}
        for oid in oids:
            if oid.endswith(LIST):
                yield touch, oid, ""
        for held in facts.held if touch.side == "read" else ():
            inside = touch.path == held.path or touch.path.startswith(held.path + "/")
            if held.same and held.md5.endswith(LIST) and inside and held.md5 not in oids:
                below = touch.path[len(held.path) + 1 :]
                yield touch, held.md5, below + "/" if below else ""


class _Lists:
    """The lists at hand, each read once. read: how many were."""

    def __init__(self, place: Project) -> None:
        self._tops = tuple(dict.fromkeys(top for top in (place.root, place.repo) if top))
        self._store = Store(os.path.join(place.folder, objects.FOLDER))
        self._kept: dict[str, dict[str, list[str]]] = {}
        self.read = 0

    def paths(self, oid: str, value: str) -> list[str]:
        """Return under which paths the list ``oid`` names the MD5 ``value``."""
        if oid not in self._kept:
            self.read += 1
            by_md5: dict[str, list[str]] = {}
            for path, md5 in self._rows(oid).items():
                by_md5.setdefault(md5, []).append(path)
            self._kept[oid] = by_md5
        return self._kept[oid].get(value, [])

    def _rows(self, oid: str) -> dict[str, str]:
        try:
            if self._store.has(oid):
                members = blobs.members(self._store.read(oid))
                return {one.path: one.oid for one in members}
        except (OSError, ProvError):
            pass
        listed = (_dvc.listed(top, oid) for top in self._tops)
        return next((rows for rows in listed if rows), {})
