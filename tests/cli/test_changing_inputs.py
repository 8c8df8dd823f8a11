"""Inputs that do not stay what they were while the run goes on."""

import pytest

from provenance.core import digest
from tests.conftest import PYTHON

RESUME = """\
import os, time
with open("model.ckpt", "rb") as stream:
    epochs = len(stream.read())
time.sleep({pause})
with open({target!r}, "wb") as stream:
    stream.write(b"x" * (epochs + 1))
{after}
"""
EDITED = """\
import subprocess, time
open("input.csv").read()
time.sleep(1.2)
subprocess.run(["sh", "-c", {shell!r}], check=True)
"""


def entry(prov, name, facet="data"):
    files = prov.payload(facet)["files"]
    return next(one for one in files if one["path"]["path"] == name)


def digests_of(path):
    return digest.file_digests(str(path), (digest.best_algorithm(),))


@pytest.mark.parametrize("way", ["in place", "by rename"])
def test_a_checkpoint_that_is_resumed_has_the_digest_of_what_was_read(prov, repo, way):
    (repo / "model.ckpt").write_bytes(b"x" * 5000)
    before = digests_of(repo / "model.ckpt")
    target = "model.ckpt" if way == "in place" else "model.tmp"
    after = "" if way == "in place" else "os.replace('model.tmp', 'model.ckpt')"
    (repo / "job.py").write_text(RESUME.format(pause=1.2, target=target, after=after))
    prov("run", "--", PYTHON, "job.py")
    read = entry(prov, "model.ckpt")
    assert (read["kind"], read["state"], read["digests"]) == ("updated", "overwritten", before)
    left = entry(prov, "model.ckpt", "outputs")
    assert left["digests"] == digests_of(repo / "model.ckpt") != before


def test_what_was_overwritten_at_once_is_never_given_the_new_digest(prov, repo):
    (repo / "model.ckpt").write_bytes(b"x" * 5000)
    before = digests_of(repo / "model.ckpt")
    (repo / "job.py").write_text(RESUME.format(pause=0, target="model.ckpt", after=""))
    prov("run", "--", PYTHON, "job.py")
    read = entry(prov, "model.ckpt")
    assert read["state"] == "overwritten"
    assert read["digests"] in ({}, before)


@pytest.mark.parametrize(
    "shell",
    ["echo 7 >> input.csv", "echo 9 > other && mv other input.csv", "printf 5 > input.csv"],
    ids=["grown", "replaced", "edited"],
)
def test_what_somebody_else_changes_meanwhile_is_said_to_have_changed(prov, repo, shell):
    (repo / "input.csv").write_text("1\n2\n")
    before = digests_of(repo / "input.csv")
    (repo / "job.py").write_text(EDITED.format(shell=shell))
    prov("run", "--", PYTHON, "job.py")
    read = entry(prov, "input.csv")
    assert (read["state"], read["digests"]) == ("changed", before)
    assert any("input.csv changed" in one for one in prov.last()["facets"]["data"]["notes"])


WORKERS = """\
import multiprocessing, sys
def read(number):
    for part in range(number * 500, number * 500 + 500):
        with open("data/c%02d/%04d.bin" % (part % 20, part), "rb") as stream:
            stream.read()
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    for epoch in range(2):
        with context.Pool(3) as pool:
            pool.map(read, range(4), chunksize=1)
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_data_set_read_by_workers_is_one_folder_with_a_digest(prov, repo, method):
    for number in range(2000):
        path = repo / "data" / ("c%02d" % (number % 20)) / ("%04d.bin" % number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % number)
    (repo / "job.py").write_text(WORKERS)
    prov("run", "--", PYTHON, "job.py", method)
    expected = digest.tree_digest(str(repo / "data"), digest.best_algorithm()).digests
    read = entry(prov, "data")
    assert (read["kind"], read["files"], read["digests"]) == ("folder", 2000, expected)
    assert len(prov.payload("data")["files"]) == 1
