"""The numbers of a run that goes on: what it told, wrote and printed so far, read as it grows.

The names and steps are those that the record will have: the same sources are merged by the same
rules (`_metricmerge`), only read piece by piece.
"""

from __future__ import annotations

import os
import zipfile
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from provenance.facets import (
    _loglines,
    _metricfiles,
    _metriclog,
    _metricmerge,
    _metricnames,
    _metricsources,
    _sdk,
    _trackers,
)
from provenance.facets._growing import Board, Growing, Table
from provenance.facets._metricfiles import Skip
from provenance.facets._metricmerge import FILE, LOG, SDK, Source
from provenance.facets._metricnames import STEPS
from provenance.facets._sdk import Told
from provenance.facets._series import Collected, Full, Point

_MOST_FILES = 50
_TABLES = (".csv", ".tsv", ".jsonl", ".ndjson")


class Live:
    """The numbers of one run so far.

    logs: files that get what the command prints, each with the byte at which that begins. first:
    the first steps by which a finished run numbers a metric; none where that is not known. more:
    whether the last look left something for the next one.
    """

    def __init__(
        self,
        logs: Iterable[Tuple[str, int]],
        first: Callable[[str], Sequence[Any]] = lambda _: (),
    ) -> None:
        self.more = False
        self._first = first
        self._logs = [Growing(path, start) for path, start in logs]
        self._printed = _metriclog.Reader()
        self._line = 1
        self._told: Dict[str, Growing] = {}
        self._processes: Dict[str, _sdk.Process] = {}
        self._of: Dict[str, Tuple[str, Optional[int]]] = {}
        self._tables: Dict[str, Table] = {}
        self._boards: Dict[str, Board] = {}
        self._others: Dict[str, Tuple[Tuple[int, int], Optional[Source]]] = {}

    def look(self, written: Iterable[str], sdk: Iterable[str]) -> Dict[str, List[Point]]:
        """Read what is new; return all series so far by name. Never raises for a file.

        written: paths of files that the run writes. sdk: files in which its code told something.
        """
        self.more = False
        sources = self._read_told(sdk)
        sources += _metricsources.named_apart(self._read_files(sorted(written)))
        sources += self._read_logs()
        found = {}
        for name, one in _metricmerge.merged(sources).items():
            timing = one.source != _sdk.SOURCE and _metricnames.is_time(name, one.source)
            if one.series is not None and not timing:
                found[name] = one.series.points()
        return found

    # --- what was told ---------------------------------------------------------------------------

    def _read_told(self, paths: Iterable[str]) -> List[Source]:
        for path in sorted(one for one in paths if one.endswith(".sdk")):
            lines = self._told.setdefault(path, Growing(path, zeros=True))
            process = os.path.basename(path).rsplit(".", 2)[0]
            for raw in self._lines(lines):
                self._tell(process, raw)
        if not self._processes:
            return []
        series, _ = _sdk.named(self._processes.values())
        return [Source(SDK, _sdk.SOURCE, _sdk.SOURCE, {}, series)]

    def _tell(self, process: str, raw: bytes) -> None:
        parts = _sdk.parsed(raw, 4) if raw.startswith((b'["H",', b'["m",')) else None
        if parts is None:
            return
        if parts[0] == "H":
            self._of[process] = str(parts[2]), parts[3] if type(parts[3]) is int else None
            return
        script, rank = self._of.get(process, ("", None))
        one = Told(process, script, rank, parts)
        if process not in self._processes:
            self._processes[process] = _sdk.Process(one, Full(None))
        self._processes[process].add(one)

    def _lines(self, growing: Growing) -> List[bytes]:
        try:
            lines, _ = growing.lines()
        except OSError:
            return []
        self.more = self.more or growing.more
        return lines

    # --- what was printed ------------------------------------------------------------------------

    def _read_logs(self) -> List[Source]:
        for log in self._logs:
            lines = self._lines(log)
            for line in _loglines.of_lines(lines, self._line):
                if not self._printed.full:
                    self._printed.feed(line)
            self._line += len(lines)
        said = self._printed.result((), self._first)
        collected = Collected(Full(None), "log")
        for name, points in said.numbered.items():
            for step, one in points:
                collected.add(name, step, one.value)
        finals = {name: last.value for name, last in said.last.items()}
        return [Source(LOG, "log", "log", finals, collected.series)] if finals else []

    # --- what was written ------------------------------------------------------------------------

    def _read_files(self, paths: List[str]) -> List[Source]:
        found: List[Source] = []
        folders: Dict[str, List[str]] = {}
        others = []
        for path in paths:
            if "tfevents" in os.path.basename(path):
                folders.setdefault(os.path.dirname(path), []).append(path)
            elif path.lower().endswith(_TABLES) and _metricfiles.reader_of(path) is not None:
                if path in self._tables or len(self._tables) < _MOST_FILES:
                    found += self._read_table(path)
            else:
                others.append(path)
        for folder, members in folders.items():
            if folder in self._boards or len(self._boards) < _MOST_FILES:
                found += self._read_board(folder, members)
        return found + self._read_others(others)

    def _read_table(self, path: str) -> List[Source]:
        table = self._tables.setdefault(path, Table(path))
        try:
            self.more = table.look() or self.more
        except OSError:
            pass
        return _source(path, table.collected)

    def _read_board(self, folder: str, members: List[str]) -> List[Source]:
        board = self._boards.setdefault(folder, Board())
        try:
            board.look(members)
        except OSError:
            pass
        return _source(folder, board.collected)

    def _read_others(self, paths: List[str]) -> List[Source]:
        """Read what is no plain sequence of lines: the whole of it, when it has changed."""
        jobs, rest = _trackers.jobs(paths, 0.0)
        for path in rest:
            reader = None if os.path.basename(path).startswith(".") else _reader(path)
            if reader is not None:
                jobs.append(reader)
        found = []
        for job in jobs[:_MOST_FILES]:
            state = _state(job.path)
            known, source = self._others.get(job.path, (None, None))
            if state is not None and known != state:
                source = _read_whole(job)
                self._others[job.path] = state, source
            found += [source] if source is not None else []
        return found


def _reader(path: str) -> Optional[_trackers.Job]:
    reader = _metricfiles.reader_of(path)
    if reader is None:
        return None
    read = reader
    return _trackers.Job(path, _stem(path), lambda into, _: read(path, into))


def _read_whole(job: _trackers.Job) -> Optional[Source]:
    collected = Collected(Full(None), "")
    try:
        job.read(collected, [])
    except (Skip, OSError, ValueError, LookupError, zipfile.BadZipFile):
        return None
    found = _source(job.path, collected)
    return found[0] if found else None


def _source(path: str, collected: Collected) -> List[Source]:
    series = {n: one for n, one in collected.series.items() if _last(n) not in STEPS}
    return [Source(FILE, path, _stem(path), {}, series)] if series else []


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _last(name: str) -> str:
    return name.rpartition("/")[2].lower()


def _state(path: str) -> Optional[Tuple[int, int]]:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
