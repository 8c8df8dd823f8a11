"""Which runs a claim's name means, and what their metrics are.

``prov.lock`` comes first: it is what readers have. What it lacks is looked for in ``.prov``.
"""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from provenance.compare import _claim_numbers as numbers
from provenance.compare.claims import BEST, LAST, Found, Value
from provenance.core import record
from provenance.core.record import Record
from provenance.facets import metrics
from provenance.operations import references, settle
from provenance.operations.references import LOCK, RUN, Reference
from provenance.store import lockfile, records
from provenance.store.project import Project

_NEAR = 3
_PATTERN = frozenset("*?[")


class Pool:
    """The runs of a project: published ones and recorded ones, each read once."""

    def __init__(self, place: Project, cwd: str, lock: str | None = None) -> None:
        self.place = place
        self.lock_path = lock or lockfile.above(cwd, place.root)
        self._found: dict[str, tuple[tuple[Reference, ...], str]] = {}

    @cached_property
    def lock(self) -> lockfile.Lock | None:
        """The nearest lock. Raises `BadRecord` where it cannot be read."""
        return lockfile.read(self.lock_path) if self.lock_path is not None else None

    @cached_property
    def published(self) -> tuple[Reference, ...]:
        """The runs of the lock."""
        if self.lock is None or self.lock_path is None or not self.lock.runs:
            return ()
        return references.choose(self.lock_path, self.place, self.place.root)

    @cached_property
    def recorded(self) -> tuple[Reference, ...]:
        """The runs of ``.prov``, oldest first; those that cannot be read are left out."""
        return tuple(
            references.of_stored(settle.settled(self.place, one))
            for one in records.each(self.place)
            if isinstance(one, records.Stored)
        )

    def named(self, name: str) -> tuple[tuple[Reference, ...], str]:
        """Return the runs that ``name`` means, or why there are none, in a clause."""
        if name not in self._found:
            self._found[name] = self._named(name)
        return self._found[name]

    def _named(self, name: str) -> tuple[tuple[Reference, ...], str]:
        for pool in (self.published, self.recorded):
            found = _matching(name, [one for one in pool if not one.record.replay_of])
            good = tuple(one for one in found if one.record.status == record.DONE)
            if good:
                return good, ""
            if found:
                run = found[-1].record
                return (), "run %s %s" % (name, run.status)
        known = [one.record for one in (*self.published, *self.recorded)]
        names = {word for run in known for word in (run.name, *run.tags) if word}
        close = difflib.get_close_matches(name, sorted(names), _NEAR)
        near = "; near: %s" % ", ".join(close) if close else ""
        where = "prov.lock or .prov" if self.lock_path else ".prov, and there is no prov.lock"
        return (), "no run %s in %s%s" % (name, where, near)

    def newer(self, name: str, one: Reference) -> Record | None:
        """Return a later run of ``.prov`` that ``name`` means as well, None where there is none."""
        if one.kind != LOCK or name in one.record.id:
            return None
        later = [
            other.record
            for other in _matching(name, self.recorded)
            if other.record.started > one.record.started
            and other.record.name == one.record.name
            and other.record.status == record.DONE
            and not other.record.replay_of
        ]
        published = {each.record.id for each in self.published}
        return next((run for run in reversed(later) if run.id not in published), None)

    def replays(self, run_id: str) -> tuple[Record, ...]:
        """Return the replays of a run that ended well, the newest first."""
        found = [
            one.record
            for one in self.recorded
            if one.record.replay_of == run_id
            and one.record.status == record.DONE
            and "smoke" not in one.record.labels
        ]
        return tuple(reversed(found))


def meant(name: str, runs: Iterable[Record]) -> list[Record]:
    """Return the published ``runs`` that ``name`` means."""
    pool = [Reference(run, LOCK, "", lambda _: None) for run in runs]
    return [one.record for one in _matching(name, pool)]


def _matching(name: str, pool: Iterable[Reference]) -> list[Reference]:
    """Return the runs of ``pool`` of this id or part of one, name, tag or pattern of names."""
    pool = list(pool)
    if _PATTERN & set(name):
        fits = [one for one in pool if any(fnmatch.fnmatchcase(w, name) for w in _words(one))]
        return _newest_by_name(fits)
    by_name = [one for one in pool if one.record.name == name]
    if by_name:
        return by_name[-1:] if by_name[0].kind == RUN else by_name
    ids = [one for one in pool if references.is_id(one.record, name)]
    if len(ids) == 1:
        return ids
    return _newest_by_name([one for one in pool if name in one.record.tags])


def _words(one: Reference) -> list[str]:
    """Return what a pattern may match: name and tags."""
    return [word for word in (one.record.name, *one.record.tags) if word]


def _newest_by_name(found: Iterable[Reference]) -> list[Reference]:
    """Return the newest of each name; those without one all count. Failed ones only if alone."""
    once: dict[str, Reference] = {}
    for one in found:
        key = one.record.name or one.record.id
        done = one.record.status == record.DONE
        if done or key not in once:
            once[key] = one
    good = [one for one in once.values() if one.record.status == record.DONE]
    return good or list(once.values())


def value_of(run: Record, metric: str, at: str = LAST) -> Found:
    """Return one metric of a run, or why it has none, with the nearest names."""
    told = metrics.of(run)
    final = told.final if told is not None else {}
    timings = told.timings if told is not None else {}
    name = metric if metric in final or metric in timings else folded(metric, final)
    known = final.get(name, timings.get(name))
    if known is None:
        shown = (run.name or run.id, metric, _near(metric, final))
        return Found(why="run %s has no metric %s%s" % shown)
    if at != LAST and told is not None:
        point = _point(told, name, at)
        if point is None:
            text = "which value of %s is best is not known: say at: max or at: min"
            text = text if at == BEST and told.series.get(name) else "%s has no series"
            return Found(why=text % metric)
        known = point
    number = numbers.finite(known)
    if number is None:
        shown = (metric, run.name or run.id, known)
        return Found(why="%s of run %s is %s, no finite number" % shown)
    unit = told.units.get(name, "") if told is not None else ""
    return Found((Value(run.id, number, unit if unit == "%" else ""),))


def _point(told: metrics.Metrics, name: str, at: str) -> Any:
    """Return the best, greatest or least value of a series, None where there is none."""
    points = [one["value"] for one in told.series.get(name, ())]
    finite = [one for one in points if numbers.finite(one) is not None]
    if at == BEST:
        best = told.best.get(name)
        return None if best is None else best["value"]
    if not finite:
        return None
    return max(finite) if at == "max" else min(finite)


def folded(metric: str, final: Mapping[str, Any]) -> str:
    """Return the one name that differs from ``metric`` in case and separators only."""
    fits = [name for name in final if _plain(name) == _plain(metric)]
    return fits[0] if len(fits) == 1 else metric


def _plain(name: str) -> str:
    return "".join(one if one.isalnum() else "." for one in name.lower())


def _near(metric: str, final: Mapping[str, Any]) -> str:
    if not final:
        return "; it has none at all"
    close = difflib.get_close_matches(metric, final, _NEAR, 0.5)
    ends = [name for name in final if _plain(name).rpartition(".")[2] == _plain(metric)]
    shown = list(dict.fromkeys((*ends, *close)))[:_NEAR] or list(final)[:_NEAR]
    return "; %s: %s" % ("near" if ends or close else "it has", ", ".join(shown))


def looking(choose: Callable[[str], tuple[tuple[Record, ...], str]]) -> Callable[..., Found]:
    """Return what gives the values of a name and a metric, of the runs that ``choose`` gives."""

    def look(name: str, metric: str, at: str) -> Found:
        runs, why = choose(name)
        if why or not runs:
            return Found(why=why or "no run %s" % name)
        parts = [value_of(run, metric, at) for run in runs]
        wrong = next((one for one in parts if one.why), None)
        return wrong or Found(tuple(value for one in parts for value in one.values))

    return look
