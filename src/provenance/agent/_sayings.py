"""Seed calls, parsed parameters and commands from the logs, without secrets."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Optional, Tuple

from provenance.agent._processes import Process
from provenance.core.context import Command, Noted, Observations, Parsed, SeedCall
from provenance.core.redact import Redactor
from provenance.facets._commands import UNREACHED, is_python, loads_hook
from provenance.facets._ranks import world

_MOST_SEEDS, _MOST_COMMANDS, _MOST_PARSED, _MOST_NOTED = 200, 200, 300, 20000


class Sayings:
    """What programs said: how they seeded, what they parsed, what they started."""

    def __init__(self, redact: Redactor) -> None:
        self.uncounted = 0
        self._redact = redact
        self._seeds: Dict[Tuple[Any, ...], SeedCall] = {}
        self._parsed: List[Tuple[Process, bool, Parsed]] = []
        self._commands: Dict[Tuple[Tuple[str, ...], bool], int] = {}
        self._noted: List[Noted] = []
        self._more_noted = 0
        self._unreached = 0
        self._left_out = 0

    def take(self, kind: str, process: Process, value: Any) -> None:
        """Note one line; raises ValueError or TypeError where it is none."""
        if kind == "S":
            library, function, argument, where = value
            call = SeedCall(str(library), str(function), argument, str(where))
            if len(self._seeds) < _MOST_SEEDS:
                self._seeds.setdefault((function, repr(argument), where), call)
            else:
                self.uncounted += 1
        elif kind == "A":
            source, script, by_user, values = value[:4]
            clean = {str(name): self._value(str(name), *one) for name, one in values.items()}
            job = value[4].get("job") if len(value) > 4 else None
            told = Parsed(str(source), clean, self._redact.text(str(script)), job)
            self._parsed.append((process, bool(by_user), told))
        elif kind == "N":
            topic, noted = value
            if len(self._noted) < _MOST_NOTED:
                clean = self._redact.value("", dict(noted))
                self._noted.append(Noted(str(topic), clean, process.name))
            else:
                self._more_noted += 1
        else:
            name, argv, reached = value
            self._command(str(name), tuple(str(word) for word in argv), bool(reached))

    def _value(self, name: str, value: Any, default: Any, given: Optional[bool]) -> Dict[str, Any]:
        redact = self._redact.value
        return {
            "value": redact(name, value),
            "default": redact(name, default),
            "given": None if given is None else bool(given),
        }

    def _command(self, name: str, argv: Tuple[str, ...], reached: bool) -> None:
        if name != "os.system" and is_python(argv) and not (reached and loads_hook(argv)):
            self._unreached += 1
        clean = self._redact.argv(argv), not reached
        if clean in self._commands or len(self._commands) < _MOST_COMMANDS:
            self._commands[clean] = self._commands.get(clean, 0) + 1
        else:
            self._left_out += 1

    def told(
        self, known: Observations, processes: Iterable[Process], notes: Tuple[str, ...]
    ) -> Observations:
        """Return ``known`` with everything of here."""
        return known._replace(
            parsed=self._parses(processes),
            seeds=tuple(self._seeds.values()),
            commands=tuple(Command(*one, times) for one, times in self._commands.items()),
            noted=tuple(self._noted),
            notes=notes + self._notes(processes),
        )

    def _parses(self, processes: Iterable[Process]) -> Tuple[Parsed, ...]:
        """Return what was parsed for the user; not by helpers that a library started.

        What rank 0 says goes before what other ranks say.
        """
        pids = {process.pid for process in processes}
        found: List[Parsed] = []
        for process, by_user, parsed in sorted(self._parsed, key=lambda one: _rank(one[0])):
            helper = bool(process.parent) or process.ppid in pids
            if (by_user or not helper) and parsed not in found and len(found) < _MOST_PARSED:
                found.append(parsed)
        return tuple(found)

    def _notes(self, processes: Iterable[Process]) -> Tuple[str, ...]:
        notes = []
        if self._unreached:
            notes.append("%d %s" % (self._unreached, UNREACHED))
        if self.uncounted:
            notes.append("%d further calls that seeded were not kept" % self.uncounted)
        if self._left_out:
            notes.append("%d further commands were not kept" % self._left_out)
        if self._more_noted:
            notes.append("%d further facts that libraries told were not kept" % self._more_noted)
        old = [p for p in processes if p.facts and str(p.facts.get("version")).startswith("3.7")]
        if old:
            notes.append("Python 3.7 has no audit hooks: what it opened is known only in part")
        return tuple(notes)


def _rank(process: Process) -> int:
    """Return which rank a process is, by its environment; 0 where it is none."""
    told = world((process.facts or {}).get("environ", {}))
    return told.rank if told is not None else 0
