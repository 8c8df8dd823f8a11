"""Bringing together what several sources say: one metric, one series, the best source's.

The SDK comes first, then files, then the log. Two names mean one metric where one has all the words
of the other, they do not name different splits, and the values agree as far as digits were printed.
"""

from __future__ import annotations

import math
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from provenance.facets import _metricnames
from provenance.facets._series import Point, Series

SDK, FILE, LOG = 0, 1, 2
"""Ranks of sources, the best first."""


class Source(NamedTuple):
    """One source.

    label: as in the record. prefix: of names that it shares with another source which says
    something else. finals: values that have no series. where: a closer label by name.
    """

    rank: int
    label: str
    prefix: str
    finals: Dict[str, Any]
    series: Dict[str, Series]
    where: Dict[str, str] = {}
    units: Dict[str, str] = {}

    def names(self) -> List[str]:
        """Return all names, in the order of their appearance."""
        return [*self.finals, *(name for name in self.series if name not in self.finals)]

    def end(self, name: str) -> Any:
        """Return the final value of ``name``."""
        series = self.series.get(name)
        if name in self.finals or series is None or series.last is None:
            return self.finals.get(name)
        return series.last.value


class Other(NamedTuple):
    """What a further source says of a metric, under the name that it uses."""

    value: Any
    source: str
    name: str


class Metric(NamedTuple):
    """One metric as its best source has it."""

    value: Any
    source: str
    series: Optional[Series] = None
    unit: str = ""
    others: Tuple[Other, ...] = ()


def merged(sources: List[Source]) -> Dict[str, Metric]:
    """Return every metric once, by name; ``sources`` of one rank in their order."""
    found: Dict[str, Metric] = {}
    for source in sorted(sources, key=lambda one: one.rank):
        words = {name: frozenset(_metricnames.key(name)) for name in found}
        for name in source.names():
            _add(found, words, source, name, sources)
    return found


def _add(
    found: Dict[str, Metric],
    words: Dict[str, Any],
    source: Source,
    name: str,
    sources: List[Source],
) -> None:
    value, label = source.end(name), source.where.get(name, source.label)
    series = source.series.get(name)
    same = _same(found, words, source, name)
    if same is not None:
        known = found[same]
        others = (*known.others, Other(value, label, name))
        if known.series is None or known.series.count < 2 <= (series.count if series else 0):
            found[same] = known._replace(series=series or known.series, others=others)
        else:
            found[same] = known._replace(others=others)
        return
    new = Metric(value, label, series, source.units.get(name, ""))
    if name in found and source.rank == LOG and found[name].series is not None:
        known = found[name]
        found[name] = known._replace(others=(*known.others, Other(value, label, name)))
        return
    full = name
    if name in found or _disputed(source, name, sources):
        full = "%s/%s" % (source.prefix, name)
    number = 2
    while full in found:
        full, number = "%s-%d/%s" % (source.prefix, number, name), number + 1
    found[full] = new


def _disputed(source: Source, name: str, sources: List[Source]) -> bool:
    """Return whether another source of the same rank says something else under this name."""
    mine = source.end(name)
    return any(
        one is not source
        and one.rank == source.rank
        and (name in one.finals or name in one.series)
        and not _agree(mine, one.end(name), exact=True)
        and not _begins(one.series.get(name), source.series.get(name))
        and not _begins(source.series.get(name), one.series.get(name))
        for one in sources
    )


def _same(
    found: Dict[str, Metric], words: Dict[str, Any], source: Source, name: str
) -> Optional[str]:
    """Return the name under which ``found`` holds the same metric already."""
    value, series = source.end(name), source.series.get(name)
    exact = source.rank != LOG
    mine = frozenset(_metricnames.key(name))
    near = [one for one, theirs in words.items() if mine <= theirs or theirs <= mine]
    near = sorted(near, key=lambda one: (one != name, len(one), one))
    for one in near:
        known = found[one]
        if one != name and not _metricnames.may_be_same(one, name):
            continue
        if words[one] != mine and not _telling(value):
            continue
        if known.source == source.label:
            continue
        if one == name and _begins(known.series, series):
            return one
        if _agree(known.value, value, exact and one == name) and _as_long(known, series):
            return one
    return None


def _telling(value: Any) -> bool:
    """Return whether a value has so many digits that two names hardly share it by chance."""
    return bool(len(repr(value).partition("e")[0].replace(".", "").strip("-0")) >= 3)


def _as_long(known: Metric, series: Optional[Series]) -> bool:
    """Return whether two series can be one: equal numbers of points, or one has hardly any."""
    if known.series is None or series is None or min(known.series.count, series.count) < 2:
        return True
    return known.series.first == series.first or _agree(
        known.series.first.value, series.first.value, exact=False
    )


def _begins(whole: Optional[Series], part: Optional[Series]) -> bool:
    """Return whether ``part`` is the beginning of ``whole``: an earlier checkpoint's history."""
    if whole is None or part is None or part.last is None or part.count > whole.count:
        return False
    return bool(part.first == whole.first and part.last in whole.points())


def _agree(one: Any, other: Any, exact: bool) -> bool:
    """Return whether two values are the same number, one perhaps rounded for print."""
    if bool(one == other) or repr(one) == repr(other):
        return True
    if not (_finite(one) and _finite(other)):
        return False
    if abs(one - other) <= 2e-7 * max(abs(one), abs(other)):  # one may be of single precision
        return True
    return not exact and any(_rounded(a, b) for a, b in ((one, other), (other, one)))


def _rounded(short: Any, long: Any) -> bool:
    """Return whether ``short`` is ``long`` with fewer digits, two significant ones at least."""
    digits = repr(short).lower().split("e")[0].strip("-0").replace(".", "").lstrip("0")
    decimals = repr(short).lower().partition(".")[2]
    if len(digits) < 2 or not decimals:
        return False
    if "e" in decimals:
        return bool(float("%.*e" % (max(len(digits) - 1, 1), long)) == short)
    return bool(abs(long - short) <= 0.5000001 * 10 ** -len(decimals))


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def best(series: Series, name: str) -> Optional[Point]:
    """Return the point that is best by the kind of ``name``; None where that is not known."""
    goal = _metricnames.goal(name)
    if goal is None or series.count < 2:
        return None
    return series.extreme(goal)
