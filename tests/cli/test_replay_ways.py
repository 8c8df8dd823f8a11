"""``prov replay --at``, ``--smoke`` and ``--repeat``."""

import sys

import pytest

from tests.conftest import Prov, git

NOISY = """\
import json, random, sys
level = float(sys.argv[1]) if len(sys.argv) > 1 else 0.9
sys.exit("no level") if level < 0 else None
json.dump({"acc": level + random.random() / 100}, open("metrics.json", "w"))
"""


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
    inside = told["low"] <= metric["old"] <= told["high"]
    assert metric["verdict"] == ("within tolerance" if inside else "different")
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
