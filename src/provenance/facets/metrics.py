"""Which numbers came out: final values and series by step, as told, written or printed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple

from provenance.core import canonical
from provenance.core.context import AFTER, PRESENT, Context
from provenance.core.difference import UNKNOWN, Comparison, Difference
from provenance.core.record import RUN_ONLY, Payload, Record, captured, skipped
from provenance.facets import _facet, _touched

if TYPE_CHECKING:
    from provenance.facets._files import Use
    from provenance.facets._metricmerge import Metric

NAME = "metrics"
VERSION = 1
PHASES = (AFTER,)
SITE = _facet.HOST

MOST_NAMES = 2000

FULL_FILE = "metrics.jsonl"

upgrade = _facet.nothing_to_upgrade


class Metrics(NamedTuple):
    """The numbers that came out.

    final: the last value by name. series: all values by name, in steps, long ones thinned to about
    2,000 points (first, last, least and greatest are always there). sources: by name the file,
    "sdk", or "log:LINE". thinned: how many points the whole series has, where it was thinned; those
    are in ``metrics.jsonl`` beside the record. others: what further sources say by name: ``value``,
    ``source`` and the ``name`` there. best: the best point of a series whose name tells what is
    better. units: "%" by name. splits: train, validation or test, where the name says so. timings:
    times, rates and memory, last values. partial: the run failed: these are no results.
    """

    final: Dict[str, Any] = {}
    series: Dict[str, List[Dict[str, Any]]] = {}
    sources: Dict[str, str] = {}
    thinned: Dict[str, int] = {}
    others: Dict[str, List[Dict[str, Any]]] = {}
    best: Dict[str, Dict[str, Any]] = {}
    units: Dict[str, str] = {}
    splits: Dict[str, str] = {}
    timings: Dict[str, Any] = {}
    partial: bool = False


def capture(context: Context) -> Payload:
    """Return the numbers that the run told, wrote and printed."""
    if context.phase == PRESENT:
        return skipped(VERSION, RUN_ONLY)
    outputs = _touched.touched(context).outputs
    partial = context.outcome is not None and context.outcome.exit_code != 0
    if not outputs and not context.observed.sdk and not _printed(context.log):
        return captured(VERSION, Metrics(partial=partial))
    return _captured(context, outputs, partial)


def _printed(log: Optional[str]) -> bool:
    """Return whether the command printed anything that was kept."""
    try:
        return log is not None and os.path.getsize(log) > 0
    except OSError:
        return False


def _captured(context: Context, outputs: Tuple[Use, ...], partial: bool) -> Payload:
    from provenance.facets import _metricmerge, _metricsources  # not where nothing was said
    from provenance.facets._series import Full

    notes: List[str] = []
    full = Full(os.path.join(context.run_dir, FULL_FILE) if context.run_dir else None)
    sources, timings = _metricsources.sources(context, outputs, full, notes)
    full.close()
    found = _payload(_metricmerge.merged(sources), notes)
    found = found._replace(timings=dict(timings, **found.timings), partial=partial)
    if found.thinned:
        left = FULL_FILE + " up to 64 MiB" if context.observed.sdk else "what the run left"
        where = FULL_FILE if full.complete else left
        text = "%d long series are thinned to %d points in the record; all points are in %s"
        notes.append(text % (len(found.thinned), 2000, where))
    return captured(VERSION, _redacted(found, context), notes=tuple(notes[:20]))


def _payload(merged: Dict[str, Metric], notes: List[str]) -> Metrics:
    from provenance.facets import _metricmerge, _metricnames

    found = Metrics({}, {}, {}, {}, {}, {}, {}, {}, {})
    for name, one in merged.items():
        if one.source != "sdk" and _metricnames.is_time(name, one.source):
            found.timings[name] = one.value
            continue
        if len(found.sources) >= MOST_NAMES:
            notes.append("more than %d metrics: the rest was left out" % MOST_NAMES)
            break
        found.sources[name] = one.source
        found.final[name] = one.value
        if one.series is not None and one.series.last is not None:
            found.series[name] = [point._asdict() for point in one.series.points()]
            best = _metricmerge.best(one.series, name)
            if best is not None:
                found.best[name] = dict(best._asdict())
            if one.series.thinned:
                found.thinned[name] = one.series.count
        if one.others:
            found.others[name] = [dict(other._asdict()) for other in one.others[:10]]
        if one.unit:
            found.units[name] = one.unit
        split = _metricnames.split_of(name)
        if split is not None:
            found.splits[name] = split
    return found


def _redacted(found: Metrics, context: Context) -> Dict[str, Any]:
    """Return the payload, non-finite numbers spelled out and names free of secrets."""
    clean: Dict[str, Any] = canonical.plain(found._asdict())
    redact = context.redact.text
    for others in clean["others"].values():
        for one in others:
            one.update(source=redact(one["source"]), name=redact(one["name"]))
    return {
        part: {redact(name): redact(v) if isinstance(v, str) else v for name, v in items.items()}
        if isinstance(items, dict)
        else items
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


def of_payload(payload: Dict[str, Any]) -> Metrics:
    """Return the metrics in one subject's payload, numbers as floats also where not finite."""
    return _view([payload])


def _view(payloads: List[Dict[str, Any]]) -> Metrics:
    found = Metrics({}, {}, {}, {}, {}, {}, {}, {}, {})
    for payload in payloads:
        for name, value in payload.get("final", {}).items():
            found.final.setdefault(name, canonical.number(value))
        for name, points in payload.get("series", {}).items():
            found.series.setdefault(name, [_point(one) for one in points])
        for name, point in payload.get("best", {}).items():
            found.best.setdefault(name, _point(point))
        for name, value in payload.get("timings", {}).items():
            found.timings.setdefault(name, canonical.number(value))
        for name, others in payload.get("others", {}).items():
            known = [dict(one, value=canonical.number(one.get("value"))) for one in others]
            found.others.setdefault(name, known)
        found.sources.update(payload.get("sources", {}))
        found.thinned.update(payload.get("thinned", {}))
        found.units.update(payload.get("units", {}))
        found.splits.update(payload.get("splits", {}))
        found = found._replace(partial=found.partial or payload.get("partial") is True)
    return found


def _point(value: Dict[str, Any]) -> Dict[str, Any]:
    from provenance.facets._series import Point

    point = Point(canonical.number(value["step"]), canonical.number(value["value"]))
    return dict(point._asdict())


def of(record: Record) -> Optional[Metrics]:
    """Return the metrics, numbers as floats also where not finite; None where there are none."""
    subjects = record.payloads(NAME)
    return _view([one.payload for one in subjects]) if subjects else None
