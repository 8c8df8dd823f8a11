"""Run a command and record it."""

from __future__ import annotations

import os
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from provenance.core.context import Outcome
from provenance.core.record import Record
from provenance.errors import SystemRefused
from provenance.operations.recorder import Recorder, Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from provenance.executors.local import Running

__all__ = ["Request", "RunResult", "end_as", "release", "run"]


SAMPLES = "samples.jsonl"
"""Beside the record: what the command used over time, where that was asked for."""


class RunResult(NamedTuple):
    """How a run ended and what was kept of it.

    record: None where nothing could be recorded. folder: of the record. problems: sentences about
    what the recorder could not do. own_seconds: what prov added before and after the
    command. doubts: why the run may not be repeatable.
    """

    outcome: Outcome
    record: Record | None
    folder: str | None
    problems: tuple[str, ...]
    own_seconds: float
    doubts: tuple[str, ...] = ()


def run(
    request: Request,
    since: float | None = None,
    required: bool = False,
    finishing: Callable[[Callable[[], str]], AbstractContextManager[object]] | None = None,
) -> RunResult:
    """Run ``request`` and return how it ended; recording never changes that.

    ``since``: monotonic time from which prov's own time counts. ``required``: refuse to start a run
    that cannot be recorded. ``finishing``: a context in which the record is finished, made with a
    function that says how far that is. Raises `executors.local.NotStarted` where it cannot be
    started.
    """
    since = time.monotonic() if since is None else since
    recorder = Recorder(request)
    recorder.begin()
    if required and recorder.record is None:
        recorder.abandon()
        raise SystemRefused("nothing can be recorded: %s" % " ".join(recorder.problems))
    if required and recorder.untraced():
        recorder.abandon()
        raise SystemRefused(recorder.untraced())
    from provenance.executors import local  # the recorder has loaded it while git answered

    job = local.Request(
        argv=request.argv,
        environ=recorder.environ(),
        cwd=request.cwd,
        log_path=recorder.log_path(),
        redact=recorder.redact.data,
        hits=lambda: recorder.redact.hits,
        tracer=recorder.tracer(),
        sample=request.sample,
        samples_path=os.path.join(recorder.folder, SAMPLES) if recorder.folder else "",
        speak=request.live if request.against else "never",
    )
    try:
        ended = local.run(job, lambda running: recorder.accompany(_wait(running, recorder)))
    except local.NotStarted:
        recorder.abandon()
        raise
    with nullcontext() if finishing is None else finishing(recorder.progress):
        closed = recorder.finish(ended.outcome, ended.log, ended.notes)
    own = time.monotonic() - since - ended.outcome.duration_s
    from provenance.operations import repeatable

    doubts = tuple(map(str, repeatable.doubts(closed))) if closed is not None else ()
    return RunResult(ended.outcome, closed, recorder.folder, tuple(recorder.problems), own, doubts)


def _wait(running: Running, recorder: Recorder) -> Callable[[float], bool]:
    """Return what waits for the end of the command, and follows it meanwhile where asked to."""
    if not recorder.request.against or recorder.folder is None:
        return running.ended.wait
    from provenance.operations import live  # only where the run is held against another

    return live.beside(running, recorder)


def end_as(outcome: Outcome) -> NoReturn:
    """End this process as the command ended: same exit code, or death by the same signal."""
    from provenance.executors import local

    local.end_as(outcome)


def release() -> None:
    """Let signals reach this process again, after a command that was not the last thing to do."""
    from provenance.executors import local

    local.release()
