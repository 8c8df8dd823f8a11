"""``prov run --sample``: use over time, of a real load and of a graphics card that is played."""

import json
import os
import time

import pytest

from tests.conftest import PYTHON

BUSY = """\
import subprocess, sys, time
held = bytearray(60_000_000)
with open("out.bin", "wb") as stream:
    stream.write(held[:5_000_000])
code = "import time\\nend = time.time() + 0.6\\nwhile time.time() < end: pass"
exec(code)
subprocess.run([sys.executable, "-c", code])
"""
TELLS = """\
case "$*" in
*-lms*)
    echo $$ > "$PLAYED"
    while :; do echo "0, 45, 1024, 210.50, 61"; echo "1, [N/A], 2048, [N/A], 50"; sleep 0.05; done
esac
"""


def play(tmp_path, script):
    """Return an environment in which ``script`` plays nvidia-smi."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(0o755)
    path = "%s:%s" % (program.parent, os.environ["PATH"])
    return {"PATH": path, "PLAYED": str(tmp_path / "played")}


def gone(pid):
    """Return whether the process has ended, waiting a little for it."""
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_load_and_cards_over_time(loose, folder, tmp_path):
    (folder / "busy.py").write_text(BUSY)
    environ = play(tmp_path, TELLS)
    loose("run", "--sample", "0.05", "--", PYTHON, "busy.py", env=environ)
    assert gone(int((tmp_path / "played").read_text()))
    used = loose.payload("resources")
    samples = used["samples"]
    series = samples["series"]
    assert samples["interval_s"] == 0.05
    assert samples["taken"] >= 5
    assert series["cpu_percent"]["max"] > 10
    assert series["rss_bytes"]["max"] > 60_000_000
    assert 0 < series["pss_bytes"]["max"] <= series["rss_bytes"]["max"]
    assert series["written_bytes"]["points"][-1][1] >= 5_000_000
    assert series["processes"]["max"] >= 2
    assert series["gpu0.percent"]["max"] == 45
    assert series["gpu0.memory_bytes"]["max"] == 1 << 30
    assert "gpu1.percent" not in series
    assert series["gpu1.celsius"]["max"] == 50
    times = [t for t, _ in series["rss_bytes"]["points"]]
    assert times == sorted(times)
    run = loose.last()
    lines = (folder / ".prov/runs" / run["id"] / "samples.jsonl").read_text().splitlines()
    assert len(lines) == samples["taken"]
    assert json.loads(lines[-1])["t"] <= used["wall_s"]


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ('trap "" TERM INT HUP\ncase "$*" in *-lms*) sleep 300;; esac', "told nothing"),
        ("exit 9", "ended with code 9"),
        ('case "$*" in *-lms*) echo No devices were found; sleep 300;; esac', "told nothing"),
    ],
    ids=["hangs", "fails", "says something else"],
)
def test_a_tool_that_hangs_or_fails_costs_its_samples_only(loose, tmp_path, script, says):
    environ = play(tmp_path, script)
    began = time.monotonic()
    done = loose("run", "--sample", "0.05", "--", "sleep", "0.3", env=environ)
    assert time.monotonic() - began < 30
    assert says in done.stderr
    assert loose.payload("resources")["samples"]["taken"] > 0


def test_nothing_is_sampled_unasked(loose, folder):
    loose("run", "--", "true")
    assert loose.payload("resources")["samples"] is None
    assert not list(folder.glob(".prov/runs/*/samples.jsonl"))
