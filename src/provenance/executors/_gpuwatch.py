"""What NVIDIA's GPUs do over time: one ``nvidia-smi`` that goes on telling until it is ended.

It is read without ever waiting for it: a driver that hangs costs the samples and nothing else.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping

from provenance.core import programs

FIELDS = {
    "index": "index",
    "utilization.gpu": "gpu_percent",
    "memory.used": "gpu_memory_bytes",
    "power.draw": "gpu_power_w",
    "temperature.gpu": "gpu_celsius",
}
"""What is asked of nvidia-smi, and the names under which it is kept."""
_SHORTEST_S = 0.1
_MEBIBYTE = 1 << 20
_LONGEST = 1 << 16


class Cards:
    """The GPUs of this machine, as nvidia-smi last told."""

    def __init__(self, interval: float, environ: Mapping[str, str]) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._heard = False
        self._rows: dict[int, dict[str, float]] = {}
        self._notes: list[str] = []
        program = programs.find("nvidia-smi", environ)
        if program is None:
            return
        period = "%d" % (max(interval, _SHORTEST_S) * 1000)
        own = {name: value for name, value in environ.items() if name != "PROV_AGENT_DIR"}
        words = [program, "--query-gpu=" + ",".join(FIELDS), "--format=csv,noheader,nounits"]
        try:
            self._process = subprocess.Popen(
                [*words, "-lms", period],
                env=dict(own, LC_ALL="C"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            self._notes.append("GPU: nvidia-smi could not be started (%s)" % error.strerror)
            return
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)

    def latest(self) -> dict[str, dict[str, float]]:
        """Return what was told since the last call, by the index of the card; never waits."""
        if self._process is None or self._process.stdout is None:
            return {}
        self._rows = {}
        try:
            while True:
                data = os.read(self._process.stdout.fileno(), _LONGEST)
                if not data:
                    break
                *lines, self._rest = (self._rest + data).split(b"\n")
                self._rest = self._rest[-_LONGEST:]
                for line in lines:
                    self._take(line.decode("ascii", "replace"))
        except BlockingIOError:
            pass
        except OSError:
            return {}
        return {str(index): row for index, row in sorted(self._rows.items())}

    def _take(self, line: str) -> None:
        words = [word.strip() for word in line.split(",")]
        if len(words) != len(FIELDS) or not words[0].isdigit():
            return
        row = {}
        for name, word in zip(list(FIELDS.values())[1:], words[1:], strict=True):
            try:
                value = float(word)
            except ValueError:  # [N/A], [Not Supported]
                continue
            row[name] = value * _MEBIBYTE if name == "gpu_memory_bytes" else value
        self._heard = True
        self._rows[int(words[0])] = row

    def close(self) -> list[str]:
        """End nvidia-smi, and return what went wrong with it."""
        process = self._process
        if process is None:
            return self._notes
        if process.poll() not in (None, 0):
            self._notes.append("GPU: nvidia-smi ended with code %d" % process.returncode)
        elif not self._heard:
            self._notes.append("GPU: nvidia-smi told nothing while the command ran")
        if process.poll() is None:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except OSError:
                pass
            try:
                process.wait(0.5)
            except subprocess.TimeoutExpired:  # in the driver, where no signal reaches it
                self._notes.append("GPU: nvidia-smi hangs in the driver")
        if process.stdout is not None:
            process.stdout.close()
        return self._notes
