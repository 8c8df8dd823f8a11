"""What the command uses over time, looked at in turns of fixed length: only where it is asked for.

CPU, memory and I/O are those of the process tree (Linux: /proc); what the GPUs say is of the whole
cards, whoever uses them. Each look is one line of JSON in a file beside the record.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from typing import IO, Any

from provenance.core.context import Sampled
from provenance.executors import _gpuwatch, _proc

MOST = 100_000
"""Looks after which the pause between them is doubled, and again after as many more."""
_SHARE = 0.01
"""Share of one CPU's time that the costly part of a look (shared memory) may take."""
_PATIENCE_S = 2.0
"""How long the end of a run waits for the last look."""
_NICENESS = 5


class Sampler:
    """Looks at the process tree of ``pid`` every ``interval`` seconds, in a thread of its own."""

    def __init__(self, pid: int, interval: float, path: str, environ: Mapping[str, str]) -> None:
        self._pid, self._interval, self._path = pid, interval, path
        self._environ = environ
        self._over = threading.Event()
        self._tick = os.sysconf("SC_CLK_TCK")
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._last: tuple[float, int] | None = None
        self._due = 0.0
        self._count = 0
        self._cost = 0.0
        self._notes: list[str] = []
        self._thread = threading.Thread(target=self._run, name="prov-sampler", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def finish(self) -> Sampled:
        """Stop, without waiting long for a look that hangs, and return what came of it."""
        self._over.set()
        self._thread.join(_PATIENCE_S)
        if self._thread.is_alive():
            self._notes.append("a look at the processes did not come to its end")
        return Sampled(self._interval, self._count, round(self._cost, 6), tuple(self._notes))

    def _run(self) -> None:
        if sys.platform == "linux":
            try:
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
            except OSError:
                pass
        try:
            with open(self._path, "w", encoding="utf-8") as file:
                self._loop(file)
        except OSError as error:
            self._notes.append("samples could not be written: %s" % error.strerror)
        except Exception as error:  # noqa: BLE001  # the command must not feel it
            self._notes.append("sampling ended early: %s" % type(error).__name__)

    def _loop(self, file: IO[str]) -> None:
        cards = _gpuwatch.Cards(self._interval, self._environ)
        if sys.platform != "linux":
            self._notes.append("CPU, memory and I/O over time are known on Linux only")
        began, pause = time.monotonic(), self._interval
        turn = began
        try:
            while not self._over.wait(max(turn - time.monotonic(), 0.0)):
                spent = time.thread_time()
                now = time.monotonic()
                sample = {"t": round(now - began, 3), **self._tree(now)}
                gpus = cards.latest()
                if gpus:
                    sample["gpus"] = gpus
                file.write(json.dumps(sample, separators=(",", ":")) + "\n")
                if self._count % 10 == 0:
                    file.flush()
                self._count += 1
                self._cost += time.thread_time() - spent
                if self._count % MOST == 0:
                    pause *= 2
                turn = max(turn + pause, now)
        finally:
            self._notes += cards.close()

    def _tree(self, now: float) -> dict[str, Any]:
        if sys.platform != "linux":
            return {}
        tree = _proc.tree(self._pid)
        resident = sum(_proc.resident(pid, self._page) for pid in tree)
        if not resident:
            return {}
        ticks = sum(_proc.cpu_ticks(pid) for pid in tree)
        asked = [_proc.io_bytes(pid) for pid in tree]
        sample: dict[str, Any] = {"processes": len(tree), "rss_bytes": resident}
        if self._last is not None and now > self._last[0]:
            used = max(ticks - self._last[1], 0) / self._tick
            sample["cpu_percent"] = round(100 * used / (now - self._last[0]), 1)
        self._last = now, ticks
        names = ("read_bytes", "written_bytes", "disk_read_bytes", "disk_written_bytes")
        for place, name in enumerate(names):
            sample[name] = sum(one[place] for one in asked)
        if now >= self._due:
            spent = time.thread_time()
            shared = sum(_proc.proportional(pid) for pid in tree)
            if shared:
                sample["pss_bytes"] = shared
            self._due = now + (time.thread_time() - spent) / _SHARE
        return sample
