"""Where a project's records are: the ``.prov`` folder and the place it stands at.

``.prov`` stands at the nearest ``prov.yaml`` above the working folder, else at the top of the git
repository, else in the working folder itself. Its ``.gitignore`` holds ``*``: recording never
dirties the user's tree.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from provenance import config
from provenance.core.paths import Roots, nearest
from provenance.store import files

FOLDER = ".prov"
RUNS = "runs"


class Project(NamedTuple):
    """root: the folder that holds ``.prov``. repo: top of the git repository, None without one."""

    root: str
    repo: str | None

    @property
    def folder(self) -> str:
        """The ``.prov`` folder, which need not exist yet."""
        return os.path.join(self.root, FOLDER)

    @property
    def runs(self) -> str:
        """The folder of run folders, which need not exist yet."""
        return os.path.join(self.root, FOLDER, RUNS)

    def roots(self, cwd: str) -> Roots:
        """Return the roots that paths of a run in ``cwd`` refer to."""
        home = os.path.expanduser("~")
        return Roots(self.repo or self.root, cwd, home if os.path.isabs(home) else "/")


def find(cwd: str) -> Project:
    """Return the project that ``cwd`` (absolute) belongs to; it always belongs to one."""
    repo = nearest(cwd, ".git")
    settings = nearest(cwd, config.FILE)
    return Project(settings or repo or cwd, repo)


def ensure(project: Project) -> None:
    """Make ``.prov`` with its ``.gitignore``. Raises `SystemRefused`; safe to repeat."""
    files.make_folder(project.runs)
    ignore = os.path.join(project.folder, ".gitignore")
    if not os.path.exists(ignore):
        files.write_atomic(ignore, b"*\n")
