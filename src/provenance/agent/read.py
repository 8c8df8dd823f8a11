"""What the hook saw in all processes of a run: read while it goes on, told when it has ended.

Order within a process is that of its log; across processes it is time (see ``_table``). Memory is
bounded by the tables' limits whatever the run reads.
"""

from __future__ import annotations

import os
import time
from typing import Callable, Dict, List, Optional, Set, Tuple

from provenance.agent import _processes, _sayings, _tree, _uses
from provenance.agent._log import Line, Log, alive, never
from provenance.agent._processes import Process
from provenance.agent.launch import SITE
from provenance.core.context import Interpreter, Observations
from provenance.core.redact import Redactor

_JOURNAL = "cells.jsonl"
"""The cells of a live session, see `_cells`."""


class Reader:
    """The logs in ``agent_dir``, of processes that have ended, still run or were killed."""

    def __init__(self, agent_dir: str, redact: Redactor) -> None:
        self._folder = agent_dir
        self._logs: Dict[str, Log] = {}
        self._pending: List[str] = []
        self._of: Dict[str, Process] = {}
        self._processes: Dict[str, Process] = {}
        self._uses = _uses.Uses((os.path.abspath(agent_dir), SITE), _clock(agent_dir))
        self._redact = redact
        self._sayings = _sayings.Sayings(redact)
        self._quiet: Set[str] = set()

    def poll(self, stop: Optional[Callable[[], bool]] = None) -> Tuple[str, ...]:
        """Return the paths that were read for the first time since the last call.

        Only what belongs to the run: nothing of the interpreter, the environment or the system.
        They need not exist. Cheap where nothing is new. ``stop`` is asked now and then whether the
        rest is to be left to the next call.
        """
        self._look(final=False, stop=stop)
        return self._uses.fresh()

    def crowded(self) -> Tuple[str, ...]:
        """Return the folders of which so much was read that only their number is kept, when new."""
        return self._uses.crowded()

    def interpreters(self) -> Tuple[Interpreter, ...]:
        """Return the interpreters that took part, in order of appearance."""
        self._look(final=True)
        return _processes.interpreters(self._processes.values(), SITE)

    def observations(self) -> Observations:
        """Return everything that was seen, with what could not be."""
        self._look(final=True)
        processes = list(self._processes.values())
        self._uses.lived(processes)
        files, folders, removed = self._uses.told()
        told = Observations(files, folders, removed)._replace(
            processes=_tree.processes(processes, self._redact),
            nested=_tree.nested(self._folder, self._redact),
            sdk=self._sdk(),
        )
        notes = self._uses.notes() + self._running(processes)
        told = self._sayings.told(told, processes, notes)
        journal = any(path.endswith(_JOURNAL) for path in told.sdk)
        if not journal and not any(use.path.endswith(".ipynb") for use in files):
            return told
        from provenance.agent import _cells  # few runs have cells

        return _cells.placed(told, self._folder)

    def _sdk(self) -> Tuple[str, ...]:
        """Return the files in which the SDK has written."""
        try:
            names = sorted(os.listdir(self._folder))
        except OSError:
            return ()
        ours = [name for name in names if name.endswith((".sdk", _JOURNAL))]
        return tuple(os.path.join(self._folder, name) for name in ours)

    def _running(self, processes: List[Process]) -> Tuple[str, ...]:
        last = {process.pid: process for process in processes}  # after an exec, two share a number
        on = [p for p in last.values() if p.report is None and alive(p.pid)]
        if not on:
            return ()
        return ("%d Python processes of the run still ran when it was recorded" % len(on),)

    def _look(self, final: bool, stop: Optional[Callable[[], bool]] = None) -> None:
        try:
            names = sorted(name for name in os.listdir(self._folder) if name.endswith(".log"))
        except OSError:
            names = []
        for name in names:
            if name not in self._logs:
                self._logs[name] = Log(os.path.join(self._folder, name))
                self._pending.append(name)
        for name in list(self._pending):
            if stop is not None and stop():
                return
            if final or name not in self._quiet:
                self._logs[name].stop = stop or never
                self._read(name)

    def _read(self, name: str) -> None:
        log = self._logs[name]
        waiting: List[str] = []
        count = 0
        for piece in log.pieces():
            count += 1
            if isinstance(piece, list):
                if name in self._of:
                    waiting += piece
                if len(waiting) > 10000:
                    self._uses.reads(waiting, time.time_ns())
                    waiting = []
                continue
            process = self._process(name, piece)
            if process is None:
                continue
            if piece.time is not None and waiting:
                self._uses.reads(waiting, piece.time)
                waiting = []
            self._take(process, piece)
        self._uses.reads(waiting, time.time_ns())
        process = self._of.get(name)
        if process is not None and not log.stop():
            self._settle(name, process, bool(count))

    def _settle(self, name: str, process: Process, moved: bool) -> None:
        """Stop looking at a log that cannot grow; look less at that of a process that is gone."""
        base, number, _ = name.rsplit(".", 2)
        follower = "%s.%d.log" % (base, int(number) + 1)
        if process.report is not None or follower in self._logs:
            self._logs[name].done = True
            self._pending.remove(name)
        elif not moved and not alive(process.pid):
            self._quiet.add(name)

    def _process(self, name: str, line: Line) -> Optional[Process]:
        """Return whose log this is; its first line says it."""
        if line.kind == "H":
            try:
                who, parent, pid, ppid, _, began = line.value
            except (TypeError, ValueError):
                return None
            if who not in self._processes:
                self._processes[who] = Process(who, parent, pid, ppid, began)
                self._uses.start(began)
            self._of[name] = self._processes[who]
        return self._of.get(name)

    def _take(self, process: Process, line: Line) -> None:
        kind, value = line.kind, line.value
        try:
            if kind == "P":
                facts = _processes.checked(value)
                self._uses.environment(facts)
                process.facts = facts
            elif kind == "Y":
                process.path = [str(entry) for entry in value]
            elif kind == "I":
                process.imported.append(value)
            elif kind == "E":
                process.report, process.ended = _processes.checked(value), line.time
                self._uses.sources(value.get("sources", ()), line.time or 0)
                self._sayings.uncounted += int(value.get("uncounted", 0))
            elif kind in "SACN":
                self._sayings.take(kind, process, value)
            elif kind != "H":
                self._uses.take(process, line)
        except (TypeError, ValueError, KeyError, AttributeError):
            return  # an overwritten or foreign line


def _clock(folder: str) -> Optional[int]:
    """Return the time of the folder's file system before the run, None where a log is there."""
    try:
        if any(name.endswith(".log") for name in os.listdir(folder)):
            return None
        return os.stat(folder).st_ctime_ns
    except OSError:
        return None
