"""Watching a run from elsewhere while it goes on; of one that has ended, how it lay at the end."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from provenance import config
from provenance.compare.tracking import Track
from provenance.core import record, runid
from provenance.core.record import Record
from provenance.errors import NothingToCompare
from provenance.operations import against
from provenance.operations.following import LOG, Follower
from provenance.store import liveness, project, records


class Seen(NamedTuple):
    """One look. status: of the run at that moment. wait_s: in how long to look again."""

    run: Record
    status: str
    tracks: Mapping[str, Track]
    label: str
    runs: int
    wait_s: float

    @property
    def running(self) -> bool:
        """Whether the run goes on."""
        return self.status == record.RUNNING


class Watch:
    """A run that is watched. Raises `ProvError` where there is none, or nothing to hold it against.

    against: runs or files; where none are given, those that it was started with.
    """

    def __init__(self, cwd: str, name: str, names: Sequence[str]) -> None:
        place = project.find(cwd)
        stored = records.find(place, name)
        self._folder, self._run = stored.folder, stored.record
        own = not names
        given = against.resolve(names, cwd) if names else against.of_record(stored.record, cwd)
        if not given:
            text = "run %s was not started with --against." % runid.short(stored.record.id)
            raise NothingToCompare(text, "prov watch %s --against RUN|FILE" % name)
        self._references, self._own = given, own
        self._settings = config.load(place.root)
        self._follower: Follower | None = None

    def look(self) -> Seen:
        """Return how the run lies to its references now. Raises `ProvError`."""
        run = records.read(self._folder)
        status = liveness.status(run)
        label, count = against.labels(self._references), len(self._references)
        if record.RUNNING not in (status, run.status):
            kept = against.tracks_of(run) if self._own else None
            tracks = kept if kept is not None else self._judged(run)
            return Seen(run, status, tracks, label, count, 0.0)
        if self._follower is None:
            known = against.known_bands(self._references, self._settings.rtol, self._settings.atol)
            self._follower = Follower(self._folder, _logs(run, self._folder), known)
        live, pause = self._follower.timed()
        return Seen(run, status, live, label, count, pause)

    def _judged(self, run: Record) -> dict[str, Track]:
        answer = run.facets.get("metrics")
        return against.at_the_end(self._references, answer, self._settings) if answer else {}


def _logs(run: Record, folder: str) -> list[tuple[str, int]]:
    """Return where the output of a run that goes on can be read: its log, files that it goes to."""
    found = []
    log = os.path.join(folder, LOG)
    if os.path.isfile(log):
        found.append((log, 0))
    if run.process is None or not liveness.lives(run.process):
        return found
    for fd in (1, 2):
        path = "/proc/%d/fd/%d" % (run.process.pid, fd)
        try:
            if stat.S_ISREG(os.stat(path).st_mode):
                entry = (os.path.realpath(path), 0)
                found += [entry] if entry not in found else []
        except OSError:
            continue
    return found


def as_json(seen: Seen) -> dict[str, Any]:
    """Return one look for programs."""
    return {
        "run": seen.run.id,
        "name": seen.run.name,
        "status": seen.status,
        "against": seen.label,
        "metrics": {name: against.as_json(one) for name, one in seen.tracks.items()},
    }
