"""What differs between two recorded runs, and between their results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from provenance.compare import partial
from provenance.compare.envelope import Envelope
from provenance.compare.files import OutputResult, compare_outputs
from provenance.compare.metrics import MetricResult, compare_metrics
from provenance.compare.parting import Parting
from provenance.compare.verdict import ReplayVerdict, replay_verdict
from provenance.core import codec, verdict
from provenance.core.difference import NotCompared
from provenance.core.paths import PathRef, Roots
from provenance.core.record import Record
from provenance.core.verdict import NOT_COMPARED, Finding
from provenance.facets import metrics
from provenance.knowledge import match
from provenance.operations import (
    alike,
    allowed,
    data_told,
    facts,
    parting,
    references,
    series,
    settle,
)
from provenance.operations.alike import Alike
from provenance.operations.allowed import Allowed, Limits
from provenance.operations.facts import Facts
from provenance.store import project
from provenance.store.project import Project

RESULTS = ("metrics", "outputs")
"""Facets that hold results: judged with tolerance, not listed as findings."""


class Results(NamedTuple):
    """The results of one run held against another's."""

    metrics: tuple[MetricResult, ...]
    outputs: tuple[OutputResult, ...]


class DiffResult(NamedTuple):
    """Two runs compared. Fields as in `verify.Checked`.

    alike: the runs that say how far results vary by chance, None for none. notes: sentences on
    tolerance and envelope. parted: where the two part.
    """

    old: Record
    new: Record
    findings: tuple[Finding, ...]
    facts: dict[str, Facts]
    not_compared: tuple[NotCompared, ...]
    results: Results
    parted: Parting
    alike: Alike | None = None
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """The verdict over the findings, results left out."""
        return verdict.verdict(self.findings, sum(one.total for one in self.facts.values()))

    @property
    def judged(self) -> ReplayVerdict:
        """The verdict over the results, as a replay would have it."""
        codes = (self.old.exit_code, self.new.exit_code)
        return replay_verdict(*codes, self.results.metrics, self.results.outputs)


def diff(
    cwd: str, old: str, new: str, limits: Limits | None = None, like: Sequence[str] = ()
) -> DiffResult:
    """Compare the runs that ``old`` and ``new`` mean. Raises `ProvError`.

    like: names of runs that say how far results vary by chance; see `alike.of`.
    """
    place = project.find(cwd)
    first, second = (references.named(name, place, cwd).record for name in (old, new))
    compared = facts.compare(first, second)
    differences = tuple(d for d in compared.differences if d.facet not in RESULTS)
    places = [(run, settle.recorded_roots(place, run)) for run in (first, second)]
    found = data_told.told(match.explain(differences, first, second), place, *places)
    limited = allowed.allowed(first, place, limits or Limits())
    runs = alike.of(first, second, like, place, cwd)
    came_out = results(first, second, place, limited)
    notes = limited.notes
    if runs is not None:
        judged = tuple(alike.judged(came_out.metrics, runs, second, place))
        came_out = Results(judged, alike.steady(came_out.outputs, runs))
        notes = (*notes, runs.note())
    ranked = tuple(verdict.ranked(found))
    return DiffResult(
        first,
        second,
        ranked,
        {name: one for name, one in compared.facts.items() if name not in RESULTS},
        tuple(one for one in compared.not_compared if one.facet not in RESULTS),
        came_out,
        parting.part(place, first, second, came_out, limited.choice.overall, ranked),
        runs,
        notes,
    )


def results(old: Record, new: Record, place: Project, limited: Allowed) -> Results:
    """Return the metrics and outputs of ``new`` held against those of ``old``."""
    before, after = metrics.of(old), metrics.of(new)
    judged: tuple[MetricResult, ...] = ()
    if before is not None and after is not None:
        found = compare_metrics(
            before.final,
            after.final,
            series.of(old, place),
            series.of(new, place),
            limited.choice,
            units=before.units,
        )
        heard = (_unheard(one, before.sources, new) for one in found)
        judged = partial.marked(heard, before.partial, after.partial)
    roots = [settle.recorded_roots(place, run) for run in (old, new)]
    files = compare_outputs(
        _files(old), _files(new), _locator(roots[0]), _locator(roots[1]), limited.choice.overall
    )
    return Results(judged, tuple(files))


def _unheard(one: MetricResult, sources: Mapping[str, str], new: Record) -> MetricResult:
    """Return a metric without a verdict where it was printed, and the new run's output not kept."""
    silent = new.log is None or not new.log.size  # nothing printed, or printed to a device
    if one.new is None and silent and sources.get(one.name, "").startswith("log:"):
        return one._replace(verdict=NOT_COMPARED, detail="what the new run printed was not kept")
    return one


def _files(run: Record) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for subject in run.payloads("outputs"):
        found.extend(subject.payload.get("files", []))
    return found


def _locator(roots: Roots) -> Callable[[Any], str | None]:
    def locate(path: Any) -> str | None:
        return roots.locate(path if isinstance(path, PathRef) else PathRef.from_json(path))

    return locate


def exit_code(result: DiffResult) -> int:
    """Return 1 where the results of the runs differ, or what gave them does with a known effect."""
    return int(verdict.DIFFERENT in (result.verdict, result.judged.verdict))


def as_json(result: DiffResult) -> dict[str, Any]:
    """Return the ``data`` member of ``prov diff --json``."""
    return {
        "verdict": result.verdict,
        "reference": {"kind": "run", "run": result.old.id, "name": result.old.name},
        "other": {"kind": "run", "run": result.new.id, "name": result.new.name},
        "compared": codec.encode(result.facts),
        "findings": codec.encode(result.findings),
        "not_compared": codec.encode(result.not_compared),
        "results": dict(codec.encode(result.results), **result.judged._asdict()),
        "parted": parting.as_json(result.parted),
        "envelopes": envelopes_json(result.alike.envelopes.values() if result.alike else ()),
        "alike": [one.id for one in result.alike.others] if result.alike else [],
        "notes": list(result.notes),
    }


def envelopes_json(found: Iterable[Envelope]) -> list[dict[str, Any]]:
    """Return envelopes as JSON, with what follows from their figures."""
    return [
        {**one._asdict(), "outside": one.outside, "interval": codec.encode(one.interval)}
        for one in found
    ]
