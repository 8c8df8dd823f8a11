"""The call table: what the hook told of the calls of the user's own source (``prov run --calls``).

It also says what a method belongs to whose object the text of the source does not tell.
"""

from __future__ import annotations

import time
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from provenance.core.context import Context
from provenance.core.redact import MASK, is_secret_name
from provenance.core.use import CALL, UNRESOLVED, Use

TOPIC = "calls"
MOST_SITES = 3000
_MOST_SYMBOLS = 300
_PATIENCE_S = 3.0
"""How long the sources of the libraries are read for the signatures of what was called."""
_MEMBERS = ("callee", "defined", "self", "made", "given", "result")


class Site(NamedTuple):
    """One call in the user's source. path, line: where; column: of the expression, from 0.

    callee: dotted name under which what was called is to be had; a method by the class of its
    object. defined: where it is defined, "" where that is the same. times: how often it was seen,
    at most three times. self: the object of a method. made: the place of the call that returned
    that object, "" where it is not known. given: the arguments as the function got them, with its
    defaults, by name. result: what it returned. Values are themselves where they are plain and
    small, else described by type, shape, dtype and range.
    """

    path: str
    line: int
    callee: str
    column: int = 0
    defined: str = ""
    times: int = 1
    self: Any = None
    made: str = ""
    given: Optional[Dict[str, Any]] = None
    result: Any = None

    def to_json(self) -> Dict[str, Any]:
        """Return the members that do not have their default."""
        kept = self._asdict()
        defaults = self._field_defaults
        return {n: v for n, v in kept.items() if n not in defaults or v != defaults[n]}

    @classmethod
    def from_json(cls, value: Any) -> Site:
        """Read the JSON form back; raises ValueError where it is not one."""
        try:
            return cls(**{name: value[name] for name in cls._fields if name in value})
        except (TypeError, KeyError) as error:
            raise ValueError("not a call site: %.60r" % (value,)) from error


class Table(NamedTuple):
    """The calls of a run.

    signatures: of the callees, as the installed sources have them, in the form of
    `core.interfaces`. warnings: ``{"where", "own", "text"}`` of those that were shown, own:
    for a line of the user's. flags: options of libraries at the end. cost_s: seconds that looking
    took, over all processes. left_out: sites that did not fit. notes: sentences.
    """

    sites: Tuple[Site, ...] = ()
    signatures: Dict[str, Any] = {}
    warnings: Tuple[Dict[str, Any], ...] = ()
    flags: Dict[str, Any] = {}
    cost_s: float = 0.0
    left_out: int = 0
    notes: Tuple[str, ...] = ()


def table(context: Context) -> Optional[Table]:
    """Return what was told of calls; None where nobody looked."""
    told = [one.value for one in context.observed.noted if one.topic == TOPIC]
    if not told:
        return None
    merged: Dict[Tuple[str, int, int, str], Dict[str, Any]] = {}
    warnings: Dict[str, Dict[str, Any]] = {}
    flags: Dict[str, Any] = {}
    notes: List[str] = []
    cost = 0.0
    for value in told:
        for one in value.get("sites", ()):
            _merge(merged, one, context)
        for one in value.get("warnings", ()):
            shown = dict(one, where=_shown(str(one.get("where", "")), context))
            warnings.setdefault(repr(shown), shown)
        flags.update(value.get("flags", {}))
        cost += float(value.get("seconds", 0.0))
        if value.get("off"):
            notes.append("the call table was switched off: %s" % value["off"])
        if value.get("full"):
            notes.append("a process called from more than %s places" % value["full"])
        notes += [str(one) for one in value.get("notes", ())]
    sites = [_site(key, one) for key, one in sorted(merged.items(), key=lambda item: item[0])]
    return Table(
        tuple(sites[:MOST_SITES]),
        signatures([one.callee for one in sites], context),
        tuple(warnings.values())[:200],
        flags,
        round(cost, 4),
        max(0, len(sites) - MOST_SITES),
        tuple(dict.fromkeys(notes)),
    )


def _merge(
    merged: Dict[Tuple[str, int, int, str], Dict[str, Any]], one: Dict[str, Any], context: Context
) -> None:
    path, line = _place(str(one.get("where", "")), context)
    key = path, line, int(one.get("column", 0)), str(one.get("callee", ""))
    known = merged.setdefault(key, {"times": 0})
    known["times"] += int(one.get("times", 1))
    for name in _MEMBERS:
        if name in one:
            value = _masked(one[name]) if name == "given" else one[name]
            known.setdefault(name, _shown(value, context) if name == "made" else value)


def _masked(given: Any) -> Any:
    """Return arguments without their texts where one of these says that another is a secret."""
    if not isinstance(given, dict):
        return given
    texts = [name for name, value in given.items() if isinstance(value, str)]
    telling = [name for name in texts if is_secret_name(given[name])]
    if not telling or len(texts) == 1:
        return given
    hidden = set(texts) - set(telling)
    return {name: MASK if name in hidden else value for name, value in given.items()}


def _site(key: Tuple[str, int, int, str], one: Dict[str, Any]) -> Site:
    path, line, column, callee = key
    rest = {name: value for name, value in one.items() if name != "callee"}
    return Site(path, line, callee, column, **rest)


def _place(where: str, context: Context) -> Tuple[str, int]:
    """Return the path as records show it, and the line, of ``file:line``."""
    file, _, line = where.rpartition(":")
    shown = str(context.roots.refer(file)) if file[:1] == "/" else file
    return shown, int(line) if line.isdigit() else 0


def _shown(where: Any, context: Context) -> str:
    return "%s:%d" % _place(str(where), context)


def signatures(callees: Sequence[str], context: Context) -> Dict[str, Any]:
    """Return the signatures of what was called, from the sources that the run's interpreter has."""
    if not context.interpreters:
        return {}
    from provenance.core.interfaces import library  # only with a call table

    read = library([entry for entry in context.interpreters[0].sys_path if entry])
    found: Dict[str, Any] = {}
    end = time.monotonic() + _PATIENCE_S
    for callee in sorted(set(callees))[:_MOST_SYMBOLS]:
        if time.monotonic() > end:
            break
        signature = read.signature(callee)
        if "parameters" in signature:
            found[callee] = {n: v for n, v in signature.items() if n != "notes"}
    return found


def resolved(uses: Sequence[Use], seen: Table) -> Tuple[Use, ...]:
    """Return ``uses``, those of unknown objects with the name of what was called there."""
    known: Dict[Tuple[str, int, str], List[str]] = {}
    for site in seen.sites:
        names = known.setdefault((site.path, site.line, site.callee.rpartition(".")[2]), [])
        if site.callee not in names:
            names.append(site.callee)
    found = []
    for use in uses:
        if use.kind == CALL and use.symbol.startswith(UNRESOLVED) and not use.cell:
            names = known.get((use.path, use.line, use.symbol.rpartition(".")[2]), [])
            found.append(use._replace(symbol=names[0]) if len(names) == 1 else use)
        else:
            found.append(use)
    return tuple(found)
