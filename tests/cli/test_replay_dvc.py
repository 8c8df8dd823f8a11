"""Replaying in a fresh clone: data that DVC tracks comes from its remote, as it was."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import Prov, git
from tests.facets._venvs import UV

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(600)]

MEAN = """\
import json
rows = [float(line) for line in open("data/numbers.txt")]
json.dump({"mean": sum(rows) / len(rows)}, open("metrics.json", "w"))
"""


@pytest.fixture(scope="module")
def dvc(tmp_path_factory):
    """Return the folder of the dvc program."""
    if UV is None:
        pytest.skip("uv is not installed")
    place = tmp_path_factory.mktemp("dvc")
    subprocess.run([UV, "venv", "-q", "--python", sys.executable, place], check=True)
    words = [UV, "pip", "install", "-q", "--python", place / "bin" / "python", "dvc==3.67.1"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("DVC cannot be installed here: %s" % done.stderr[-200:])
    return str(place / "bin")


@pytest.fixture
def clone(tmp_path, dvc):
    """Return the command line in a clone of a published run, whose data only the remote has."""
    author, remote = tmp_path / "author", tmp_path / "remote"
    (author / "data").mkdir(parents=True)
    git(author, "init", "-q", "-b", "main")
    environ = dict(os.environ, PATH=dvc + os.pathsep + os.environ["PATH"], DVC_NO_ANALYTICS="1")

    def run(*words):
        subprocess.run(["dvc", *words], cwd=author, env=environ, check=True, capture_output=True)

    run("init", "-q")
    run("remote", "add", "-d", "store", str(remote))
    (author / "data" / "numbers.txt").write_text("1\n2\n6\n")
    (author / "mean.py").write_text(MEAN)
    (author / ".gitignore").write_text("metrics.json\n.prov\n")
    run("add", "-q", "data/numbers.txt")
    run("push", "-q")
    git(author, "add", ".")
    git(author, "commit", "-q", "-m", "paper")
    prov = Prov(author)
    prov("run", "--", sys.executable, "mean.py")
    prov("lock", "@last")
    git(author, "add", "prov.lock")
    git(author, "commit", "-q", "-m", "lock")
    subprocess.run(["git", "clone", "-q", str(author), tmp_path / "clone"], check=True)
    shutil.rmtree(author)
    there = Prov(tmp_path / "clone")
    there.environ["PATH"] = environ["PATH"]
    return there


def replayed(clone):
    """Return a replay whose script misses its data, and says so with a traceback of its own."""
    words = [sys.executable, "-m", "provenance", "replay", "--yes"]
    done = subprocess.run(
        words, cwd=clone.folder, env=clone.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    return done


def test_the_data_comes_from_the_remote(clone):
    assert not (clone.folder / "data" / "numbers.txt").exists()
    data = clone.json("replay", "--yes")
    assert data["results"]["verdict"] == "same"
    assert [m["new"] for m in data["results"]["metrics"]] == [3.0]
    assert not (clone.folder / "data" / "numbers.txt").exists(), "the clone itself stays as it was"
    assert git(clone.folder, "status", "--porcelain") == ""


def test_other_data_is_not_taken_for_it(clone):
    path = clone.folder / "data" / "numbers.txt.dvc"
    store = clone.folder.parent / "remote"
    other = b"7\n8\n9\n"
    digest = (
        subprocess.run(["md5sum"], input=other, capture_output=True, check=True)
        .stdout[:32]
        .decode()
    )
    place = store / "files" / "md5" / digest[:2] / digest[2:]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(other)
    text = path.read_text()
    old = text.split("md5: ")[1].split()[0]
    path.write_text(text.replace(old, digest))
    done = replayed(clone)
    assert "what DVC has of it today is not what the run read" in done.stdout


def test_a_remote_that_is_gone_is_one_clause(clone):
    shutil.rmtree(clone.folder.parent / "remote")
    data = clone.json("verify")
    assert [n["what"] for n in data["not_compared"]] == ["data/numbers.txt"]
    done = replayed(clone)
    assert "data/numbers.txt is not here (dvc could not fetch it: " in done.stdout
