"""Time stamps that tick: no digest of one state is ever given for another."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import blake3
import pytest

from provenance.core import digest
from provenance.store import _clocks, digestcache
from provenance.store.digestcache import DigestCache

B3 = ("blake3",)
_WHOLE = 1_700_000_000 * 10**9


def b3(data: bytes) -> dict[str, str]:
    return {"blake3": blake3.blake3(data).hexdigest()}


def test_a_file_rewritten_within_the_tick_of_a_coarse_clock_is_seen(tmp_path: Path) -> None:
    """Same size, same inode, same whole second of modification: only the content differs."""
    path = tmp_path / "x"
    cache = DigestCache(tmp_path / "cache")
    for turn in range(60):
        data = b"%07d" % turn
        with open(path, "r+b" if path.exists() else "wb") as stream:
            stream.write(data)
        os.utime(path, ns=(_WHOLE, _WHOLE))
        assert cache.digest(str(path), B3) == b3(data)


def test_a_write_in_the_tick_of_the_digest_is_seen_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With stamps of whole seconds, and a file that is rewritten right after it was read."""
    stat, fstat = os.stat, os.fstat
    monkeypatch.setattr(os, "stat", lambda path, **named: _Coarse(stat(path, **named)))
    monkeypatch.setattr(os, "fstat", lambda one: _Coarse(fstat(one)))
    monkeypatch.setattr(_clocks, "COARSE_S", 1.0)
    path = tmp_path / "x"
    cache = DigestCache(tmp_path / "cache")
    stamps = set()
    for turn in range(3):
        path.write_bytes(b"%07d" % turn)
        assert cache.digest(str(path), B3) == b3(b"%07d" % turn)
        path.write_bytes(b"%07d" % -turn)  # at once, most times within the second of the first
        stamps.add(path.stat().st_ctime_ns)
        assert cache.digest(str(path), B3) == b3(b"%07d" % -turn)
    assert cache.reused == 0
    assert len(stamps) < 6


class _Coarse:
    """A status whose times are whole seconds."""

    def __init__(self, found: os.stat_result) -> None:
        self._found = found
        self.st_mtime_ns = found.st_mtime_ns // 10**9 * 10**9
        self.st_ctime_ns = found.st_ctime_ns // 10**9 * 10**9

    def __getattr__(self, name: str) -> object:
        return getattr(self._found, name)


_WRITER = """\
import os, random, sys, time
path, turns = sys.argv[1], int(sys.argv[2])
descriptor = os.open(path, os.O_RDWR)
size = os.fstat(descriptor).st_size
for turn in range(1, turns + 1):
    os.pwrite(descriptor, b"%04d" % turn, 0)
    time.sleep(random.random() * 0.03)
    os.pwrite(descriptor, b"%04d" % turn, size - 4)
    time.sleep(random.random() * 0.06)
"""


@pytest.mark.parametrize("algorithms", [B3, ("blake3", "sha256")])
def test_no_digest_of_a_mixture_while_somebody_writes(
    tmp_path: Path, algorithms: tuple[str, ...]
) -> None:
    """The end is never ahead of the beginning, but in what was read in two states."""
    turns, path, middle = 60, tmp_path / "x", bytes((16 << 20) - 8)
    path.write_bytes(b"0000" + middle + b"0000")
    states = set()
    for turn in range(turns + 1):
        front = blake3.blake3(b"%04d" % turn).update(middle)
        states |= {front.copy().update(b"%04d" % n).hexdigest() for n in (turn, turn - 1)}
    caught = given = 0
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(path), str(turns)]) as writer:
        cache = DigestCache(tmp_path / "cache")
        while writer.poll() is None:
            try:
                assert cache.digest(str(path), algorithms)["blake3"] in states
                given += 1
            except digest.ChangedWhileRead:
                caught += 1
    assert given, "the writer never paused: this test has shown nothing"
    assert cache.digest(str(path), B3)["blake3"] in states


@pytest.mark.parametrize("gentle", [False, True])
def test_a_file_cut_short_while_it_is_read_is_no_digest_and_kills_nobody(
    tmp_path: Path, gentle: bool
) -> None:
    path = tmp_path / "x"
    code = (
        "import os, sys\n"
        "from provenance.store import _readdigest as r\n"
        "path, size = sys.argv[1], 32 << 20\n"
        "asked = []\n"
        "def stop():\n"
        "    asked.append(1)\n"
        "    if len(asked) == 2: os.truncate(path, 5 << 20)\n"
        "    return False\n"
        "before = r.identity(os.stat(path))\n"
        "_, after = r.take(path, size, ('blake3',), %r, stop)\n"
        "print(before == after)\n" % gentle
    )
    path.write_bytes(bytes(32 << 20))
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"False\n"


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time_ns
    monkeypatch.setattr(digestcache.time, "time_ns", lambda: real() + 10 * 10**9)


@pytest.mark.usefixtures("aged")
def test_a_moved_folder_keeps_its_digests_and_a_renamed_file_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "data" / "deep").mkdir(parents=True)
    (tmp_path / "data" / "deep" / "x").write_bytes(b"one")
    cache = DigestCache(tmp_path / "cache")
    cache.digest(str(tmp_path / "data" / "deep" / "x"), B3)
    os.rename(tmp_path / "data", tmp_path / "moved")
    assert cache.digest(str(tmp_path / "moved" / "deep" / "x"), B3) == b3(b"one")
    assert (cache.taken, cache.reused) == (1, 1)
    time.sleep(0.02)
    os.rename(tmp_path / "moved" / "deep" / "x", tmp_path / "y")
    assert cache.digest(str(tmp_path / "y"), B3) == b3(b"one")
    assert (cache.taken, cache.reused) == (2, 1)


@pytest.mark.usefixtures("aged")
def test_a_new_file_with_the_inode_of_a_removed_one_is_read(tmp_path: Path) -> None:
    cache = DigestCache(tmp_path / "cache")
    seen = {}
    for turn in range(40):
        path = tmp_path / ("f%d" % turn)
        path.write_bytes(b"%07d" % turn)
        os.utime(path, ns=(_WHOLE, _WHOLE))
        time.sleep(0.012)  # longer than a tick, so that nothing hides behind the wait for one
        assert cache.digest(str(path), B3) == b3(b"%07d" % turn)
        seen.setdefault(os.stat(path).st_ino, []).append(turn)
        path.unlink()
    if max(map(len, seen.values())) == 1:
        pytest.skip("this file system gives no inode away twice")


def test_a_stamp_by_another_machines_clock_must_be_older() -> None:
    status = os.stat(__file__)
    last = max(status.st_mtime_ns, status.st_ctime_ns)
    assert _clocks.settled(status, last + _clocks.RACY_NS + 1)
    assert not _clocks.settled(status, last + _clocks.RACY_NS)


def test_network_file_systems_are_known_by_their_type(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "22 28 0:21 / /proc rw,nosuid - proc proc rw\n"
        "28 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
        "90 28 0:52 / /mnt/my\\040data rw,relatime shared:3 - nfs4 server:/export rw,acregmax=60\n"
        "91 28 0:53 /a /b rw - fuse.sshfs me@host:/ rw\n"
        "garbage\n\n - \n"
    )
    assert _clocks.devices(text) == {os.makedev(0, 52), os.makedev(0, 53)}
    status = os.stat(__file__)
    monkeypatch.setattr(_clocks, "network_devices", lambda: frozenset([status.st_dev]))
    last = max(status.st_mtime_ns, status.st_ctime_ns)
    assert not _clocks.settled(status, last + _clocks.RACY_NS + 1)
    assert _clocks.settled(status, last + _clocks.NETWORK_NS + 1)


def test_waiting_ends_with_the_tick_and_not_later(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(_clocks.time, "sleep", slept.append)
    status = os.stat(__file__)
    now = status.st_ctime_ns
    monkeypatch.setattr(_clocks.time, "time_ns", lambda: now + 5_000_000)
    assert _clocks.wait(status)
    assert slept[-1] == pytest.approx(0.015) or status.st_ctime_ns % 10**9 == 0
    assert _clocks.wait(status, 0.001)
    assert slept[-1] == 0.001
    assert not _clocks.wait(status, -1.0)
    monkeypatch.setattr(_clocks.time, "time_ns", lambda: now + 3 * 10**9)
    assert not _clocks.wait(status)
    monkeypatch.setattr(_clocks.time, "time_ns", lambda: now - 10**9)
    assert not _clocks.wait(status)
