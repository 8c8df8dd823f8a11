"""Asking servers about objects in a process of its own, which is given so many seconds and no more.

Nobody waits for a server that hangs, a name that is not resolved, or a client that takes seconds to
import: what has not been answered in time is left out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping

from provenance.store.web import Told

LATE = "the server did not answer in time"
_CODE = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from provenance.store import _asker; _asker.main()"
)
_JOBS = 8


class Asking:
    """What is being asked. questions: address and revision by a key of the caller's."""

    def __init__(
        self, questions: Mapping[str, tuple[str, str]], environ: Mapping[str, str], limit_s: float
    ) -> None:
        self._keys = tuple(questions)
        self._until = time.monotonic() + limit_s
        self._answers: dict[str, Told] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        if questions:
            try:
                self._start(questions, environ, limit_s)
            except OSError:
                self._process = None

    def _start(
        self, questions: Mapping[str, tuple[str, str]], environ: Mapping[str, str], limit_s: float
    ) -> None:
        here = __file__
        for _ in range(3):
            here = os.path.dirname(here)
        # With -I no variable of the user's leads Python elsewhere; proxies and keys stay.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _CODE, here],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=dict(environ),
            start_new_session=True,
        )
        rows = [[key, *question] for key, question in questions.items()]
        document = {"limit_s": limit_s, "jobs": _JOBS, "questions": rows}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(document).encode("utf-8"))
        self._process.stdin.close()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                key, told = json.loads(line)
                self._answers[key] = Told(**told)
            except (ValueError, TypeError):
                continue

    def answers(self) -> dict[str, Told]:
        """Return the answers by key, once all are here or the time is over; the rest is late."""
        if self._reader is not None:
            self._reader.join(max(0.0, self._until - time.monotonic()))
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        return {key: self._answers.get(key, Told(problem=LATE)) for key in self._keys}


def ask(
    questions: Mapping[str, tuple[str, str]], environ: Mapping[str, str], limit_s: float
) -> dict[str, Told]:
    """Return what the servers say, waiting for ``limit_s`` seconds at most. Never raises."""
    return Asking(questions, environ, limit_s).answers()


def offline(environ: Mapping[str, str], urls: Iterable[str]) -> tuple[str, ...]:
    """Return those of ``urls`` that may be asked for: not the hub where the user said so."""
    off = environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
    return tuple(url for url in urls if not (off and url.startswith("hf://")))
