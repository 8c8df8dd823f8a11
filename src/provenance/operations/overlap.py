"""Which other runs of the project went on at the same time.

Outputs that are known only from their time stamps cannot be told apart between such runs. A run
holds a file in ``.prov/running`` while it lives; runs that started later show by their ids.
"""

from __future__ import annotations

import os

from provenance.store import records
from provenance.store.project import Project

FOLDER = "running"


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


def others(project: Project, run_id: str, at_start: tuple[str, ...]) -> tuple[str, ...]:
    """Return the runs that overlapped ``run_id``: those noted at its start, and later ones."""
    stamp = run_id.split("-", maxsplit=1)[0]
    later = {one for one in records.ids(project)[-1000:] if one.split("-", maxsplit=1)[0] >= stamp}
    return tuple(sorted((later | set(at_start)) - {run_id}))
