"""The verdict over the results of a replay, with the counts it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from provenance.compare.files import OutputResult
from provenance.compare.metrics import MetricResult
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN
from provenance.facets._filenames import LOG

_ORDER = (SAME, WITHIN, DIFFERENT)


class ReplayVerdict(NamedTuple):
    """verdict: same, within tolerance, different or not compared. summary: the counts, in words."""

    verdict: str
    summary: str


def replay_verdict(
    old_exit: int | None,
    new_exit: int | None,
    metrics: Sequence[MetricResult],
    outputs: Sequence[OutputResult],
) -> ReplayVerdict:
    """Return the verdict over all results.

    Another exit code is a different result; so is one metric or file that differs. Logs decide only
    where there is nothing else: what a program says on the way is not its result.
    """
    parts = [_counted(metrics, "metric"), _counted(outputs, "output file")]
    if not metrics and not outputs:
        parts = ["no metric and no output to compare"]
    exits = old_exit is not None and new_exit is not None and old_exit != new_exit
    if exits:
        parts.insert(0, "exit code %s when recorded, %s now" % (old_exit, new_exit))
    verdict = DIFFERENT if exits else _worst(metrics, outputs)
    return ReplayVerdict(verdict, "; ".join(part for part in parts if part))


def _worst(metrics: Sequence[MetricResult], outputs: Sequence[OutputResult]) -> str:
    results = [one.verdict for one in metrics]
    results += [one.verdict for one in outputs if one.kind != LOG]
    logs = [one.verdict for one in outputs if one.kind == LOG]
    for verdicts in (results, logs):
        compared = [one for one in verdicts if one != NOT_COMPARED]
        if compared:
            return max(compared, key=_ORDER.index)
    return NOT_COMPARED


def _counted(results: Sequence[Any], noun: str) -> str:
    """Return for example "3 metrics: 2 same, 1 within tolerance"; "" for no results."""
    if not results:
        return ""
    verdicts = [one.verdict for one in results]
    words = ["%d %s" % (verdicts.count(v), v) for v in (*_ORDER, NOT_COMPARED) if v in verdicts]
    name = noun if len(results) == 1 else noun + "s"
    return "%d %s: %s%s" % (len(results), name, ", ".join(words), _which(results))


def _which(results: Iterable[Any]) -> str:
    """Return the names of the first results that differ, in brackets."""
    names = [str(getattr(r, "name", "") or r.path) for r in results if r.verdict == DIFFERENT]
    more = ", ..." if len(names) > 3 else ""
    return " (different: %s%s)" % (", ".join(names[:3]), more) if names else ""
