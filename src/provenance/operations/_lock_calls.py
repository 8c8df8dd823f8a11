"""The calls of runs as ``prov.lock`` carries them: the recorded side of a rehearsal, on request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from provenance.errors import UsageError
from provenance.operations import _baked, calls, rehearse
from provenance.operations.references import Reference
from provenance.store.project import Project

MODES = (calls.SYNTHETIC, calls.CUT, calls.FULL)
MOST_BYTES = 2_000_000
"""Of what stands for the data of one run: git keeps each version of the lock."""


class Wish(NamedTuple):
    """What to carry. mode: one of `MODES`, or `calls.OFF`. The rest: see `rehearse.Wish`."""

    mode: str = calls.OFF
    environ: Mapping[str, str] = {}
    build: bool = False
    progress: Callable[[str], None] | None = None


class Carried(NamedTuple):
    """calls: by run id. notes: how big it is. problems: why there is less than was asked for."""

    calls: dict[str, dict[str, Any]]
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def check(mode: str | None) -> str:
    """Return the mode that was asked for. Raises `UsageError` where a lock cannot carry it."""
    if mode not in (None, calls.OFF, *MODES):
        hint = "one of " + ", ".join((calls.OFF, *MODES))
        raise UsageError("--calls %r is not what a lock can carry." % mode, hint)
    return mode or calls.OFF


def carried(chosen: Sequence[Reference], place: Project, wish: Wish) -> Carried:
    """Rehearse the runs in their own environments, and return what a lock carries of that."""
    found = Carried({})
    if wish.mode == calls.OFF:
        return found
    notes, problems = [], []
    for one in chosen:
        run = one.record.id
        made, problem = _made(one, place, wish)
        if made is None:
            problems.append("run %s: its calls are not in the lock: %s." % (run, problem))
            continue
        found.calls[run] = made
        size = len(json.dumps(made, separators=(",", ":")))
        text = "run %s: its calls with %s: %.0f kB"
        notes.append(text % (run, _WITH[wish.mode], size / 1000 or 1))
    return found._replace(notes=tuple(notes), problems=tuple(problems))


_WITH = {
    calls.SYNTHETIC: "made-up data, no value of the data",
    calls.CUT: "samples of what the data gave",
    calls.FULL: "the data itself, cut",
}


def _made(reference: Reference, place: Project, wish: Wish) -> tuple[dict[str, Any] | None, str]:
    asked = rehearse.Wish(
        wish.environ, place, "", wish.mode, build=wish.build, progress=wish.progress
    )
    side = rehearse.recorded_side(reference, asked)
    if side.problem:
        return None, side.problem + ("; " + side.hint if side.hint else "")
    feed = side.feed if wish.mode == calls.FULL else side.feed.schemas()
    made = _baked.to_json(rehearse.VERSION, wish.mode, side.old, side.again, feed)
    if _baked.size(made) > _baked.MOST_BYTES:
        text = "they take %.1f MB, more than %.1f MB"
        return None, text % (_baked.size(made) / 1e6, _baked.MOST_BYTES / 1e6)
    size = len(json.dumps(made["feed"]))
    if size > MOST_BYTES:
        text = "the data that they read takes %.1f MB, more than %.1f MB; try --calls synthetic"
        return None, text % (size / 1e6, MOST_BYTES / 1e6)
    return made, ""
