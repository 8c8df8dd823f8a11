"""What `prov gc` does with contents: brought by `prov path`, pulled, and safe at a remote."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from provenance.operations import cleaning, obtain
from provenance.store.objects import Store
from tests.conftest import Prov

OLD = time.time() - 90 * 86_400
MAKE = 'import os; os.makedirs("parts"); [open("parts/%d" % n, "w").write("part %d" % n) for n in range(20)]; open("model.bin", "w").write("weights")'  # noqa: E501


def age(top: Path) -> None:
    for folder, _, names in os.walk(top):
        for name in (*names, "."):
            os.utime(os.path.join(folder, name), (OLD, OLD))


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Prov, Prov]:
    """Return a project whose run was pushed, and another that pulled it."""
    found = []
    for name in ("anna", "ben"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "prov.yaml").write_text("remotes: {team: ../remote}\n")
        found.append(Prov(folder))
        found[-1].environ["PROV_CACHE"] = str(tmp_path / "cache")
    anna, ben = found
    (anna.folder / "make.py").write_text(MAKE)
    anna("run", "--name", "x", "--", "python3", "make.py")
    anna("push", "x")
    ben("pull", "x")
    return anna, ben


def blobs(prov: Prov) -> list[Path]:
    return [one for one in (prov.folder / ".prov/objects/files").rglob("*") if one.is_file()]


def test_blobs_that_a_remote_has_go_when_asked_and_come_again(pair: tuple[Prov, Prov]) -> None:
    _, ben = pair
    before = len(blobs(ben))
    assert before > 20
    assert ben.json("gc", "--pushed")["items"] == []  # what was pulled a moment ago stays
    age(ben.folder / ".prov/objects")
    assert ben.json("gc")["items"] == []
    assert {one["kind"] for one in ben.json("gc", "--pushed")["items"]} == {"objects"}
    lost = next((ben.folder.parent / "remote/files").rglob("%s*" % blobs(ben)[0].name))
    lost.unlink()
    ben("gc", "--pushed", "--remote", "../remote", "--yes")
    left = blobs(ben)
    assert 0 < len(left) < before
    assert lost.name in {one.name for one in left}  # the remote has it no more: it stays
    ben("pull", "x", code=None)
    assert len(blobs(ben)) == before
    ben("checkout", "x")
    assert (ben.folder / "parts/7").read_text() == "part 7"
    assert "add --pushed" in ben("gc", "--remote", "team", code=2).stderr


def test_blobs_of_kept_runs_stay(pair: tuple[Prov, Prov]) -> None:
    _, ben = pair
    age(ben.folder / ".prov/objects")
    ben("keep", "x")
    done = ben.json("gc", "--pushed")
    assert done["items"] == []
    assert len(done["spared"]) > 20


def test_what_was_brought_goes_when_it_was_not_asked_for_in_long(pair: tuple[Prov, Prov]) -> None:
    anna, ben = pair
    (anna.folder / "model.bin").unlink()
    path = Path(ben("path", "x:model.bin").stdout.strip())
    assert path.read_text() == "weights"
    top = ben.folder / ".prov" / obtain.FOLDER
    assert ben.json("gc")["items"] == []
    age(top)
    assert [one["kind"] for one in ben.json("gc")["items"]] == [obtain.FOLDER]
    ben("path", "x:model.bin")  # asked for again: that counts, though nothing is written there
    assert ben.json("gc")["items"] == []
    age(top)
    ben("keep", "x")
    assert ben.json("gc")["items"] == []
    ben("keep", "--off", "x")
    ben("gc", "--yes")
    assert not path.exists()
    assert Path(ben("path", "x:model.bin").stdout.strip()).read_text() == "weights"
    ben("gc", "--yes")
    assert path.exists()


def test_what_is_left_of_killed_ones_goes(pair: tuple[Prov, Prov]) -> None:
    anna, ben = pair
    (anna.folder / "model.bin").unlink()
    ben("path", "x:model.bin")
    top = ben.folder / ".prov" / obtain.FOLDER
    (top / "new-1-2").mkdir()
    (content,) = (one for one in top.iterdir() if one.is_dir() and one.name != "new-1-2")
    shutil.rmtree(content)
    age(top)
    assert len(ben.json("gc", "--yes")["items"]) == 2
    assert list(top.iterdir()) == []


def test_what_somebody_begins_to_use_between_the_look_and_the_removal_stays(
    pair: tuple[Prov, Prov], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ben = pair
    age(ben.folder / ".prov/objects")
    monkeypatch.chdir(ben.folder)
    found = cleaning.find(str(ben.folder), ben.environ, cleaning.Policy(cache=False, pushed=""))
    assert len(found.items) > 20
    one = found.items[3].path
    oid = os.path.basename(os.path.dirname(one)) + os.path.basename(one)
    assert Store(ben.folder / ".prov/objects").still_wanted(oid)
    assert cleaning.clean(found) == ()
    assert os.path.exists(one)
    assert not os.path.exists(found.items[4].path)


def test_gc_beside_pulls_takes_nothing_that_they_write(pair: tuple[Prov, Prov]) -> None:
    _, ben = pair
    stop = threading.Event()
    problems: list[str] = []

    def clean() -> None:
        while not stop.is_set():
            found = cleaning.find(str(ben.folder), ben.environ, cleaning.Policy(0.0, cache=False))
            problems.extend(cleaning.clean(found))

    cleaner = threading.Thread(target=clean)
    cleaner.start()
    try:
        for _ in range(2):
            shutil.rmtree(ben.folder / ".prov/runs")
            ben("pull", "x")
            ben("checkout", "x", "--force")
            assert (ben.folder / "model.bin").read_text() == "weights"
            ben("run", "--", "python3", "-c", "open('out', 'w').write('1')")
    finally:
        stop.set()
        cleaner.join()
    assert problems == []
    assert len(ben.json("ls")["runs"]) >= 2
