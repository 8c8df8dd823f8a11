"""examples/pipeline from end to end: three runs here, everything of them in another clone."""

import os
import shutil
import time
from pathlib import Path

import pytest

from provenance.operations import calls, references
from provenance.store import project
from tests.conftest import PYTHON, Prov, git
from tests.sharing.helpers import blob_of, blobs
from tests.sharing.test_push_pull import KINDS, SLOW

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "pipeline"
STAGES = ("prepare", "train", "evaluate")
MONTHS_S = 90 * 86400


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Return a folder with the git server's "origin", Anna's clone "kept", and a stray checkpoint.

    She has recorded the three stages and shared the records; nothing is found where she had it.
    """
    world = tmp_path_factory.mktemp("world")
    anna = world / "anna"
    git(world, "init", "-q", "--bare", "-b", "main", "origin")
    shutil.copytree(EXAMPLE, anna, ignore=shutil.ignore_patterns("__pycache__", ".prov"))
    git(anna, "init", "-q", "-b", "main")
    git(anna, "config", "user.name", "Anna")
    git(anna, "config", "user.email", "anna@example.org")
    git(anna, "remote", "add", "origin", str(world / "origin"))
    git(anna, "add", "-A")
    git(anna, "commit", "-q", "-m", "start")
    git(anna, "push", "-q", "origin", "main")
    prov = Prov(anna)
    prov("run", "--name", "prepare", "--", PYTHON, "prepare.py")
    prov("run", "--name", "train", "--", PYTHON, "train.py")
    prov("run", "--name", "evaluate", "--", PYTHON, "evaluate.py", "--weights", "train:best.json")
    prov("share", "--all")
    (world / "downloads").mkdir()
    shutil.copy(anna / "weights" / "best.json", world / "downloads" / "final-v2.json")
    anna.rename(world / "kept")
    return world


@pytest.fixture
def anna(world, tmp_path):
    """Return the command line of the one who made the runs."""
    shutil.copytree(world / "kept", tmp_path / "anna", symlinks=True)
    return Prov(tmp_path / "anna")


@pytest.fixture
def ben(world, tmp_path):
    """Return the command line in a fresh clone."""
    git(tmp_path, "clone", "-q", str(world / "origin"), str(tmp_path / "ben"))
    return Prov(tmp_path / "ben")


def named(folder, *names):
    return {name: (folder / name).read_bytes() for name in names}


def names_of_runs(traced):
    return [run["name"] for run in traced["runs"]]


def age(folder):
    """Make everything in ``folder`` months old."""
    then = time.time() - MONTHS_S
    for top, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.utime(os.path.join(top, name), (then, then), follow_symlinks=False)


def test_the_evaluation_is_tied_to_the_run_that_made_its_weights(anna):
    data = anna.payload("data", "evaluate")
    assert {one["path"]["path"]: one["kind"] for one in data["files"]} == {
        "data/test.csv": "data",
        "weights/best.json": "data",
    }
    train = anna.json("show", "train")["id"]
    assert [(one["address"], one["run"]) for one in data["addresses"]] == [
        ("train:best.json", train)
    ]


@pytest.mark.parametrize("kind", ["folder", *SLOW])
def test_the_whole_story_in_another_clone(kind, world, anna, ben, tmp_path):
    wild = world / "downloads" / "final-v2.json"
    story = anna.json("trace", str(wild))
    assert names_of_runs(story) == list(STAGES)
    with KINDS[kind](tmp_path) as (address, env):
        sent = anna.json("push", *STAGES, "--remote", address, env=env)
        assert sent["lost"] == sent["failed"] == []
        (ben.folder / "prov.yaml").write_text("remotes: {team: '%s'}\n" % address)

        ben("fetch")
        told = ben.json("trace", str(wild))
        assert names_of_runs(told) == list(STAGES)
        assert told["edges"] == story["edges"]
        assert {run["by"].partition(" on ")[0] for run in told["runs"]} == {"Anna"}
        assert not (ben.folder / "weights").exists()

        path = Path(ben("path", "train:best.json", env=env).stdout.strip())
        assert path.read_bytes() == wild.read_bytes()
        assert (ben.folder / ".prov" / "artifacts") in path.parents

        # what lies at the remote is found by replay, too: nothing has been checked out yet
        replayed = ben.json("replay", "train", "--yes", "--python", PYTHON, env=env)
        assert replayed["results"]["verdict"] == "same"
        assert not (ben.folder / "data").exists()

        would = ben.json("checkout", "evaluate", "--dry-run", env=env)
        assert (len(would["placed"]), would["failed"]) == (3, [])
        assert not (ben.folder / "data").exists()
        pulled = ben.json("pull", *STAGES, env=env)
        assert (pulled["records"], pulled["failed"]) == (0, [])
        for stage in STAGES:
            ben("checkout", stage, env=env)
    made = ("data/train.csv", "data/test.csv", "weights/best.json", "results/test.json")
    assert named(ben.folder, *made) == named(anna.folder, *made)
    runs = ben.json("ls")["runs"]
    assert {run["name"] for run in runs if run["origin"] is not None} == set(STAGES)
    assert {run["replay_of"] for run in runs if run["origin"] is None} == {
        anna.json("show", "train")["id"]
    }


def test_gc_leaves_what_was_fetched_one_way_or_another(anna, ben, tmp_path):
    team = tmp_path / "team"
    anna("push", *STAGES, "--remote", str(team))
    (ben.folder / "prov.yaml").write_text("remotes: {team: ../team}\n")
    ben("fetch")
    ben("path", "train:best.json")  # by address: nobody pulled it
    ben("pull", "evaluate")
    kept = blobs(ben.folder / ".prov" / "objects")
    assert {one.read_bytes() for one in kept} >= {
        (anna.folder / "weights" / "best.json").read_bytes(),
        (anna.folder / "results" / "test.json").read_bytes(),
    }
    ben("fetch")
    ben("keep", "evaluate")
    killed = ben.folder / ".prov" / "team" / ".pull-20260314T091500Z-1a2b3c4d-999999"
    killed.mkdir()
    age(ben.folder / ".prov")
    ben("gc", "--yes")
    assert blobs(ben.folder / ".prov" / "objects") == kept
    assert not killed.exists()
    assert len(ben.json("keep")["runs"]) == 1


def test_who_pulls_gets_the_records_of_others_as_such(anna, ben, tmp_path):
    anna("push", *STAGES, "--remote", str(tmp_path / "team"))
    (ben.folder / "own.py").write_text("print('mine')\n")
    ben("run", "--name", "own", "--", PYTHON, "own.py")
    ben("pull", "--remote", str(tmp_path / "team"))
    origins = {run["name"]: run["origin"] for run in ben.json("ls")["runs"]}
    assert origins["own"] is None
    assert {origins[stage]["author"] for stage in STAGES} == {"Anna"}
    assert {origins[stage]["remote"] for stage in STAGES} == {str(tmp_path / "team")}
    assert ben.json("show", "@last")["name"] == "own"
    assert ben.json("trace", "@last")["runs"][0]["name"] == "own"
    # who passes them on does not become their author
    ben("pull", *STAGES, "--remote", str(tmp_path / "team"))
    ben("push", *STAGES, "--remote", str(tmp_path / "other"))
    shutil.rmtree(ben.folder / ".prov" / "team")
    ben("pull", "--remote", str(tmp_path / "other"))
    origins = {run["name"]: run["origin"] for run in ben.json("ls")["runs"]}
    assert {origins[stage]["author"] for stage in STAGES} == {"Anna"}


def test_code_of_others_is_not_rehearsed_unasked(anna, ben, tmp_path):
    anna("push", "prepare", "--remote", str(tmp_path / "team"))
    ben("fetch", "train")
    ben("pull", "prepare", "--remote", str(tmp_path / "team"))

    def mode(whose, name):
        place = project.find(str(whose.folder))
        return calls.mode(None, "auto", references.named(name, place, place.root))

    assert {mode(anna, name) for name in ("prepare", "train")} == {calls.CUT}
    assert {mode(ben, name) for name in ("prepare", "train")} == {calls.OFF}


def test_a_remote_with_one_damaged_and_one_missing_blob(anna, ben, tmp_path):
    team = tmp_path / "team"
    anna("push", *STAGES, "--remote", str(team))
    (ben.folder / "prov.yaml").write_text("remotes: {team: ../team}\n")
    damaged = blob_of(team, (anna.folder / "data" / "test.csv").read_bytes())
    damaged.chmod(0o644)
    damaged.write_bytes(b"x" * damaged.stat().st_size)
    blob_of(team, (anna.folder / "weights" / "history.csv").read_bytes()).unlink()
    done = ben.json("pull", *STAGES, code=7)
    assert {(one["path"], one["damaged"]) for one in done["failed"]} == {
        ("data/test.csv", True),
        ("weights/history.csv", False),
    }
    told = ben("path", "evaluate:data/test.csv", code=None)
    assert told.returncode != 0
    assert "damaged" in told.stderr
    ben("checkout", "train", code=7)
    have = ("data/train.csv", "weights/best.json")
    assert named(ben.folder, *have) == named(anna.folder, *have)
    anna("push", *STAGES, "--again", "--remote", str(team))
    assert ben.json("pull", *STAGES)["fetched"]["blobs"] == 2
    for stage in STAGES:
        ben("checkout", stage)
    made = (*have, "data/test.csv", "weights/history.csv", "results/test.json")
    assert named(ben.folder, *made) == named(anna.folder, *made)
