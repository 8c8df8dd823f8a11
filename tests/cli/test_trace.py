"""``prov run --trace=strace``: every file of every process, whoever opened it."""

import os
import shutil
import subprocess
import sys

import pytest

from provenance.executors import _trace
from tests.conftest import PYTHON

NEEDS_STRACE = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


@pytest.fixture
def traced(prov, tmp_path):
    """Return a way to run a command under strace, and what it read and wrote by name."""
    tracer, reason = _trace.probe(os.environ, str(tmp_path / "probe"))
    if tracer is None:
        pytest.skip(reason)

    def run(*command, options=(), **more):
        prov("run", "--trace=strace", *options, "--", *command, **more)
        return _files(prov, "data"), _files(prov, "outputs")

    return run


def _files(prov, facet):
    return {one["path"].get("path"): one for one in prov.payload(facet)["files"]}


def test_files_that_no_hook_sees(prov, repo, traced):
    (repo / "raw.txt").write_text("b\na\n")
    (repo / "iso.csv").write_text("1\n")
    (repo / "job.sh").write_text(
        "sort raw.txt > sorted.txt\n"
        "cat sorted.txt missing.txt > both.txt 2> /dev/null\n"
        'cd sub && cat deep.csv > "../a copy.csv"\n'
        "cd .. && %s -I -S -c \"open('iso.csv').read(); open('iso.dat', 'w').write('1')\"\n"
        "mv both.txt final.txt; rm 'a copy.csv'; cp -r sub sub2\n" % sys.executable
    )
    (repo / "sub").mkdir()
    (repo / "sub" / "deep.csv").write_text("2\n")
    data, outputs = traced("sh", "job.sh")
    assert set(data) == {"raw.txt", "iso.csv", "sub/deep.csv"}
    assert all(one["digests"] and "traced" in one["how"] for one in data.values())
    kinds = {name: one["kind"] for name, one in outputs.items()}
    assert kinds == {
        "sorted.txt": "intermediate",
        "final.txt": "output",
        "iso.dat": "output",
        "sub2/deep.csv": "output",
    }
    assert prov.payload("outputs")["temporary"] == 1
    used = {one["path"]["path"] for one in prov.payload("code")["used"]}
    assert used == {"job.sh"}


def test_what_both_see_is_one_entry(prov, repo, traced):
    data, outputs = traced(PYTHON, "train.py")
    assert data["data.csv"]["how"] == ["observed", "traced"]
    assert set(data) == {"data.csv"}
    assert outputs["model.bin"]["how"] == ["observed", "traced", "scanned"]
    assert {one["path"]["path"] for one in prov.payload("code")["used"]} == {
        "train.py",
        "helper.py",
    }
    assert prov.payload("params")["values"]["lr"]["value"] == 0.1


def test_without_the_hook(repo, traced):
    data, outputs = traced(PYTHON, "train.py", options=["--no-hook"])
    assert set(data) == {"data.csv"}
    assert data["data.csv"]["how"] == ["traced"]
    assert set(outputs) == {"metrics.json", "history.csv", "model.bin"}


def test_a_database_that_is_made_is_no_input(repo, traced):
    make = "import sqlite3; c = sqlite3.connect('new.db'); c.execute('create table a (b)')"
    (repo / "old.db").write_bytes(b"")
    use = "f = open('old.db', 'r+b'); f.write(b'x')"
    data, outputs = traced(PYTHON, "-I", "-c", "%s; c.commit(); %s" % (make, use))
    assert data["old.db"]["kind"] == "updated"
    assert set(data) == {"old.db"}
    assert {"new.db", "old.db"} == set(outputs)


def test_many_files_of_a_folder_are_one_entry(repo, traced):
    (repo / "many").mkdir()
    for number in range(400):
        (repo / "many" / ("%d.bin" % number)).write_bytes(b"x")
    data, _ = traced("sh", "-c", "cat many/*.bin > all.bin")
    assert data["many"]["kind"] == "folder"
    assert data["many"]["files"] == 400
    assert "traced" in data["many"]["how"]
    assert set(data) == {"many"}


def test_programs_of_the_project_are_read_and_installed_ones_are_not(repo, traced, tmp_path):
    (repo / "tool").write_text("#!/bin/sh\ncat data.csv > /dev/null\n")
    (repo / "tool").chmod(0o755)
    prefix = tmp_path / "installed"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "share").mkdir()
    (prefix / "share" / "table").write_text("x")
    (prefix / "bin" / "other").write_text("#!/bin/sh\ncat %s/share/table\n" % prefix)
    (prefix / "bin" / "other").chmod(0o755)
    data, _ = traced("sh", "-c", "./tool; %s/bin/other" % prefix)
    assert {"tool", "data.csv"} <= set(data)
    assert not any(name and "share/table" in name for name in data)


@NEEDS_STRACE
def test_the_log_is_not_left_behind(prov, repo, traced):
    traced("true")
    (run,) = (repo / ".prov" / "runs").iterdir()
    assert not (run / "agent").exists()


def _path_without_strace(tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("git", "sh", "true", "cat"):
        (folder / name).symlink_to(shutil.which(name))
    return {"PATH": str(folder)}


def test_without_strace_the_run_goes_on_and_says_so(prov, repo, tmp_path):
    env = _path_without_strace(tmp_path)
    done = prov("run", "--trace=strace", "--", "sh", "-c", "exit 3", code=3, env=env)
    assert "--trace=strace is not in effect: strace is not installed." in done.stderr
    assert any("strace is not installed" in note for note in prov.last()["notes"])


def test_a_required_record_needs_its_trace(prov, repo, tmp_path):
    env = _path_without_strace(tmp_path)
    words = ["run", "--require-record", "--trace=strace", "--", "sh", "-c", "echo ran"]
    done = prov(*words, code=125, env=env)
    assert "ran" not in done.stdout
    assert "strace is not installed" in done.stderr
    assert not list((repo / ".prov" / "runs").iterdir())


def test_a_run_whose_recorder_was_killed(prov, repo, traced):
    (repo / "raw.txt").write_text("1\n")
    script = "cat raw.txt > made.txt; kill -9 $PPID; sleep 0.3"
    argv = [sys.executable, "-m", "provenance", "run", "--no-capture", "--trace=strace", "--"]
    done = subprocess.run([*argv, "sh", "-c", script], cwd=repo, env=prov.environ, check=False)
    assert done.returncode == -9
    assert set(_files(prov, "data")) == {"raw.txt"}
    assert "made.txt" in _files(prov, "outputs")
