"""The home folder of rehearsals: libraries may write there, secrets are not in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from provenance.executors import sandbox
from provenance.operations import _scratch_home

READS_AND_WRITES = """
import os, sys
home = os.path.expanduser("~")
for name in ".stars/stars.cfg .config/plots/rc .local/share/new/file .fresh notes.txt".split():
    os.makedirs(os.path.dirname(os.path.join(home, name)), exist_ok=True)
    try:
        open(os.path.join(home, name), "w").write("changed")
        print(name, "written")
    except OSError as error:
        print(name, type(error).__name__)
for name in ("data/x.csv", ".ssh/key"):
    try:
        print(name, open(os.path.join(home, name)).read())
    except OSError as error:
        print(name, type(error).__name__)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    for name, text in (
        (".stars/stars.cfg", "old"),
        (".config/plots/rc", "old"),
        (".local/share/there/file", "old"),
        (".ssh/key", "SECRET"),
        (".config/gh/hosts.yml", "SECRET"),
        ("data/x.csv", "1,2"),
        ("notes.txt", "mine"),
    ):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(text)
    (made / ".large").mkdir()
    (made / ".large" / "model.bin").write_bytes(bytes(_scratch_home.COPY_BYTES + 1))
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_small_hidden_folders_are_copied_and_secrets_never(home: Path, tmp_path: Path) -> None:
    used = Path(_scratch_home.make(str(home), str(tmp_path / "scratch")))
    assert (used / ".stars" / "stars.cfg").read_text() == "old"
    assert not (used / ".stars").is_symlink()
    assert (used / ".large").is_symlink()
    assert (used / "data").is_symlink()
    real = [p for p in used.rglob("*") if p.is_file() and not p.is_symlink()]
    real = [p for p in real if used in Path(os.path.realpath(p)).parents]
    assert all("SECRET" not in p.read_text() for p in real)


def test_a_crowded_or_unreadable_home_is_used_as_it_is(tmp_path: Path) -> None:
    crowded = tmp_path / "crowded"
    crowded.mkdir()
    for number in range(_scratch_home.MOST_ENTRIES + 1):
        (crowded / str(number)).touch()
    for one in (str(crowded), str(tmp_path / "absent")):
        assert _scratch_home.make(one, str(tmp_path / "scratch")) == one


@pytest.mark.skipif(not sandbox.probe().writes, reason="no sandbox here")
def test_in_the_sandbox_writing_reaches_the_copy_alone(home: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    used = _scratch_home.make(str(home), str(work / "home"))
    before = contents(home)
    told = work / "told.txt"
    (work / "script.py").write_text(
        "import sys\nsys.stdout = open(%r, 'w')\n%s" % (str(told), READS_AND_WRITES)
    )
    command = ("python3", str(work / "script.py"))
    environ = dict(os.environ, HOME=used)
    sandbox.run(sandbox.Task(command, str(work), environ, (str(work),)))
    said = dict(line.split(" ", 1) for line in told.read_text().splitlines())
    assert said[".stars/stars.cfg"] == said[".local/share/new/file"] == said[".fresh"] == "written"
    assert said[".config/plots/rc"] == "written"
    assert said["notes.txt"] == "PermissionError"
    assert said["data/x.csv"] == "1,2"
    assert contents(home) == before
