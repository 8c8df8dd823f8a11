"""Metrics of a failed run: how far it got, never results."""

from __future__ import annotations

from collections.abc import Iterable

from provenance.compare.metrics import MetricResult
from provenance.core.verdict import NOT_COMPARED


def marked(
    found: Iterable[MetricResult], old_partial: bool, new_partial: bool
) -> tuple[MetricResult, ...]:
    """Return ``found`` with what is partial marked; not compared where just one run failed."""
    if not (old_partial or new_partial):
        return tuple(found)
    if old_partial and new_partial:
        return tuple(one._replace(detail="partial (both runs failed)") for one in found)
    text = "partial (%s run failed)" % ("the recorded" if old_partial else "the new")
    return tuple(one._replace(verdict=NOT_COMPARED, detail=text) for one in found)
