"""How each process of a run ended, as far as it, its parent or the recorder tell."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional

from provenance.core.context import Context, PythonProcess

COMPLETE, FAILED, KILLED, EXITED = "complete", "failed", "killed", "exited"
RUNNING, REPLACED, NOT_KNOWN = "running", "replaced", "not known"


class Ending(NamedTuple):
    """How a process ended.

    how: "complete" (it ran its exit handlers), "failed" (an exception that nobody caught, or an
    exit code that is not 0), "killed" (by a signal), "exited" (without exit handlers, as `os._exit`
    does), "running" (it outlived the run), "replaced" (by exec), "not known" (gone without a word:
    killed, or `os._exit`). code: exit code, -n for signal n; None where nobody saw it. error: the
    type of the exception.
    """

    how: str
    code: Optional[int] = None
    error: str = ""


class Endings:
    """The endings of the processes of one run."""

    def __init__(self, context: Context) -> None:
        self._codes: Dict[int, int] = {}
        self._leaving: Dict[str, Dict[str, Any]] = {}
        for noted in context.observed.noted:
            if noted.topic == "ended" and type(noted.value.get("code")) is int:
                self._codes[noted.value.get("pid", 0)] = noted.value["code"]
            elif noted.topic == "leaving":
                self._leaving[noted.process] = noted.value
        outcome = context.outcome
        if outcome is not None and outcome.pid:
            code = -outcome.signal if outcome.signal else outcome.exit_code
            self._codes[outcome.pid] = code
        self._last: Dict[int, str] = {}
        for one in context.observed.processes:
            self._last[one.pid] = one.name

    def told(self, one: PythonProcess) -> Dict[str, Any]:
        """Return what a process said last of all: its report, or that of a forked child."""
        return dict(one.told, **self._leaving.get(one.name, {}))

    def of(self, one: PythonProcess) -> Ending:
        """Return how ``one`` ended."""
        said = self.told(one)
        error = str(said.get("error") or "")
        if self._last.get(one.pid) != one.name and one.ended is None:
            return Ending(REPLACED)
        code = self._codes.get(one.pid)
        if code is None and type(said.get("code")) is int:
            code = said["code"]
        if code is not None and code < 0:
            return Ending(KILLED, code, error)
        if error or (code and (one.ended is not None or one.name in self._leaving)):
            return Ending(FAILED, code, error)
        if one.ended is not None or one.name in self._leaving:
            return Ending(COMPLETE, code)
        if one.alive:
            return Ending(RUNNING)
        return Ending(NOT_KNOWN if code is None else EXITED, code)


def failed_commands(context: Context, most: int) -> List[Dict[str, Any]]:
    """Return commands that Python code started and that ended with another exit code than 0."""
    found: Dict[Any, Dict[str, Any]] = {}
    for noted in context.observed.noted:
        argv = noted.value.get("argv") if noted.topic == "ended" else None
        if argv and len(found) < most:
            words = tuple(str(word) for word in argv)
            code = noted.value.get("code")
            entry = found.setdefault((words, code), {"argv": words, "code": code, "times": 0})
            entry["times"] += 1
    return list(found.values())


def silent_deaths(context: Context) -> List[int]:
    """Return the signals by which forked processes died that nothing else is known of."""
    known = {one.pid for one in context.observed.processes}
    found = []
    for noted in context.observed.noted:
        code, pid = noted.value.get("code"), noted.value.get("pid")
        silent = noted.topic == "ended" and not noted.value.get("argv") and pid not in known
        if silent and type(code) is int and code < 0:
            found.append(-code)
    return found
