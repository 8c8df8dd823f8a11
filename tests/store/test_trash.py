"""What is removed is gone at once and whole, and nothing else goes."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from provenance.errors import SystemRefused
from provenance.store.trash import Trash


@pytest.fixture
def top(tmp_path: Path) -> Path:
    made = tmp_path / "project" / ".prov"
    (made / "runs" / "a").mkdir(parents=True)
    (made / "runs" / "a" / "record.json").write_text("{}")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "data.csv").write_text("x\n")
    return made


def test_what_is_taken_is_gone_and_emptying_deletes_it(top: Path) -> None:
    trash = Trash(str(top))
    assert trash.take(str(top / "runs" / "a"))
    assert not (top / "runs" / "a").exists()
    assert len(list((top / "trash").iterdir())) == 1
    assert trash.empty() == ()
    assert not (top / "trash").exists()
    assert not trash.take(str(top / "runs" / "a"))


def test_links_are_removed_and_what_they_lead_to_stays(top: Path, tmp_path: Path) -> None:
    os.symlink(tmp_path / "mine", top / "runs" / "a" / "linked")
    os.symlink(tmp_path / "mine" / "data.csv", top / "runs" / "a" / "file")
    os.symlink(tmp_path / "mine", top / "alone")
    trash = Trash(str(top))
    assert trash.take(str(top / "runs" / "a"))
    assert trash.take(str(top / "alone"))
    trash.empty()
    assert not os.path.lexists(top / "alone")
    assert (tmp_path / "mine" / "data.csv").read_text() == "x\n"


def test_nothing_is_taken_through_a_link_that_leads_out(top: Path, tmp_path: Path) -> None:
    os.symlink(tmp_path / "mine", top / "replays")
    trash = Trash(str(top))
    outside = (
        top / "replays" / "data.csv",
        tmp_path / "mine",
        top,
        top / "runs" / ".." / ".." / "x",
    )
    for path in outside:
        with pytest.raises(SystemRefused, match="left alone"):
            trash.take(str(path))
    assert (tmp_path / "mine" / "data.csv").exists()


def test_a_trash_that_is_a_link_is_not_used(top: Path, tmp_path: Path) -> None:
    os.symlink(tmp_path / "mine", top / "trash")
    with pytest.raises(SystemRefused, match="is a link"):
        Trash(str(top)).take(str(top / "runs" / "a"))
    assert Trash(str(top)).empty() == ()
    assert sorted(os.listdir(tmp_path / "mine")) == ["data.csv"]


def test_a_prov_folder_on_another_disk_is_fine(top: Path, tmp_path: Path) -> None:
    os.symlink(top, tmp_path / "link")
    assert Trash(str(tmp_path / "link")).take(str(tmp_path / "link" / "runs" / "a"))


def test_folders_that_nobody_may_enter_go_too(top: Path) -> None:
    deep = top / "runs" / "a" / "deep"
    deep.mkdir()
    (deep / "x").write_text("x")
    deep.chmod(0)
    trash = Trash(str(top))
    trash.take(str(top / "runs" / "a"))
    assert trash.empty() == ()


def test_on_a_full_disk_room_is_made_without_a_trash(
    top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "makedirs", full)
    assert Trash(str(top)).take(str(top / "runs" / "a"))
    assert not (top / "runs" / "a").exists()
