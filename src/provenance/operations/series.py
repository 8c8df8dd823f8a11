"""The curves of recorded runs, whole where their points are kept beside the record."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from provenance.compare import curve, curve_files
from provenance.compare.curve import Curve
from provenance.core.record import Record
from provenance.facets import metrics
from provenance.store import records
from provenance.store.project import Project

if TYPE_CHECKING:
    from provenance.compare.curves import CurveResult


def of(run: Record, place: Project) -> dict[str, Curve]:
    """Return the curves of ``run`` by metric.

    A long series is thinned in the record; where ``metrics.jsonl`` is still beside it all points
    are taken, and behind the last of those (it is cut at 64 MiB) the thinned ones.
    """
    told = metrics.of(run)
    if told is None:
        return {}
    found = {
        name: curve.of_points(name, points, told.thinned.get(name, 0)).named(name, "")
        for name, points in told.series.items()
    }
    path = os.path.join(records.folder_of(place, run.id), metrics.FULL_FILE)
    if not told.thinned or not os.path.isfile(path):
        return found
    try:
        kept = curve_files.kept_points(path) or {}
    except OSError:
        return found
    for name in told.thinned:
        whole = _whole(found[name], kept)
        if whole is not None:
            found[name] = whole.named(name, "", told.thinned[name])
    return found


def _whole(thin: Curve, kept: dict[str, Curve]) -> Curve | None:
    """Return the curve among ``kept`` that ``thin`` was made of, with what it lacks at its end."""
    named = [kept[thin.name]] if thin.name in kept else []
    others = (one for name, one in kept.items() if thin.name.endswith("/" + name.split("/")[-1]))
    for one in [*named, *others]:
        if len(one) and (one.steps[0], one.values[0]) == (thin.steps[0], thin.values[0]):
            ends = [place for place, step in enumerate(thin.steps) if step > one.steps[-1]]
            for place in ends:
                one.steps.append(thin.steps[place])
                one.values.append(thin.values[place])
            return one
    return None


def splits(found: Sequence[CurveResult]) -> list[str]:
    """Return what train and validation curves of one metric say together, in sentences."""
    from provenance.compare import curve_words

    return curve_words.splits(found)
