"""The digest cache: never a wrong digest, never a needless one."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import blake3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.core import digest
from provenance.store import _digesttable, _readdigest, digestcache
from provenance.store._digesttable import HEADER, Table, replace
from provenance.store.digestcache import DigestCache

B3 = ("blake3",)


def a_file(folder: Path, name: str, data: bytes) -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clock be ten seconds ahead, so that what was just written counts as settled."""
    real = time.time_ns
    monkeypatch.setattr(digestcache.time, "time_ns", lambda: real() + 10 * 10**9)


SIZES = [0, 1, 4096, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (8 << 20) - 1, 8 << 20, (8 << 20) + 1]


@pytest.mark.parametrize("size", [*SIZES, 12 << 20, (33 << 20) + 7])
@pytest.mark.parametrize("settled", [True, False])
def test_digests_are_those_of_the_bytes(
    tmp_path: Path, size: int, settled: bool, request: pytest.FixtureRequest
) -> None:
    if settled:
        request.getfixturevalue("aged")
    data = os.urandom(size)
    path = a_file(tmp_path, "x", data)
    found = DigestCache(tmp_path / "cache").digest(path, ("blake3", "sha256", "md5"))
    assert found == {
        "blake3": blake3.blake3(data).hexdigest(),
        "sha256": hashlib.sha256(data).hexdigest(),
        "md5": hashlib.md5(data).hexdigest(),
    }
    assert DigestCache(tmp_path / "cache").digest(path, B3) == {"blake3": found["blake3"]}


@pytest.mark.usefixtures("aged")
def test_unchanged_files_are_digested_once_also_by_another_process(tmp_path: Path) -> None:
    paths = [a_file(tmp_path, "f%d" % i, b"%d" % i) for i in range(50)]
    first = DigestCache(tmp_path / "cache")
    found = [first.digest(p, B3) for p in paths]
    assert (first.taken, first.reused) == (50, 0)
    assert [first.digest(p, B3) for p in paths] == found
    assert first.reused == 50
    assert first.save()
    again = DigestCache(tmp_path / "cache")
    assert [again.digest(p, B3) for p in paths] == found
    assert (again.taken, again.reused) == (0, 50)
    assert (
        again.digest(paths[0], ("blake3", "sha256"))["sha256"] == hashlib.sha256(b"0").hexdigest()
    )
    assert again.taken == 1


def test_a_file_that_was_just_written_is_not_trusted(tmp_path: Path) -> None:
    path = a_file(tmp_path, "x", b"one")
    cache = DigestCache(tmp_path / "cache")
    cache.digest(path, B3)
    cache.digest(path, B3)
    assert (cache.taken, cache.reused) == (2, 0)
    cache.save()
    assert not (tmp_path / "cache").exists()


@pytest.mark.usefixtures("aged")
def test_a_change_with_restored_size_and_modification_time_is_seen(tmp_path: Path) -> None:
    path = a_file(tmp_path, "x", b"one")
    cache = DigestCache(tmp_path / "cache")
    before = os.stat(path)
    old = cache.digest(path, B3)
    time.sleep(0.02)
    with open(path, "r+b") as stream:
        stream.write(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert os.stat(path).st_mtime_ns == before.st_mtime_ns
    assert cache.digest(path, B3) == {"blake3": blake3.blake3(b"two").hexdigest()} != old


@pytest.mark.usefixtures("aged")
def test_a_file_replaced_by_rename_is_seen(tmp_path: Path) -> None:
    path = a_file(tmp_path, "x", b"one")
    cache = DigestCache(tmp_path / "cache")
    cache.digest(path, B3)
    os.replace(a_file(tmp_path, "y", b"two"), path)
    assert cache.digest(path, B3)["blake3"] == blake3.blake3(b"two").hexdigest()


def test_a_file_that_keeps_changing_is_an_error_not_a_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_file(tmp_path, "x", bytes(3 << 20))
    real = os.readv

    def growing(descriptor: int, buffers: list[bytearray]) -> int:
        with open(path, "ab") as stream:
            stream.write(b"more")
        return min(real(descriptor, buffers), 0)

    monkeypatch.setattr(_readdigest.os, "readv", growing)
    with pytest.raises(digest.ChangedWhileRead):
        DigestCache(tmp_path / "cache").digest(path, ("sha256",))


def test_missing_files_folders_and_pipes_are_os_errors(tmp_path: Path) -> None:
    cache = DigestCache(tmp_path / "cache")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none", tmp_path, tmp_path / "pipe"):
        with pytest.raises(OSError, match=r"not a regular file|No such file"):
            cache.digest(str(path), B3)
    with pytest.raises(ValueError, match="unsupported hash type"):
        cache.digest(a_file(tmp_path, "x", b""), ("no-such-algorithm",))


@pytest.mark.usefixtures("aged")
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[:20],
        lambda data: b"",
        lambda data: b"x" + data[1:],
        lambda data: data[:-5] + bytes([data[-5] ^ 1]) + data[-4:],
        lambda data: data + data[-52:],
    ],
)
def test_a_damaged_cache_is_an_empty_one(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    path = a_file(tmp_path, "x", b"one")
    cache = DigestCache(tmp_path / "cache")
    found = cache.digest(path, B3)
    cache.save()
    (tmp_path / "cache").write_bytes(damage((tmp_path / "cache").read_bytes()))
    again = DigestCache(tmp_path / "cache")
    assert again.digest(path, B3) == found
    assert (again.taken, again.reused) == (1, 0)
    assert again.save()
    assert DigestCache(tmp_path / "cache").digest(path, B3) == found


@pytest.mark.usefixtures("aged")
def test_saving_where_nothing_can_be_written_says_no_and_loses_nothing(tmp_path: Path) -> None:
    path = a_file(tmp_path, "x", b"one")
    cache = DigestCache(tmp_path / "no" / "folder" / "cache")
    cache.digest(path, B3)
    assert not cache.save()
    cache.digest(path, B3)
    assert cache.reused == 1
    os.makedirs(tmp_path / "no" / "folder")
    assert cache.save()
    assert os.listdir(tmp_path / "no" / "folder") == ["cache"]


@pytest.mark.usefixtures("aged")
def test_what_another_process_saved_meanwhile_is_kept(tmp_path: Path) -> None:
    one, other = (a_file(tmp_path, name, name.encode()) for name in "ab")
    first, second = DigestCache(tmp_path / "cache"), DigestCache(tmp_path / "cache")
    first.digest(one, B3)
    second.digest(other, B3)
    first.save()
    second.save()
    both = DigestCache(tmp_path / "cache")
    both.digest(one, B3)
    both.digest(other, B3)
    assert (both.taken, both.reused) == (0, 2)


def test_many_processes_at_once_leave_a_sound_cache(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from provenance.store import digestcache as d\n"
        "real = time.time_ns; d.time.time_ns = lambda: real() + 10**10\n"
        "for n in range(20):\n"
        "    cache = d.DigestCache(sys.argv[1])\n"
        "    for p in sys.argv[2:]: print(cache.digest(p, ('blake3',))['blake3'])\n"
        "    assert cache.save()\n"
    )
    paths = [a_file(tmp_path, "f%d" % i, b"%d" % i) for i in range(8)]
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "cache"), *paths[i : i + 4]],
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(4)
    ]
    for place, job in enumerate(jobs):
        out, _ = job.communicate(timeout=120)
        assert job.returncode == 0
        wanted = [blake3.blake3(b"%d" % i).hexdigest() for i in range(place, place + 4)]
        assert out.split() == wanted * 20
    assert Table.read(str(tmp_path / "cache")).length >= 4


@pytest.mark.usefixtures("aged")
def test_prefetch_takes_files_and_folders_and_passes_over_what_it_cannot_read(
    tmp_path: Path,
) -> None:
    (tmp_path / "data" / "deep").mkdir(parents=True)
    paths = [a_file(tmp_path / "data", n, os.urandom(2 << 20)) for n in ("a", "deep/b")]
    os.symlink(paths[0], tmp_path / "data" / "link")
    cache = DigestCache(tmp_path / "cache")
    assert cache.prefetch([str(tmp_path / "none"), str(tmp_path / "data")]) == 2
    cache.digest(paths[0], B3)
    cache.digest(paths[1], B3)
    assert (cache.taken, cache.reused) == (2, 2)


def test_prefetch_stops_within_a_long_file(tmp_path: Path) -> None:
    path = a_file(tmp_path, "big", bytes(8 << 20))
    asked = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 3

    cache = DigestCache(tmp_path / "cache")
    assert cache.prefetch([path, path], stop=stop) == 0
    assert cache.taken == 0


@pytest.mark.parametrize("settled", [True, False])
def test_a_deadline_holds_within_a_long_file_and_can_be_moved(
    tmp_path: Path, settled: bool, request: pytest.FixtureRequest
) -> None:
    if settled:
        request.getfixturevalue("aged")
    path = a_file(tmp_path, "big", bytes(3 << 20))
    cache = DigestCache(tmp_path / "cache")
    cache.deadline = time.monotonic() - 1
    with pytest.raises(TimeoutError):
        cache.digest(path, B3)
    cache.deadline = time.monotonic() + 100
    assert cache.digest(path, B3) == {"blake3": blake3.blake3(bytes(3 << 20)).hexdigest()}
    cache.deadline = time.monotonic() - 1
    if settled:
        assert cache.digest(path, B3)


def test_prefetch_beside_a_command_that_truncates_its_files(tmp_path: Path) -> None:
    """A mapped file that is cut short would kill the process with SIGBUS."""
    path = a_file(tmp_path, "big", bytes(64 << 20))
    cache = DigestCache(tmp_path / "cache")
    worker = threading.Thread(target=cache.prefetch, args=([path] * 5,))
    worker.start()
    while worker.is_alive():
        os.truncate(path, 0)
        os.truncate(path, 64 << 20)
    worker.join()


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.binary(min_size=16, max_size=16), st.integers(0, 9), max_size=80),
    st.dictionaries(st.binary(min_size=16, max_size=16), st.integers(0, 9), max_size=40),
    st.integers(1, 200),
)
def test_a_merged_table_finds_exactly_what_was_put_in(
    tmp_path_factory: pytest.TempPathFactory,
    old: dict[bytes, int],
    new: dict[bytes, int],
    limit: int,
) -> None:
    path = tmp_path_factory.mktemp("t") / "table"

    def values(days: dict[bytes, int]) -> dict[bytes, bytes]:
        return {k: d.to_bytes(4, "big") + k * 2 for k, d in days.items()}

    assert replace(str(path), values(old))
    table = Table.read(str(path))
    assert table.length == len(old)
    assert replace(str(path), values(new), limit)
    both = Table.read(str(path))
    everything = {**values(old), **values(new)}
    kept = {k: v for k, v in everything.items() if both.find(k) is not None}
    assert both.length == len(kept) == min(limit, len(everything))
    assert all(both.find(key) == value for key, value in kept.items())
    dropped = [v[:4] for k, v in everything.items() if k not in kept]
    assert not dropped or max(dropped) <= min(v[:4] for v in kept.values())
    assert both.find(b"no such key") is None


def test_the_table_on_disk_has_the_documented_form(tmp_path: Path) -> None:
    assert replace(str(tmp_path / "table"), {b"k" * 16: b"d" * 36})
    data = (tmp_path / "table").read_bytes()
    assert data[:16] == _digesttable.MAGIC
    assert data[16:HEADER] == hashlib.blake2b(data[HEADER:], digest_size=32).digest()
    assert data[HEADER:] == b"k" * 16 + b"d" * 36


@pytest.mark.usefixtures("aged")
@pytest.mark.parametrize("changed", [b"after, and longer", b"AFTER!"])
def test_an_entry_asked_before_its_file_changed_gives_what_is_there_now(
    tmp_path: Path, changed: bytes
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    path = a_file(folder, "x", b"before")
    with os.scandir(folder) as entries:
        entry = next(entries)
    asked = entry.stat(follow_symlinks=False)
    Path(path).write_bytes(changed)
    os.utime(path, ns=(asked.st_atime_ns, asked.st_mtime_ns + 10**9))
    cache = DigestCache(tmp_path / "cache")
    expected = {"blake3": blake3.blake3(changed).hexdigest()}
    assert cache.digest(entry, B3) == expected
    assert cache.digest(path, B3) == expected
    assert (cache.taken, cache.reused) == (1, 1)


@pytest.mark.usefixtures("aged")
def test_digests_beyond_a_number_are_written_and_still_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digestcache, "HELD", 10)
    cache = DigestCache(tmp_path / "digests")
    paths = [tmp_path / ("%d.bin" % number) for number in range(25)]
    for number, path in enumerate(paths):
        path.write_bytes(b"%d" % number)
    first = [cache.digest(str(path), (digest.SHA256,)) for path in paths]
    assert len(cache._fresh) < 10
    assert [cache.digest(str(path), (digest.SHA256,)) for path in paths] == first
    assert (cache.taken, cache.reused) == (25, 25)
    assert cache.save()
    again = DigestCache(tmp_path / "digests")
    assert [again.digest(str(path), (digest.SHA256,)) for path in paths] == first
    assert again.reused == 25
