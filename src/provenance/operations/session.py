"""Recording a live notebook session, from a process of its own beside the kernel.

The kernel tells cells, imports and files by the hook that runs in it, as in any run; here the
record is begun, accompanied and closed. It is closed when the kernel asks for it or is gone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from provenance.agent import launch
from provenance.core import runid
from provenance.core.context import Outcome
from provenance.core.record import Log, Record
from provenance.errors import SystemRefused
from provenance.operations.recorder import Recorder, Request

COMMAND = ("%load_ext", "provenance")
"""What stands for the command in the record of a session."""

_NOTE = (
    "a live session: what was opened before %load_ext is not known, what was printed is not kept"
)


class Session:
    """One session of the kernel ``pid``."""

    def __init__(self, cwd: str, environ: Mapping[str, str], notebook: str, pid: int) -> None:
        words = (*COMMAND, notebook) if notebook else COMMAND
        self._recorder = Recorder(Request(words, cwd, environ, capture=False))
        self._kernel = _Usage(pid)
        self._ended = threading.Event()
        self._began = time.monotonic()
        self._companion = threading.Thread(
            target=self._recorder.accompany, args=(self._ended.wait,), daemon=True
        )

    def begin(self) -> dict[str, object]:
        """Begin the record; return what the kernel must know. Raises `SystemRefused`."""
        self._recorder.begin()
        record = self._recorder.record
        if record is None:
            raise SystemRefused("nothing can be recorded: %s" % " ".join(self._recorder.problems))
        environ = self._recorder.environ()
        if launch.FOLDER not in environ:
            raise SystemRefused("PROV_HOOK=0 is set, so that nothing can be observed.")
        self._companion.start()
        return {
            "id": record.id,
            "short": runid.short(record.id),
            "started": time.time(),
            "site": launch.SITE,
            "environ": {name: environ[name] for name in ("PYTHONPATH", launch.FOLDER)},
        }

    def look(self) -> None:
        """Note what the kernel has used so far: after its end nobody can tell."""
        self._kernel.look()

    def finish(self, name: str = "") -> Record | None:
        """Close the record; None where that failed."""
        self._kernel.look()
        self._ended.set()
        recorder = self._recorder
        if name and recorder.record is not None:
            recorder.record = recorder.record._replace(name=recorder.redact.text(name))
        outcome = self._kernel.outcome(time.monotonic() - self._began)
        return recorder.finish(outcome, Log(), (_NOTE,))

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences about what could not be recorded."""
        return tuple(self._recorder.problems)


class _Usage:
    """What a process has used since it was first looked at."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._first: tuple[float, float] | None = None
        self._last = (0.0, 0.0)
        self._memory = 0
        self.look()

    def look(self) -> None:
        import psutil

        try:
            process = psutil.Process(self._pid)
            times, memory = process.cpu_times(), process.memory_info().rss
        except psutil.Error:
            return
        self._last = (times.user, times.system)
        self._first = self._first or self._last
        self._memory = max(self._memory, memory)

    def outcome(self, duration: float) -> Outcome:
        first = self._first or self._last
        user, system = (max(0.0, b - a) for a, b in zip(first, self._last, strict=True))
        return Outcome(0, None, duration, round(user, 3), round(system, 3), self._memory)
