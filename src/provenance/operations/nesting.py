"""Runs inside runs: a script that is recorded and calls ``prov run`` itself.

The inner run has a record of its own. It registers in the outer one's agent folder, and when it has
ended it hands its hook's logs over to that folder, so that what it read, wrote and computed counts
for the outer run as if that had observed it itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from provenance.agent import launch
from provenance.core import runid

_OUTER = "outer"
"""The file in an agent folder that names the agent folder of the run outside of it."""
_DEEPEST = 20


def outer(environ: Mapping[str, str]) -> str | None:
    """Return the agent folder of the run that a process with ``environ`` belongs to, if any."""
    folder = environ.get(launch.FOLDER, "")
    if os.path.isabs(folder) and runid.is_id(run_of(folder)) and os.path.isdir(folder):
        return folder
    return None


def run_of(agent_dir: str) -> str:
    """Return the id of the run whose agent folder this is."""
    return os.path.basename(os.path.dirname(agent_dir))


def outers(agent_dir: str | None) -> frozenset[str]:
    """Return the ids of the run of ``agent_dir`` and of all that it runs in."""
    found: list[str] = []
    while agent_dir and len(found) < _DEEPEST:
        found.append(run_of(agent_dir))
        try:
            with open(os.path.join(agent_dir, _OUTER), encoding="utf-8") as stream:
                agent_dir = stream.read()
        except (OSError, ValueError):
            break
    return frozenset(found)


def enter(outer_dir: str, run_id: str, command: tuple[str, ...], agent_dir: str | None) -> None:
    """Tell the outer run of this one. Never raises."""
    try:
        _tell(outer_dir, run_id, {"command": command, "pid": os.getpid()})
        if agent_dir is not None:
            with open(os.path.join(agent_dir, _OUTER), "w", encoding="utf-8") as stream:
                stream.write(outer_dir)
    except OSError:
        return


def leave(
    outer_dir: str,
    run_id: str,
    command: tuple[str, ...],
    exit_code: int | None,
    agent_dir: str | None,
) -> None:
    """Tell the outer run how this one ended, and hand over what was observed. Never raises.

    agent_dir: None where this run did not observe, and the outer run's hook did instead.
    """
    try:
        counted = agent_dir is None or _hand_over(agent_dir, outer_dir)
        said = {"command": command, "pid": os.getpid(), "exit_code": exit_code, "counted": counted}
        _tell(outer_dir, run_id, said)
    except OSError:
        return


def withdraw(outer_dir: str, run_id: str) -> None:
    """Tell the outer run that this one did not take place after all. Never raises."""
    try:
        os.unlink(launch.nested_file(outer_dir, run_id))
    except OSError:
        return


def _tell(outer_dir: str, run_id: str, said: Mapping[str, object]) -> None:
    path = launch.nested_file(outer_dir, run_id)
    with open(path + ".tmp", "w", encoding="utf-8") as stream:
        json.dump(said, stream)
    os.replace(path + ".tmp", path)


def _hand_over(agent_dir: str, outer_dir: str) -> bool:
    """Move logs, and what runs inside this one told; return whether all went over.

    They are moved and not copied: another file system, or an outer run that has ended meanwhile,
    leaves them where they are.
    """
    every = True
    for name in sorted(os.listdir(agent_dir)):
        if name.endswith(".log") or runid.is_id(name[:-5]):
            try:
                os.rename(os.path.join(agent_dir, name), os.path.join(outer_dir, name))
            except OSError:
                every = False
    return every
