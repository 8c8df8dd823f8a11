"""``prov replay --at``, ``--smoke`` and ``--repeat``."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import Prov, git

NOISY = """\
import json, random, sys
level = float(sys.argv[1]) if len(sys.argv) > 1 else 0.9
sys.exit("no level") if level < 0 else None
json.dump({"acc": level + random.random() / 100}, open("metrics.json", "w"))
"""


HEARING = """\
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Starts a program that hears Ctrl-C, whatever started the tests."""


@pytest.fixture
def paper(tmp_path):
    """Return the command line in a repository with a script that never gives the same twice."""
    folder = tmp_path / "paper"
    folder.mkdir()
    (folder / "noisy.py").write_text(NOISY)
    (folder / ".gitignore").write_text("metrics.json\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "code")
    prov = Prov(folder)
    prov("run", "--name", "first", "--", sys.executable, "noisy.py")
    return prov


def test_one_rerun_of_a_noisy_run_differs_and_nine_say_why(paper):
    one = paper.json("replay", "first", "--yes", code=1)
    assert one["results"]["verdict"] == "different"
    assert one["results"]["envelopes"] == []
    many = paper.json("replay", "first", "--yes", "--repeat", "9", code=None)
    told = many["results"]["envelopes"][0]
    assert (told["name"], told["runs"]) == ("acc", 9)
    assert 0.9 <= told["low"] <= told["mean"] <= told["high"] <= 0.91
    assert told["outside"] == pytest.approx(0.2)
    files = {str(o["path"]["path"]): o for o in many["results"]["outputs"]}
    assert files["metrics.json"]["verdict"] == "not compared"
    assert files["metrics.json"]["detail"] == "differs from rerun to rerun, too"
    metric = many["results"]["metrics"][0]
    fits = told["low"] <= metric["old"] <= told["high"] or "but likely under" in metric["detail"]
    assert metric["verdict"] == ("within tolerance" if fits else "different")
    assert len(many["results"]["reruns"]) == 9


def test_a_change_shows_through_the_noise(paper):
    paper("run", "--name", "higher", "--", sys.executable, "noisy.py", "0.95")
    (paper.folder / "noisy.py").write_text(NOISY.replace("/ 100", "/ 1000"))
    found = paper.json("replay", "higher", "--yes", "--repeat", "3", code=None)
    assert found["results"]["envelopes"][0]["low"] >= 0.95, "the recorded code ran, not today's"


def test_a_folder_of_ones_own(paper, tmp_path):
    there = tmp_path / "there"
    paper("replay", "first", "--yes", "--at", str(there), code=None)
    assert (there / "metrics.json").exists()
    again = paper("replay", "first", "--yes", "--at", str(there), code=2)
    assert "is there and not empty" in again.stderr
    assert not (paper.folder / ".prov" / "replays").exists()


def test_a_short_form_runs_in_the_restored_code_and_compares_nothing(paper):
    (paper.folder / "noisy.py").write_text("raise SystemExit(9)\n")
    good = paper.json("replay", "first", "--yes", "--smoke", "python noisy.py 0.5")
    assert good["results"]["verdict"] == "not compared"
    assert good["results"]["summary"] == "the short form ran"
    last = paper.last()
    assert last["command"][0] == sys.executable
    assert last["labels"]["smoke"] == "python noisy.py 0.5"
    bad = paper.json("replay", "first", "--yes", "--smoke", "python noisy.py -1", code=1)
    assert "ended with 1" in bad["results"]["summary"]


@pytest.mark.parametrize(
    "words", [("--smoke", "a 'b"), ("--smoke", " "), ("--repeat", "0"), ("--repeat", "x")]
)
def test_words_that_make_no_sense(paper, words):
    assert "Traceback" not in paper("replay", "first", "--yes", *words, code=2).stderr


def test_an_interrupted_rerun_is_not_judged(paper):
    """Ctrl-C reaches the whole group, as from a terminal; no further rerun begins."""
    source = "import os, time\nopen(os.environ['MARK'], 'a').write('x')\n"
    source += "time.sleep(float(os.environ['S']))\n"
    (paper.folder / "slow.py").write_text(source)
    git(paper.folder, "add", ".")
    git(paper.folder, "commit", "-q", "-m", "slow")
    mark = paper.folder.parent / "mark"
    short, long = {"MARK": str(mark), "S": "0"}, {"MARK": str(mark), "S": "60"}
    paper("run", "--name", "slow", "--", sys.executable, "slow.py", env=short)
    mark.unlink()
    words = ["replay", "slow", "--yes", "--repeat", "3"]
    process = subprocess.Popen(
        [sys.executable, "-c", HEARING, sys.executable, "-m", "provenance", *words],
        cwd=paper.folder,
        env={**paper.environ, **long},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not mark.exists() and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "NOT COMPARED: the rerun was interrupted (exit 130)" in said
    assert mark.read_text() == "x"
    assert git(paper.folder, "status", "--porcelain") == ""
