"""The store keeps what it was given, whole, read-only and under the right name."""

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.errors import BadRecord, Damaged
from provenance.store import announced, blobs, liveness, objects
from provenance.store.objects import Store, identity

try:
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.tree import Tree
except ImportError:
    HashInfo = None

RUN = "20260314T091500Z-1a2b3c4d"


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "objects"))


def md5(data):
    return hashlib.md5(data).hexdigest()


def test_a_blob_lies_where_dvc_looks_for_it_and_is_read_only(store, tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    oid = md5(b"content")
    assert store.put(str(tmp_path / "a"), oid)
    path = tmp_path / "objects" / "files" / "md5" / oid[:2] / oid[2:]
    assert path.read_bytes() == b"content"
    assert stat.S_IMODE(path.stat().st_mode) & 0o222 == 0
    assert not store.put(str(tmp_path / "a"), oid)
    assert (tmp_path / "a").stat().st_nlink == 1


def test_what_is_not_what_it_should_be_is_not_kept(store, tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    oid = md5(b"other")
    with pytest.raises(Damaged):
        store.put(str(tmp_path / "a"), oid)
    with pytest.raises(Damaged):
        store.receive(oid, lambda path: Path(path).write_bytes(b"content") and None)
    assert not store.has(oid)
    assert not list((tmp_path / "objects").rglob("*.*")) + os.listdir(tmp_path / "objects" / "tmp")


def test_a_file_that_changes_between_digest_and_copy_is_refused(store, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"content")
    known = identity(path.stat())
    path.write_bytes(b"changed")
    with pytest.raises(Damaged):
        store.put(str(path), md5(b"content"), known)
    assert not store.has(md5(b"content"))


def test_taking_out_never_replaces_and_finds_damage(store, tmp_path):
    oid = store.put_bytes(b"content")
    target = tmp_path / "out"
    assert store.take_out(oid, str(target), ("sha256",)) == {
        "md5": oid,
        "sha256": hashlib.sha256(b"content").hexdigest(),
    }
    assert stat.S_IMODE(target.stat().st_mode) & 0o200
    target.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        store.take_out(oid, str(target))
    assert target.read_bytes() == b"mine"
    os.chmod(store.path(oid), 0o644)
    (tmp_path / store.path(oid)).write_bytes(b"damaged")
    assert not store.is_whole(oid)
    with pytest.raises(Damaged):
        store.take_out(oid, str(tmp_path / "second"))
    assert sorted(os.listdir(tmp_path)) == ["objects", "out"]


def test_without_nameless_files_nothing_is_left_either(store, tmp_path, monkeypatch):
    monkeypatch.delattr(os, "O_TMPFILE")
    oid = store.put_bytes(b"content")
    store.take_out(oid, str(tmp_path / "out"))
    with pytest.raises(FileExistsError):
        store.take_out(oid, str(tmp_path / "out"))
    assert sorted(os.listdir(tmp_path)) == ["objects", "out"]


def test_a_blob_of_another_size_does_not_count(store, tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    oid = store.put_bytes(b"content")
    os.chmod(store.path(oid), 0o644)
    os.truncate(store.path(oid), 3)
    assert store.put(str(tmp_path / "a"), oid)
    assert store.is_whole(oid)


def test_sweeping_takes_only_what_is_old(store, tmp_path):
    store.put_bytes(b"content")
    left = tmp_path / "objects" / "tmp" / "left"
    left.write_bytes(b"half")
    assert store.sweep() == 0
    os.utime(left, (0, 0))
    assert store.sweep() == 1
    assert not left.exists()


def test_sweeping_takes_what_a_process_that_was_killed_left(store, tmp_path):
    code = "import os; from provenance.store import liveness; print(liveness.mark())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    store.put_bytes(b"content")
    folder = tmp_path / "objects" / "tmp"
    host, _, pid = done.stdout.strip().rpartition(".")
    for name in ("dead-%s.%s" % (host, pid), "elsewhere-00000000." + pid):
        (folder / name).write_bytes(b"half")
    (folder / ("alive-%s" % liveness.mark())).write_bytes(b"half")
    assert store.sweep() == 1
    assert sorted(one.name.partition("-")[0] for one in folder.iterdir()) == ["alive", "elsewhere"]


names = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1)
paths = st.lists(names.filter(lambda one: one not in (".", "..")), min_size=1, max_size=3)
oids = st.binary(min_size=16, max_size=16).map(bytes.hex)


@given(st.dictionaries(paths.map("/".join), oids, max_size=8))
def test_lists_of_folders_are_those_of_dvc(rows):
    members = [blobs.Member(path, oid) for path, oid in rows.items()]
    data = blobs.list_bytes(members)
    assert sorted(blobs.members(data)) == sorted(members)
    if HashInfo is not None:
        tree = Tree()
        for path, oid in rows.items():
            tree.add(tuple(path.split("/")), None, HashInfo("md5", oid))
        assert tree.as_bytes() == data


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_what_is_read_from_a_remote_is_told_not_raised(data):
    for parse in (
        blobs.parse,
        blobs.members,
        lambda value: announced.parse(value, RUN, "there"),
    ):
        try:
            parse(data)
        except BadRecord:
            pass


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "a//b", "", "a/.", "a\0b"])
def test_no_path_leads_out(path):
    data = blobs.list_bytes([blobs.Member(path, "0" * 32)])
    with pytest.raises(BadRecord):
        blobs.members(data)
    told = announced.Announced(RUN, "", ((path, "0" * 32, 1), ("record.json", "0" * 32, 1)))
    with pytest.raises(BadRecord):
        announced.parse(announced.to_bytes(told), RUN, "there")


def test_names_of_blobs_are_added_and_none_is_taken_away(tmp_path):
    one = {"blake3:aa": blobs.Blob("0" * 32, 3)}
    two = {"blake3:bb": blobs.Blob("1" * 32 + ".dir", 3, {"x": "y"})}
    assert blobs.add(str(tmp_path), one)
    assert blobs.add(str(tmp_path), two)
    assert not blobs.add(str(tmp_path), one)
    assert blobs.load(str(tmp_path)) == {**one, **two}
    assert blobs.find(one, {"blake3": "aa"}) == one["blake3:aa"]
    assert blobs.find({}, {"md5": "2" * 32}) == blobs.Blob("2" * 32)
    assert blobs.find({}, {"md5": "../../etc"}) is None


def test_oids_are_checked():
    for text in ("x" * 32, "0" * 31, "0" * 32 + ".dir.dir", "../" + "0" * 32):
        with pytest.raises(ValueError, match="no name of a blob"):
            objects.relative(text)
