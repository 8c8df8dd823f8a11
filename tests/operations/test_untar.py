"""`operations._untar`: an archive from a stranger stays in its folder."""

from __future__ import annotations

import io
import tarfile
import zlib
from pathlib import Path

import pytest

from provenance.errors import BadRecord
from provenance.operations import _untar


def _packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


@pytest.mark.parametrize(
    "member",
    [
        _member("../out.py"),
        _member("a/../../out.py"),
        _member("/abs.py"),
        _member(".git/config"),
        _member("sub/.GIT/hooks/x"),
        _member("link", tarfile.SYMTYPE, "/etc/passwd"),
        _member("link", tarfile.SYMTYPE, "../../x"),
        _member("a/link", tarfile.SYMTYPE, "../../x"),
        _member("hard", tarfile.LNKTYPE, "../../x"),
        _member("hard", tarfile.LNKTYPE, "/etc/passwd"),
        _member("null", tarfile.CHRTYPE),
        _member("disk", tarfile.BLKTYPE),
        _member("pipe", tarfile.FIFOTYPE),
        _member("folder", tarfile.DIRTYPE),
    ],
    ids=lambda m: "%s-%s" % (m.name, m.type.decode("latin-1")),
)
def test_nothing_but_plain_files_within(member: tarfile.TarInfo, tmp_path: Path) -> None:
    destination = tmp_path / "in"
    destination.mkdir()
    notes = _untar.extract(_packed((member, b""), (_member("ok.py"), b"x")), str(destination))
    assert member.name in notes[0]
    assert [p.name for p in tmp_path.rglob("*")] == ["in", "ok.py"]


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    destination = tmp_path / "in"
    destination.mkdir()
    (tmp_path / "outside").mkdir()
    (destination / "door").symlink_to(tmp_path / "outside")
    (destination / "file.py").symlink_to(tmp_path / "outside" / "victim")
    data = _packed((_member("door/x.py"), b"x"), (_member("file.py"), b"new"))
    notes = _untar.extract(data, str(destination))
    assert "door/x.py" in notes[0]
    assert list((tmp_path / "outside").iterdir()) == []
    assert (destination / "file.py").read_bytes() == b"new"
    assert not (destination / "file.py").is_symlink()


@pytest.mark.parametrize(
    "data",
    [b"", b"junk", zlib.compress(b"x"), _packed((_member("a"), b"x"))[:30]],
    ids=["empty", "junk", "not gzip", "cut off"],  # the bytes hold the time of packing
)
def test_a_damaged_archive_is_one_sentence(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(BadRecord):
        _untar.extract(data, str(tmp_path))


def test_a_bomb_does_not_go_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_untar, "_LARGEST", 100_000)
    with pytest.raises(BadRecord, match="too large"):
        _untar.extract(_packed((_member("a.py"), b"\0" * 1_000_000)), str(tmp_path))
