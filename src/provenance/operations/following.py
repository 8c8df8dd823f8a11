"""Following a run that goes on: its numbers so far, held against recorded curves.

Works from what lies in the run's folder, so that it may happen in any process: in the one that
`prov run` starts beside the command, or in `prov watch` in another terminal.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

from provenance.agent.read import Reader
from provenance.compare import tracking
from provenance.compare.band import Band
from provenance.compare.tracking import Track
from provenance.core.redact import Redactor
from provenance.facets._livemetrics import Live
from provenance.facets._series import Point

AGENT, LOG = "agent", "log.txt"

SHARE = 0.05
"""The share of one CPU's time that following may take: looks become rarer where they cost much."""
PAUSE_S = (0.5, 5.0)
"""The shortest and the longest pause between two looks, as far as `SHARE` allows."""
_GROWTH = 1.5


class Follower:
    """One run that goes on. folder: the run's. logs: where its output goes, each from which byte.

    points: its series as they were at the last look, by name.
    """

    def __init__(
        self, folder: str, logs: Sequence[tuple[str, int]], bands: Mapping[str, Band]
    ) -> None:
        agent = os.path.join(folder, AGENT)
        self._reader = Reader(agent, Redactor()) if os.path.isdir(agent) else None
        self._live = Live(logs, self._first)
        self._bands = bands
        self._pause = PAUSE_S[0]
        self.points: dict[str, list[Point]] = {}

    def _first(self, name: str) -> Sequence[float]:
        """Return the first steps of the recorded curve of a metric."""
        known = tracking.matched(name, self._bands)
        return self._bands[known].curves[0].steps[:2] if known is not None else ()

    def look(self) -> dict[str, Track]:
        """Return how the run lies to what was recorded now, by the recorded metric's name."""
        written: tuple[str, ...] = ()
        told: tuple[str, ...] = ()
        if self._reader is not None:
            seen = self._reader.observations()
            written = tuple(use.path for use in seen.files if use.written)
            told = seen.sdk
        self.points = self._live.look(written, told)
        return tracking.follow_all(self._bands, self.points)

    def timed(self) -> tuple[dict[str, Track], float]:
        """Look; return the tracks and in how many seconds to look again."""
        began = time.process_time()
        tracks = self.look()
        cost = time.process_time() - began
        pause = PAUSE_S[0] if self._live.more else self._pause
        self._pause = min(self._pause * _GROWTH, PAUSE_S[1])
        return tracks, max(pause, cost / SHARE)
