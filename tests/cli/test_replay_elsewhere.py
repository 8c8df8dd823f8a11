"""Replaying as on another machine: a fresh home, a fresh clone, only the remotes left."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_replay_rebuild import FOREST, OLD
from tests.conftest import Prov, git
from tests.environments.test_conda import conda, packages  # noqa: F401  # a fixture
from tests.facets._venvs import python_of, uv, venv

pytestmark = [pytest.mark.slow, pytest.mark.network]

TINY = """\
import json, six, tiny
json.dump({"value": tiny.VALUE, "text": len(six.text_type("x"))}, open("metrics.json", "w"))
"""
EXAMPLE = Path(__file__).parents[2] / "examples" / "paper-pip"


class Elsewhere:
    """An author's repository, pushed to a bare one; and, later, a reader's clone of that."""

    def __init__(self, folder: Path) -> None:
        """Make the author's repository in ``folder``."""
        self.folder, self.author = folder, folder / "author" / "paper"
        self.author.mkdir(parents=True)
        git(self.author, "init", "-q", "-b", "main")
        subprocess.run(["git", "init", "-q", "--bare", folder / "remote"], check=True)
        git(self.author, "remote", "add", "origin", str(folder / "remote"))
        (self.author / ".gitignore").write_text("metrics.json\n")

    def publish(self, python: str, source: str) -> None:
        """Record ``source`` with ``python``, lock it, push; nothing of it is left then."""
        (self.author / "fit.py").write_text(source)
        git(self.author, "add", ".")
        git(self.author, "commit", "-q", "-m", "code")
        prov = self.prov(self.author, "author-home")
        prov("run", "--", python, "fit.py")
        prov("lock", "@last")
        git(self.author, "add", "prov.lock")
        git(self.author, "commit", "-q", "-m", "lock")
        git(self.author, "push", "-q", "origin", "main")
        shutil.rmtree(self.folder / "author")

    def prov(self, folder: Path, home: str) -> Prov:
        """Return the command line in ``folder`` with a home of its own."""
        found = Prov(folder)
        place = self.folder / home
        place.mkdir(exist_ok=True)
        kept = Path(os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv")))
        found.environ.update(HOME=str(place), PYENV_ROOT=str(kept), XDG_CACHE_HOME=str(place / "c"))
        found.environ.setdefault("UV_CACHE_DIR", os.path.expanduser("~/.cache/uv"))
        return found

    def replayed(self) -> dict:
        """Return what a reader's replay in the rebuilt environment gives."""
        there = self.folder / "reader" / "deeper"
        there.mkdir(parents=True)
        words = ["git", "clone", "-q", "-b", "main", self.folder / "remote", there / "paper"]
        subprocess.run(words, check=True)
        clone = self.prov(there / "paper", "reader-home")
        data = clone.json("replay", "--yes", "--env", "rebuild")
        assert git(clone.folder, "status", "--porcelain") == "", "the reader's tree is untouched"
        return data


@pytest.fixture
def elsewhere(tmp_path):
    """Return an author's repository."""
    return Elsewhere(tmp_path)


def same(data):
    assert [f["effect"] for f in data["findings"] if f["effect"] != "none"] == []
    assert data["results"]["verdict"] == "same"
    assert {m["verdict"] for m in data["results"]["metrics"]} == {"same"}
    assert {o["verdict"] for o in data["results"]["outputs"]} == {"same"}


def test_of_packages_of_the_index(elsewhere, tmp_path):
    for name in ("data", "train.py"):
        here, there = EXAMPLE / name, elsewhere.author / name
        shutil.copytree(here, there) if here.is_dir() else shutil.copy(here, there)
    (elsewhere.author / ".gitignore").write_text("results\n")
    stated = (EXAMPLE / "requirements.txt").read_text().split()
    python = venv(tmp_path / "author" / "env", *stated, python=python_of("3.11"))
    elsewhere.publish(python, (EXAMPLE / "train.py").read_text())
    same(elsewhere.replayed())


def test_of_an_old_python(elsewhere, tmp_path):
    elsewhere.publish(venv(tmp_path / "author" / "env", *OLD, python=python_of("3.7")), FOREST)
    same(elsewhere.replayed())


def test_of_conda_with_pip_inside(elsewhere, tmp_path, packages):  # noqa: F811
    prefix = str(tmp_path / "author" / "conda")
    conda.install(packages, prefix, prefix, str(tmp_path / "kept"))
    uv(tmp_path, "pip", "install", "-q", "-p", prefix + "/bin/python", "six==1.16.0")
    elsewhere.publish(prefix + "/bin/python", TINY)
    shutil.rmtree(tmp_path / "kept")
    same(elsewhere.replayed())
