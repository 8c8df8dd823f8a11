"""Which numbers came out: final values and series by step, read from the files the run wrote."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Set, Tuple

from provenance.core import canonical
from provenance.core.context import AFTER, PRESENT, Context
from provenance.core.difference import UNKNOWN, Comparison, Difference
from provenance.core.record import RUN_ONLY, Payload, Record, captured, skipped
from provenance.facets import _facet, _touched
from provenance.facets._entries import AMBIGUOUS, MISSING, UNCHANGED, Places
from provenance.facets._filenames import LINK, METRICS
from provenance.facets._files import Use

if TYPE_CHECKING:
    from provenance.facets._metricfiles import Finals
    from provenance.facets._series import Collected, Full, Series

NAME = "metrics"
VERSION = 1
PHASES = (AFTER,)
SITE = _facet.HOST

MOST_FILES = 50
"""Files that are read for metrics; those whose names say so come first."""

MOST_NAMES = 2000

FULL_FILE = "metrics.jsonl"

upgrade = _facet.nothing_to_upgrade


class Metrics(NamedTuple):
    """The numbers that came out.

    final: the last value by name. series: all values by name, in steps, long ones thinned to about
    2,000 points (first, last, least and greatest are always there). sources: the file by name.
    thinned: how many points the whole series has, where it was thinned; those are in
    ``metrics.jsonl`` beside the record.
    """

    final: Dict[str, Any] = {}
    series: Dict[str, List[Dict[str, Any]]] = {}
    sources: Dict[str, str] = {}
    thinned: Dict[str, int] = {}


class _Read(NamedTuple):
    use: Use
    finals: Finals
    collected: Collected


def capture(context: Context) -> Payload:
    """Return the numbers found in the files that the run changed."""
    if context.phase == PRESENT:
        return skipped(VERSION, RUN_ONLY)
    outputs = _touched.touched(context).outputs
    if not outputs and not context.observed.sdk:
        return captured(VERSION, Metrics())
    return _captured(context, outputs)


def _captured(context: Context, outputs: Tuple[Use, ...]) -> Payload:
    from provenance.facets._metricfiles import Skip  # not needed where nothing was written
    from provenance.facets._series import Full

    notes: List[str] = []
    places = Places(context)
    full = Full(os.path.join(context.run_dir, FULL_FILE) if context.run_dir else None)
    uses = _candidates(outputs, notes)
    read = []
    for use in uses:
        try:
            one = _read(use, full, context.redact.text(str(places.refer(use.path))))
        except Skip as skip:
            if str(skip):
                notes.append("%s %s" % (places.refer(use.path), skip))
            continue
        except (OSError, ValueError) as error:
            notes.append("%s was not read: %s" % (places.refer(use.path), type(error).__name__))
            continue
        if one.finals or one.collected.series:
            read.append(one)
    told, more = _told(context, full)
    full.close()
    found = _named(read, places, notes)
    _sdk_first(found, told)
    notes += more
    if found.thinned:
        where = FULL_FILE if full.complete else "the file that the run wrote"
        text = "%d long series are thinned to %d points in the record; all points are in %s"
        notes.append(text % (len(found.thinned), 2000, where))
    return captured(VERSION, _redacted(found, context), notes=tuple(notes[:20]))


def _told(context: Context, full: Full) -> Tuple[Dict[str, Series], Tuple[str, ...]]:
    """Return the series that the code told by the SDK, and notes."""
    if not context.observed.sdk:
        return {}, ()
    from provenance.facets import _sdk

    return _sdk.series(context, full)


def _sdk_first(found: Metrics, told: Dict[str, Series]) -> None:
    """Put what the SDK told under its own names; what files say differently goes by the file."""
    for name, series in told.items():
        assert series.last is not None
        source, final = found.sources.get(name), found.final.get(name)
        if source is not None and final != series.last.value:
            stem = os.path.splitext(os.path.basename(source))[0]
            parts: Tuple[Dict[str, Any], ...] = (found.final, found.series, found.sources)
            for part in (*parts, found.thinned):
                if name in part:
                    part[stem + "/" + name] = part.pop(name)
        found.sources[name] = "sdk"
        found.final[name] = series.last.value
        found.series[name] = [point._asdict() for point in series.points()]
        found.thinned.pop(name, None)
        if series.thinned:
            found.thinned[name] = series.count


def _candidates(outputs: Tuple[Use, ...], notes: List[str]) -> List[Use]:
    from provenance.facets import _metricfiles

    states = (MISSING, UNCHANGED, AMBIGUOUS)
    found = [
        one
        for one in outputs
        if one.kind != LINK and one.state not in states and _metricfiles.reader_of(one.path)
    ]
    found.sort(key=lambda one: (one.kind != METRICS, one.path.count(os.sep), one.path))
    if len(found) > MOST_FILES:
        text = "%d files that may hold metrics were not read"
        notes.append(text % (len(found) - MOST_FILES))
    return found[:MOST_FILES]


def _read(use: Use, full: Full, name: str) -> _Read:
    from provenance.facets import _metricfiles
    from provenance.facets._series import Collected

    reader = _metricfiles.reader_of(use.path)
    assert reader is not None
    collected = Collected(full, name)
    return _Read(use, reader(use.path, collected), collected)


def _named(read: List[_Read], places: Places, notes: List[str]) -> Metrics:
    """Return everything under its name; the file's name goes before where two files disagree.

    Files that end in the same value speak of one metric: ``metrics.json`` holds the last line of
    ``history.csv``.
    """
    ends: Dict[str, Set[str]] = {}
    for one in read:
        for name in set(one.finals) | set(one.collected.series):
            ends.setdefault(name, set()).add(repr(_end(one, name)))
    stems: Dict[str, int] = {}
    for one in read:
        stems[_stem(one)] = stems.get(_stem(one), 0) + 1
    found = Metrics({}, {}, {}, {})
    for one in read:
        path = str(places.refer(one.use.path))
        prefix = _stem(one) if stems[_stem(one)] == 1 else os.path.splitext(path)[0]
        for name in sorted(set(one.finals) | set(one.collected.series)):
            if len(found.sources) >= MOST_NAMES:
                notes.append("more than %d metrics: the rest was left out" % MOST_NAMES)
                return found
            full_name = name if len(ends[name]) == 1 else prefix + "/" + name
            _put(found, full_name, name, one, path)
    return found


def _end(one: _Read, name: str) -> Any:
    series = one.collected.series.get(name)
    if name in one.finals or series is None or series.last is None:
        return one.finals.get(name)
    return series.last.value


def _put(found: Metrics, full_name: str, name: str, one: _Read, path: str) -> None:
    found.sources.setdefault(full_name, path)
    series = one.collected.series.get(name)
    if series is not None and series.last is not None:
        found.series[full_name] = [point._asdict() for point in series.points()]
        found.final[full_name] = series.last.value
        if series.thinned:
            found.thinned[full_name] = series.count
    if name in one.finals:
        found.final[full_name] = one.finals[name]


def _stem(one: _Read) -> str:
    return os.path.splitext(os.path.basename(one.use.path))[0]


def _redacted(found: Metrics, context: Context) -> Dict[str, Any]:
    """Return the payload, non-finite numbers spelled out and names free of secrets."""
    clean: Dict[str, Any] = canonical.plain(found._asdict())
    redact = context.redact.text
    return {
        part: {redact(name): redact(v) if isinstance(v, str) else v for name, v in items.items()}
        for part, items in clean.items()
    }


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare final values exactly; how far apart matters is judged where results are compared."""
    was, now = _of(old).final, _of(new).final
    found = []
    for name in sorted(set(was) | set(now)):
        if name not in now:
            found.append(Difference(NAME, "run", "removed", name, UNKNOWN, was[name], None))
        elif name not in was:
            found.append(Difference(NAME, "run", "added", name, UNKNOWN, None, now[name]))
        elif canonical.plain(was[name]) != canonical.plain(now[name]):
            found.append(Difference(NAME, "run", "value", name, UNKNOWN, was[name], now[name]))
    total = len(set(was) | set(now))
    return Comparison(tuple(found), total - len(found), total, "metrics")


def _of(payload: Payload) -> Metrics:
    return _view([one.payload for one in payload.subjects])


def _view(payloads: List[Dict[str, Any]]) -> Metrics:
    found = Metrics({}, {}, {}, {})
    for payload in payloads:
        for name, value in payload.get("final", {}).items():
            found.final.setdefault(name, canonical.number(value))
        for name, points in payload.get("series", {}).items():
            found.series.setdefault(name, [_point(one) for one in points])
        found.sources.update(payload.get("sources", {}))
        found.thinned.update(payload.get("thinned", {}))
    return found


def _point(value: Dict[str, Any]) -> Dict[str, Any]:
    from provenance.facets._series import Point

    point = Point(canonical.number(value["step"]), canonical.number(value["value"]))
    return dict(point._asdict())


def of(record: Record) -> Optional[Metrics]:
    """Return the metrics, numbers as floats also where not finite; None where there are none."""
    subjects = record.payloads(NAME)
    return _view([one.payload for one in subjects]) if subjects else None
