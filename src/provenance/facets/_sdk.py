"""What the code told through the SDK: read line by line from the files that it left.

A file is lines of JSON, zeros to the end; a process may have several, in order of their numbers:

``["H", process, script, rank]``               begins the first one, and again once a rank is known
``["p", time, where, {name: value}]``          parameters
``["m", time, step, {name: number}]``          metrics; step null where none was given
``["a", time, where, name, path, kind]``       an artifact; path: hexadecimal
``["f", time, where, name, {...}]``            a fingerprint
``["u", time, where, address, run, recorded, path]``   an artifact of another run, by address
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from provenance.core import notebooks
from provenance.core.context import Context
from provenance.facets._series import Collected, Full, Series

SOURCE = "sdk"
_MOST_PARAMS, _MOST_SERIES = 10000, 2000
_MOST_ARTIFACTS = 1000


class Told(NamedTuple):
    """One line. process: unique in the run. rank: None where not of a distributed job."""

    process: str
    script: str
    rank: Optional[int]
    parts: List[Any]


class Artifact(NamedTuple):
    """A file that the code named. path: absolute. where: "file:line"."""

    name: str
    path: str
    kind: str
    where: str
    rank: Optional[int]


class Used(NamedTuple):
    """An artifact of another run. recorded: JSON of its path there. path: absolute, here."""

    address: str
    run: str
    recorded: Any
    path: str
    where: str


class Param(NamedTuple):
    """A parameter as one process told it last. source: "sdk", with the rank where that is not 0."""

    name: str
    value: Any
    source: str


def told(context: Context, kind: str) -> Iterator[Told]:
    """Yield the lines of one kind, process after process in the order of their first line."""
    process, script, rank = "", "", None
    head, wanted = b'["H",', b'["%s",' % kind.encode("ascii")
    files = [path for path in context.observed.sdk if path.endswith(".sdk")]
    for path in sorted(files, key=_order):
        name = os.path.basename(path).rsplit(".", 2)[0]
        if name != process:
            process, script, rank = name, "", None
        for raw in _lines(path):
            if raw.startswith(head):
                parts = parsed(raw, 4)
                if parts is not None:
                    script, rank = str(parts[2]), parts[3] if type(parts[3]) is int else None
            elif raw.startswith(wanted):
                parts = parsed(raw, 4)
                if parts is not None:
                    yield Told(process, script, rank, parts)


def _order(path: str) -> Tuple[str, int]:
    name, number, _ = os.path.basename(path).rsplit(".", 2)
    return name, int(number) if number.isdigit() else 0


def _lines(path: str) -> Iterator[bytes]:
    try:
        with open(path, "rb") as stream:
            while True:
                raw = stream.readline(1 << 23)
                if not raw.endswith(b"\n"):
                    return  # the end, or the zeros
                yield raw.lstrip(b"\0")
    except OSError:
        return


def parsed(raw: bytes, least: int) -> Optional[List[Any]]:
    """Return a line's parts; None where it is none of the SDK's (cut off, overwritten)."""
    try:
        parts = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return parts if isinstance(parts, list) and len(parts) >= least else None


def place(where: str, context: Context) -> str:
    """Return a line as a place in the project; one of a notebook's cell as a place in that."""
    file, colon, line = notebooks.placed(where, context.observed.cells).rpartition(":")
    return "%s:%s" % (context.roots.refer(file), line) if colon and file[:1] == "/" else where


def _source(one: Told) -> str:
    return "%s rank %d" % (SOURCE, one.rank) if one.rank else SOURCE


def params(context: Context) -> List[Param]:
    """Return the parameters: rank 0 or none first, within a process the last value first."""
    found: Dict[Tuple[str, str], Dict[str, List[Any]]] = {}
    for one in told(context, "p"):
        values = found.setdefault((_source(one), one.process), {})
        for name, value in one.parts[3].items() if isinstance(one.parts[3], dict) else ():
            if len(values) < _MOST_PARAMS:
                known = values.setdefault(name, [])
                if value not in known and len(known) < 10:
                    known.insert(0, value)
    sayings = []
    for (source, _), values in sorted(found.items(), key=lambda item: item[0][0] != SOURCE):
        for name, known in values.items():
            sayings += [Param(name, value, source) for value in known]
    return _distinct(sayings)


def _distinct(sayings: List[Param]) -> List[Param]:
    """Return ``sayings`` without what another process told alike."""
    seen: Dict[str, List[Any]] = {}
    kept = []
    for one in sayings:
        values = seen.setdefault(one.name, [])
        if one.value not in values:
            values.append(one.value)
            kept.append(one)
    return kept


class Process:
    """The metrics of one process, which has told ``one`` first."""

    def __init__(self, one: Told, full: Full) -> None:
        self.script, self.rank = one.script, one.rank
        self.collected = Collected(full, "%s:%s" % (SOURCE, one.script))

    def add(self, one: Told) -> None:
        """Take a line of the kind "m"."""
        self.rank = one.rank if self.rank is None else self.rank
        step, values = one.parts[2], one.parts[3]
        series = self.collected.series
        for name, value in values.items() if isinstance(values, dict) else ():
            if type(value) not in (int, float) or not (
                name in series or len(series) < _MOST_SERIES
            ):
                continue
            place = (
                step if type(step) in (int, float) else series[name].count if name in series else 0
            )
            self.collected.add(name, place, value)


def series(context: Context, full: Full) -> Tuple[Dict[str, Series], Tuple[str, ...]]:
    """Return the metrics by name, and notes.

    Rank 0 has the plain names. What another rank or process tells under the same name goes by its
    rank ("rank1/loss") or its script ("eval/loss"); where it is point for point the same, it is
    left out.
    """
    processes: Dict[str, Process] = {}
    for one in told(context, "m"):
        if one.process not in processes:
            processes[one.process] = Process(one, full)
        processes[one.process].add(one)
    return named(processes.values())


def named(processes: Iterable[Process]) -> Tuple[Dict[str, Series], Tuple[str, ...]]:
    """Return the metrics of several processes by name, and notes; see `series`."""
    found: Dict[str, Series] = {}
    by_name: Dict[str, List[Series]] = {}
    alike = 0
    for process in sorted(processes, key=lambda p: p.rank or 0):
        for name, one_series in process.collected.series.items():
            known = by_name.setdefault(name, [])
            if any(_alike(other, one_series) for other in known):
                alike += 1
                continue
            plain = name not in found and not process.rank
            found[name if plain else _free(found, process, name)] = one_series
            known.append(one_series)
    notes = ("%d series that other processes logged alike are kept once" % alike,) if alike else ()
    return found, notes


def _alike(one: Series, other: Series) -> bool:
    return one.count == other.count and one.last == other.last and one.points() == other.points()


def _free(found: Dict[str, Series], process: Process, name: str) -> str:
    """Return a name that no other series has."""
    stem = os.path.splitext(process.script)[0] or "process"
    if process.rank is not None:
        stem = "rank%d" % process.rank
    full, number = "%s/%s" % (stem, name), 1
    while full in found:
        number += 1
        full = "%s-%d/%s" % (stem, number, name)
    return full


def artifacts(context: Context) -> Tuple[Artifact, ...]:
    """Return the files that the code named; one that is named again under a name replaces it."""
    found: Dict[Tuple[str, int], Artifact] = {}
    for one in told(context, "a"):
        try:
            _, _, where, name, path, kind = one.parts
            full = os.fsdecode(bytes.fromhex(path))
        except (ValueError, TypeError):
            continue
        if len(found) < _MOST_ARTIFACTS and os.path.isabs(full):
            key = (str(name), one.rank or 0)
            found[key] = Artifact(str(name), full, str(kind), str(where), one.rank)
    return tuple(found.values())


def used(context: Context) -> Tuple[Used, ...]:
    """Return the artifacts of other runs that the code asked for."""
    found: List[Used] = []
    for one in told(context, "u"):
        try:
            _, _, where, address, run, recorded, path = one.parts
            full = os.fsdecode(bytes.fromhex(path))
        except (ValueError, TypeError):
            continue
        if len(found) < _MOST_ARTIFACTS and os.path.isabs(full):
            found.append(Used(str(address), str(run), recorded, full, str(where)))
    return tuple(found)


def declared(context: Context) -> Context:
    """Return ``context`` with artifacts as declared: outputs if the run changed them, else data.

    What was asked for by its address is data, whether the hook saw it being read or not.
    """
    data, outputs = list(context.declared_data), list(context.declared_outputs)
    data += [one.path for one in used(context)]
    for one in artifacts(context):
        try:
            status = os.stat(one.path)
        except OSError:
            continue
        marker = context.marker_ns
        changed = marker is None or status.st_ctime_ns >= marker
        (outputs if changed else data).append(one.path)
    return context._replace(
        declared_data=tuple(dict.fromkeys(data)), declared_outputs=tuple(dict.fromkeys(outputs))
    )
