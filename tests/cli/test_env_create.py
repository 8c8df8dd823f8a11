"""``prov env create``: recorded environments come back, and ``prov verify`` is silent in them."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.test_replay_rebuild import commit, effects
from tests.conftest import Prov, git
from tests.facets._venvs import project, python_of, uv, venv

pytestmark = [pytest.mark.slow, pytest.mark.network]

OLD = ("scikit-learn==0.21.3", "numpy==1.16.6", "scipy==1.3.3", "joblib==0.14.1", "docopt==0.6.2")
STACKS = {
    "3.7": ("import sklearn.ensemble, docopt", OLD),
    "3.9": ("import pandas", ("pandas==1.3.5", "numpy==1.21.6")),
    "3.11": ("import sklearn", ("scikit-learn==1.3.2", "numpy==1.26.4", "scipy==1.11.4")),
    "3.13": ("import numpy", ("numpy==2.1.3",)),
    "yanked": ("import attr", ("attrs==21.1.0",)),
    # urllib3[socks] asks for PySocks, click for colorama on Windows: the one came, the other not.
    "extras": ("import urllib3, socks, click", ("urllib3[socks]==2.2.3", "click==8.1.7")),
}


@pytest.fixture
def paper(tmp_path):
    """Return the command line in a committed repository, with a cache of its own."""
    folder = tmp_path / "paper"
    folder.mkdir()
    git(folder, "init", "-q")
    found = Prov(folder)
    found.environ["PROV_CACHE"] = str(tmp_path / "cache")
    return found


def silent(prov, python, name="prov.lock"):
    """Require that verify finds nothing above "none" in ``python``."""
    told = prov.json("verify", name, "--python", str(python), "--fail-on", "unknown")
    assert told["verdict"] == "same"
    assert effects(told["findings"]) == []
    found = told["compared"]["packages"]
    assert found["equal"] == found["total"] > 0


@pytest.mark.parametrize("name", STACKS)
def test_verify_is_silent_after(name, paper, tmp_path):
    code, packages = STACKS[name]
    python = python_of(name if name[0] == "3" else "3.11")
    old = venv(tmp_path / "old", *packages, python=python)
    commit(paper, main=code + "\n")
    paper("run", "--", old, "main.py")
    notes = " ".join(paper.json("lock", "@last")["notes"])
    assert "hashes of " in notes
    made = paper.json("env", "create", "--at", "back")
    assert made["missing"] == []
    assert made["hashed"] == made["packages"] >= len(packages)
    silent(paper, paper.folder / "back/bin/python")
    left = git(paper.folder, "status", "--porcelain").split()
    assert left == ["??", "prov.lock"], "a new environment ignores itself"


def test_what_no_index_has_comes_back_too(paper, tmp_path):
    """A wheel, a folder, the project itself, and another repository with changes of its own."""
    wheel = project(tmp_path / "wheel", "from-wheel")
    uv(wheel, "build", "-q", "--wheel", "-o", str(tmp_path / "dist"))
    folder = project(tmp_path / "folder", "from-folder")
    other = project(tmp_path / "other", "from-other")
    git(other, "init", "-q")
    git(other, "add", ".")
    git(other, "commit", "-q", "-m", "one")
    (other / "from_other" / "__init__.py").write_text("VALUE = 3\n")
    (other / "from_other" / "new.py").write_text("VALUE = 4\n")
    project(paper.folder, "from-here", layout="src")
    dist = str(next((tmp_path / "dist").glob("*.whl")))
    old = venv(tmp_path / "old", "six==1.16.0", dist, str(folder), editable=str(other))
    uv(tmp_path, "pip", "install", "-q", "-p", old, "-e", str(paper.folder))
    modules = "from_wheel, from_folder, from_here, six"
    code = "import %s, from_other.new\nprint(from_other.VALUE, from_other.new.VALUE)\n" % modules
    commit(paper, main=code)
    paper("run", "--", old, "main.py")
    paper("lock", "@last")

    # Another machine: none of what was installed from is there, but the clone of the repository.
    for gone in ("old", "dist", "wheel", "folder", "paper/.prov"):
        (tmp_path / gone).rename(tmp_path / ("gone-" + gone.replace("/", "-")))
    (other / "from_other" / "__init__.py").write_text("VALUE = 5\n")  # its author went on
    made = paper.json("env", "create", "prov.lock", "--at", "back")
    assert made["missing"] == []
    python = str(paper.folder / "back/bin/python")
    told = subprocess.check_output([python, "main.py"], cwd=paper.folder, text=True)
    assert told == "3 4\n"
    silent(paper, python)


def test_a_folder_that_holds_something_is_left_alone(prov):
    prov("run", "--", sys.executable, "train.py")
    (prov.folder / "mine").mkdir()
    (prov.folder / "mine" / "thesis.tex").write_text("x")
    done = prov("env", "create", "@last", "--at", "mine", code=5)
    assert "mine is there and not empty: nothing was written." in done.stderr
    assert [one.name for one in (prov.folder / "mine").iterdir()] == ["thesis.tex"]


def test_what_cannot_be_had_fails_and_leaves_nothing(paper, tmp_path):
    wheel = project(tmp_path / "wheel", "not-on-any-index")
    old = venv(tmp_path / "old", str(wheel))
    commit(paper, main="import not_on_any_index\n")
    paper("run", "--", old, "main.py")
    (tmp_path / "old").rename(tmp_path / "gone")  # before the lock could keep it
    told = " ".join(paper.json("lock", "@last")["warnings"])
    assert "could not be kept: the recorded environment is gone" in told
    done = paper("env", "create", "--at", "back", code=5)
    assert "not-on-any-index 0.1: installed from a folder" in done.stderr
    assert not (paper.folder / "back").exists()


def test_files_that_an_index_has_changed_are_refused(paper, tmp_path):
    old = venv(tmp_path / "old", "six==1.16.0")
    commit(paper, main="import six\n")
    paper("run", "--", old, "main.py")
    paper("lock", "@last")
    path = paper.folder / "prov.lock"
    text = path.read_text()
    start = text.index('"sha256:', text.index('"six==1.16.0": {'))
    from provenance.store import lockfile

    lock = lockfile.read(str(path))
    entry = lock.requirements[0]
    hashes = {"six==1.16.0": {"sha256:" + "0" * 64: "six-1.16.0-py2.py3-none-any.whl"}}
    lockfile.write(str(path), lock._replace(requirements=(dict(entry, hashes=hashes),)))
    assert start
    done = paper("env", "create", "--at", "back", code=5)
    assert "six 1.16.0: the index has other files now than were locked" in done.stderr
    assert not (paper.folder / "back").exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_one_is_removed_or_made_anew(how, paper, tmp_path):
    old = venv(tmp_path / "old", "docopt==0.6.2", "six==1.16.0")
    commit(paper, main="import six, docopt\n")
    paper("run", "--", old, "main.py")
    words = [sys.executable, "-m", "provenance", "env", "create", "@last", "--at", "back"]
    started = subprocess.Popen(words, cwd=paper.folder, env=paper.environ, stderr=subprocess.PIPE)
    folder = paper.folder / "back"
    deadline = time.monotonic() + 60
    while not (folder / ".prov-unfinished").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    started.send_signal(how)
    told = started.communicate(timeout=60)[1]
    assert b"Traceback" not in told
    if how == signal.SIGINT:
        assert started.returncode == 130
        assert not folder.exists()
    else:
        assert (folder / ".prov-unfinished").exists()
    paper("env", "create", "@last", "--at", "back")
    assert not (folder / ".prov-unfinished").exists()
    silent(paper, folder / "bin/python", "@last")


def test_offline_takes_the_cache_and_says_what_it_lacks(paper, tmp_path):
    old = venv(tmp_path / "old", "six==1.16.0")
    commit(paper, main="import six\n")
    paper("run", "--", old, "main.py")
    paper("env", "create", "@last", "--at", "one", "--offline")
    silent(paper, paper.folder / "one/bin/python", "@last")
    empty = {"UV_CACHE_DIR": str(tmp_path / "empty"), "PROV_CACHE": str(tmp_path / "other")}
    done = paper("env", "create", "@last", "--at", "two", "--offline", env=empty, code=5)
    assert "six 1.16.0: not in uv's cache, and the network is not to be used" in done.stderr
    assert os.listdir(paper.folder).count("two") == 0


def test_a_kept_environment_has_the_code_of_other_repositories(paper, tmp_path):
    from provenance.environments import build
    from provenance.operations import recipes, references
    from provenance.store import project as projects

    other = project(tmp_path / "other", "from-other", layout="src")
    git(other, "init", "-q")
    git(other, "add", ".")
    git(other, "commit", "-q", "-m", "one")
    (other / "src" / "from_other" / "__init__.py").write_text("VALUE = 3\n")
    old = venv(tmp_path / "old", "six==1.16.0", editable=str(other))
    commit(paper, main="import six, from_other\n")
    paper("run", "--", old, "main.py")
    paper("lock", "@last")
    (other / "src" / "from_other" / "__init__.py").write_text("VALUE = 4\n")

    place = projects.find(str(paper.folder))
    (reference,) = references.choose("prov.lock", place, str(paper.folder))
    recipe, notes = recipes.whole(reference, place, paper.environ)
    assert notes == ()
    assert recipe.left_out == ()
    assert list(recipe.hashes) == ["six==1.16.0"]
    made = build.build(recipe, build.Wish(paper.environ, str(paper.folder)))
    code = "import from_other, six; print(from_other.VALUE)"
    assert subprocess.check_output([made.python, "-c", code], text=True) == "3\n"
    assert recipes.whole(reference, place, paper.environ) == (recipe, notes)
    assert not build.build(recipe, build.Wish(paper.environ, str(paper.folder))).built
    silent(paper, made.python)
