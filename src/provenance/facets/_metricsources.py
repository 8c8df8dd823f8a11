"""Gathering what each source says of a run's numbers: the SDK, files and trackers, the log."""

from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING, Any, Dict, List, Tuple

from provenance.core.context import Context
from provenance.facets import _metricfiles, _trackers
from provenance.facets._entries import AMBIGUOUS, MISSING, UNCHANGED, Places
from provenance.facets._filenames import LINK, METRICS
from provenance.facets._files import Use
from provenance.facets._metricfiles import Skip
from provenance.facets._metricmerge import FILE, LOG, SDK, Source
from provenance.facets._metricnames import STEPS
from provenance.facets._series import Collected, Full
from provenance.facets._trackers import Job

if TYPE_CHECKING:
    from provenance.facets._metriclog import Printed

MOST_FILES = 50
"""Files, and folders of trackers, that are read; those whose names say so come first."""

Notes = List[str]


def sources(
    context: Context, outputs: Tuple[Use, ...], full: Full, notes: Notes
) -> Tuple[List[Source], Dict[str, Any]]:
    """Return all sources, and the times and rates that were printed. Never raises for a file."""
    found = _told(context, full, notes)
    places = Places(context)
    for job in _jobs(outputs, context, notes):
        label = context.redact.text(str(places.refer(job.path)))
        collected, said = Collected(full, label), []  # type: Collected, Notes
        try:
            finals = job.read(collected, said)
        except Skip as skip:
            finals, said = {}, [str(skip)] if str(skip) else []
        except (OSError, ValueError, LookupError, zipfile.BadZipFile) as error:
            finals, said = {}, ["was not read: %s" % type(error).__name__]
        notes += ["%s %s" % (label, sentence) for sentence in said]
        finals = _without_steps(finals, collected)
        if finals or collected.series:
            found.append(Source(FILE, label, job.prefix, finals, collected.series))
    printed, timings = _printed(context, full, notes)
    return named_apart(found) + _cells(context, full) + printed, timings


def _without_steps(finals: Dict[str, Any], collected: Collected) -> Dict[str, Any]:
    """Leave out what only says how far the program was: ``epoch`` among the results."""
    for name in [one for one in collected.series if _last(one) in STEPS]:
        del collected.series[name]
    return {name: value for name, value in finals.items() if _last(name) not in STEPS}


def _last(name: str) -> str:
    return name.rpartition("/")[2].lower()


def _told(context: Context, full: Full, notes: Notes) -> List[Source]:
    """Return what the code told by the SDK."""
    if not context.observed.sdk:
        return []
    from provenance.facets import _sdk

    series, more = _sdk.series(context, full)
    notes += more
    return [Source(SDK, _sdk.SOURCE, _sdk.SOURCE, {}, series)]


def _jobs(outputs: Tuple[Use, ...], context: Context, notes: Notes) -> List[Job]:
    states = (MISSING, UNCHANGED, AMBIGUOUS)
    uses = [one for one in outputs if one.kind != LINK and one.state not in states]
    found, rest = _trackers.jobs([one.path for one in uses], context.started)
    kinds = {one.path: one.kind for one in uses}
    plain = [one for one in rest if _is_plain(one)]
    plain.sort(key=lambda one: (kinds[one] != METRICS, one.count(os.sep), one))
    found = [_plain(one) for one in plain if kinds[one] == METRICS] + found
    found += [_plain(one) for one in plain if kinds[one] != METRICS]
    if len(found) > MOST_FILES:
        text = "%d files that may hold metrics were not read"
        notes.append(text % (len(found) - MOST_FILES))
    return found[:MOST_FILES]


def _is_plain(path: str) -> bool:
    if os.path.basename(path).startswith(".") or _trackers.beside_log(path):
        return False
    return _metricfiles.reader_of(path) is not None


def _plain(path: str) -> Job:
    reader = _metricfiles.reader_of(path)
    assert reader is not None
    stem = os.path.splitext(os.path.basename(path))[0]
    return Job(path, stem, lambda into, _: reader(path, into))


def named_apart(found: List[Source]) -> List[Source]:
    """Return the sources with other prefixes where two have the same: the whole path."""
    counts: Dict[str, int] = {}
    for one in found:
        counts[one.prefix] = counts.get(one.prefix, 0) + 1
    return [
        one
        if counts[one.prefix] == 1
        else one._replace(prefix=os.path.splitext(one.label)[0] if one.rank == FILE else one.prefix)
        for one in found
    ]


def _printed(context: Context, full: Full, notes: Notes) -> Tuple[List[Source], Dict[str, Any]]:
    """Return what the run printed, as one source."""
    if context.log is None:
        return [], {}
    from provenance.facets import _metriclog

    try:
        said = _metriclog.read(context.log)
    except OSError as error:
        notes.append("the log was not read for metrics: %s" % type(error).__name__)
        return [], {}
    notes += said.notes
    return _said(said, context, full, "log", "log:%d"), dict(said.timings)


def _cells(context: Context, full: Full) -> List[Source]:
    """Return what the cells of notebooks printed that the run executed."""
    found: List[Source] = []
    for use in context.observed.files:
        if not (use.written and use.path.endswith(".ipynb") and os.path.isfile(use.path)):
            continue
        from provenance.core import notebooks
        from provenance.facets import _metriclog

        try:
            pieces = notebooks.printed(notebooks.read(use.path))
        except (OSError, ValueError):
            continue
        label = context.redact.text(str(Places(context).refer(use.path)))
        said = _metriclog.read_cells(pieces)
        found += _said(said, context, full, label, label.replace("%", "%%") + " cell %d")
    return found


def _said(said: Printed, context: Context, full: Full, label: str, place: str) -> List[Source]:
    """Return what was printed as a source, without parameters that were only shown."""
    given = {
        name: item.get("value")
        for parsed in context.observed.parsed
        for name, item in parsed.values.items()
    }
    collected = Collected(full, label)
    finals = {}
    for name, last in said.last.items():
        points = said.numbered.get(name, [])
        if len(points) < 2 and name in given and given[name] == last.value:
            continue
        finals[name] = last.value
        for step, one in points:
            collected.add(name, step, one.value)
    where = {name: place % said.last[name].line for name in finals}
    units = {name: unit for name, unit in said.units.items() if name in finals}
    prefix = os.path.splitext(os.path.basename(label))[0]
    source = Source(LOG, label, prefix, finals, collected.series, where, units)
    return [source] if finals else []
