"""Pipelines of a real DVC: in a folder below the top, with parameters, traced in both ways."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from provenance.operations._dvc_known import Known
from tests.conftest import Prov
from tests.dvc.conftest import Dvc, commit, prov_in, repository

COPY = (
    "import sys\ntext = open(sys.argv[1]).read()\n"
    "open(sys.argv[2], 'w').write(text + ' '.join(sys.argv[3:]))\n"
)
STAGES = """\
stages:
  prepare:
    wdir: work
    cmd: {run} ../repeat.py raw.txt prepared.txt ready
    deps: [raw.txt]
    outs: [prepared.txt]
  train:
    foreach: [a, b]
    do:
      cmd: {run} repeat.py work/prepared.txt model-${{item}}.txt ${{item}} ${{lr}}
      deps: [work/prepared.txt]
      params: [lr]
      outs:
        - model-${{item}}.txt
"""


@pytest.fixture(scope="module")
def top(dvc: Dvc, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with DVC in a folder, reproduced with a run in each stage."""
    made = repository(tmp_path_factory.mktemp("pipeline") / "repo")
    place = made / "paper"
    (place / "work").mkdir(parents=True)
    (place / "repeat.py").write_text(COPY)
    (place / "params.yaml").write_text("lr: 0.1\n")
    (place / "work" / "raw.txt").write_text("raw\n")
    dvc(place, "init", "-q", "--subdir")
    dvc(place, "add", "-q", "work/raw.txt")
    dvc(place, "remote", "add", "-q", "shared", "ssh://me:secret@host/data")
    dvc(place, "remote", "default", "--local", "shared")
    words = "%s -m provenance run -- %s" % (sys.executable, sys.executable)
    (place / "dvc.yaml").write_text(STAGES.format(run=words))
    commit(made)
    environ = dict(os.environ)
    for name in ("PYTHONPATH", "PROV_HOOK"):
        environ.pop(name, None)
    subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "-q"], cwd=place, env=environ, check=True,
        capture_output=True,
    )  # fmt: skip
    commit(made)
    return made


def test_what_the_stages_state(top: Path) -> None:
    known = Known(os.environ)
    for path, stage in (("model-b.txt", "train@b"), ("work/prepared.txt", "prepare")):
        pair = known.tracked(str(top / "paper" / path))
        assert pair is not None
        assert (pair[1].file, pair[1].stage) == ("dvc.lock", stage)
        assert pair[0].remote(pair[1]) == ("shared", "ssh://me@host/data"), "of config.local"


def test_each_stage_is_a_run_and_one_chain(top: Path, tmp_path: Path) -> None:
    found = tmp_path / "found.ckpt"
    found.write_bytes((top / "paper" / "model-b.txt").read_bytes())
    story = prov_in(top)("trace", str(found), cwd=top / "paper").stdout
    assert "model-b.txt" in story
    chain = [line for line in story.splitlines() if "└─" in line or "├─" in line]
    assert sum("repeat.py" in line and "python" in line for line in chain) >= 2, story
    assert "tracked by DVC, paper/work/raw.txt.dvc; remote shared, ssh://me@host/data" in story
    assert "secret" not in story


def test_a_run_outside_names_the_stage_that_made_its_data(top: Path) -> None:
    prov = prov_in(top)
    prov("run", "--", sys.executable, "repeat.py", "model-a.txt", "c.txt", cwd=top / "paper")
    (one,) = prov.payload("data")["dvc"]
    assert one["stage"] == "train@a"
    assert one["file"] == {"root": "repo", "path": "paper/dvc.lock"}
    assert (one["same"], one["remote"]) == (True, "shared")


def test_one_run_around_the_whole_pipeline(top: Path, dvc: Dvc) -> None:
    place = top / "paper"
    (place / "params.yaml").write_text("lr: 0.2\n")
    plain = (place / "dvc.yaml").read_text().replace("-m provenance run -- " + sys.executable, "")
    (place / "dvc.yaml").write_text(plain)
    prov = prov_in(top)
    prov("run", "--name", "all", "--", sys.executable, "-m", "dvc", "repro", "-q", cwd=place)
    wrote = {one["path"]["path"] for one in prov.payload("outputs")["files"]}
    assert {"paper/model-a.txt", "paper/model-b.txt", "paper/dvc.lock"} <= wrote
    assert not [path for path in wrote if "cache.db" in path], "DVC's own state is no result"
    traced = prov.json("trace", "model-a.txt", cwd=place)
    assert "all" in {one["name"] for one in traced["runs"]}


def test_no_remote_and_an_import(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("")
    (root / "x.txt").write_text("hello")
    md5 = "5d41402abc4b2a76b9719d911017c592"
    pointer = "outs:\n- md5: %s\n  size: 5\n  hash: md5\n  path: x.txt\n" % md5
    (root / "x.txt.dvc").write_text(pointer)
    prov = prov_in(root)
    prov("run", "--", sys.executable, "read.py", "x.txt")
    (one,) = prov.payload("data")["dvc"]
    assert "remote" not in one
    assert one["same"] is True
    (root / "x.txt").unlink()
    assert "x.txt (not here)" in prov("verify", code=None).stdout
    (root / "x.txt").write_text("hallo")
    origin = "deps:\n- path: x.txt\n  repo:\n    url: https://me:pw@host/r\n    rev_lock: abc\n"
    (root / "x.txt.dvc").write_text(origin + pointer)
    done = prov("run", "--", sys.executable, "read.py", "x.txt")
    assert "x.txt is not what x.txt.dvc states" in done.stderr
    (one,) = prov.payload("data")["dvc"]
    assert (one["origin"], one["same"]) == ("https://host/r@abc", False)
    (root / "x.txt").unlink()
    assert "`dvc pull x.txt` brings it" in prov("verify", code=None).stdout


def test_broken_files_of_dvc_stop_nothing(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("[core\nremote = \x00\n")
    (root / "x.txt").write_text("hello")
    (root / "x.txt.dvc").write_bytes(b"outs: [\xff\xfe: {{{")
    (root / "dvc.lock").write_text("stages: 7\n")
    prov: Prov = prov_in(root)
    done = prov("run", "--", sys.executable, "read.py", "x.txt")
    assert "bug" not in done.stderr
    assert "dvc" not in prov.payload("data")
