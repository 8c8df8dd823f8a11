"""Runs that their owner wants to keep: an empty file in ``.prov/kept`` for each.

A record does not change once it is closed, so this cannot stand in it.
"""

from __future__ import annotations

import os

from provenance.core import runid
from provenance.errors import SystemRefused
from provenance.store import files
from provenance.store.project import Project

FOLDER = "kept"


def ids(project: Project) -> frozenset[str]:
    """Return the ids of the kept runs."""
    try:
        return frozenset(n for n in os.listdir(_folder(project)) if runid.is_id(n))
    except OSError:
        return frozenset()


def keep(project: Project, run_id: str) -> bool:
    """Keep a run; False where it is kept already. Raises `SystemRefused`."""
    files.make_folder(_folder(project))
    path = os.path.join(_folder(project), run_id)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except FileExistsError:
        return False
    except OSError as error:
        raise SystemRefused("%s cannot be written: %s." % (path, error.strerror)) from error
    return True


def release(project: Project, run_id: str) -> bool:
    """Keep a run no longer; False where it was not kept. Raises `SystemRefused`."""
    path = os.path.join(_folder(project), run_id)
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise SystemRefused("%s cannot be removed: %s." % (path, error.strerror)) from error
    return True


def _folder(project: Project) -> str:
    return os.path.join(project.folder, FOLDER)
