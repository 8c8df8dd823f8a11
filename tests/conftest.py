"""A small real project in a real git repository, and the real command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TRAIN = '''\
"""A training of nothing, with the standard library alone."""
import argparse
import csv
import json
import random

from helper import scale

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--epochs", type=int, default=3)
args = parser.parse_args()

random.seed(7)
rows = [float(row["x"]) for row in csv.DictReader(open("data.csv"))]
loss = sum(rows)
with open("history.csv", "w") as history:
    history.write("epoch,loss\\n")
    for epoch in range(args.epochs):
        loss = scale(loss, args.lr) + random.random()
        history.write("%d,%r\\n" % (epoch, loss))
json.dump({"loss": loss, "test": {"acc": 0.5}}, open("metrics.json", "w"))
open("model.bin", "wb").write(bytes(range(256)))
print("final loss", loss)
'''
HELPER = "def scale(loss, lr):\n    return loss * (1 - lr)\n"


def git(folder, *words, **more):
    """Run git in ``folder`` as a user with an identity and no settings of this machine."""
    environ = dict(
        os.environ,
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_CONFIG_SYSTEM=os.devnull,
        GIT_AUTHOR_NAME="a",
        GIT_AUTHOR_EMAIL="a@example.org",
        GIT_COMMITTER_NAME="a",
        GIT_COMMITTER_EMAIL="a@example.org",
    )
    done = subprocess.run(
        ["git", *words], cwd=folder, env=environ, check=True, capture_output=True, text=True, **more
    )
    return done.stdout


class Prov:
    """The ``prov`` command of this source tree, run in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("PROV_", "PYTHONPATH", "GIT_"))
        }

    def __call__(self, *words, code=0, cwd=None, env=None, **more):
        """Run ``prov words``; require the exit code (None: any); return the finished process."""
        done = subprocess.run(
            [sys.executable, "-m", "provenance", *words],
            cwd=cwd or self.folder,
            env=dict(self.environ, **(env or {})),
            stdin=more.pop("stdin", subprocess.DEVNULL),
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
            **more,
        )
        if code is not None:
            assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def json(self, *words, code=0, **more):
        """Run ``prov words --json``; return the ``data`` of its envelope."""
        done = self(*words, "--json", code=code, **more)
        envelope = json.loads(done.stdout)
        assert set(envelope) == {"schema", "data", "errors"}
        assert envelope["schema"] in ("prov/%s/1" % words[0], "prov/%s/1" % "-".join(words[:2]))
        return envelope["data"]

    def last(self):
        """Return the newest record as ``prov show`` gives it."""
        return self.json("show", "@last")

    def payload(self, facet, run="@last"):
        """Return the first payload of ``facet``."""
        answer = self.json("show", run)["facets"][facet]
        assert answer["status"] == "captured", answer
        return answer["subjects"][0]["payload"]


@pytest.fixture
def folder(tmp_path):
    """Return a folder with the small training, under no version control."""
    made = tmp_path / "project"
    made.mkdir()
    (made / "train.py").write_text(TRAIN)
    (made / "helper.py").write_text(HELPER)
    (made / "data.csv").write_text("x\n1\n2\n3\n")
    (made / ".gitignore").write_text("metrics.json\nhistory.csv\nmodel.bin\n")
    return made


@pytest.fixture
def repo(folder):
    """Return the small training, committed to git."""
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "start")
    return folder


@pytest.fixture
def prov(repo):
    """Return the command line in the committed project."""
    return Prov(repo)


@pytest.fixture
def loose(folder):
    """Return the command line in the project without git."""
    return Prov(folder)


PYTHON = sys.executable
