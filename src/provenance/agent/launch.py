"""The environment in which the user's command is observed."""

from __future__ import annotations

import os
from typing import Dict, Mapping

SITE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "site")
"""The folder that PYTHONPATH is made to begin with; its ``sitecustomize`` is the hook."""

FOLDER = "PROV_AGENT_DIR"
"""The variable that names the folder of the logs."""


CALLS = "calls"
"""A file of this name in the folder of the logs asks the hook for a table of calls."""


MARKS = "marks"
"""A file of this name asks the hook for fingerprints of initial weights and first batches."""


def want_marks(agent_dir: str) -> None:
    """Ask the hook for fingerprints of initial weights and first batches."""
    with open(os.path.join(agent_dir, MARKS), "w", encoding="utf-8"):
        pass


def want_calls(agent_dir: str) -> None:
    """Ask the hook of the run whose logs go to ``agent_dir`` for a table of calls."""
    with open(os.path.join(agent_dir, CALLS), "w", encoding="utf-8"):
        pass


def nested_file(agent_dir: str, run_id: str) -> str:
    """Return where a run tells the one that it was started in, whose folder is ``agent_dir``."""
    return os.path.join(agent_dir, run_id + ".json")


def hooked_environment(environ: Mapping[str, str], agent_dir: str) -> Dict[str, str]:
    """Return ``environ`` with the hook in it; unchanged where the user has set PROV_HOOK=0."""
    changed = dict(environ)
    if environ.get("PROV_HOOK") == "0" or os.pathsep in SITE:
        return changed
    old = unhooked_path(environ.get("PYTHONPATH", ""))
    # An empty entry at the end would put the working folder on the path.
    changed["PYTHONPATH"] = SITE + os.pathsep + old if old else SITE
    changed[FOLDER] = os.path.abspath(agent_dir)
    return changed


def unhooked_environment(environ: Mapping[str, str]) -> Dict[str, str]:
    """Return ``environ`` without the hook: what it was before `hooked_environment`."""
    changed = {name: value for name, value in environ.items() if name != FOLDER}
    if "PYTHONPATH" in changed:
        old = unhooked_path(changed.pop("PYTHONPATH"))
        if old:
            changed["PYTHONPATH"] = old
    return changed


def unhooked_path(path: str) -> str:
    """Return the value of PYTHONPATH ``path`` without our folder; other entries as they were."""
    return os.pathsep.join(entry for entry in path.split(os.pathsep) if entry != SITE)
