"""The process that digests beside a run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provenance.core import digest
from provenance.store import _clocks
from provenance.store._digesttable import Table, identity_bytes, key_of
from provenance.store.ahead import Ahead
from provenance.store.digestcache import DigestCache

pytest.importorskip("blake3", reason="the process digests with BLAKE3 only")
LATER_NS = 1 << 62
SOON_S = 60.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files in folders, with a link, odd names and an empty one; changed long enough ago."""
    data = tmp_path / "data"
    for number in range(300):
        path = data / ("c%d" % (number % 3)) / ("%d.bin" % number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % number)
    (data / 'a "quoted" name').write_bytes(b"")
    (data / os.fsdecode(b"\xff\xfe")).write_bytes(b"odd")
    (data / "link").symlink_to("c0")
    return data


@pytest.fixture
def ahead(tmp_path: Path) -> Iterator[Ahead]:
    one = Ahead(str(tmp_path / "digests"), LATER_NS)
    yield one
    one.close()


def soon() -> float:
    return time.monotonic() + SOON_S


def test_a_folder_has_the_digest_that_it_has_without_the_process(
    ahead: Ahead, folder: Path
) -> None:
    ahead.files(str(one) for one in sorted(folder.glob("c0/*")))
    ahead.folder(str(folder / "c1"))
    expected = digest.tree_digest(str(folder), digest.BLAKE3)
    assert ahead.tree(str(folder), (), soon()) == expected
    left_out = ("c0/0.bin", "c1/1.bin")
    fewer = digest.tree_digest(str(folder), digest.BLAKE3, leave_out=frozenset(left_out))
    assert ahead.tree(str(folder), left_out, soon()) == fewer
    assert fewer.files == expected.files - 2


def test_folders_asked_for_together_are_not_mixed_up(ahead: Ahead, folder: Path) -> None:
    names = ["c%d" % number for number in range(3)]
    for name in names:
        ahead.expect(str(folder / name))
    for name in reversed(names):
        expected = digest.tree_digest(str(folder / name), digest.BLAKE3)
        assert ahead.tree(str(folder / name), (), soon()) == expected


def test_a_folder_that_is_not_there_has_none(ahead: Ahead, folder: Path) -> None:
    assert ahead.tree(str(folder / "no"), (), soon()) is None
    assert ahead.tree(str(folder), (), soon()) is not None


def test_what_a_big_file_held_is_known_while_it_is_as_it_was(ahead: Ahead, tmp_path: Path) -> None:
    path = tmp_path / "big.bin"
    path.write_bytes(b"1" * (9 << 20))
    time.sleep(_clocks.RACY_NS / 1e9 + 0.1)
    ahead.files([str(path)])
    time.sleep(1.5)  # begun by now, and if not done, it is finished when asked for
    expected = digest.file_digests(str(path), (digest.BLAKE3,))
    assert ahead.digest(str(path), identity_bytes(path.stat()), soon()) == expected["blake3"]
    assert ahead.as_read(str(path)) == expected
    old = identity_bytes(path.stat())
    path.write_bytes(b"2" * (9 << 20))
    assert ahead.digest(str(path), identity_bytes(path.stat()), soon()) is None
    assert ahead.digest(str(path), old, soon()) is None
    assert ahead.as_read(str(path)) == expected  # what was read stays what was read


def test_what_changed_after_the_start_of_the_run_does_not_count_as_read(tmp_path: Path) -> None:
    path = tmp_path / "late.bin"
    path.write_bytes(b"late")
    one = Ahead(str(tmp_path / "digests"), path.stat().st_ctime_ns)
    try:
        one.files([str(path)])
        time.sleep(0.5)
        assert one.as_read(str(path)) == {}
    finally:
        one.close()


def test_time_that_is_over_stops_it_and_what_was_done_is_kept(
    ahead: Ahead, folder: Path, tmp_path: Path
) -> None:
    time.sleep(_clocks.RACY_NS / 1e9 + 0.1)
    assert ahead.tree(str(folder), (), soon()) is not None
    with pytest.raises(TimeoutError):
        ahead.tree(str(folder), ("c0/0.bin",), time.monotonic() - 1)
    ahead.begin_save(b"")
    assert ahead.saved()
    table = Table.read(str(tmp_path / "digests"))
    path = folder / "c0" / "0.bin"
    found = table.find(key_of(identity_bytes(path.stat()), digest.BLAKE3))
    assert found is not None
    assert found[4:].hex() == digest.file_digests(str(path), (digest.BLAKE3,))["blake3"]
    assert DigestCache(tmp_path / "digests").prefetch([str(path)]) == 1


def test_a_file_too_fresh_to_be_sure_of_is_not_kept(
    ahead: Ahead, folder: Path, tmp_path: Path
) -> None:
    assert ahead.tree(str(folder), (), soon()) is not None
    ahead.begin_save(b"")
    assert ahead.saved()
    fresh = list(folder.rglob("*.bin"))
    table = Table.read(str(tmp_path / "digests"))
    assert time.time_ns() - fresh[-1].stat().st_ctime_ns < _clocks.RACY_NS
    assert all(
        table.find(key_of(identity_bytes(one.stat()), digest.BLAKE3)) is None for one in fresh
    )


def test_without_the_process_everything_is_done_here(tmp_path: Path, folder: Path) -> None:
    one = Ahead(str(tmp_path / "digests"), LATER_NS)
    one.files([str(folder / "link")])
    assert one._process is not None
    os.kill(one._process.pid, signal.SIGKILL)
    assert one.tree(str(folder), (), soon()) is None
    cache = DigestCache(tmp_path / "digests")
    cache.ahead = one
    path = str(folder / "c0" / "0.bin")
    assert cache.digest(path, (digest.BLAKE3,)) == digest.file_digests(path, (digest.BLAKE3,))
    assert cache.save()
    one.close()


def test_it_ends_with_whoever_started_it(ahead: Ahead, folder: Path) -> None:
    ahead.files([str(folder / "c0" / "0.bin")])
    process = ahead._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(30) == 0
