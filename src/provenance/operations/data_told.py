"""What changed in data that differs, where both versions are still to be had.

A version is at hand where the file still has the digest that the run saw, or where git holds the
file as it was in the commit of the run.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable

from provenance.compare import contents, files
from provenance.compare.tolerance import DEFAULT
from provenance.core import codec, digest
from provenance.core.digest import TREE
from provenance.core.paths import Roots
from provenance.core.record import Record
from provenance.core.verdict import Finding
from provenance.errors import ProvError
from provenance.facets import code
from provenance.facets._entries import FileEntry
from provenance.operations import _gittree
from provenance.operations.inputs import entries
from provenance.store.project import Project

MOST_BYTES, MOST_FILES = 64 << 20, 20
"""Bytes of a file, and files, that are looked into: more would keep people waiting for `verify`."""


Run = tuple[Record, Roots]
"""A record, and where its files are."""


def told(findings: Iterable[Finding], place: Project, old: Run, new: Run) -> tuple[Finding, ...]:
    """Return ``findings`` with what changed inside of the data that differs. Never raises."""
    left = MOST_FILES
    found = []
    for one in findings:
        if one.facet == "data" and one.kind == "digest" and left:
            left -= 1
            text = _told(one.name, place, old, new)
            one = one._replace(text=text or one.text)  # noqa: PLW2901
        found.append(one)
    return tuple(found)


def _told(name: str, place: Project, old: Run, new: Run) -> str:
    pair = [_entry(run, name) for run, _ in (old, new)]
    with tempfile.TemporaryDirectory(prefix="prov-data-") as folder:
        paths = []
        for side, (entry, (run, roots)) in enumerate(zip(pair, (old, new), strict=True)):
            if entry is None or entry.files is not None or entry.size > MOST_BYTES:
                return ""
            target = os.path.join(folder, str(side))
            path = files.at_hand(entry, roots.locate) or _from_git(run, entry, place, target)
            if path is None:
                return ""
            paths.append(path)
        try:
            return contents.compare(paths[0], paths[1], os.path.basename(name), DEFAULT).detail
        except contents.Opaque:
            return ""


def _entry(run: Record, name: str) -> FileEntry | None:
    for one in entries(run, "data"):
        entry = codec.decode(FileEntry, one, "files[]")
        if str(entry.path) == name:
            return entry
    return None


def _from_git(run: Record, entry: FileEntry, place: Project, target: str) -> str | None:
    """Write the file as it was in the commit of ``run`` to ``target``; None where it is not that.

    A file that was changed and not committed when the run read it has another digest.
    """
    recorded = code.of(run)
    commit = recorded.commit if recorded is not None else None
    if place.repo is None or not commit or entry.path.root != "repo":
        return None
    try:
        data = _gittree.blob(place.repo, commit, os.fsencode(entry.path.path))
    except ProvError:
        return None
    if data is None or len(data) != entry.size:
        return None
    with open(target, "wb") as stream:
        stream.write(data)
    wanted = digest.available(one for one in entry.digests if not one.endswith(TREE))[:1]
    return target if digest.same(digest.file_digests(target, wanted), entry.digests) else None
