"""Runs that show how far results vary by chance: named, or recorded with other seeds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from provenance.compare import bands, envelope
from provenance.compare.bands import Band
from provenance.compare.curve import Curve
from provenance.compare.curves import CurveResult
from provenance.compare.envelope import Envelope
from provenance.compare.files import OutputResult
from provenance.compare.metrics import MetricResult
from provenance.core import digest
from provenance.core.difference import NONE, Difference
from provenance.core.paths import PathRef
from provenance.core.record import DONE, Record
from provenance.core.runid import short
from provenance.core.verdict import DIFFERENT, NOT_COMPARED
from provenance.errors import UsageError
from provenance.facets import metrics
from provenance.operations import facts, references, series
from provenance.store import records
from provenance.store.project import Project

NOTHING = "none"
"""The word that stands for no runs at all, not even those that are found."""

MOST = 100
"""Runs that are looked through for other seeds, the newest first."""

_SEED = re.compile(r"(?:^|[_\-./])(?:seed|seeds|random_state|rng|manual_seed)(?:$|[_\-./=])", re.I)
_RESULTS = frozenset(
    "metrics outputs seeds fingerprints resources processes artifacts behaviour notebooks hardware"
    .split()
)  # fmt: skip
"""Facets in which two runs of other seeds may differ and be alike all the same."""

_NUMBERS = re.compile(r"\d+")


class Alike(NamedTuple):
    """The runs that one is held to be a draw of.

    of: the run. others: the runs beside it. envelopes: what all of them gave, per metric. bands:
    their curves as bands, per metric. found: whether they were found rather than named.
    """

    of: Record
    others: tuple[Record, ...]
    envelopes: dict[str, Envelope]
    bands: dict[str, Band]
    found: bool

    def note(self) -> str:
        """Return the sentence that says which runs these are."""
        ids = ", ".join(short(one.id) for one in (self.of, *self.others))
        how = "differ in nothing but their seed" if self.found else "were named with --like"
        return "envelope: %d recorded runs that %s: %s" % (len(self.others) + 1, how, ids)


def of(
    run: Record, other: Record | None, names: Sequence[str], place: Project, cwd: str
) -> Alike | None:
    """Return the runs like ``run`` that are to say how far results vary; None for no such.

    names: as asked for, empty to look for recorded runs that differ from ``run`` in nothing but a
    seed, of which two are needed at least. other: the run in question, which is none of them.
    Raises `ProvError`.
    """
    if NOTHING in names:
        if len(names) > 1:
            raise UsageError("--like none stands alone.", "leave the other --like out")
        return None
    if names:
        named = [references.named(name, place, cwd).record for name in names]
        asked = {one.id: one for one in named if one.id != run.id}
        if other is not None and other.id in asked:
            raise UsageError(
                "%s is the run in question, it cannot be in its own envelope." % short(other.id),
                "name other runs with --like",
            )
        others = tuple(asked.values())
    else:
        others = _other_seeds(run, other, place)
        if len(others) < envelope.FOR_T - 1:
            return None
    if not others:
        return None
    members = (run, *others)
    finals = [dict(told.final) for told in map(metrics.of, members) if told is not None]
    what = "recorded runs" if names else "seeds"
    curves = [series.of(one, place) for one in members]
    made = {name: bands.band([one[name] for one in curves if name in one]) for name in curves[0]}
    known = {name: one for name, one in made.items() if one is not None}
    return Alike(run, others, envelope.envelopes(finals, what), known, not names)


def _other_seeds(run: Record, other: Record | None, place: Project) -> tuple[Record, ...]:
    """Return recorded runs of the same code, data and parameters but for the seed."""
    shape = _shape(run)
    known = [
        one.record
        for one in records.each(place)
        if isinstance(one, records.Stored)
        and one.record.status == DONE
        and one.record.id not in (run.id, other.id if other is not None else "")
        and one.record.replay_of is None
        and _shape(one.record) == shape
    ]
    return tuple(one for one in known[-MOST:] if differs_in_seed(run, one))


def _shape(run: Record) -> str:
    """Return the command without seeds and numbers: what runs of other seeds have in common."""
    words, skip = [], False
    for word in run.command:
        is_seed = _SEED.search(word.partition("=")[0]) is not None
        if not (is_seed or skip):
            words.append(word)
        skip = is_seed and word.startswith("-") and "=" not in word
    return _NUMBERS.sub("#", "\0".join(words))


def differs_in_seed(one: Record, other: Record) -> bool:
    """Return whether nothing that matters differs between two runs but their seeds.

    Both must have been seeded, with other seeds, or take a seed-like parameter that differs.
    """
    differences = facts.compare(one, other).differences
    seeds = [each for each in differences if _is_seed(each)]
    rest = [
        each
        for each in differences
        if each.facet not in _RESULTS and each.effect != NONE and not _is_seed(each)
    ]
    return bool(seeds) and not rest


def _is_seed(each: Difference) -> bool:
    if each.facet == "seeds":
        return "PYTHONHASHSEED" not in each.name
    return each.facet in ("params", "environment") and _SEED.search(each.name) is not None


def steady(outputs: Sequence[OutputResult], runs: Alike) -> tuple[OutputResult, ...]:
    """Return ``outputs`` without a verdict on files that differ among the runs alike as well."""
    first = _digests(runs.of)
    unsteady = {
        path
        for one in runs.others
        for path, told in _digests(one).items()
        if path in first and digest.same(first[path], told) is False
    }
    text = "differs from %s, too" % ("seed to seed" if runs.found else "run to run")
    return tuple(
        one._replace(verdict=NOT_COMPARED, detail=text)
        if one.verdict == DIFFERENT and str(one.path) in unsteady
        else one
        for one in outputs
    )


def _digests(run: Record) -> dict[str, Any]:
    """Return the digests of the files that a run wrote, by path."""
    return {
        str(PathRef.from_json(one["path"])): one.get("digests") or {}
        for subject in run.payloads("outputs")
        for one in subject.payload.get("files", [])
    }


def judged(
    found: Sequence[MetricResult], runs: Alike, new: Record, place: Project
) -> list[MetricResult]:
    """Return metrics of ``new`` with the envelope of ``runs`` in their verdicts."""
    theirs = series.of(new, place) if runs.bands else {}
    held = []
    for one in found:
        result = envelope.judged(one, runs.envelopes, "new")
        if one.curve is not None:
            (curve,) = judged_curves([one.curve], runs, theirs, {one.name: one.name})
            result = result._replace(curve=curve)
        held.append(result)
    return held


def judged_curves(
    found: Sequence[CurveResult], runs: Alike, new: Mapping[str, Curve], names: Mapping[str, str]
) -> list[CurveResult]:
    """Return curves with the band of ``runs`` in their verdicts. names: of each in ``new``."""
    what = "seeds" if runs.found else "recorded runs"
    held = []
    for one in found:
        around, other = runs.bands.get(one.name), new.get(names[one.name])
        if around is None or other is None:
            held.append(one)
        else:
            held.append(bands.judged(one, bands.lies(other, around), what))
    return held
