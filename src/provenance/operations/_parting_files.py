"""Files of two runs that are still what the records say: their checkpoints and full series."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from provenance.compare import files
from provenance.compare.parting_checkpoints import Inside, Pair
from provenance.compare.tolerance import Tolerance, is_number
from provenance.core import canonical
from provenance.core.paths import Roots
from provenance.core.record import Record
from provenance.core.verdict import DIFFERENT
from provenance.facets._entries import FileEntry
from provenance.facets.metrics import FULL_FILE
from provenance.operations import settle
from provenance.store.project import Project

MOST_READ = 8
"""Checkpoints that are read at most, where each one before had other bytes and equal tensors."""


class Files(NamedTuple):
    """Where a run's files are."""

    roots: Roots

    @classmethod
    def of(cls, place: Project, run: Record) -> Files:
        """Return the files of ``run``."""
        return cls(settle.recorded_roots(place, run))

    def at_hand(self, entry: FileEntry) -> str | None:
        """Return where the content that ``entry`` speaks of is, None where it is not to be had."""
        return files.at_hand(entry, self.roots.locate)


def contents(pair: Pair, old: Files, new: Files, rule: Tolerance) -> Inside:
    """Return what the contents of one pair of checkpoints with other bytes say."""
    paths = old.at_hand(pair.old), new.at_hand(pair.new)
    if paths[0] is None or paths[1] is None:
        who = "first" if paths[0] is None else "second"
        return Inside(DIFFERENT, detail="other bytes; the %s run's file is not here any more" % who)
    judged = files.judged(pair.old, pair.new, (old.roots.locate, new.roots.locate), rule)
    differing = [one for one in judged.parts if one.verdict == DIFFERENT]
    if judged.verdict != DIFFERENT or not differing:
        return Inside(judged.verdict, detail=judged.detail)
    first = differing[0]  # parts of the same verdict are in the order of the layers
    total = int(judged.figures.get("tensors", 0))
    return Inside(DIFFERENT, first.name, len(differing), total, first.detail, first.figures)


def full_series(folder: str | None, name: str, span: tuple[Any, Any]) -> list[dict[str, Any]]:
    """Return the points of a long series from ``span``'s beginning to its end, both included.

    Empty where the record's folder has no full series.
    """
    found: list[dict[str, Any]] = []
    wanted = '"name": %s,' % json.dumps(name)
    try:
        with open(os.path.join(folder or "", FULL_FILE), encoding="utf-8") as stream:
            for line in stream:
                if wanted not in line:
                    continue
                point = json.loads(line)
                step = canonical.number(point.get("step"))
                if not is_number(step) or (span[0] is not None and step < span[0]):
                    continue
                if span[1] is not None and step > span[1]:
                    continue
                found.append({"step": step, "value": canonical.number(point.get("value"))})
    except (OSError, ValueError, AttributeError):
        return []
    return found
