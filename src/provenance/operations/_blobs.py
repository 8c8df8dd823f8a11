"""Which blobs in ``.prov/objects`` no record and no lock refers to.

A blob counts as referred to where its digest stands anywhere in the text of a record, a lock, or a
folder's list that is itself referred to: also what this version cannot read keeps what it names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from provenance.core.distributions import key_of
from provenance.core.record import Record
from provenance.facets import packages
from provenance.operations import _needed, wheels
from provenance.operations.disk import BLOBS
from provenance.store import blobs, records, team, usage
from provenance.store.project import Project

_HEX = re.compile(rb"\b[0-9a-f]{32,128}\b")
_FOLDER = ".dir"
"""Ending of a list of a folder's files in DVC's layout, ``files/md5/ab/cdef....dir``."""
_MOST = 64 << 20
"""Bytes of one text that is searched; a bigger one is none of ours."""


def unreferenced(place: Project, cwd: str, runs: Sequence[Record]) -> Iterator[tuple[str, str]]:
    """Yield ``(path, why)`` of each blob that may go."""
    top = os.path.join(place.folder, BLOBS)
    yield from _wheels(os.path.join(place.folder, wheels.FOLDER), runs)
    found = dict(stored(top))
    if not found:
        return
    known = _with_lists(found, _mentioned(place, cwd))
    for name, path in found.items():
        if name.removesuffix(_FOLDER) not in known:
            yield path, "no record and no lock names it"


def _wheels(folder: str, runs: Sequence[Record]) -> Iterator[tuple[str, str]]:
    if os.path.islink(folder):
        return
    used = {
        (key_of(one.name), one.version, one.record_sha256[:16])
        for run in runs
        for found in (packages.of(run) or {}).values()
        for one in found.distributions.values()
    }
    names = {wheels.kept_name(*one) for one in used}
    for name in usage.names(folder):
        if name not in names:
            yield os.path.join(folder, name), "no run used this build of it"


def stored(top: str) -> Iterator[tuple[str, str]]:
    """Yield digest and path of blobs in the form ``<algorithm>/ab/cdef...`` at any depth."""
    for folder, folders, names in os.walk(top):
        folders[:] = [one for one in folders if not os.path.islink(os.path.join(folder, one))]
        if os.path.relpath(folder, top).split(os.sep)[0] == "wheels":
            folders.clear()
            continue
        start = os.path.basename(folder)
        for name in names:
            whole = start + name
            if len(start) == 2 and _HEX.fullmatch(whole.removesuffix(_FOLDER).encode()):
                yield whole, os.path.join(folder, name)


def of_runs(place: Project, chosen: Iterable[str]) -> set[str]:
    """Return all digests that the records of these runs name, those in lists of folders too."""
    known: set[str] = set()
    for run_id in chosen:
        folder = records.folder_of(place, run_id)
        for name in (records.FILE, blobs.FILE):
            known |= _words(os.path.join(folder, name))
    return _with_lists(dict(stored(os.path.join(place.folder, BLOBS))), known)


def of_locks(place: Project, cwd: str) -> set[str]:
    """Return all digests that the locks name, and under which names the contents are stored."""
    texts = _needed.texts(place, cwd)
    found = {one.decode("ascii") for _, text in texts for one in _HEX.findall(text)}
    for run_id in usage.names(os.path.join(place.folder, BLOBS, blobs.NAMES)):
        if any(run_id.encode("ascii", "replace") in text for _, text in texts):
            found |= _words(os.path.join(blobs.folder_of_locked(place, run_id), blobs.FILE))
    return found


def _with_lists(found: Mapping[str, str], known: set[str]) -> set[str]:
    """Return ``known`` with what the lists of folders in it name. found: paths of all blobs."""
    lists = [name for name in found if name.endswith(_FOLDER) and name[: -len(_FOLDER)] in known]
    return known.union(*(_words(found[name]) for name in lists))


def _mentioned(place: Project, cwd: str) -> set[str]:
    return of_runs(place, (*records.ids(place), *team.ids(place))) | of_locks(place, cwd)


def _words(path: str) -> set[str]:
    try:
        with open(path, "rb") as stream:
            return {one.decode("ascii") for one in _HEX.findall(stream.read(_MOST))}
    except OSError:
        return set()
