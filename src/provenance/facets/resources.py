"""What the run used: wall time, CPU time, memory. Informative; never a difference."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from provenance.core import codec
from provenance.core.context import AFTER, PRESENT, Context, Sampled
from provenance.core.difference import NONE, Comparison, Difference
from provenance.core.record import RUN_ONLY, Payload, Record, captured, failed, skipped
from provenance.facets import _facet

NAME = "resources"
VERSION = 1
PHASES = (AFTER,)
SITE = _facet.HOST

NOTABLE = 1.5
"""Ratio of wall time or memory between two runs from which on it is mentioned."""

SAMPLES = "samples.jsonl"
MOST_POINTS = 200
"""Points of a series in the record, each the mean of its share of the samples."""
_TOTALS = frozenset("read_bytes written_bytes disk_read_bytes disk_written_bytes".split())
"""Series that add up since the start: of these the last value of each share is kept."""

upgrade = _facet.nothing_to_upgrade


class Measured(NamedTuple):
    """One quantity over time. points: ``[seconds since the start, value]``, thinned by means."""

    mean: float
    max: float
    points: Tuple[Tuple[float, ...], ...] = ()


class Samples(NamedTuple):
    """What the run used over time.

    interval_s: as asked for. taken: how many samples, all in ``file``. cost_s: CPU time that taking
    them took. series: by name; those of a GPU begin with "gpu0.".
    """

    interval_s: float
    taken: int
    file: str
    cost_s: float = 0.0
    series: Dict[str, Measured] = {}


class Resources(NamedTuple):
    """What a run used.

    Times in seconds, over all processes it started and waited for; memory in bytes:
    max_process_bytes of the largest process, max_tree_bytes of all together, sampled every
    sample_interval_s seconds, None where it was not. samples: over time, where that was asked for.
    """

    wall_s: float
    cpu_user_s: float
    cpu_system_s: float
    max_process_bytes: int
    max_tree_bytes: Optional[int] = None
    sample_interval_s: Optional[float] = None
    samples: Optional[Samples] = None


def capture(context: Context) -> Payload:
    """Return what the run used, as measured while it ran."""
    if context.phase == PRESENT:
        return skipped(VERSION, RUN_ONLY)
    used = context.outcome
    if used is None:
        return failed(VERSION, "how the command ended is not known")
    found = Resources(
        used.duration_s,
        used.cpu_user_s,
        used.cpu_system_s,
        used.max_process_bytes,
        used.max_tree_bytes,
        used.sample_interval_s,
        _samples(used.sampled, context.run_dir),
    )
    return captured(VERSION, found, notes=used.sampled.notes if used.sampled else ())


def _samples(sampled: Optional[Sampled], run_dir: Optional[str]) -> Optional[Samples]:
    if sampled is None or run_dir is None:
        return None
    series = _thinned(os.path.join(run_dir, SAMPLES), sampled.taken)
    return Samples(sampled.interval_s, sampled.taken, SAMPLES, sampled.cost_s, series)


def _thinned(path: str, count: int) -> Dict[str, Measured]:
    """Return every quantity in the file of samples, in at most `MOST_POINTS` points."""
    share = max(1, -(-count // MOST_POINTS))
    whole: Dict[str, List[float]] = {}
    parts: Dict[str, List[List[float]]] = {}
    points: Dict[str, List[List[float]]] = {}
    for place, sample in enumerate(_lines(path)):
        for name, value in _quantities(sample):
            known = whole.setdefault(name, [0.0, 0.0, value])
            whole[name] = [known[0] + value, known[1] + 1, max(known[2], value)]
            parts.setdefault(name, []).append([sample["t"], value])
        if (place + 1) % share == 0:
            _close(parts, points)
    _close(parts, points)
    return {
        name: Measured(round(total / n, 3), most, tuple(tuple(one) for one in points[name]))
        for name, (total, n, most) in whole.items()
    }


def _close(parts: Dict[str, List[List[float]]], points: Dict[str, List[List[float]]]) -> None:
    """End a share of the samples: one point of each quantity that it has."""
    for name, some in parts.items():
        last = some[-1]
        mean = last[1] if name in _TOTALS else round(sum(v for _, v in some) / len(some), 3)
        points.setdefault(name, []).append([last[0], mean])
    parts.clear()


def _lines(path: str) -> Iterator[Dict[str, Any]]:
    try:
        with open(path, encoding="utf-8") as stream:
            for line in stream:
                try:
                    sample = json.loads(line)
                except ValueError:  # cut off
                    continue
                if isinstance(sample, dict) and isinstance(sample.get("t"), (int, float)):
                    yield sample
    except OSError:
        return


def _quantities(sample: Dict[str, Any]) -> Iterator[Tuple[str, float]]:
    for name, value in sample.items():
        if name == "gpus":
            for index, row in value.items():
                for what, number in row.items():
                    yield "gpu%s.%s" % (index, what.replace("gpu_", "", 1)), number
        elif name != "t":
            yield name, value


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
