"""Run a command on this machine exactly as if we were not there, and end as it ended.

`run` starts the command, hands its output on while keeping a redacted copy, passes signals on, and
says how it ended. From the moment at which it starts the command all signals are held back, so
that ^C ends the command and not the record: they stay so until `end_as` or `release`.

Call it from the main thread, before other threads are started: a thread that existed before does
not hold signals back.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from provenance.core.context import Outcome
from provenance.core.record import Log
from provenance.executors import _end, _kept, _memory, _signals, _spawn, _trace
from provenance.executors._spawn import NotStarted
from provenance.executors._trace import Tracer

if TYPE_CHECKING:
    from provenance.executors._sampling import Sampler

__all__ = [
    "Ended",
    "NotStarted",
    "Request",
    "Running",
    "Tracer",
    "end_as",
    "release",
    "run",
    "tracer",
]

NICENESS = 10
"""Of the thread that works alongside: it takes what the command leaves."""
_SWITCH_S = 0.0005
"""How long a busy thread of ours may keep the relay from running; Python's default is 0.005."""
_SETTLE_S = 1.0


class Request(NamedTuple):
    """What to run. argv: the command. environ: all of its environment. cwd: absolute.

    log_path: where to keep the output; None: nowhere, and nothing is put between the command and
    its output. redact: applied to whole lines before they are kept. hits: how many secrets
    ``redact`` has replaced so far. tracer: strace, where it is to trace the command. sample:
    seconds between looks at what it uses, which go to ``samples_path``; None for none. speak: on
    which standard error `Running.say` prints: "never", "auto" (a terminal) or "always".
    """

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    cwd: str
    log_path: str | None
    redact: Callable[[bytes], bytes]
    hits: Callable[[], int]
    tracer: Tracer | None = None
    sample: float | None = None
    samples_path: str = ""
    speak: str = "never"


class Running(NamedTuple):
    """A command that runs. pid: of its first process. ended: set when that has ended.

    say: prints a line on the user's standard error, as soon as that tears nothing that the command
    shows. places: files in which its output can be read as it comes, each from which byte on.
    """

    pid: int
    ended: threading.Event
    say: Callable[[str], None] = lambda _: None
    places: tuple[tuple[str, int], ...] = ()


class Ended(NamedTuple):
    """A command that has ended.

    started: ``time.monotonic()`` when it was started. alongside: the thread that worked meanwhile,
    not waited for; None where there was none. notes: sentences about what could not be kept.
    """

    outcome: Outcome
    log: Log
    started: float
    notes: tuple[str, ...] = ()
    alongside: threading.Thread | None = None


def run(request: Request, alongside: Callable[[Running], None] | None = None) -> Ended:
    """Run the command to its end; raises `NotStarted` where it could not be started.

    alongside: called in a thread of low priority while the command runs. It is not waited for, and
    what it raises is lost.
    """
    release()
    mask = _signals.hold()
    try:
        kept = _kept.Output(request.log_path, request.redact, request.hits)
        started = time.monotonic()
        try:
            pid = _spawn.start(
                request.argv,
                request.environ,
                request.cwd,
                kept.redirections,
                mask,
                request.tracer,
            )
        except BaseException:
            kept.abandon()
            raise
    except BaseException:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        raise
    return _accompany(pid, started, kept, mask, alongside, request)


def _accompany(
    pid: int,
    started: float,
    kept: _kept.Output,
    mask: set[int],
    alongside: Callable[[Running], None] | None,
    request: Request,
) -> Ended:
    """See the command through from its start to its end."""
    canary = _signals.Canary()
    tracer = _trace.tracer_of(pid) if request.tracer is not None else 0
    switch = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    if request.speak != "never":
        kept.listen(request.speak == "always")
    places = kept.places
    kept.start(pid)

    def say(text: str) -> None:
        if request.speak != "never":
            kept.say(text, request.speak == "always")

    running = Running(pid, threading.Event(), say, places)
    thread = _start_alongside(alongside, running) if alongside is not None else None
    memory = _memory.TreeMemory(pid)
    sampler = _start_sampling(pid, request)
    attendance = _signals.Attendance(pid, canary, lambda: kept.settle(_SETTLE_S), kept.resize)
    status, usage = attendance.wait(memory.sample)
    duration = time.monotonic() - started
    running.ended.set()
    _trace.wait_for(tracer)  # it has the command's standard error open
    outcome = _outcome(status, usage, duration, memory)._replace(
        pid=pid,
        sightings=memory.sightings,
        sampled=sampler.finish() if sampler is not None else None,
    )
    log, notes = kept.finish()
    canary.close()
    sys.setswitchinterval(switch)
    _end.begin_patience(mask, outcome)
    return Ended(outcome, log, started, notes, thread)


def _start_alongside(work: Callable[[Running], None], running: Running) -> threading.Thread:
    def body() -> None:
        if sys.platform == "linux":  # elsewhere this would slow down all of our threads
            try:
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
            except OSError:
                pass
        try:
            work(running)
        except BaseException:  # noqa: BLE001  # the command must not feel it; see `run`
            return

    thread = threading.Thread(target=body, name="prov-alongside", daemon=True)
    thread.start()
    return thread


def _start_sampling(pid: int, request: Request) -> Sampler | None:
    if request.sample is None or not request.samples_path:
        return None
    from provenance.executors import _sampling  # noqa: PLC0415  # only where it is asked for

    sampler = _sampling.Sampler(pid, request.sample, request.samples_path, request.environ)
    sampler.start()
    return sampler


def tracer(environ: Mapping[str, str], log: str) -> tuple[Tracer | None, str]:
    """Return strace, to log to ``log``; None and why not where it cannot be used here."""
    return _trace.probe(environ, log)


def _outcome(status: int, usage: Any, duration: float, memory: _memory.TreeMemory) -> Outcome:
    """Put together how the command ended and what it used.

    ru_maxrss is in KiB on Linux and in bytes on macOS; on Linux it is never less than what we held
    ourselves when we started the command (getrusage(2): it survives exec).
    """
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    unit = 1 if sys.platform == "darwin" else 1024
    return Outcome(
        exit_code=os.WEXITSTATUS(status) if number is None else 128 + number,
        signal=number,
        duration_s=duration,
        cpu_user_s=usage.ru_utime,
        cpu_system_s=usage.ru_stime,
        max_process_bytes=usage.ru_maxrss * unit,
        max_tree_bytes=memory.peak,
        sample_interval_s=memory.interval_s,
    )


def release() -> None:
    """Let signals reach this process again, where it goes on after `run`."""
    _end.release()


def end_as(outcome: Outcome) -> NoReturn:
    """End this process as the command ended: with its exit code, or by the same signal."""
    _end.end_as(outcome)
