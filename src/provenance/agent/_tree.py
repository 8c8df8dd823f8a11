"""The processes of a run: who started whom, with which settings; and the runs inside it."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Optional, Tuple

from provenance.agent import _processes
from provenance.agent._log import alive
from provenance.agent._processes import Process
from provenance.agent.launch import SITE, nested_file
from provenance.core.context import NestedRun, PythonProcess
from provenance.core.redact import Redactor
from provenance.core.runid import is_id

MOST = 5000
"""Processes that are told; of later ones only the interpreters know."""
_MOST_NESTED = 1000
_TOLD = ("settings", "device", "mpi", "error")
"""Members of a process's last report that are handed on."""


def processes(known: List[Process], redact: Redactor) -> Tuple[PythonProcess, ...]:
    """Return ``known``, in order of appearance, without secrets."""
    first = sorted(known, key=lambda one: one.began)[:MOST]
    _, ids = _processes.assigned(known, SITE)
    by_name = {one.name: one for one in first}
    by_pid: Dict[int, List[Process]] = {}
    found = []
    for one in first:
        begun = by_name.get(one.parent)
        starter = begun or _of(by_pid.get(one.pid, ()), by_pid.get(one.ppid, ()))
        found.append(_process(one, begun, starter, ids.get(one.name, ""), redact))
        by_pid.setdefault(one.pid, []).append(one)
    return tuple(found)


def _of(same: Any, above: Any) -> Optional[Process]:
    """Return the process that this one was before an exec, else the one that started it."""
    return same[-1] if same and same[-1].report is None else above[-1] if above else None


def _process(
    one: Process,
    copied: Optional[Process],
    starter: Optional[Process],
    interpreter: str,
    redact: Redactor,
) -> PythonProcess:
    facts = one.facts or (copied.facts if copied is not None else None) or {}
    report = one.report or {}
    return PythonProcess(
        name=one.name,
        pid=one.pid,
        ppid=one.ppid,
        parent=starter.name if starter is not None else "",
        forked=copied is not None,
        interpreter=interpreter,
        argv=redact.argv(tuple(str(word) for word in facts.get("argv", ()))),
        began=one.began / 1e9,
        ended=one.ended / 1e9 if one.ended else None,
        alive=one.report is None and alive(one.pid),
        host=redact.text(str(facts.get("host", ""))),
        environ={str(n): redact.value(str(n), v) for n, v in facts.get("environ", {}).items()},
        changed={str(n): redact.value(str(n), v) for n, v in report.get("changed", {}).items()},
        told={name: redact.value(name, report[name]) for name in _TOLD if report.get(name)},
    )


def nested(folder: str, redact: Redactor) -> Tuple[NestedRun, ...]:
    """Return the runs that registered themselves in the agent folder ``folder`` of this one."""
    try:
        names = sorted(name for name in os.listdir(folder) if is_id(name[:-5]))
    except OSError:
        return ()
    found = []
    for name in names[:_MOST_NESTED]:
        try:
            with open(nested_file(folder, name[:-5]), encoding="utf-8") as stream:
                said = json.load(stream)
            command = redact.argv(tuple(str(word) for word in said["command"]))
            code = said.get("exit_code")
            found.append(
                NestedRun(
                    name[:-5],
                    command,
                    int(said.get("pid", 0)),
                    code if type(code) is int else None,
                    said.get("counted") is True,
                )
            )
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return tuple(found)
