"""Series of numbers by step, thinned to what a record can hold while they are being read."""

from __future__ import annotations

import json
import math
import os
from typing import IO, Any, Dict, List, NamedTuple, Optional, Tuple

from provenance.core import canonical

MOST = 2000
"""Points of one series that a record holds."""

FULL_LIMIT = 64 << 20
"""Bytes of full series that are kept beside the record."""

Number = Any
Step = Any


class Point(NamedTuple):
    """One value at a step; both plain numbers."""

    step: Step
    value: Number


class Series:
    """Collects points; of a long one every n-th, the first, last, least and greatest are kept."""

    def __init__(self) -> None:
        self.count = 0
        self.last: Optional[Point] = None
        self.first = Point(0, None)
        self._kept: List[Point] = []
        self._every = 1
        self._extremes: Dict[str, Tuple[int, Point]] = {}

    def add(self, point: Point) -> List[Point]:
        """Add the next point; return the points that are now to be kept elsewhere in full."""
        value = point.value
        if not self.count:
            self.first = point
        full = [point] if self.thinned else []
        if self.count % self._every == 0:
            self._kept.append(point)
            if len(self._kept) > MOST - 4:
                full = full or self._kept
                self._kept = self._kept[::2]
                self._every *= 2
        if not (isinstance(value, float) and math.isnan(value)):
            if "least" not in self._extremes or value < self._extremes["least"][1].value:
                self._extremes["least"] = (self.count, point)
            if "greatest" not in self._extremes or value > self._extremes["greatest"][1].value:
                self._extremes["greatest"] = (self.count, point)
        self.last = point
        self.count += 1
        return full

    def extreme(self, which: str) -> Optional[Point]:
        """Return the first point that is "least" or "greatest"; None where all are nan."""
        found = self._extremes.get(which)
        return found[1] if found else None

    @property
    def thinned(self) -> bool:
        """Whether points were left out."""
        return self._every > 1

    def points(self) -> List[Point]:
        """Return the points kept, in their order."""
        by_place = {place * self._every: point for place, point in enumerate(self._kept)}
        by_place.update(dict(self._extremes.values()))
        if self.last is not None:
            by_place[self.count - 1] = self.last
        return [by_place[place] for place in sorted(by_place)]


class Full:
    """The file beside the record that holds, line by line, every point of the long series."""

    def __init__(self, path: Optional[str]) -> None:
        self._path = path
        self._stream: Optional[IO[str]] = None
        self._size = 0
        self.complete = True

    def add(self, file: str, name: str, points: List[Point]) -> None:
        """Write ``points``; beyond `FULL_LIMIT` nothing is written and ``complete`` is false."""
        if self._path is None or self._size > FULL_LIMIT:
            self.complete = False
            return
        if self._stream is None:
            self._stream = open(self._path, "w", encoding="utf-8", newline="\n")  # noqa: SIM115  # closed by `close`
        begun = '{"file": %s, "name": %s, "step": ' % (json.dumps(file), json.dumps(name))
        for point in points:
            line = '%s%s, "value": %s}\n' % (begun, _number(point.step), _number(point.value))
            self._size += len(line)
            self._stream.write(line)

    def close(self) -> None:
        """Finish the file."""
        if self._stream is not None:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()


def _number(value: Any) -> str:
    """Return a number in JSON; by hand where that is plain, for there may be a million."""
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return repr(value)
    return json.dumps(canonical.plain(value), sort_keys=True, allow_nan=False)


class Collected:
    """The series of one file by name, written in full to ``full`` once they are too long."""

    def __init__(self, full: Full, file: str) -> None:
        self.series: Dict[str, Series] = {}
        self._full, self._file = full, file

    def add(self, name: str, step: Step, value: Number) -> None:
        """Add a point to the series called ``name``."""
        one = self.series.get(name)
        if one is None:
            one = self.series[name] = Series()
        points = one.add(Point(step, value))
        if points:
            self._full.add(self._file, name, points)
