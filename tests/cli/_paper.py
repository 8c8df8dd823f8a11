"""A small paper with a repository that is fit to be published, and what is objected to in it."""

import json
import platform
import textwrap
from pathlib import Path

import numpy

from tests.conftest import PYTHON, Prov, git

ROOT = Path(__file__).resolve().parent.parent.parent
TRAIN = """\
import json
import numpy as np
from helper import scale

np.random.seed(1)
data = np.loadtxt("data.csv")
json.dump({"loss": float(scale(data.sum() + np.random.normal()))}, open("metrics.json", "w"))
"""
FILES = {
    "train.py": TRAIN,
    "helper.py": "def scale(loss):\n    return loss * 2\n",
    "data.csv": "1\n2\n3\n",
    ".gitignore": "metrics.json\n",
    "LICENSE": "MIT License\n",
    "README.md": "# Paper\n\nRun: python train.py\n",
    "requirements.txt": "numpy==%s\n" % numpy.__version__,
    ".python-version": platform.python_version() + "\n",
}


class Paper(Prov):
    """A repository with everything that reviewers ask for, and a remote that has it all."""

    def write(self, **files):
        """Write files by name, "__" for a slash and "_dot_" for a dot."""
        for name, text in files.items():
            path = self.folder / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))

    def commit(self):
        """Commit everything."""
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-q", "--allow-empty", "-m", "more")

    def push(self):
        """Let the remote's branch, as this clone knows it, hold the newest commit."""
        git(self.folder, "update-ref", "refs/remotes/origin/main", "HEAD")

    def record(self, *words, code=0, **more):
        """Record the training, or ``words``."""
        words = words or (PYTHON, "train.py")
        self("run", "--name", "main", "--", *words, code=code, **more)

    def publish(self):
        """Lock the run, commit the lock and push it."""
        self("lock", "main")
        self.commit()
        self.push()

    def check(self, *words, code=None):
        """Return the objections by kind, and require that the exit code fits them."""
        done = self("lock", "--check", *words, "--json", code=code)
        envelope = json.loads(done.stdout)
        assert envelope["schema"] == "prov/lock-check/1"
        data = envelope["data"]
        blocks = [one for one in data["objections"] if one["weight"] == "blocks"]
        assert done.returncode == data["exit_code"] == (1 if blocks else 0)
        assert data["counts"]["blocks"] == len(blocks)
        weights = [one["weight"] for one in data["objections"]]
        assert weights == sorted(weights, key=["blocks", "advice", "note"].index)
        return {one["kind"]: one for one in data["objections"]}

    def json_of(self, *words, **more):
        """Return all objections, whatever the exit code."""
        done = self("lock", "--check", *words, "--json", code=None, **more)
        return json.loads(done.stdout)["data"]["objections"]


def made_in(folder):
    """Return the command line in a new repository that is fit to be published."""
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "remote", "add", "origin", "https://github.com/someone/paper.git")
    made = Paper(folder)
    made.commit()
    made.push()
    return made
