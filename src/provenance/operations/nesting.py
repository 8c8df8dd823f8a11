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
from provenance.core.record import Record

_OUTER = "outer"
"""The file in an agent folder that names the agent folder of the run outside of it."""
_DEEPEST = 20


class Outer:
    """The run that this one was started in. agent: its agent folder."""

    def __init__(self, agent: str) -> None:
        self.agent = agent
        self.id = os.path.basename(os.path.dirname(agent))

    @staticmethod
    def environ(environ: Mapping[str, str]) -> Mapping[str, str]:
        """Return the environment as the user has it: without the hook of the run outside."""
        return launch.unhooked_environment(environ)

    def around(self) -> frozenset[str]:
        """Return the ids of this run and of all that it runs in."""
        found: list[str] = []
        folder = self.agent
        while folder and len(found) < _DEEPEST:
            found.append(os.path.basename(os.path.dirname(folder)))
            try:
                with open(os.path.join(folder, _OUTER), encoding="utf-8") as stream:
                    folder = stream.read()
            except (OSError, ValueError):
                break
        return frozenset(found)

    def enter(self, inner: Record, agent: str | None) -> None:
        """Tell the outer run of one inside it, whose agent folder is ``agent``. Never raises."""
        try:
            self._tell(inner.id, {"command": inner.command, "pid": os.getpid()})
            if agent is not None:
                with open(os.path.join(agent, _OUTER), "w", encoding="utf-8") as stream:
                    stream.write(self.agent)
        except OSError:
            return

    def leave(self, inner: Record, agent: str | None) -> None:
        """Tell the outer run how the inner one ended, and hand over what was observed.

        Never raises. agent: None where the inner run did not observe, and the outer one's hook
        did instead.
        """
        try:
            counted = agent is None or _hand_over(agent, self.agent)
            said = {"command": inner.command, "exit_code": inner.exit_code, "counted": counted}
            self._tell(inner.id, dict(said, pid=os.getpid()))
        except OSError:
            return

    def withdraw(self, run_id: str) -> None:
        """Tell the outer run that the inner one did not take place after all. Never raises."""
        try:
            os.unlink(launch.nested_file(self.agent, run_id))
        except OSError:
            return

    def _tell(self, run_id: str, said: Mapping[str, object]) -> None:
        path = launch.nested_file(self.agent, run_id)
        with open(path + ".tmp", "w", encoding="utf-8") as stream:
            json.dump(said, stream)
        os.replace(path + ".tmp", path)


def outer(environ: Mapping[str, str]) -> Outer | None:
    """Return the run that a process with ``environ`` belongs to, if any."""
    folder = environ.get(launch.FOLDER, "")
    if os.path.isabs(folder) and os.path.isdir(folder):
        found = Outer(folder)
        return found if runid.is_id(found.id) else None
    return None


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
