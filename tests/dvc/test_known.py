"""Digests that DVC knows are not taken again, and data is recorded with its remote."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from provenance.core import digest
from provenance.operations._dvc_known import Known
from tests.dvc.conftest import Dvc, commit, filled, prov_in, repository, settle

BIG = 3 << 20


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def root(dvc: Dvc, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = repository(tmp_path_factory.mktemp("known") / "repo")
    filled(made / "big.bin", BIG, 1)
    filled(made / "small.bin", 1000, 2)
    for number in range(3):
        filled(made / "images" / ("%d.bin" % number), BIG, 10 + number)
    dvc(made, "init", "-q")
    dvc(made, "add", "-q", "big.bin", "small.bin", "images")
    dvc(made, "remote", "add", "-d", "store", "s3://someone:secret@bucket/paper")
    commit(made)
    settle()
    return made


def test_a_large_file_is_not_read_again(root: Path) -> None:
    prov = prov_in(root)
    prov("run", "--", sys.executable, "read.py", "big.bin", "small.bin")
    files = {one["path"]["path"]: one for one in prov.payload("data")["files"]}
    assert files["big.bin"]["digests"] == {"md5": md5(root / "big.bin")}
    assert files["big.bin"]["by"] == "dvc"
    assert set(files["small.bin"]["digests"]) == {"blake3"}, "reading costs less than asking"
    assert "by" not in files["small.bin"]
    assert "data 2/2" in prov("verify").stdout


def test_it_is_recorded_with_its_remote(root: Path) -> None:
    prov = prov_in(root)
    prov("run", "--", sys.executable, "read.py", "big.bin", "images/1.bin")
    big, images = prov.payload("data")["dvc"]
    assert big["file"] == {"root": "repo", "path": "big.bin.dvc"}
    assert big["md5"] == md5(root / "big.bin")
    assert (big["remote"], big["url"], big["same"]) == ("store", "s3://bucket/paper", True)
    assert images["path"]["path"] == "images"
    assert images["md5"].endswith(".dir")
    assert images["same"] is True
    assert "s3://bucket/paper" in prov("show", "@last", "data").stdout
    everything = "".join(path.read_text() for path in (root / ".prov" / "runs").glob("*/*.json"))
    assert "secret" not in everything


def test_what_changed_since_is_digested_and_said(root: Path, dvc: Dvc) -> None:
    prov = prov_in(root)
    path = root / "images" / "2.bin"
    before, stamps = path.read_bytes(), os.stat(path)
    path.write_bytes(before[:-1] + b"!")
    os.utime(path, ns=(stamps.st_atime_ns, stamps.st_mtime_ns))  # as some copying programs do
    done = prov("run", "--", sys.executable, "read.py", "images/2.bin")
    (one,) = prov.payload("data")["files"]
    assert set(one["digests"]) == {"blake3"}
    assert "images is not what images.dvc states" in done.stderr
    settle()
    assert Known(os.environ).md5(str(path)) == "", "its change time tells"
    path.write_bytes(before)
    dvc(root, "commit", "-q", "-f", "images.dvc")


def test_neither_reads_a_terabyte(root: Path) -> None:
    """DVC's own state says what a file of a terabyte holds; reading it would take an hour."""
    huge = root / "huge.bin"
    with open(huge, "wb") as stream:
        stream.truncate(1 << 40)
    code = (
        "import sys\nfrom dvc.repo import Repo\nfrom dvc_data.hashfile.hash_info import HashInfo\n"
        "repo = Repo(%r)\nrepo.state.save(%r, repo.fs, HashInfo('md5', 'ab' * 16))\nrepo.close()\n"
    )
    settle()
    os.utime(huge)
    subprocess.run([sys.executable, "-c", code % (str(root), str(huge))], check=True)
    settle()
    prov = prov_in(root)
    prov("run", "--", sys.executable, "read.py", "huge.bin")
    (one,) = prov.payload("data")["files"]
    assert one["digests"] == {"md5": "ab" * 16}
    assert "data 1/1" in prov("verify").stdout
    huge.unlink()


def test_links_into_the_cache(root: Path, dvc: Dvc) -> None:
    for kind in ("symlink", "hardlink"):
        path = filled(root / ("by_%s.bin" % kind), BIG, len(kind))
        value = md5(path)
        dvc(root, "config", "cache.type", kind)
        dvc(root, "add", "-q", path.name)
        settle()
        known = Known(dict(os.environ, DVC_SITE_CACHE_DIR=str(root / "nowhere")))
        assert known.md5(str(path)) == value
        os.chmod(path, 0o644)
        settle()
        assert known.md5(str(path)) == "", "what can be written to is not trusted"
    dvc(root, "config", "--unset", "cache.type")


def test_a_state_that_others_may_write_to_is_not_asked(root: Path) -> None:
    path = str(root / "big.bin")
    known = Known(os.environ)
    assert known.md5(path)
    repository_ = known.repository(path)
    assert repository_ is not None
    folder = repository_.settings.state
    os.chmod(folder, 0o777)
    try:
        assert Known(os.environ).md5(path) == ""
    finally:
        os.chmod(folder, 0o755)


def test_rows_that_are_no_text_are_not_looked_at(root: Path) -> None:
    path = str(root / "big.bin")
    repository_ = Known(os.environ).repository(path)
    assert repository_ is not None
    base = os.path.join(repository_.settings.state, "hashes", "local", "cache.db")
    with sqlite3.connect(base) as connection:
        old = connection.execute("SELECT value FROM Cache WHERE key = ?", (path,)).fetchone()
        for value in (b"\x80\x04N.", "{", "[]", '{"checksum": "1"}', "[" * 4000, 7, None):
            connection.execute("UPDATE Cache SET value = ? WHERE key = ?", (value, path))
            connection.commit()
            assert Known(os.environ).md5(path) == ""
        connection.execute("UPDATE Cache SET value = ? WHERE key = ?", (*old, path))
        connection.commit()
    assert Known(os.environ).md5(path) == md5(root / "big.bin")


def test_a_folder_from_the_list_that_dvc_has_of_it(root: Path) -> None:
    folder = str(root / "images")
    known = Known(os.environ)
    assert known.tree(folder) == digest.tree_digest(folder, "md5")
    (told,) = known.states([folder], digest.file_digests)
    assert told.same is True
    (root / "images" / "stranger.txt").write_text("x")
    assert Known(os.environ).tree(folder) is None
    (root / "images" / "stranger.txt").unlink()


@pytest.mark.slow
def test_a_crowd_in_a_folder_is_one_digest(root: Path, dvc: Dvc) -> None:
    (root / "crowd").mkdir()
    for number in range(260):
        with open(root / "crowd" / ("%03d.bin" % number), "wb") as stream:
            stream.write(b"%d" % number)
            stream.truncate((1 << 20) + number)
    (root / "walk.py").write_text(
        "import os\nfor name in os.listdir('crowd'):\n    open('crowd/' + name, 'rb').read(9)\n"
    )
    dvc(root, "add", "-q", "crowd")
    settle()
    prov = prov_in(root)
    prov("run", "--", sys.executable, "walk.py")
    payload = prov.payload("data")
    (one,) = payload["files"]
    assert one["files"] == 260
    assert set(one["digests"]) == {"md5-tree-1"}
    assert one["by"] == "dvc"
    assert payload["dvc"][0]["same"] is True
    assert "data 1/1" in prov("verify").stdout
    filled(root / "crowd" / "007.bin", 1 << 20, 7)
    assert "DIFFERENT" in prov("verify", code=1).stdout


def test_a_lock_for_reviewers_names_no_bucket(root: Path) -> None:
    prov = prov_in(root)
    prov("run", "--", sys.executable, "read.py", "big.bin")
    prov("lock", "@last", "--anonymous", "--out", "anonymous.lock", "--offline")
    text = (root / "anonymous.lock").read_text()
    assert "bucket" not in text
    assert "big.bin.dvc" in text
