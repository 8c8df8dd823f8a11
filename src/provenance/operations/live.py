"""Following a run from beside it: the process that does it, and what it wants to be told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from provenance.operations import against
from provenance.operations.against import Reference

if TYPE_CHECKING:
    from provenance.executors.local import Running
    from provenance.operations.recorder import Recorder

_CODE = (
    "import sys; sys.path[:0] = sys.argv[1:]; "
    "from provenance.operations import _live_worker; _live_worker.main()"
)
_LOOK_S = 0.2
"""How often it is asked whether there is something to tell."""


class Live:
    """The process that follows one run. tell: gets each message, a line without its end."""

    def __init__(
        self,
        references: Sequence[Reference],
        tolerance: tuple[float | None, float | None],
        tell: Callable[[str], None],
    ) -> None:
        self._references, self._tell = references, tell
        self._rtol, self._atol = tolerance
        self._process: subprocess.Popen[bytes] | None = None
        self._in = b""
        self._next = 0.0

    def start(self, folder: str, logs: Sequence[tuple[str, int]]) -> None:
        """Begin to follow the run in ``folder``, whose output goes to ``logs``. Raises OSError."""
        here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _CODE, here],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
        )
        said = {
            "folder": folder,
            "logs": list(logs),
            "label": against.labels(self._references),
            "curves": [{n: list(p) for n, p in one.curves.items()} for one in self._references],
            "rtol": self._rtol or 0.0,
            "atol": self._atol or 0.0,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(said).encode("ascii") + b"\n")
        os.set_blocking(self._process.stdout.fileno(), False)

    def waiting(self, wait: Callable[[float], bool]) -> Callable[[float], bool]:
        """Return ``wait``, which waits for the end of the command, telling the news meanwhile."""

        def told(seconds: float) -> bool:
            if time.monotonic() >= self._next:
                self._next = time.monotonic() + _LOOK_S
                self.look()
            ended = wait(seconds)
            if ended:
                self.close()
            return ended

        return told

    def look(self) -> None:
        """Tell what has come."""
        if self._process is None or self._process.stdout is None:
            return
        try:
            data = os.read(self._process.stdout.fileno(), 1 << 16)
        except OSError:
            return
        self._in += data
        *lines, self._in = self._in.split(b"\n")
        for raw in lines:
            try:
                self._tell("prov: %s" % json.loads(raw))
            except ValueError:
                continue

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.send_signal(signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
        except OSError:
            return


def beside(running: Running, recorder: Recorder) -> Callable[[float], bool]:
    """Begin to follow a run; return what waits for its end meanwhile. Never raises."""
    settings = recorder.settings
    one = Live(recorder.request.against, (settings.rtol, settings.atol), running.say)
    try:
        one.start(recorder.folder or "", running.places)
    except OSError as error:
        recorder.problems.append("the run was not followed live: %s." % (error.strerror or error))
        one.close()
        return running.ended.wait
    return one.waiting(running.ended.wait)
