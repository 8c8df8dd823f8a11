"""``prov path`` and ``provenance.path``: what a run left, by its address, verified."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MAKE = """\
import os, provenance
os.makedirs("out/tokenizer", exist_ok=True)
os.makedirs("other", exist_ok=True)
open("out/best.pt", "wb").write(b"w" * 1000)
open("other/log.txt", "w").write("other")
open("out/log.txt", "w").write("out")
open("out/tokenizer/vocab.txt", "w").write("a\\nb\\n")
open("out/tokenizer/merges.txt", "w").write("ab\\n")
provenance.log_artifact("out/best.pt", name="weights", kind="model")
"""
USE = """\
import sys
import provenance
for one in sys.argv[1:]:
    print(provenance.path(one))
"""


@pytest.fixture
def made(loose):
    """Return the command line in a folder with one run that is called base."""
    (loose.folder / "make.py").write_text(MAKE)
    (loose.folder / "use.py").write_text(USE)
    loose("run", "--name", "base", "--", sys.executable, "make.py")
    return loose


def where(prov, address, **more):
    return Path(prov("path", address, **more).stdout.rstrip("\n"))


@pytest.mark.parametrize(
    "address",
    ["@last:out/best.pt", "base:best.pt", "base:weights", "@-1:*.pt", "base:./out//best.pt"],
)
def test_a_file_in_place_is_used_there(made, address):
    assert where(made, address) == made.folder / "out" / "best.pt"
    assert not (made.folder / ".prov" / "artifacts").exists()


def test_a_folder_is_all_its_recorded_files(made):
    folder = made.folder / "out" / "tokenizer"
    assert where(made, "base:tokenizer") == folder
    (folder / "added.json").write_text("{}")
    kept = where(made, "base:out/tokenizer")
    assert kept.parent.parent == made.folder / ".prov" / "artifacts"
    assert sorted(one.name for one in kept.iterdir()) == ["merges.txt", "vocab.txt"]
    assert not kept.joinpath("vocab.txt").stat().st_mode & 0o222
    assert (folder / "added.json").exists()
    assert made.json("path", "base:tokenizer")["artifacts"][0]["source"] == "kept"
    kept.joinpath("vocab.txt").chmod(0o644)
    kept.joinpath("vocab.txt").write_text("evil")
    assert where(made, "base:tokenizer").joinpath("vocab.txt").read_text() == "a\nb\n"


def test_what_changed_since_is_refused_or_found_elsewhere(made):
    best = made.folder / "out" / "best.pt"
    copy = made.folder / "kept.pt"
    copy.write_bytes(best.read_bytes())
    best.write_bytes(b"v" * 1000)
    done = made("path", "base:weights", code=4)
    assert done.stderr.startswith("prov: out/best.pt of run base was changed since the run")
    made("run", "--", sys.executable, "-c", "open('kept.pt', 'rb').read()")
    (told,) = made.json("path", "base:weights")["artifacts"]
    assert (told["path"], told["source"]) == (str(copy), "copy")
    assert best.read_bytes() == b"v" * 1000


def test_errors_name_what_was_meant(made):
    assert "did you mean weights" in made("path", "base:wieghts", code=4).stderr
    assert "did you mean out/tokenizer/vocab.txt" in made("path", "base:vocab.tx", code=4).stderr
    told = made("path", "base:log.txt", code=2).stderr
    assert "means 2 files of base: other/log.txt, out/log.txt" in told
    assert "no address" in made("path", "best.pt", code=2).stderr
    assert "no run is called 'nobody'" in made("path", "nobody:best.pt", code=4).stderr
    assert "2 files" in made("path", "base:tok*/*.txt", code=2).stderr
    lines = made("path", "--all", "base:tok*/*.txt").stdout.splitlines()
    assert [os.path.basename(line) for line in lines] == ["merges.txt", "vocab.txt"]
    envelope = json.loads(made("path", "--json", "base:nothing", code=4).stdout)
    assert envelope["errors"][0]["code"] == "no-such-artifact"


def test_of_a_published_run(made):
    made("lock", "base")
    (folder,) = (made.folder / ".prov" / "runs").iterdir()
    folder.rename(made.folder / "away")
    assert where(made, "base:weights") == made.folder / "out" / "best.pt"


def test_code_gets_it_and_the_run_says_whose_it_was(made):
    base = made.last()["id"]
    done = made("run", "--name", "base", "--", sys.executable, "use.py", "@last:best.pt")
    best = made.folder / "out" / "best.pt"
    assert done.stdout.splitlines() == [str(best)]
    data = made.payload("data")
    (asked,) = data["addresses"]
    assert (asked["address"], asked["run"], asked["where"]) == ("@last:best.pt", base, "use.py:4")
    assert asked["recorded"] == asked["path"] == {"root": "repo", "path": "out/best.pt"}
    assert [one["path"]["path"] for one in data["files"] if "declared" in one["how"]] == [
        "out/best.pt"
    ]


def test_in_a_shell_script_too(made):
    base = made.last()["id"]
    script = 'test -s "$(%s -m provenance path base:weights)"' % sys.executable
    made("run", "--name", "base", "--", "sh", "-c", script)
    (asked,) = made.payload("data")["addresses"]
    assert (asked["address"], asked["run"], asked["where"]) == ("base:weights", base, "")


def test_a_replay_gets_the_file_of_the_same_run(made):
    made("run", "--name", "use", "--", sys.executable, "use.py", "@last:best.pt")
    (made.folder / "make.py").write_text(MAKE.replace("1000", "999"))
    (made.folder / "keep.pt").write_bytes(b"w" * 1000)
    made("run", "--", sys.executable, "-c", "open('keep.pt', 'rb').read()")
    made("run", "--", sys.executable, "make.py")
    made("replay", "use", "--yes", code=None)
    data = made.payload("data")
    assert made.last()["replay_of"]
    (asked,) = data["addresses"]
    assert asked["path"]["path"].endswith("keep.pt")


def test_outside_of_a_run_and_without_prov_on_the_path(made, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    made("init", "--sdk")
    sdk = next(made.folder.glob("prov*.py"))
    sdk.rename(alone / "provenance.py")
    environ = dict(made.environ, PATH=str(alone), PYTHONPATH=str(alone))

    def use(*words):
        return subprocess.run(
            [sys.executable, "-S", "use.py", *words],
            cwd=made.folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    done = use("base:weights")
    assert done.stdout.split() == [str(made.folder / "out" / "best.pt")]
    assert "not verified" in done.stderr
    assert "FileNotFoundError: run base has no file nothing" in use("base:nothing").stderr
    (made.folder / "out" / "best.pt").write_bytes(b"short")
    assert "was changed since the run" in use("@last:best.pt").stderr


def test_what_was_pushed_comes_from_the_store_and_the_remote(made, tmp_path):
    remote = tmp_path / "remote"
    made("push", "base", "--remote", str(remote))
    (made.folder / "out" / "best.pt").unlink()
    (made.folder / "out" / "tokenizer" / "vocab.txt").unlink()
    (made.folder / "prov.yaml").write_text("remotes: {team: %s}\n" % remote)
    (told,) = made.json("path", "base:weights")["artifacts"]
    assert told["source"] == "store"
    assert Path(told["path"]).read_bytes() == b"w" * 1000
    shutil.rmtree(made.folder / ".prov" / "objects", ignore_errors=True)
    assert (where(made, "base:tokenizer") / "vocab.txt").read_text() == "a\nb\n"
    shutil.rmtree(made.folder / ".prov" / "objects", ignore_errors=True)
    shutil.rmtree(made.folder / ".prov" / "artifacts")
    for one in remote.rglob("*"):
        if one.is_file() and one.stat().st_size == 1000:
            one.chmod(0o644)
            one.write_bytes(b"x" * 1000)
    assert "damaged at %s" % remote in made("path", "base:weights", code=4).stderr
