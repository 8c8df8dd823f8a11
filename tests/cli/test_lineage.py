"""``prov trace``: three stages recorded as three runs, and what became of their files."""

import hashlib
import json
import shutil
from xml.etree import ElementTree

import pytest

from tests.conftest import PYTHON, Prov, git

PREPARE = """\
import os
os.makedirs("data", exist_ok=True)
rows = open("raw.csv").read().splitlines()
open("data/train.csv", "w").write("\\n".join(rows[:2]))
open("data/test.csv", "w").write("\\n".join(rows[2:]))
"""
TRAIN = """\
import argparse, json, os
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
args = parser.parse_args()
total = sum(map(float, open("data/train.csv").read().split()))
os.makedirs("weights", exist_ok=True)
open("weights/best.pt", "w").write("weights %r" % (total * args.lr))
json.dump({"loss": total}, open("metrics.json", "w"))
"""
EVALUATE = """\
import json
weights = open("weights/best.pt").read()
rows = open("data/test.csv").read()
json.dump({"acc": len(weights) + len(rows)}, open("results.json", "w"))
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Return the project with its three runs; tests copy it before they change it."""
    folder = tmp_path_factory.mktemp("stages") / "project"
    folder.mkdir()
    for name, text in (("prepare", PREPARE), ("train", TRAIN), ("evaluate", EVALUATE)):
        (folder / (name + ".py")).write_text(text)
    (folder / "raw.csv").write_text("1\n2\n3\n4\n")
    (folder / ".gitignore").write_text("data/\nweights/\n*.json\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "start")
    prov = Prov(folder)
    prov("run", "--name", "prepare", "--", PYTHON, "prepare.py")
    (folder / "train.py").write_text(TRAIN + "# tried something\n")
    prov("run", "--name", "train", "--", PYTHON, "train.py", "--lr", "0.5")
    prov("run", "--name", "evaluate", "--", PYTHON, "evaluate.py")
    return prov


@pytest.fixture
def stages(recorded, tmp_path):
    """Return a copy of the project that a test may change."""
    shutil.copytree(recorded.folder, tmp_path / "project", symlinks=True)
    return Prov(tmp_path / "project")


def arrows(data):
    """Return the edges as (run's name, path, side)."""
    names = {one["id"]: one["name"] for one in data["runs"]}
    return sorted((names[e["run"]], e["paths"][0], e["side"]) for e in data["edges"])


WHOLE = [
    ("evaluate", "results.json", "wrote"),
    ("evaluate", "weights/best.pt", "read"),
    ("prepare", "data/train.csv", "wrote"),
    ("prepare", "raw.csv", "read"),
    ("train", "data/train.csv", "read"),
    ("train", "weights/best.pt", "wrote"),
]


def test_a_copied_and_renamed_checkpoint_tells_the_whole_story(recorded, tmp_path):
    wild = tmp_path / "downloads" / "final-v2.bin"
    wild.parent.mkdir()
    shutil.copyfile(recorded.folder / "weights" / "best.pt", wild)
    data = recorded.json("trace", str(wild))
    assert data["found"]
    assert arrows(data) == WHOLE
    told = {one["name"]: one for one in data["runs"]}["train"]
    assert told["params"]["lr"] == 0.5
    assert told["uncommitted"] == ["train.py"]
    assert told["used"] == ["train.py"]
    assert len(told["commit"]) == 40
    text = recorded("trace", str(wild)).stdout
    first = text.splitlines()[1]
    assert first.startswith("  written by run ")
    for word in ('"train"', told["commit"][:7], "1 uncommitted file: train.py", "lr=0.5"):
        assert word in first
    assert "later read by run" in text
    assert "which wrote results.json" in text


def test_directions_and_depth(recorded):
    back = recorded.json("trace", "weights/best.pt", "--backward")
    assert {run for run, _, _ in arrows(back)} == {"prepare", "train"}
    forward = recorded.json("trace", "weights/best.pt", "--forward")
    assert {run for run, _, _ in arrows(forward)} == {"evaluate"}
    near = recorded.json("trace", "results.json", "--depth", "1")
    assert {one["name"] for one in near["runs"]} == {"evaluate"}
    assert near["cut"]


def test_what_can_be_named(recorded):
    digest = recorded.json("trace", "weights/best.pt")["digests"][0]
    for asked in (digest, digest.partition(":")[2][:10], "train:weights/best.pt", "train:best.pt"):
        assert arrows(recorded.json("trace", asked)) == WHOLE, asked
    run = recorded.json("trace", "train")
    assert run["kind"] == "run"
    assert ("train", "metrics.json", "wrote") in arrows(run)
    assert set(WHOLE) <= set(arrows(run))
    assert recorded.json("trace", "@-2")["subject"] == run["subject"]


def test_source_files_name_the_runs_that_used_them(recorded):
    data = recorded.json("trace", "evaluate.py")
    assert [one.partition("-")[0][:2] for one in data["used_as_code"]] == ["20"]
    assert "used as source by 1 run" in recorded("trace", "evaluate.py").stdout


def test_a_file_that_is_gone_is_found_by_its_recorded_path(stages):
    (stages.folder / "weights" / "best.pt").unlink()
    data = stages.json("trace", "weights/best.pt")
    assert arrows(data) == WHOLE
    assert "is not here" in data["notes"][0]


def test_a_rewritten_file_is_not_known_and_the_run_of_that_path_is_near(stages):
    (stages.folder / "weights" / "best.pt").write_text("other weights")
    data = stages.json("trace", "weights/best.pt", code=3)
    assert not data["found"]
    assert data["near"][0]["kind"] == "path"
    text = stages("trace", "weights/best.pt", code=3).stdout
    assert "no record knows it" in text
    assert "changed since" in text


def test_a_name_known_from_elsewhere_is_near(recorded, tmp_path):
    (tmp_path / "best.pt").write_text("unrelated")
    data = recorded.json("trace", str(tmp_path / "best.pt"), code=3)
    assert [one["kind"] for one in data["near"]][:1] == ["name"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [("", "'' is no file"), ("md5:zz", "md5:zz is no digest"), ("s3://a/b", "no run at hand read")],
)
def test_what_can_mean_nothing(recorded, asked, said):
    assert said in recorded("trace", asked, code=4).stderr


def test_no_such_run(recorded):
    done = recorded("trace", "nothing-of-that-name", code=4)
    assert "no run or recorded file of that name" in done.stderr
    assert "recorded no file" in recorded("trace", "train:nothing", code=4).stderr


def test_only_the_records_of_the_team_are_at_hand(recorded, tmp_path):
    records = tmp_path / "team"
    shutil.copytree(recorded.folder / ".prov" / "runs", records / "lab" / "runs")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copyfile(recorded.folder / "weights" / "best.pt", elsewhere / "x.bin")
    prov = Prov(elsewhere)
    prov("trace", "x.bin", code=3)
    data = prov.json("trace", "x.bin", "--records", str(records))
    assert arrows(data) == WHOLE
    assert not (elsewhere / ".prov").exists()
    assert "holds no records" in prov("trace", "x.bin", "--records", ".", code=4).stderr


def test_a_published_lock_is_enough(stages, tmp_path):
    stages("lock", "prepare", "train")
    shutil.rmtree(stages.folder / ".prov")
    data = stages.json("trace", "weights/best.pt")
    assert {one["name"] for one in data["runs"]} == {"prepare", "train"}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copyfile(stages.folder / "weights" / "best.pt", elsewhere / "x.bin")
    lock = str(stages.folder / "prov.lock")
    assert Prov(elsewhere).json("trace", "x.bin", "--records", lock)["found"]


def test_a_replay_is_folded_into_the_run_that_it_repeats(stages):
    stages("replay", "prepare", "--yes", code=None)
    data = stages.json("trace", "data/train.csv")
    origin = next(one for one in data["runs"] if one["name"] == "prepare")
    assert len(origin["replays"]) == 1
    assert origin["replays"][0] not in [one["id"] for one in data["runs"]]
    shown = stages.json("trace", "data/train.csv", "--replays")
    assert origin["replays"][0] in [one["id"] for one in shown["runs"]]


def test_a_folder_and_a_member_of_a_recorded_folder(stages):
    crowd = stages.folder / "crowd.py"
    crowd.write_text(
        "import os\nos.makedirs('many')\n"
        "for n in range(300): open('many/%d' % n, 'w').write('file %d' % n)\n"
    )
    stages("run", "--name", "crowd", "--", PYTHON, "crowd.py")
    data = stages.json("trace", "many")
    assert [one["name"] for one in data["runs"]] == ["crowd"]
    shutil.copytree(stages.folder / "many", stages.folder / "copied")
    assert stages.json("trace", "copied")["found"]
    member = stages.json("trace", "many/17")
    assert "one of the 300 files of many" in member["notes"][0]
    (stages.folder / "many" / "17").write_text("changed")
    stages.json("trace", "many/17", code=3)
    part = stages.json("trace", "weights")
    assert "not known as a whole" in " ".join(part["notes"]) or part["found"]


def test_a_file_that_was_read_and_then_overwritten(stages):
    script = "t = open('state.txt').read()\nopen('state.txt', 'w').write(t + 'more')\n"
    (stages.folder / "resume.py").write_text(script)
    (stages.folder / "state.txt").write_text("begin " * 400)
    stages("run", "--name", "resume", "--", PYTHON, "resume.py")
    data = stages.json("trace", "state.txt")
    assert [(e["side"]) for e in data["edges"] if e["file"] in data["subject"]] == ["wrote"]


def test_drawings(recorded, tmp_path):
    out = tmp_path / "graph.svg"
    recorded("trace", "weights/best.pt", "--svg", str(out))
    root = ElementTree.fromstring(out.read_text())
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert root.find(space + "title").text
    assert "evaluate" in root.find(space + "desc").text
    assert len(root.findall(space + "path")) == len(WHOLE)
    assert not list(root.iter(space + "script"))
    chart = recorded("trace", "weights/best.pt", "--mermaid").stdout
    assert chart.startswith("flowchart LR\n")
    assert chart.count(" --> ") == len(WHOLE)
    assert "exclude each other" in recorded("trace", "x", "--mermaid", "--json", code=2).stderr


def test_a_damaged_record_and_a_damaged_index_are_no_obstacle(stages):
    stages.json("trace", "weights/best.pt")
    (index,) = (stages.folder / ".prov" / "trace").iterdir()
    index.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    assert arrows(stages.json("trace", "weights/best.pt")) == WHOLE
    index.write_bytes(index.read_bytes()[:6000])
    assert arrows(stages.json("trace", "weights/best.pt")) == WHOLE
    data = stages.json("trace", "evaluate")
    place = stages.folder / ".prov" / "runs" / data["subject"][0] / "record.json"
    place.write_text("{")
    data = stages.json("trace", "weights/best.pt")
    assert {one["name"] for one in data["runs"]} == {"prepare", "train"}
    assert "corrupt" in " ".join(data["notes"])


def test_a_record_changed_by_hand_says_so(stages):
    data = stages.json("trace", "train")
    place = stages.folder / ".prov" / "runs" / data["subject"][0] / "record.json"
    document = json.loads(place.read_text())
    document["command"] = ["python", "other.py"]
    place.write_text(json.dumps(document))
    assert "its seal does not hold" in stages("trace", "weights/best.pt").stdout


def test_equal_weights_in_other_bytes_are_near(stages, tmp_path):
    numpy = pytest.importorskip("numpy")
    (stages.folder / "save.py").write_text(
        "import numpy\nnumpy.savez('w.npz', a=numpy.arange(6.0), b=numpy.ones(3))\n"
    )
    stages("run", "--name", "save", "--", PYTHON, "save.py")
    numpy.savez_compressed(tmp_path / "w.npz", a=numpy.arange(6.0), b=numpy.ones(3))
    data = stages.json("trace", str(tmp_path / "w.npz"), code=3)
    assert data["near"][0]["kind"] == "content"
    numpy.savez_compressed(tmp_path / "w.npz", a=numpy.arange(6.0), b=numpy.zeros(3))
    data = stages.json("trace", str(tmp_path / "w.npz"), code=3)
    assert [one["kind"] for one in data["near"]] == ["name"]


def test_data_that_git_or_dvc_holds_is_told(stages):
    content = "5\n6\n"
    (stages.folder / "sub").mkdir()
    (stages.folder / "sub" / "big.csv").write_text(content)
    value = hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()
    pointer = "outs:\n- md5: %s\n  size: 4\n  hash: md5\n  path: big.csv\n" % value
    (stages.folder / "sub" / "big.csv.dvc").write_text(pointer)
    (stages.folder / "sub" / ".gitignore").write_text("/big.csv\n")
    (stages.folder / "use.py").write_text(
        "print(len(open('sub/big.csv').read() + open('raw.csv').read()), file=open('n', 'w'))\n"
    )
    git(stages.folder, "add", ".")
    git(stages.folder, "commit", "-q", "-m", "track")
    stages("run", "--name", "use", "--", PYTHON, "use.py")
    data = stages.json("trace", "use")
    told = {one["paths"][0]: one["origin"] for one in data["files"]}
    assert told["raw.csv"].startswith("in git at ")
    assert told["sub/big.csv"].startswith("tracked by DVC, sub/big.csv.dvc at ")
    assert value[:12] in told["sub/big.csv"]
    assert told["n"] == ""
