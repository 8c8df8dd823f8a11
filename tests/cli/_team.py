"""A bare repository and two clones of it, Anna's and Ben's, with real runs of a small script."""

import shutil
import subprocess
import sys

from provenance.store import project, records
from tests.conftest import Prov, git

SCRIPT = """\
import json, sys
json.dump({"test_acc": float(sys.argv[1])}, open("metrics.json", "w"))
print("trained")
"""
REFS = "refs/prov/runs/"


def clone(bare, folder, name, *words):
    """Clone ``bare`` for a person; return their command line."""
    git(folder.parent, "clone", "-q", *words, str(bare), str(folder))
    git(folder, "config", "user.name", name)
    git(folder, "config", "user.email", "%s@example.org" % name.split()[0].lower())
    return Prov(folder)


def team(tmp_path):
    """Make a bare repository and clones of Anna and Ben; Anna has one run."""
    bare = tmp_path / "team.git"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(bare))
    anna = clone(bare, tmp_path / "anna", "Anna Berg")
    (anna.folder / "train.py").write_text(SCRIPT)
    (anna.folder / ".gitignore").write_text("metrics.json\n")
    git(anna.folder, "add", ".")
    git(anna.folder, "commit", "-q", "-m", "start")
    git(anna.folder, "push", "-q", "origin", "HEAD:main")
    run(anna, "0.9", "baseline")
    ben = clone(bare, tmp_path / "ben", "Ben")
    return bare, anna, ben


def copied(made, tmp_path):
    """Return what `team` made in ``made`` as a copy of its own."""
    bare = tmp_path / "team.git"
    shutil.copytree(made, tmp_path, dirs_exist_ok=True, symlinks=True)
    for name in ("anna", "ben"):
        git(tmp_path / name, "remote", "set-url", "origin", str(bare))
    return bare, Prov(tmp_path / "anna"), Prov(tmp_path / "ben")


def own(prov, run_id):
    """Make a run that was fetched one of the person's own, under another id."""
    place = project.find(str(prov.folder))
    stored = records.find(place, run_id)
    new, home = records.create(place, 1.8e9)
    records.write(home, stored.record._replace(id=new))


def run(prov, result, name):
    """Record one run of the script; return its id."""
    prov("run", "--name", name, "--", sys.executable, "train.py", result)
    return prov.last()["id"]


def copies(folder, count):
    """Add ``count`` runs that differ from the first in id and name alone; return their ids."""
    place = project.find(str(folder))
    first = records.find(place, records.ids(place)[0])
    made = []
    for number in range(count):
        run_id, home = records.create(place, 1.7e9 + number)
        shutil.copytree(first.folder, home, dirs_exist_ok=True)
        records.write(home, first.record._replace(id=run_id, name="run-%d" % number))
        made.append(run_id)
    return made


def change(folder, run_id, **members):
    """Write a record anew with other members, as closing it does."""
    place = project.find(str(folder))
    stored = records.find(place, run_id)
    records.write(stored.folder, stored.record._replace(**members))


def refs(bare):
    """Return the ids of the runs in a repository."""
    listed = git(bare, "for-each-ref", "--format=%(refname)", REFS)
    return [line[len(REFS) :] for line in listed.split()]


def plant(bare, run_id, names, message):
    """Put a hand-made commit on a run's ref; ``names``: (mode, name, content) of its files."""
    rows = []
    for mode, name, content in names:
        oid = git(bare, "hash-object", "-w", "--stdin", input=content).strip()
        rows.append("%s blob %s\t%s" % (mode, oid, name))
    feed = "".join(row + "\0" for row in rows)
    tree = git(bare, "mktree", "-z", "--missing", input=feed).strip()
    commit = git(bare, "commit-tree", tree, "-m", message).strip()
    git(bare, "update-ref", REFS + run_id, commit)
    return commit


def state(folder):
    """Return all that sharing must leave alone in a clone."""
    status = git(folder, "status", "--porcelain")  # first: it renews the index itself
    listed = git(folder, "for-each-ref") + git(folder, "config", "--local", "--list")
    index = (folder / ".git" / "index").read_bytes()
    head = (folder / ".git" / "HEAD").read_text()
    objects = subprocess.run(
        ["find", ".git/objects", ".git/hooks", ".git/shallow", ".git/FETCH_HEAD"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return listed, index, head, sorted(objects.split()), status
