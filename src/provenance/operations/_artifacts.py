"""The files that a run read and wrote, as things to be sent, fetched and put back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from provenance.core import digest
from provenance.core.paths import CWD, REPO, PathRef
from provenance.core.record import Record
from provenance.facets import _entries
from provenance.operations.settle import recorded_roots
from provenance.store.project import Project

DigestOf = Callable[[str, tuple[str, ...]], Mapping[str, str]]

DATA, OUTPUTS = "data", "outputs"
BOTH = (DATA, OUTPUTS)


class Artifact(NamedTuple):
    """A file of a run, or a folder that stands for its files (``folder``).

    run: its id. facet: data or outputs. size: bytes. digests: as recorded, never empty. left_out:
    files of a folder that do not count.
    """

    run: str
    facet: str
    ref: PathRef
    size: int
    digests: Mapping[str, str]
    folder: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """Return the path for people."""
        return str(self.ref)

    @property
    def algorithm(self) -> str:
        """Return the algorithm whose digest is checked, "" where none can be computed here."""
        plain = sorted(name.removesuffix(digest.TREE) for name in self.digests)
        usable = digest.available(one for one in plain if one in _USABLE)
        return usable[0] if usable else ""

    @property
    def value(self) -> str:
        """Return the digest that is checked."""
        return self.digests[self.algorithm + (digest.TREE if self.folder else "")]


_USABLE = (digest.BLAKE3, digest.SHA256, digest.MD5)


class Unusable(NamedTuple):
    """A file that is none of the artifacts, or is lost, and why. key: what it contained."""

    run: str
    facet: str
    ref: PathRef
    size: int
    why: str
    outside: bool = False
    key: tuple[tuple[str, str], ...] = ()

    @property
    def digests(self) -> dict[str, str]:
        """Return the recorded digests."""
        return dict(self.key)


def of(
    run: Record, facets: Sequence[str] = BOTH, outside: bool = False
) -> tuple[list[Artifact], list[Unusable]]:
    """Return what can be sent of ``run``, and what cannot.

    outside: also files outside of the repository and the run's working folder.
    """
    found: dict[tuple[PathRef, tuple[tuple[str, str], ...]], Artifact] = {}
    left: list[Unusable] = []
    for facet in facets:
        for entry in _listed(run, facet):
            away = entry.path.root not in (REPO, CWD)
            if not entry.digests:
                if entry.target is None and entry.state != _entries.MISSING:
                    left.append(_unusable(run, facet, entry, _WHY.get(entry.state, _NONE)))
                continue
            if away and not outside:
                left.append(_unusable(run, facet, entry, "outside of the project", True))
                continue
            folder = any(name.endswith(digest.TREE) for name in entry.digests)
            one = Artifact(
                run.id, facet, entry.path, entry.size, entry.digests, folder, entry.left_out
            )
            if not one.algorithm:
                left.append(_unusable(run, facet, entry, "its digest cannot be checked here"))
                continue
            found.setdefault((one.ref, tuple(sorted(one.digests.items()))), one)
    return list(found.values()), left


_NONE = "it has no digest"
_WHY = {
    _entries.PENDING: "its digest was not taken yet (prov close)",
    _entries.CHANGED: "it changed during the run: what was read is not known",
    _entries.OVERWRITTEN: "the run wrote over it before its digest was taken",
    _entries.UNREADABLE: "it could not be read",
}


def links(run: Record, facets: Sequence[str] = BOTH) -> list[tuple[PathRef, PathRef]]:
    """Return the symbolic links that the run made, and where they lead."""
    found = (entry for facet in facets for entry in _listed(run, facet))
    return [(one.path, one.target) for one in found if one.target and not one.digests]


def _unusable(
    run: Record, facet: str, entry: _entries.FileEntry, why: str, outside: bool = False
) -> Unusable:
    return Unusable(run.id, facet, entry.path, entry.size, why, outside)


def _listed(run: Record, facet: str) -> Iterator[_entries.FileEntry]:
    try:
        yield from _entries.entries(run.payloads(facet))
    except ValueError:
        return  # of a newer version: nothing that we could check


def places(place: Project, run: Record, one: Artifact) -> list[str]:
    """Return where the file may be on this machine: in this clone, and where the run had it."""
    here = place.roots(place.roots(place.root).locate(run.cwd) or place.root)
    paths = [roots.locate(one.ref) for roots in (here, recorded_roots(place, run))]
    return list(dict.fromkeys(os.path.normpath(path) for path in paths if path))


def is_in_place(place: Project, run: Record, one: Artifact, digest_of: DigestOf) -> bool:
    """Return whether the file that the run had is where it belongs in this clone. Never raises.

    Of folders it is not looked at.
    """
    paths = places(place, run, one)
    if one.folder or not paths:
        return False
    try:
        return digest_of(paths[0], (one.algorithm,))[one.algorithm] == one.value
    except (OSError, ValueError):
        return False
