"""Repositories of papers, made for tests: recorded, never adopted, odd."""

import json
import shutil
import subprocess
import sys

from provenance.core import canonical
from provenance.operations import adoption
from tests.conftest import Prov, git

USER, HOST, HOME = "ada7", "gpunode31.lab.example.edu", "/home/ada7"
NAME, EMAIL = "Ada Q. Tester", "ada.tester@cs.example.edu"
REMOTE = "git@github.com:tester-lab/secret-paper.git"
IDENTITY = {"USER": USER, "LOGNAME": USER, "HOSTNAME": HOST}

TRAIN = '''\
"""A training of nothing, with one package of the index."""
import argparse
import json
import random

import six

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--seed", type=int, default=3)
parser.add_argument("--note", default="")
args = parser.parse_args()

random.seed(args.seed)
rows = [float(line) for line in open("data.csv").read().split()[1:]]
loss = sum(rows) * args.lr + random.random()
json.dump({"test": {"loss": loss}, "val": {"loss": loss / 2}}, open("metrics.json", "w"))
print("loss", loss, six.text_type("done"))
'''
ENVIRONMENT = "name: paper\ndependencies:\n  - python=3.9\n  - numpy=1.23\n"
POETRY = """\
[[package]]
name = "six"
version = "1.16.0"
description = ""
optional = false
python-versions = "*"
files = []

[metadata]
lock-version = "2.0"
python-versions = "^3.10"
content-hash = "x"
"""
SIX = "def text_type(text):\n    return str(text)\n"


def repository(folder, **files):
    """Make a git repository with ``files``; "__" in a name is a dot."""
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "user.name", NAME)
    git(folder, "config", "user.email", EMAIL)
    git(folder, "remote", "add", "origin", REMOTE)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "start")
    return folder


def paper(folder, **more):
    """Make the repository of the small training."""
    files = {
        "train__py": TRAIN,
        "data__csv": "x\n1\n2\n3\n",
        "__gitignore": "metrics.json\n.venv/\n",
        "README__md": '# Learning "nothing": *a* study\n\nText.\n',
        "LICENSE": "MIT License\n\nCopyright (c) 2026 %s\n" % NAME,
    }
    return repository(folder, **{**files, **more})


def published(folder, *words, **more):
    """Make the small training, with a stand-in for its package, recorded and locked."""
    paper(folder, six__py=SIX, **more)
    prov = Prov(folder)
    prov("run", "--name", "table1", "--", sys.executable, "train.py", "--lr", "0.2", *words)
    prov("lock", "table1")
    return folder


def relocked(folder, change):
    """Change the first run of a lock as ``change`` does to its JSON, and seal it again."""
    path = folder / "prov.lock"
    document = json.loads(path.read_text())
    for run in document["runs"]:
        run.pop("sha256", None)
    change(document["runs"][0])
    document.pop("sha256", None)
    path.write_text(canonical.dumps(canonical.seal(canonical.plain(document))))


def rendered(folder, *parts, anonymous=False, environ=None):
    """Return the files of the kit by path; all parts where none is named."""
    names = adoption.names(parts, every=not parts)
    wish = adoption.Wish(str(folder), {**Prov(folder).environ, **(environ or {})}, names, anonymous)
    _, found, _ = adoption.render(wish)
    return {one.path: one.content.decode() for one in found}


def clone(source, folder):
    """Return a fresh clone, as a reader has it."""
    subprocess.run(["git", "clone", "-q", str(source), str(folder)], check=True)
    return folder


def copied(source, folder):
    """Return a copy of a made repository that a test may write to."""
    shutil.copytree(source, folder, symlinks=True)
    return folder
