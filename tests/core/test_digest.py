"""Digests of files and folders."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.core import digest
from provenance.core.digest import BLAKE3, MD5, SHA256


@given(st.binary(max_size=200))
def test_bytes(data: bytes) -> None:
    assert digest.bytes_digest(data) == hashlib.sha256(data).hexdigest()


def test_a_file_is_read_once_for_all_algorithms(tmp_path: Path) -> None:
    data = os.urandom(3 * digest.CHUNK + 17)
    path = tmp_path / "x"
    path.write_bytes(data)
    found = digest.file_digests(str(path), (SHA256, MD5, BLAKE3))
    assert found[SHA256] == hashlib.sha256(data).hexdigest()
    assert found[MD5] == hashlib.md5(data).hexdigest()
    assert found[BLAKE3] == digest.bytes_digest(data, BLAKE3)
    with pytest.raises(OSError, match="none"):
        digest.file_digests(str(tmp_path / "none"), (SHA256,))


def test_blake3_is_taken_where_it_is_there_and_a_plain_error_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert digest.best_algorithm() == BLAKE3
    monkeypatch.setitem(__import__("sys").modules, "blake3", None)
    assert digest.best_algorithm() == SHA256
    with pytest.raises(ValueError, match="blake3"):
        digest.new_hash(BLAKE3)


def tree(folder: Path) -> str:
    return digest.tree_digest(str(folder), SHA256).digests["sha256-tree-1"]


def make(folder: Path) -> Path:
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "sub" / "b.txt").write_text("bb")
    (folder / "sub" / "deep" / "c").write_text("ccc")
    (folder / "link").symlink_to("a.txt")
    return folder


def test_a_tree_is_what_the_documentation_says(tmp_path: Path) -> None:
    folder = make(tmp_path / "t")
    rows = [
        ["a.txt", 1, hashlib.sha256(b"a").hexdigest()],
        ["link", -1, "a.txt"],
        ["sub/b.txt", 2, hashlib.sha256(b"bb").hexdigest()],
        ["sub/deep/c", 3, hashlib.sha256(b"ccc").hexdigest()],
    ]
    text = json.dumps(rows, separators=(",", ":"), sort_keys=True)
    found = digest.tree_digest(str(folder), SHA256)
    assert found.digests == {"sha256-tree-1": hashlib.sha256(text.encode()).hexdigest()}
    assert (found.files, found.size) == (4, 6)


def test_a_tree_changes_with_anything_in_it_and_not_with_its_place(tmp_path: Path) -> None:
    folder = make(tmp_path / "t")
    before = tree(folder)
    shutil.copytree(folder, tmp_path / "copy", symlinks=True)
    assert tree(tmp_path / "copy") == before
    seen = {before}
    for change in (
        lambda: (folder / "a.txt").write_text("A"),
        lambda: (folder / "a.txt").rename(folder / "z.txt"),
        lambda: (folder / "new").write_text(""),
        lambda: ((folder / "link").unlink(), (folder / "link").symlink_to("z.txt")),
        (folder / "sub" / "deep" / "c").unlink,
    ):
        change()
        seen.add(tree(folder))
    assert len(seen) == 6


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9"
    with open(path, "wb") as stream:
        stream.write(b"x")
    assert digest.tree_digest(str(tmp_path), SHA256).files == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    with pytest.raises(OSError, match="closed"):
        digest.tree_digest(str(tmp_path), SHA256)


def test_a_tree_may_be_served_from_a_cache(tmp_path: Path) -> None:
    folder = make(tmp_path / "t")
    asked: list[str] = []

    def cached(path: str) -> dict[str, str]:
        asked.append(os.path.basename(path))
        return digest.file_digests(path, (SHA256,))

    found = digest.tree_digest(str(folder), SHA256, cached)
    assert found.digests["sha256-tree-1"] == tree(folder)
    assert sorted(asked) == ["a.txt", "b.txt", "c"]


def test_comparing_needs_a_shared_algorithm() -> None:
    assert digest.same({"md5": "a"}, {"sha256": "b"}) is None
    assert digest.same({}, {}) is None
    assert digest.same({"md5": "a", "sha256": "b"}, {"sha256": "b"}) is True
    assert digest.same({"md5": "a", "sha256": "b"}, {"md5": "x", "sha256": "b"}) is False
