"""Files of two runs that are still what the records say: their checkpoints and full series."""

from __future__ import annotations

from typing import NamedTuple

from provenance.compare import files
from provenance.compare.parting_checkpoints import Inside, Pair
from provenance.compare.tolerance import Tolerance
from provenance.core.paths import Roots
from provenance.core.record import Record
from provenance.core.verdict import DIFFERENT
from provenance.facets._entries import FileEntry
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
