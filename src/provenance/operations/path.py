"""The path of an artifact by its address, and that the run which asked for it used it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from provenance.agent import launch, sdk
from provenance.core.record import Record
from provenance.errors import BadRecord, NoSuchRun, ProvError, UsageError
from provenance.facets import _addresses
from provenance.operations import _from_remote, addresses, references, remote_data
from provenance.operations.addresses import Artifact
from provenance.operations.obtain import Obtainer
from provenance.store import project, records
from provenance.store.project import Project

ASKED_BY = "PROV_ASKED_BY"
"""The variable in which the SDK says which line of the user's asks."""


class Result(NamedTuple):
    """address: as asked for. artifact: what it means. run: of which run. path, source: `Obtained`.

    name: of the run.
    """

    address: str
    run: str
    name: str | None
    artifact: Artifact
    path: str
    source: str


class Work:
    """How far the bringing is; read by another thread for a line of progress."""

    def __init__(self) -> None:
        self.told: Callable[[], int] = lambda: 0


def path(
    cwd: str,
    environ: Mapping[str, str],
    address: str,
    work: Work | None = None,
    every: bool = False,
) -> tuple[Result, ...]:
    """Return where the artifact of ``address`` is; more than one only where ``every`` is asked for.

    Inside a recorded run it is noted as used by that. Raises `ProvError`.
    """
    called, name = addresses.split(address)
    inside = _inside(environ)
    place = project.find(cwd)
    own = ""
    if inside is not None:
        place, own = inside
    run = _run(place, cwd, called, own, address)
    found = addresses.find(run, called, name)
    if len(found) > 1 and not every:
        shown = ", ".join(str(one.path) for one in found[:4])
        text = "%s means %d files of %s: %s." % (name, len(found), called, shown)
        raise UsageError(text, "write one of them, or take all with: prov path --all")
    obtainer = Obtainer(
        place,
        lambda one, watch: (_from_remote.way(place, one), remote_data.fetching(place, one, watch)),
    )
    if work is not None:
        work.told = lambda: obtainer.done
    results = []
    for artifact in found:
        got = obtainer.obtain(run, artifact)
        result = Result(address, run.id, run.name, artifact, got.path, got.source)
        if inside is not None:
            _note(result, environ)
        results.append(result)
    return tuple(results)


def _inside(environ: Mapping[str, str]) -> tuple[Project, str] | None:
    """Return the project and id of the recorded run that this process is part of, if any.

    A rerun works in a tree of its own that has no records: they are where its own goes.
    """
    agent = environ.get(launch.FOLDER, "")
    folder = os.path.dirname(agent)
    if not os.path.isabs(agent) or not os.path.isdir(agent):
        return None
    root = os.path.dirname(os.path.dirname(os.path.dirname(folder)))
    return project.find(root)._replace(root=root), os.path.basename(folder)


def _run(place: Project, cwd: str, called: str, own: str, address: str) -> Record:
    """Return the run that ``called`` means for the run ``own``, which is none of the candidates."""
    pinned = _pinned(place, own, address) if own else ""
    if pinned:
        return references.named(pinned, place, cwd).record
    if own and called.startswith("@"):
        known = [one for one in records.in_order(place) if one != own]
        back = (
            1 if called == "@last" else -int(called[1:]) if called[1:].lstrip("-").isdigit() else 0
        )
        if not 1 <= back <= len(known):
            raise NoSuchRun("%s means no run before this one." % called, "see: prov ls")
        return references.of_run(place, known[-back]).record
    found = references.named(called, place, cwd).record
    if found.id == own:
        earlier = [
            one.record
            for one in records.each(place)
            if isinstance(one, records.Stored)
            and one.record.name == called
            and one.record.id != own
        ]
        if not earlier:
            raise NoSuchRun("%s is this run itself." % called, "see: prov ls")
        return references.of_run(place, earlier[-1].id).record
    return found


def _pinned(place: Project, own: str, address: str) -> str:
    """Return the run that the address meant for the run that ``own`` replays, "" for none."""
    try:
        origin = records.read(os.path.join(place.runs, own)).replay_of
        if not origin:
            return ""
        replayed = references.named(origin, place, place.root).record
    except (ProvError, BadRecord):
        return ""
    told = _addresses.of(replayed.payloads("data"))
    return next((one.run for one in told if one.address == address), "")


def _note(result: Result, environ: Mapping[str, str]) -> None:
    """Tell the run that asks what it was given."""
    sdk.told_used(
        time.time_ns(),
        environ.get(ASKED_BY, ""),
        result.address,
        result.run,
        result.artifact.path.to_json(),
        os.fsencode(result.path).hex(),
    )


def as_json(results: tuple[Result, ...]) -> dict[str, Any]:
    """Return the ``data`` member of ``prov path --json``."""
    return {"artifacts": [_one(result) for result in results]}


def _one(result: Result) -> dict[str, Any]:
    artifact = result.artifact
    return {
        "address": result.address,
        "run": result.run,
        "name": result.name,
        "path": result.path,
        "recorded": artifact.path.to_json(),
        "source": result.source,
        "folder": artifact.folder,
        "size": artifact.size,
        "files": {name or ".": dict(entry.digests) for name, entry in artifact.entries},
    }
