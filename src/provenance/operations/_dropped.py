"""What lies in the project by content and can be had again: what was brought, what was pushed.

`prov path` brings contents into ``.prov/artifacts/<key>`` and writes beside it, in ``<key>.runs``,
for which runs; the time of that file says when it was asked for last. Blobs in ``.prov/objects``
that a remote has as well may go when they are asked to, and come again with `prov pull`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from provenance.operations import _blobs, _remote, obtain
from provenance.operations._needed import Needed
from provenance.operations.disk import BLOBS
from provenance.operations.pushing import unreachable
from provenance.store import objects, usage
from provenance.store.project import Project

Found = tuple[str, str, str]
"""Path, why it may go, and why it does not, "" where it does."""

_LEFT_S = 86_400.0


def brought(place: Project, needed: Needed, older_than_s: float) -> Iterator[Found]:
    """Yield what `prov path` brought and nobody asked for in so long."""
    above = os.path.join(place.folder, obtain.FOLDER)
    names = [] if os.path.islink(above) else usage.names(above)
    for name in names:
        path = os.path.join(above, name)
        if name.startswith(obtain.BUILDING):
            if _unused_s(path) > _LEFT_S:
                yield path, "left by a prov path that was killed", ""
        elif name.endswith(obtain.RUNS):
            if name.removesuffix(obtain.RUNS) not in names and _unused_s(path) > _LEFT_S:
                yield path, "what it tells of is gone", ""
        elif min(_unused_s(path), _unused_s(path + obtain.RUNS)) > older_than_s:
            why = next((needed.why[one] for one in obtain.runs_of(path) if needed.names(one)), "")
            yield path, "prov path brings it again", "of its run: %s" % why if why else ""


def pushed(place: Project, cwd: str, remote: str, needed: Needed) -> Iterator[Found]:
    """Yield the blobs that the remote has as well, with the same name and size.

    Lists of folders stay: they are small, and tell what is missing. Raises `UsageError`,
    `SystemRefused` ...
    """
    stored = {
        oid: path
        for oid, path in _blobs.stored(os.path.join(place.folder, BLOBS))
        if objects.is_oid(oid) and not oid.endswith(objects.LIST)
    }
    if not stored:
        return
    target = _remote.reach(place, _remote.stores(place), remote, cwd)
    sizes = {}
    for oid, path in stored.items():
        try:
            sizes[oid] = os.lstat(path).st_size
        except OSError:
            continue
    try:
        there = target.present(sizes)
    except OSError as error:
        raise unreachable(target, error) from error
    spared = _blobs.of_runs(place, needed.why)
    spared |= _blobs.of_locks(place, cwd)
    for oid, path in stored.items():
        if oid in there:
            why = "a run that is kept or locked needs it" if oid in spared else ""
            yield path, "%s has it too: prov pull" % target.shown, why


def _unused_s(path: str) -> float:
    """Return the seconds since ``path`` was changed; of what is not there, endless."""
    return usage.age(path, unknown=float("inf"))
