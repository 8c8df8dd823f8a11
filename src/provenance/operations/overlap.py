"""Which other runs of the project went on at the same time.

Outputs that are known only from their time stamps cannot be told apart between such runs. A run
holds a file in ``.prov/running`` while it lives; runs that started later show by their ids.
"""

from __future__ import annotations

import os

from provenance.core.paths import PathRef, Roots
from provenance.core.record import RUNNING, Record
from provenance.errors import ProvError
from provenance.store import liveness, records
from provenance.store.project import Project

FOLDER = "running"
_AGENT = "agent"
_MOST, _MOST_READ = 1000, 50
"""Runs and logs that are looked at, and runs of which it is read what they wrote."""


def enter(project: Project, run_id: str) -> tuple[str, ...]:
    """Note that ``run_id`` runs; return the others that were noted already. Never raises."""
    folder = os.path.join(project.folder, FOLDER)
    try:
        os.makedirs(folder, exist_ok=True)
        others = tuple(sorted(name for name in os.listdir(folder) if name != run_id))
        os.close(os.open(os.path.join(folder, run_id), os.O_CREAT | os.O_WRONLY, 0o666))
    except OSError:
        return ()
    return others


def leave(project: Project, run_id: str) -> None:
    """Note that ``run_id`` has ended. Never raises."""
    try:
        os.unlink(os.path.join(project.folder, FOLDER, run_id))
    except OSError:
        pass


def others(project: Project, own: Record, at_start: tuple[str, ...]) -> tuple[str, ...]:
    """Return the runs that went on while ``own``, which has just ended, did.

    Those noted when it began count unless their writer was killed; those that have begun since
    count, too. Ids tell whole seconds; within its first one, a run that had ended before is none.
    """
    stamp = _second(own.id)
    later = {one for one in records.ids(project)[-_MOST:] if _second(one) >= stamp}
    doubtful = {one for one in later if _second(one) == stamp} | set(at_start)
    apart = {one for one in doubtful - {own.id} if not _overlaps(project, one, own)}
    return tuple(sorted((later | set(at_start)) - apart - {own.id}))


def _second(run_id: str) -> str:
    return run_id.split("-", maxsplit=1)[0]


def _overlaps(project: Project, run_id: str, own: Record) -> bool:
    try:
        other = records.read(os.path.join(project.runs, run_id))
    except ProvError:
        return True  # it has only begun, or cannot be read
    if other.status == RUNNING:
        return liveness.lives(other.process) is not False
    return other.ended is None or other.ended >= own.started


def theirs(project: Project, others: tuple[str, ...]) -> frozenset[str]:
    """Return the paths that ``others`` were seen to write: these are not in doubt. Never raises."""
    found: set[str] = set()
    for run_id in others[:_MOST_READ]:
        folder = os.path.join(project.runs, run_id)
        agent = os.path.join(folder, _AGENT)
        try:
            found |= _writing(agent) if os.path.isdir(agent) else _wrote(records.read(folder))
        except (OSError, ProvError, ValueError, TypeError, KeyError):
            continue
    return frozenset(found)


def _writing(agent_dir: str) -> set[str]:
    """Return what the processes of a run that still goes on have written so far."""
    from provenance.agent import _log  # only where runs overlap

    found = set()
    for name in sorted(os.listdir(agent_dir))[:_MOST]:
        if name.endswith(".log"):
            for line in _log.Log(os.path.join(agent_dir, name)).lines():
                if line.kind in "WU" and isinstance(line.value, bytes):
                    found.add(os.path.normpath(os.fsdecode(line.value)))
                elif line.kind == "M":
                    found.add(os.path.normpath(os.fsdecode(line.value[1])))
    return found


def _wrote(other: Record) -> set[str]:
    """Return what a run that has ended was seen to write."""
    roots = Roots(
        other.roots.get("repo"), other.roots.get("cwd", "/"), other.roots.get("home", "/")
    )
    found = set()
    for subject in other.payloads("outputs"):
        for entry in subject.payload.get("files", []):
            if "observed" in entry.get("how", []):
                place = roots.locate(PathRef.from_json(entry["path"]))
                if place:
                    found.add(place)
    return found
