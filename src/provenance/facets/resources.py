"""What the run used: wall time, CPU time, memory. Informative; never a difference."""

from __future__ import annotations

from typing import NamedTuple, Optional

from provenance.core import codec
from provenance.core.context import AFTER, PRESENT, Context
from provenance.core.difference import NONE, Comparison, Difference
from provenance.core.record import RUN_ONLY, Payload, Record, captured, failed, skipped
from provenance.facets import _facet

NAME = "resources"
VERSION = 1
PHASES = (AFTER,)
SITE = _facet.HOST

NOTABLE = 1.5
"""Ratio of wall time or memory between two runs from which on it is mentioned."""

upgrade = _facet.nothing_to_upgrade


class Resources(NamedTuple):
    """What a run used.

    Times in seconds, over all processes it started and waited for; memory in bytes:
    max_process_bytes of the largest process, max_tree_bytes of all together, sampled every
    sample_interval_s seconds, None where it was not.
    """

    wall_s: float
    cpu_user_s: float
    cpu_system_s: float
    max_process_bytes: int
    max_tree_bytes: Optional[int] = None
    sample_interval_s: Optional[float] = None


def capture(context: Context) -> Payload:
    """Return what the run used, as measured while it ran."""
    if context.phase == PRESENT:
        return skipped(VERSION, RUN_ONLY)
    used = context.outcome
    if used is None:
        return failed(VERSION, "how the command ended is not known")
    return captured(
        VERSION,
        Resources(
            used.duration_s,
            used.cpu_user_s,
            used.cpu_system_s,
            used.max_process_bytes,
            used.max_tree_bytes,
            used.sample_interval_s,
        ),
    )


def compare(old: Payload, new: Payload) -> Comparison:
    """Return large differences in time and memory, as harmless ones."""
    was = codec.decode(Resources, old.subjects[0].payload)
    now = codec.decode(Resources, new.subjects[0].payload)
    pairs = (
        ("wall_s", was.wall_s, now.wall_s),
        ("cpu_s", was.cpu_user_s + was.cpu_system_s, now.cpu_user_s + now.cpu_system_s),
        ("max_process_bytes", was.max_process_bytes, now.max_process_bytes),
    )
    found = tuple(
        Difference(NAME, "run", "value", name, NONE, a, b)
        for name, a, b in pairs
        if max(a, b) > NOTABLE * min(a, b)
    )
    return Comparison(found, len(pairs) - len(found), len(pairs), "measurements")


def of(record: Record) -> Optional[Resources]:
    """Return what the run used; None where the record does not say."""
    subjects = record.payloads(NAME)
    return codec.decode(Resources, subjects[0].payload) if subjects else None
