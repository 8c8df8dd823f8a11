"""The tape of a rehearsal, read back: sites, operations, forms.

`agent/rehearsal/_prov_tape.py` writes it, line by line, inside the target interpreter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What comparing tapes may raise where they are not as they should be: they come out of processes
that run anybody's code, and out of locks, and none may end a verification."""
UNTOLD = "the tapes of the rehearsals could not be compared (%s)"

DONE, TIME, ERROR, CUT_OFF = "done", "time", "error", "cut off"


class Site(NamedTuple):
    """A place in the user's source: where one operation stands.

    path: relative to the top of the project. kind: "call", "method", "attribute", "item",
    "operator", "iterate", "text" or "store". text: the operation as the source has it, in brief.
    """

    path: str
    line: int
    column: int
    kind: str
    text: str

    @property
    def where(self) -> str:
        """The place as people read it."""
        return "%s:%d" % (self.path, self.line)


class Operation(NamedTuple):
    """One execution of a site.

    nth: how often the site had been executed before. callee: as defined, "" where nothing was
    called. inputs, changed: numbers of forms by name. result: number of a form, None where it
    failed. begin: the number of operations that had ended when this one was called: those between
    ``begin`` and ``number`` happened inside it. links: the operations that made its inputs.
    random: digest of the state of the global random generators afterwards, "" where unchanged.
    handled: whether the user's own code caught the error.
    """

    number: int
    site: int
    nth: int
    callee: str = ""
    inputs: tuple[tuple[str, int | None], ...] = ()
    result: int | None = None
    changed: tuple[tuple[str, int], ...] = ()
    error: str = ""
    begin: int = 0
    links: tuple[tuple[str, int], ...] = ()
    warnings: tuple[str, ...] = ()
    shown: str | None = None
    random: str = ""
    handled: bool = False


class Tape(NamedTuple):
    """All that one rehearsal noted.

    failed: line and error of each statement that failed, without those that fail for want of what
    another one would have made. rows: to which its data was cut, 0 where it was not. reached: sites
    that were executed, also those of which no operation was noted.
    long: the arguments (site, name, what to cut it to) of the calls that took the time, where it
    ran out. short: those that were cut.
    """

    python: str = ""
    sites: Mapping[int, Site] = {}
    operations: tuple[Operation, ...] = ()
    forms: Mapping[int, Any] = {}
    signatures: Mapping[str, Any] = {}
    registries: Mapping[str, Any] = {}
    loops: tuple[tuple[int, int, int], ...] = ()
    failed: tuple[tuple[int, str], ...] = ()
    end: str = CUT_OFF
    why: str = ""
    rows: int = 0
    reached: frozenset[int] = frozenset()
    long: tuple[tuple[int, str, int], ...] = ()
    short: tuple[tuple[int, str, int], ...] = ()


def read(lines: Iterable[str]) -> Tape:
    """Return the tape that ``lines`` hold; what cannot be read is left out (a cut-off last line).

    A tape is data from a sandbox: each member is taken only in the form it must have.
    """
    reader = _Reader()
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            reader.take(value)
    return reader.tape()


class _Reader:
    def __init__(self) -> None:
        self.sites: dict[int, Site] = {}
        self.operations: list[Operation] = []
        self.forms: dict[int, Any] = {}
        self.signatures: dict[str, Any] = {}
        self.registries: dict[str, Any] = {}
        self.loops: list[tuple[int, int, int]] = []
        self.failed: list[tuple[int, str]] = []
        self.reached: frozenset[int] = frozenset()
        self.arguments: dict[str, list[tuple[int, str, int]]] = {"long": [], "short": []}
        self.python, self.end, self.why, self.rows = "", CUT_OFF, "", 0

    def take(self, value: dict[str, Any]) -> None:
        try:
            self._take(value)
        except (KeyError, TypeError, ValueError, AttributeError):
            return

    def _take(self, value: dict[str, Any]) -> None:
        if "op" in value:
            self.operations.append(_operation(value))
        elif "f" in value:
            self.forms[int(value["f"])] = value["v"]
        elif "site" in value:
            self.sites[int(value["site"])] = Site(
                str(value["path"]),
                int(value["line"]),
                int(value["column"]),
                str(value["kind"]),
                str(value["text"]),
            )
        elif "sig" in value:
            self.signatures[str(value["sig"])] = value["v"]
        elif "registries" in value:
            self.registries.update(dict(value["registries"]))
        elif "reached" in value:
            self.reached = frozenset(int(site) for site in value["reached"])
        elif "loop" in value:
            site, nth, turns = value["loop"]
            self.loops.append((int(site), int(nth), int(turns)))
        elif "long" in value or "short" in value:
            which = "long" if "long" in value else "short"
            site, name, few = value[which]
            self.arguments[which].append((int(site), str(name), int(few)))
        elif "failed" in value and not value.get("follows"):
            self.failed.append((int(value["failed"]), str(value["e"])))
        elif "end" in value:
            self.end, self.why = str(value["end"]), str(value.get("why", ""))
        elif "rows" in value:
            self.rows = int(value["rows"])
        elif "tape" in value:
            self.python = str(value.get("python", ""))

    def tape(self) -> Tape:
        return Tape(
            self.python,
            self.sites,
            tuple(self.operations),
            self.forms,
            self.signatures,
            self.registries,
            tuple(self.loops),
            tuple(self.failed),
            self.end,
            self.why,
            self.rows,
            self.reached,
            tuple(self.arguments["long"]),
            tuple(self.arguments["short"]),
        )


def _operation(value: dict[str, Any]) -> Operation:
    number = int(value["op"])
    shown = value.get("t")
    return Operation(
        number=number,
        site=int(value["s"]),
        nth=int(value["n"]),
        callee=str(value.get("c", "")),
        inputs=tuple((str(n), None if f is None else int(f)) for n, f in value.get("i", ())),
        result=int(value["o"]) if value.get("o") is not None else None,
        changed=tuple((str(n), int(f)) for n, f in value.get("a", ())),
        error=str(value.get("e", "")),
        begin=int(value.get("b", number - 1)),
        links=tuple((str(n), int(o)) for n, o in value.get("m", ())),
        warnings=tuple(str(w) for w in value.get("w", ())),
        shown=None if shown is None else str(shown),
        random=str(value.get("r", "")),
        handled=bool(value.get("h", False)),
    )
