"""``prov lock --tag``: runs that belong together, with those that their data came from."""

import subprocess
import sys

import pytest

from tests.conftest import Prov, git

PREPARE = "open('clean.txt', 'w').write(open('raw.txt').read().upper())\n"
TRAIN = (
    "import json\njson.dump({'size': len(open('clean.txt').read())}, open('metrics.json', 'w'))\n"
)
OTHER = "open('other.txt', 'w').write('x')\n"


@pytest.fixture
def pipeline(tmp_path):
    """Return the command line where two steps were recorded; only the second has the tag."""
    folder = tmp_path / "paper"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for name, text in (("prepare", PREPARE), ("train", TRAIN), ("other", OTHER)):
        (folder / (name + ".py")).write_text(text)
    (folder / "raw.txt").write_text("some text\n")
    (folder / ".gitignore").write_text("clean.txt\nother.txt\nmetrics.json\n.prov\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "paper")
    prov = Prov(folder)
    prov("run", "--name", "prepare", "--", sys.executable, "prepare.py")
    prov("run", "--name", "other", "--", sys.executable, "other.py")
    prov("run", "--name", "train", "--tag", "table1", "--", sys.executable, "train.py")
    return prov


def names(prov):
    return [one["reference"]["name"] for one in prov.json("verify", code=None)["references"]]


def test_the_ancestors_come_along_in_order(pipeline):
    done = pipeline("lock", "--tag", "table1", "--offline")
    assert "a run of the tag read what it wrote" in done.stderr
    assert names(pipeline) == ["prepare", "train"]


def test_a_clone_replays_the_whole_from_what_git_holds(pipeline, tmp_path):
    pipeline("lock", "--tag", "table1", "--offline")
    git(pipeline.folder, "add", "prov.lock")
    git(pipeline.folder, "commit", "-q", "-m", "lock")
    there = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(pipeline.folder), there], check=True)
    data = Prov(there).json("replay", "--all", "--yes")
    assert [one["results"]["verdict"] for one in data["replays"]] == ["same", "same"]
    assert not (there / "clean.txt").exists()


def test_no_such_tag(pipeline):
    assert "no finished run has the tag 'x'" in pipeline("lock", "--tag", "x", code=4).stderr


def test_what_an_earlier_round_wrote_is_read_when_it_is_taken_up(pipeline, tmp_path):
    pipeline("lock", "--tag", "table1", "--offline")
    git(pipeline.folder, "add", "prov.lock")
    git(pipeline.folder, "commit", "-q", "-m", "lock")
    there = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(pipeline.folder), there], check=True)
    clone = Prov(there)
    clone("replay", "prepare", "--yes")
    data = clone.json("replay", "--all", "--yes", "--resume")
    assert [one["results"]["verdict"] for one in data["replays"]] == ["same"]
