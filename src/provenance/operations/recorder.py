"""Making the record of one run: before, while and after its command runs.

The recorder never lets its own troubles reach the command: every step that fails leaves a sentence
in ``problems`` and the run goes on.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from provenance import __version__, config
from provenance.agent import launch
from provenance.core import context, record
from provenance.core.context import Context, Interpreter, Observations, Outcome
from provenance.core.paths import Roots
from provenance.core.record import Log, Payload, Record
from provenance.core.redact import Redactor
from provenance.errors import ProvError
from provenance.facets._facet import HOST, TARGET
from provenance.operations import _elsewhere, _stdin, allowed, clock, facts, overlap
from provenance.store import files, liveness, project, records

if TYPE_CHECKING:
    from provenance.agent.read import Reader
    from provenance.core.digest import Digests
    from provenance.executors.local import Tracer
    from provenance.operations._hashing import Hashing
    from provenance.operations.against import Reference
    from provenance.operations.nesting import Outer
    from provenance.operations.tracing import Tracing

AGENT, LOG, CACHE = "agent", "log.txt", "digests"
_POLL_S = (0.01, 0.5)
"""Shortest and longest pause between looks at what the run has opened so far."""
_PATIENCE_S = 20.0
"""How long the end of a run waits for what was begun while it ran."""


class Request(NamedTuple):
    """What to run and how to call it.

    argv: the command. cwd: absolute. environ: the user's. name, tags, labels: for finding the run
    later. data, outputs: absolute paths declared by the user, of data also addresses. capture: keep
    what it prints. hook: observe Python processes. replay_of: id of the run that this one replays.
    place: the project whose ``.prov`` gets the record; found from ``cwd`` where None. repo: the
    code's root, where it is not that project's. trace: "strace" to see every file of every process
    with that program. sample: seconds between samples of CPU, memory and GPU use, None for no
    samples. calls: keep a table of the calls that the user's own Python source makes; None for what
    the settings say. fingerprint: keep what initial weights and first batches look like. against:
    recorded curves to hold the run against. live: see `executors.local.Request.speak`.
    """

    argv: tuple[str, ...]
    cwd: str
    environ: Mapping[str, str]
    name: str | None = None
    tags: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    data: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    capture: bool = True
    hook: bool = True
    replay_of: str | None = None
    place: project.Project | None = None
    repo: str | None = None
    trace: str | None = None
    sample: float | None = None
    calls: bool | None = None
    fingerprint: bool = False
    against: tuple[Reference, ...] = ()
    live: str = "auto"


class Recorder:
    """The record of one run in the making. ``folder`` is None where nothing can be recorded."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.problems: list[str] = []
        self.folder: str | None = None
        self.redact = Redactor.from_environment(request.environ)
        self.record: Record | None = None
        self.project = request.place or project.find(request.cwd)
        self.settings = config.Settings()
        self._reader: Reader | None = None
        self._tracing: Tracing | None = None
        self._stdin = _stdin.StandardInput()
        self._hooked = False
        self._hashing: Hashing | None = None
        self._context: Context | None = None
        self._answers: dict[str, Payload] = {}
        self._others: tuple[str, ...] = ()
        self._accompanied = threading.Event()
        self._outer = self._outer_run()

    def _outer_run(self) -> Outer | None:
        """Return the run that this one is started in, if any."""
        if not self.request.environ.get(launch.FOLDER):
            return None
        from provenance.operations import nesting  # only inside another run

        return nesting.outer(self.request.environ)

    def begin(self) -> None:
        """Make the run's folder, capture what must be captured first, write the start record."""
        try:
            self.settings = config.load(self.project.root)
        except ProvError as error:
            self.problems.append(error.message + " Its settings are not used.")
        try:
            project.ensure(self.project)
            run_id, folder = records.create(self.project, time.time())
        except ProvError as error:
            self.problems.append(error.message)
            return
        self.folder = folder
        self._step(self._open, run_id, folder)

    def _open(self, run_id: str, folder: str) -> None:
        self._others = overlap.enter(self.project, run_id)
        if self.request.hook or self.request.trace:
            os.mkdir(os.path.join(folder, AGENT), 0o700)
            self._hooked = self.request.hook
            asked = self.request.calls
            if self.settings.call_table if asked is None else asked:
                launch.want_calls(os.path.join(folder, AGENT))
            if self.request.fingerprint:
                launch.want_marks(os.path.join(folder, AGENT))
        if self.request.trace:
            from provenance.operations.tracing import Tracing

            agent = os.path.join(folder, AGENT)
            self._tracing = Tracing(self.request.environ, agent, self._roots(), self.redact)
            self.problems += [self._tracing.refused] if self._tracing.refused else []
        now = time.time()
        self._context = self._first_context(folder, now)
        self._answers = self._early()
        self.record = self._header(run_id, now)
        records.write(folder, record.with_facets(self.record, self._answers))
        if self._outer is not None:
            self._outer.enter(self.record, self._agent())
        marker = os.stat(os.path.join(folder, records.FILE)).st_ctime_ns
        self._context = self._context._replace(marker_ns=marker)

    def _early(self) -> dict[str, Payload]:
        """Capture what must be captured first, and load the executor while git answers."""
        assert self._context is not None
        answers: dict[str, Payload] = {}
        first = self._context
        asking = threading.Thread(target=lambda: answers.update(facts.capture(first, {})))
        asking.start()
        from provenance.executors import local  # noqa: F401  # loaded here, used by `run`

        asking.join()
        return answers

    def _digests(self) -> Hashing:
        if self._hashing is None:
            from provenance.operations._hashing import Hashing  # while the command runs

            self._hashing = Hashing(os.path.join(self.project.folder, CACHE), self.request.environ)
            marker = self._context.marker_ns if self._context is not None else None
            self._hashing.marker_ns = marker or 0
        return self._hashing

    def _digest(self, path: str, algorithms: tuple[str, ...]) -> Digests:
        return self._digests().digest(path, algorithms)

    def _roots(self) -> Roots:
        roots = self.project.roots(self.request.cwd)
        return roots._replace(repo=self.request.repo) if self.request.repo else roots

    def _first_context(self, folder: str, now: float) -> Context:
        environ = self.request.environ
        return Context(
            phase=context.BEFORE,
            roots=self._roots(),
            command=self.request.argv,
            environ=self._outer.environ(environ) if self._outer else environ,
            redact=self.redact,
            digest=self._digest,
            run_dir=folder,
            started=now,
            **_elsewhere.declared(self.request.data, self.settings),
            declared_outputs=self.request.outputs + self.settings.outputs,
            within=self._outer.id if self._outer is not None else None,
        )

    def _agent(self) -> str | None:
        return os.path.join(self.folder, AGENT) if self._hooked and self.folder else None

    def _header(self, run_id: str, now: float) -> Record:
        roots = self._roots()
        redact = self.redact
        return Record(
            id=run_id,
            command=redact.argv(self.request.argv),
            cwd=roots.refer(self.request.cwd),
            status=record.RUNNING,
            started=clock.stamp(now),
            name=self.request.name and redact.text(self.request.name),
            tags=tuple(redact.text(tag) for tag in self.request.tags),
            labels={key: redact.value(key, value) for key, value in self.request.labels.items()},
            tool=__version__,
            replay_of=self.request.replay_of,
            process=liveness.this_process(),
            roots={k: v for k, v in roots._asdict().items() if v},
            extra={
                **allowed.kept(self.settings, allowed.RECORDED),
                **self._held_against(ended=False),
            },
        )

    def _held_against(self, ended: bool) -> dict[str, Any]:
        if not self.request.against:
            return {}
        from provenance.operations import against  # only where the user asked for it

        answer = self._answers.get("metrics") if ended else None
        return against.member(self.request.against, answer, self.settings, self.redact)

    def environ(self) -> Mapping[str, str]:
        """Return the environment for the command: the user's, with the hook where it is on."""
        if not self._hooked or self.folder is None:
            return self.request.environ
        return launch.hooked_environment(self.request.environ, os.path.join(self.folder, AGENT))

    def tracer(self) -> Tracer | None:
        """Return what is to trace the command, None for nothing."""
        return self._tracing.tracer if self._tracing is not None else None

    def untraced(self) -> str:
        """Return why the command cannot be traced though that was asked for, else nothing."""
        return self._tracing.refused if self._tracing is not None else ""

    def log_path(self) -> str | None:
        """Return where the command's output is to be kept, None for nowhere."""
        if self.folder is None or not self.request.capture:
            return None
        return os.path.join(self.folder, LOG)

    def accompany(self, ended: Callable[[float], bool]) -> None:
        """While the command runs: load what finishing needs, digest inputs as they are seen.

        ``ended(seconds)`` waits that long for the end of the command and tells whether it came.
        """
        try:
            self._step(self._accompany, ended)
        finally:
            self._accompanied.set()

    def _accompany(self, ended: Callable[[float], bool]) -> None:
        asking = threading.Thread(target=self._capture, args=(context.DURING, HOST), daemon=True)
        asking.start()  # most of it waits for git: look what is read meanwhile
        self._observe()
        pause, loaded, looked = _POLL_S[0], False, False
        while not ended(pause):
            fresh = self._reader.poll(lambda: ended(0.0)) if self._reader is not None else ()
            fresh += self._tracing.poll() if self._tracing is not None else ()
            crowded = self._reader.crowded() if self._reader is not None else ()
            if fresh or crowded:
                self._digests().saw(fresh, crowded, stop=lambda: ended(0.0))
                pause = _POLL_S[0]
                continue
            if self._hashing is not None:
                self._hashing.flush()
            pause = min(pause * 2, _POLL_S[1])
            interpreters = self._reader.interpreters() if self._reader and not looked else ()
            if interpreters and self._context is not None:
                looked = True
                self._context = self._context._replace(interpreters=interpreters)
                self._capture(context.DURING, TARGET)
            elif not loaded:
                loaded = True
                facts.load_all()
        asking.join()

    def _observe(self) -> None:
        """Begin to read what the hook writes."""
        if self._reader is None and self._hooked and self.folder is not None:
            from provenance.agent.read import Reader  # while the command runs

            self._reader = Reader(os.path.join(self.folder, AGENT), self.redact)

    def finish(self, outcome: Outcome, log: Log, notes: tuple[str, ...]) -> Record | None:
        """Capture what can be known only now and close the record; None where it failed."""
        if self.record is None:
            return None
        self._step(self._finish, outcome, log, notes)
        if self._hashing is not None:
            self._hashing.close()
        return self.record if self.record.status != record.RUNNING else None

    def _finish(self, outcome: Outcome, log: Log, notes: tuple[str, ...]) -> None:
        assert self._context is not None
        assert self.record is not None
        assert self.folder is not None
        now = time.time()
        self._accompanied.wait(_PATIENCE_S)
        self._context = self._last_context(outcome)._replace(log=self._printed(log))
        if not self._accompanied.is_set():
            self._capture(context.DURING, HOST)
        with _elsewhere.asking(self._context, self.settings.remote_seconds, self._answers):
            self._capture(context.AFTER)
        if self._hashing is not None:
            self._hashing.begin_save()
        closed = self.record._replace(
            status=record.status_of(outcome.exit_code),
            exit_code=outcome.exit_code,
            signal=outcome.signal,
            ended=clock.stamp(now),
            duration_s=round(outcome.duration_s, 6),
            log=log,
            notes=(*notes, *(self._tracing.notes() if self._tracing else ())),
            facets=self._answers,
            extra={**self.record.extra, **self._held_against(ended=True)},
        )
        records.write(self.folder, closed)
        self.record = closed
        if self._outer is not None:
            self._outer.leave(closed, self._agent())
        files.remove_folder(os.path.join(self.folder, AGENT))
        overlap.leave(self.project, closed.id)
        if self._hashing is not None:
            self._hashing.save()

    def _capture(self, phase: str, site: str | None = None) -> None:
        if self._context is not None:
            now = self._context._replace(phase=phase)
            self._answers.update(facts.capture(now, self._answers, site))

    def _printed(self, log: Log) -> str | None:
        return os.path.join(self.folder, log.path) if self.folder and log.path else None

    def _last_context(self, outcome: Outcome) -> Context:
        assert self._context is not None
        assert self.record is not None
        interpreters: tuple[Interpreter, ...] = ()
        observed = Observations()
        self._observe()
        if self._reader is not None:
            fresh = self._reader.poll()
            self._digests().saw(fresh, self._reader.crowded(), stop=lambda: True)
            interpreters, observed = self._reader.interpreters(), self._reader.observations()
        if self._tracing is not None:
            observed = self._tracing.joined(observed, interpreters)
        observed = self._stdin.joined(observed)
        deadline = time.monotonic() + self.settings.digest_seconds
        self._digests().end(deadline)
        others = self._overlapping(observed)
        last = self._context._replace(
            interpreters=interpreters,
            observed=observed,
            outcome=outcome,
            overlapping=others,
            theirs=overlap.theirs(self.project, others) if others else frozenset(),
            deadline=deadline,
            ahead=self._hashing,
        )
        if not observed.sdk:
            return last
        from provenance.facets import _sdk  # only where the code told something

        return _sdk.declared(last)

    def _overlapping(self, observed: Observations) -> tuple[str, ...]:
        """Return the runs that went on at the same time; not those around and inside of this."""
        assert self.record is not None
        others = overlap.others(self.project, self.record, self._others)
        if self._outer is not None:
            around = self._outer.around()
            others = tuple(one for one in others if one not in around)
        inside = {one.id for one in observed.nested}
        return tuple(one for one in others if one not in inside)

    def progress(self) -> str:
        """Return how far `finish` is, in a few words."""
        count = self._hashing.done() if self._hashing is not None else 0
        return "recording what the run read and wrote, %d files digested so far" % count

    def abandon(self) -> None:
        """Remove the run's folder: the command could not be started, so there was no run."""
        if self.folder is not None:
            overlap.leave(self.project, os.path.basename(self.folder))
            if self._outer is not None:
                self._outer.withdraw(os.path.basename(self.folder))
            files.remove_folder(self.folder)

    def _step(self, function: Callable[..., None], *arguments: object) -> None:
        try:
            function(*arguments)
        except ProvError as error:
            self.problems.append(error.message)
        except Exception as error:  # noqa: BLE001  # the command must not feel our failures
            text = self.redact.text("%s: %s" % (type(error).__name__, error))
            self.problems.append("a bug or a full disk: %s." % text)
