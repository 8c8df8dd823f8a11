"""Files that grow while they are read: only what is new is read, and a file begun anew is noticed.

Memory and time of one look are bounded by `PIECE`, whatever has been written meanwhile.
"""

from __future__ import annotations

import csv
import os
from typing import Any, Dict, Iterator, List, Optional, Tuple

from provenance.facets import _metricfiles, _tensorboard
from provenance.facets._series import Collected, Full

PIECE = 4 << 20
"""Bytes of one file that are taken in one look; the rest is taken in the next."""

_LONGEST_LINE = 1 << 20
_MARK = 64
"""Bytes before the place read up to by which a file that was written anew is known."""


class Growing:
    """The whole lines of one file. more: whether the last look left something for the next.

    start: where what matters begins, in bytes. zeros: the file is longer than what is written in
    it, and the rest of it is zeros.
    """

    def __init__(self, path: str, start: int = 0, zeros: bool = False) -> None:
        self.path, self.more = path, False
        self._at, self._zeros = start, zeros
        self._mark, self._part = b"", b""
        self._file: Any = None

    def lines(self) -> Tuple[List[bytes], bool]:
        """Return the lines that are new, and whether the file began anew. Raises OSError."""
        with open(self.path, "rb") as stream:
            again = self._began_anew(stream)
            if again:
                self._at, self._mark, self._part = 0, b"", b""
            stream.seek(self._at)
            data = stream.read(PIECE)
        if self._zeros:
            end = data.find(b"\0")
            data = data if end < 0 else data[:end]
        self.more = len(data) == PIECE
        self._at += len(data)
        self._mark = (self._mark + data)[-_MARK:]
        found = (self._part + data).split(b"\n")
        self._part = found.pop()
        if len(self._part) > _LONGEST_LINE:  # a bar that goes on for hours: its last states count
            self._part = self._part[-_MARK * 64 :]
        return found, again

    def _began_anew(self, stream: Any) -> bool:
        status = os.fstat(stream.fileno())
        before, self._file = self._file, (status.st_dev, status.st_ino)
        if before is None or not self._mark:
            return before not in (None, self._file) and self._at > 0
        if before != self._file or status.st_size < self._at:
            return True
        stream.seek(self._at - len(self._mark))
        return bool(stream.read(len(self._mark)) != self._mark)


class Table:
    """A table with a step column, or whose name says metrics: CSV, TSV or lines of JSON."""

    def __init__(self, path: str) -> None:
        self._lines = Growing(path)
        self._suffix = os.path.splitext(path)[1].lower()
        self._telling = _metricfiles.is_telling(path)
        self._begin()

    def _begin(self) -> None:
        self.collected = Collected(Full(None), "")
        self._header: Optional[List[str]] = None
        self._rows = _metricfiles.Rows(self.collected, self._telling)
        self._refused = False

    def look(self) -> bool:
        """Take what is new; return whether there is more. Raises OSError."""
        lines, again = self._lines.lines()
        if again:
            self._begin()
        if self._refused:
            return False
        try:
            for row in self._parsed(lines):
                self._rows.take(row)
        except _metricfiles.Skip:
            self.collected = Collected(Full(None), "")
            self._refused = True
        return self._lines.more

    def _parsed(self, lines: List[bytes]) -> Iterator[Dict[str, Any]]:
        texts = [line.decode("utf-8-sig", "replace") for line in lines if line.strip()]
        if self._suffix in (".jsonl", ".ndjson"):
            yield from (row for row in map(_metricfiles.json_row, texts) if row is not None)
            return
        try:
            for cells in csv.reader(texts, delimiter="\t" if self._suffix == ".tsv" else ","):
                if self._header is None:
                    self._header = _metricfiles.header(cells)
                else:
                    yield _metricfiles.csv_row(self._header, cells)
        except csv.Error as error:
            raise _metricfiles.Skip("is not a readable table") from error


class Board:
    """TensorBoard's event files of one folder."""

    def __init__(self) -> None:
        self.collected = Collected(Full(None), "")
        self._plugins: Dict[str, str] = {}
        self._at: Dict[str, int] = {}

    def look(self, paths: List[str]) -> None:
        """Take what is new. Raises OSError."""
        for path in sorted(paths, key=_tensorboard.age):
            self._at[path] = _tensorboard.more(
                path, self._at.get(path, 0), self._plugins, self.collected
            )
