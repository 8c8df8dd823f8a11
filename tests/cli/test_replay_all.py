"""``prov replay --all``, and runs that only a published lock knows."""

import shutil

import pytest

from tests.conftest import PYTHON


@pytest.fixture
def published(prov):
    """Return the command line where two runs are published and no record is left."""
    prov("run", "--name", "first", "--", PYTHON, "train.py")
    prov("run", "--name", "second", "--", PYTHON, "train.py", "--lr", "0.2")
    prov("lock", "first", "second")
    shutil.rmtree(prov.folder / ".prov")
    return prov


def test_all_runs_of_a_lock_one_by_one(published):
    data = published.json("replay", "--all", "--yes")
    assert [one["results"]["verdict"] for one in data["replays"]] == ["same", "same"]
    assert data["exit_code"] == 0
    assert len({one["replay_of"] for one in data["replays"]}) == 2
    text = published("replay", "--all", "--yes").stdout
    assert [line.split()[:2] for line in text.splitlines()[-2:]] == [
        ["first", "SAME:"],
        ["second", "SAME:"],
    ]


def test_the_worst_decides(published):
    document = (published.folder / "train.py").read_text()
    (published.folder / "train.py").write_text(document)
    published("replay", "--all", "--yes", "--receipt")
    assert len(list((published.folder / "prov-receipts").glob("*.json"))) == 2
    data = published.json(
        "replay", "--all", "--yes", "--smoke", "python -c 'raise SystemExit(2)'", code=1
    )
    assert data["exit_code"] == 1


def test_a_run_of_the_lock_by_its_name_or_id(published):
    assert published.json("replay", "second", "--yes")["results"]["verdict"] == "same"
    run = published.json("verify")["references"][0]["reference"]["run"]
    for name in (run, run[-8:], run[:-2]):
        assert published.json("verify", name)["reference"]["run"] == run
    assert "third" in published("replay", "third", "--yes", code=4).stderr


def test_several_runs_ask_for_a_name_or_all(published):
    done = published("replay", "prov.lock", "--yes", code=3)
    assert "first, second" in done.stderr
    assert "--all" in done.stderr


def test_all_and_what_is_for_one(published):
    assert (
        "--at is for one run" in published("replay", "--all", "--yes", "--at", "x", code=2).stderr
    )
    assert "--dry-run" in published("replay", "--all", "--dry-run", code=2).stderr


def test_an_interrupted_round_is_taken_up_again(published):
    published("replay", "first", "--yes")
    data = published.json("replay", "--all", "--yes", "--resume")
    assert len(data["replays"]) == 1
    assert data["replays"][0]["replay_of"] == published.json("verify", "second")["reference"]["run"]
    done = published("replay", "--all", "--yes", "--resume")
    assert "every run of it was replayed here before" in done.stdout
