"""What the records of a project, and what goes with them, take on the disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from provenance.core import runid
from provenance.environments import cache as environments
from provenance.errors import BadRecord
from provenance.operations import (
    _aside,
    _lineage_records,
    _needed,
    _sharegit,
    _signatures,
    _taped,
    obtain,
    plan,
    scratch,
)
from provenance.operations.recorder import AGENT, CACHE, LOG
from provenance.store import blobs, kept, objects, project, records, team, trash
from provenance.store.project import Project
from provenance.store.usage import Meter, Usage, free, names

RECORDS, LOGS, SERIES, CODE, UNFINISHED, OTHER = (
    "records", "logs", "series", "code", "unfinished", "other",
)  # fmt: skip
BLOBS, DIGESTS = objects.FOLDER, "digests"
OF_RUN = {records.FILE: RECORDS, blobs.FILE: RECORDS, LOG: LOGS, AGENT: UNFINISHED}
"""What a run's folder holds, by name."""
OF_PROJECT = {
    BLOBS: BLOBS,
    plan.FOLDER: plan.FOLDER,
    scratch.FOLDER: scratch.FOLDER,
    _taped.FOLDER: _taped.FOLDER,
    _signatures.FOLDER: _signatures.FOLDER,
    trash.FOLDER: trash.FOLDER,
    obtain.FOLDER: obtain.FOLDER,
    _aside.REPLACED: _aside.REPLACED,
    _lineage_records.FOLDER: _lineage_records.FOLDER,
    team.FOLDER: team.FOLDER,
    _sharegit.FOLDER: team.FOLDER,
    kept.FOLDER: RECORDS,
    "running": RECORDS,
}
"""What ``.prov`` holds beside the runs, by name."""
KINDS = {
    RECORDS: "what was recorded, as text",
    LOGS: "what the commands printed",
    SERIES: "metrics by step",
    CODE: "uncommitted changes, untracked source, notebooks",
    UNFINISHED: "logs of runs that go on or were killed",
    BLOBS: "files kept by content",
    obtain.FOLDER: "what prov path brought",
    _aside.REPLACED: "your files that prov checkout replaced",
    team.FOLDER: "records of others",
    plan.FOLDER: "trees of replays",
    scratch.FOLDER: "trees of rehearsals",
    _taped.FOLDER: "what calls returned",
    _signatures.FOLDER: "signatures of libraries",
    _lineage_records.FOLDER: "index for prov trace",
    DIGESTS: "digests of unchanged files",
    trash.FOLDER: "removed, not yet deleted",
    OTHER: "not prov's own",
}


class RunUsage(NamedTuple):
    """A run's folder. why: who needs it, "" for nobody. kinds: its parts."""

    id: str
    name: str | None
    total: Usage
    kinds: dict[str, Usage]
    why: str = ""


class Disk(NamedTuple):
    """What takes the room.

    place: the ``.prov`` folder. kinds: all in it, by kind. runs: the biggest first. cache: the
    user's cache, used by all projects, and its parts. free: bytes left where ``.prov`` is.
    """

    place: str
    kinds: dict[str, Usage]
    runs: tuple[RunUsage, ...]
    cache: str
    cached: dict[str, Usage]
    free: int | None

    @property
    def total(self) -> Usage:
        """Return what ``.prov`` takes."""
        return sum(self.kinds.values(), Usage())


def du(cwd: str, environ: Mapping[str, str], progress: Callable[[str], None] | None = None) -> Disk:
    """Measure the project at ``cwd``, and the cache. Never raises for what cannot be read."""
    place = project.find(cwd)
    tell = progress or _nobody
    meter = Meter()
    runs = tuple(_runs(place, cwd, meter, tell))
    kinds = dict.fromkeys(KINDS, Usage())
    for one in runs:
        for kind, part in one.kinds.items():
            kinds[kind] += part
    for name in names(place.folder):
        if name != project.RUNS:
            tell("measuring %s" % name)
            kinds[_kind(name)] += meter.of(os.path.join(place.folder, name))
    for name in names(place.runs):
        if not runid.is_id(name):
            kinds[OTHER] += meter.of(os.path.join(place.runs, name))
    above = environments.folder(environ)
    cached = {}
    for name in names(above):
        tell("measuring %s of the cache" % name)
        cached[name] = Meter().of(os.path.join(above, name))
    there = place.folder if os.path.isdir(place.folder) else place.root
    found = {kind: part for kind, part in kinds.items() if part.bytes or part.files}
    ordered = tuple(sorted(runs, key=lambda one: (-one.total.bytes, one.id)))
    return Disk(place.folder, found, ordered, above, cached, free(there))


def run_parts(folder: str) -> dict[str, list[str]]:
    """Return the paths in a run's folder by kind."""
    found: dict[str, list[str]] = {}
    for name in names(folder):
        found.setdefault(_kind_of_run(name), []).append(os.path.join(folder, name))
    return found


def _runs(
    place: Project, cwd: str, meter: Meter, tell: Callable[[str], None]
) -> Iterable[RunUsage]:
    needed = _needed.of(place, cwd)
    known = records.ids(place)
    for number, run_id in enumerate(known):
        if not number % 100:
            tell("measuring run %d of %d" % (number + 1, len(known)))
        folder = os.path.join(place.runs, run_id)
        kinds = {RECORDS: meter.alone(folder)}
        for kind, paths in run_parts(folder).items():
            kinds[kind] = sum((meter.of(path) for path in paths), kinds.get(kind, Usage()))
        total = sum(kinds.values(), Usage())
        yield RunUsage(run_id, _name(folder), total, kinds, needed.why.get(run_id, ""))


def _name(folder: str) -> str | None:
    try:
        found = records.read_json(os.path.join(folder, records.FILE)).get("name")
    except BadRecord:
        return None
    return found if isinstance(found, str) else None


def _kind_of_run(name: str) -> str:
    if name in OF_RUN:
        return OF_RUN[name]
    return SERIES if name.endswith(".jsonl") else CODE


def _kind(name: str) -> str:
    if name == CACHE or (name.startswith(CACHE + ".") and name.endswith(".tmp")):
        return DIGESTS
    return OF_PROJECT.get(name, RECORDS if name == ".gitignore" else OTHER)


def _nobody(_: str) -> None:
    pass


def as_json(found: Disk) -> dict[str, Any]:
    """Return the ``data`` member of ``prov du --json``."""
    return {
        "place": found.place,
        "total": found.total._asdict(),
        "free": found.free,
        "kinds": _plain(found.kinds),
        "runs": [
            dict(
                one.total._asdict(), id=one.id, name=one.name, kinds=_plain(one.kinds), why=one.why
            )
            for one in found.runs
        ],
        "cache": {"place": found.cache, "kinds": _plain(found.cached)},
    }


def _plain(kinds: Mapping[str, Usage]) -> dict[str, dict[str, int]]:
    return {kind: part._asdict() for kind, part in kinds.items()}
