"""Curves, tolerance and envelopes through the real command line, on real runs."""

import json
import math
import sys
from xml.etree import ElementTree

import pytest

from tests.conftest import Prov, git

TRAIN = """\
import argparse, csv, json, math, random
p = argparse.ArgumentParser()
p.add_argument("--lr", type=float, default=0.1)
p.add_argument("--seed", type=int, default=0)
p.add_argument("--late", type=int, default=0)
p.add_argument("--nan", type=int, default=10**9)
p.add_argument("--steps", type=int, default=60)
a = p.parse_args()
random.seed(a.seed)
with open("history.csv", "w") as f:
    print("step,train_loss,val_acc", file=f)
    for step in range(a.steps):
        done = 1 - math.exp(-max(0, step - a.late) * a.lr)
        acc = 0.1 + 0.82 * done + random.gauss(0, 0.004)
        loss = 2.3 - 2.1 * done + random.gauss(0, 0.01)
        if step >= a.nan:
            acc = loss = float("nan")
        print(step, loss, acc, sep=",", file=f)
json.dump({"val_acc": acc}, open("metrics.json", "w"))
"""


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """Return the command line in a repository with runs of five seeds and some odd ones."""
    folder = tmp_path_factory.mktemp("paper")
    (folder / "train.py").write_text(TRAIN)
    (folder / ".gitignore").write_text("metrics.json\nhistory.csv\n*.svg\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "code")
    prov = Prov(folder)

    def run(name, *words):
        prov("run", "--name", name, "--", sys.executable, "train.py", *words)

    for seed in range(5):
        run("s%d" % seed, "--seed", str(seed))
    run("late", "--late", "20")
    (folder / "late.csv").write_text((folder / "history.csv").read_text())
    run("nan", "--nan", "40")
    return prov


def curve(data, name="val_acc"):
    return next(one["curve"] for one in data["results"]["metrics"] if one["name"] == name)


def test_other_seeds_are_found_and_make_the_envelope(paper):
    data = paper.json("diff", "s0", "s4")
    assert data["verdict"] == "no known effect"
    assert len(data["alike"]) == 3, "s1, s2 and s3; not s4, the one in question"
    assert {one["verdict"] for one in data["results"]["metrics"]} == {"within tolerance"}
    assert data["results"]["verdict"] == "within tolerance"
    metric = data["results"]["metrics"][0]
    assert metric["tolerance"]["source"] == "envelope"
    envelope = next(one for one in data["envelopes"] if one["name"] == "val_acc")
    assert (envelope["runs"], envelope["of"]) == (4, "seeds")
    assert envelope["interval"][0] < envelope["low"]
    shown = paper("diff", "s0", "s4").stdout
    assert "envelope: 4 recorded runs that differ in nothing but their seed: " in shown
    assert "2 output files: 2 not compared" in shown


def test_none_of_them_and_named_ones(paper):
    alone = paper.json("diff", "s0", "s4", "--like", "none")
    assert (alone["alike"], alone["results"]["verdict"]) == ([], "different")
    named = paper.json("diff", "s0", "s4", "--like", "s1", "--like", "s2")
    assert len(named["alike"]) == 2
    bad = paper("diff", "s0", "s4", "--like", "s4", code=2)
    assert "cannot be in its own envelope" in bad.stderr


def test_a_slow_start_is_told_from_noise(paper):
    data = paper.json("diff", "s0", "late")
    one = curve(data)
    assert one["verdict"] == "different"
    assert one["reached"]["new"] - one["reached"]["old"] == pytest.approx(20, abs=3)
    assert one["band"]["outside"] > one["points"] / 3
    shown = paper("diff", "s0", "late").stdout
    assert "a slow start, and it catches up" in shown


def test_nan_from_step_40_on(paper):
    one = curve(paper.json("diff", "s0", "nan"))
    assert (one["parted"], one["new"]["broken_from"]) == (40, 40)
    assert "NaN from step 40 on; recorded never" in paper("diff", "s0", "nan").stdout


def test_tolerance_on_the_command_line_and_its_place(paper):
    wide = paper.json("diff", "s0", "late", "--like", "none", "--atol", "1.5")
    assert curve(wide)["verdict"] == "within tolerance"
    assert wide["results"]["metrics"][0]["tolerance"]["source"] == "command line"
    ulp = paper.json("diff", "s0", "s0", "--ulp", "4")
    assert ulp["results"]["verdict"] == "same"
    shown = paper("diff", "s0", "s1", "--like", "none", "--atol", "0.5", "--rtol", "0").stdout
    assert "tolerance: atol 0.5 (command line): train_loss, val_acc" in shown
    plain = paper("diff", "s0", "s1", "--like", "none").stdout
    assert "rtol 1e-05 (default: a loss: sums in single precision): train_loss" in plain
    assert (
        "rtol must be a number of at least 0"
        in paper("diff", "s0", "s1", "--rtol=-1", code=2).stderr
    )


def test_a_run_against_somebodys_table(paper):
    told = paper("diff", "s0", "late.csv", code=1)
    assert told.stdout.startswith("DIFFERENT: 2 curves: 2 different (exit 1)  s0  vs  late.csv")
    data = paper.json("diff", "s0", "late.csv", code=1)
    assert (data["content"], data["other"]["kind"]) == ("curves", "file")
    assert len(data["alike"]) == 4
    assert paper.json("diff", "late", "late.csv", "--like", "none")["verdict"] == "same"
    assert "## prov diff: DIFFERENT" in paper("diff", "s0", "late.csv", "--markdown", code=1).stdout


def test_plots_in_the_terminal_and_as_svg(paper):
    shown = paper("diff", "s0", "late", "--plot", env={"COLUMNS": "80"}).stdout
    assert "val_acc   ━ s0   ┅ late" in shown
    assert any(0x2800 < ord(c) < 0x2900 for c in shown)
    assert "\x1b[" not in shown
    assert max(len(line) for line in shown.splitlines() if "│" in line) <= 80
    done = paper("diff", "s0", "late", "--plot", "out.svg")
    assert "wrote out.svg: 2 metrics" in done.stderr
    tree = ElementTree.parse(paper.folder / "out.svg").getroot()
    space = "{http://www.w3.org/2000/svg}"
    assert tree.find(space + "title").text.startswith("s0 and late")
    classes = [one.get("class") or "" for one in tree.iter()]
    assert classes.count("old") >= 2
    assert classes.count("band") >= 2
    assert not list(tree.iter(space + "script"))


def test_loose_files_drawn(paper, tmp_path):
    odd = tmp_path / "<odd> & name.csv"
    rows = ["%d,%r" % (step, math.exp(step / 3)) for step in range(50)]
    odd.write_text("step,loss\n" + "\n".join(rows) + "\n")
    shown = paper("diff", str(odd), str(odd), "--plot").stdout
    assert "loss (logarithmic scale)" in shown
    paper("diff", str(odd), str(odd), "--plot", "odd.svg")
    ElementTree.parse(paper.folder / "odd.svg")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("s0", "s1", "s2"), "compares two, not three"),
        (("s0", "s1", "x.svg"), "compares two, not three"),
        (("train.py", "train.py", "--plot"), "hold no curves to draw"),
        (("s0", "nowhere/late.csv"), "there is no file and no run"),
    ],
)
def test_what_cannot_be_drawn_says_so(paper, words, said):
    done = paper("diff", *words, code=None)
    assert done.returncode not in (0, 1, 70)
    assert said in done.stderr


def test_a_folder_that_is_not_there(paper):
    done = paper("diff", "s0", "late", "--plot", "no/where/x.svg", code=None)
    assert "there is no folder" in done.stderr


def test_the_tolerance_of_the_day_goes_with_the_record(paper, tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text(
        "import json\njson.dump({'val_acc': 0.5}, open('m.json', 'w'))\n"
    )
    (folder / "prov.yaml").write_text("rtol: 1.0e-6\ntolerance:\n  'val*': {atol: 0.01}\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "code")
    prov = Prov(folder)
    prov("run", "--name", "first", "--", sys.executable, "train.py")
    kept = {"rtol": 1e-6, "metrics": {"val*": {"atol": 0.01}}, "since": "recorded"}
    assert prov.json("show", "first")["tolerance"] == kept
    first = prov.json("replay", "first", "--yes")
    assert first["results"]["metrics"][0]["tolerance"]["source"] == "recorded"
    assert not any("chosen after" in note for note in first["notes"])
    (folder / "prov.yaml").write_text("rtol: 0.5\n")
    later = prov.json("replay", "first", "--yes")
    text = "tolerance chosen after %s of this run had been seen; recorded: %s"
    recorded = "rtol 1e-06, val* atol 0.01"
    assert text % ("1 replay", recorded) in later["notes"]
    shown = prov("diff", "first", "@last", "--rtol", "0.1").stdout
    assert text % ("2 replays", recorded) in shown
    prov("lock", "first")
    lock = json.loads((folder / "prov.lock").read_text())
    assert lock["runs"][0]["tolerance"] == {"rtol": 0.5, "since": "locked"}
