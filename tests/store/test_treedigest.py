"""A folder's digest is the same however many threads read it."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.core import digest
from provenance.store import _readdigest, _smallfiles, digestcache, treedigest, treestamp
from provenance.store.digestcache import DigestCache

NAMES = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="/\0"), min_size=1, max_size=8
)


@pytest.fixture(autouse=True)
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every disk count as one that is waited for, so that threads are used."""
    monkeypatch.setattr(treedigest, "WAITING", 0.0)
    monkeypatch.setattr(treedigest, "SLEEPS", 0.0)


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time_ns
    monkeypatch.setattr(digestcache.time, "time_ns", lambda: real() + 10 * 10**9)


def fill(folder: Path, many: int) -> None:
    for number in range(many):
        path = folder / ("d%d" % (number % 7)) / ("%d.bin" % number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % number * (number % 50))


@pytest.mark.usefixtures("aged")
@pytest.mark.parametrize("many", [0, 1, 63, 64, 65, 700])
@pytest.mark.parametrize("window", [0, 1, 32])
def test_it_is_the_digest_of_one_thread(
    tmp_path: Path, many: int, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(treedigest, "WINDOW", window)
    data = tmp_path / "data"
    data.mkdir()
    fill(data, many)
    os.symlink("nowhere", data / "link")
    os.mkfifo(data / "pipe")
    (data / "big").write_bytes(b"x" * (9 << 20))
    left_out = frozenset(["d0/0.bin", "link"])
    for algorithm in ("blake3", "sha256"):
        cache = DigestCache(tmp_path / "cache")
        expected = digest.tree_digest(str(data), algorithm, None, left_out)
        assert cache.tree(str(data), algorithm, left_out) == expected
        assert cache.tree(str(data), algorithm, left_out) == expected
        assert cache.reused == expected.files


@given(st.lists(st.tuples(NAMES, NAMES), max_size=30))
@settings(max_examples=40, deadline=None)
def test_names_of_any_kind_are_in_the_same_order(
    tmp_path_factory: pytest.TempPathFactory, names: list[tuple[str, str]]
) -> None:
    data = tmp_path_factory.mktemp("data")
    for folder, name in names:
        try:
            (data / folder).mkdir(exist_ok=True)
            (data / folder / name).write_text(name, errors="replace")
        except (OSError, ValueError):
            continue
    cache = DigestCache(data.parent / "cache")
    assert cache.tree(str(data), "blake3") == digest.tree_digest(str(data), "blake3")


@pytest.mark.usefixtures("aged")
def test_a_folder_is_known_again_and_every_change_in_it_is_seen(tmp_path: Path) -> None:
    data = tmp_path / "data"
    fill(data, 100)
    os.symlink("a", data / "link")
    cache = DigestCache(tmp_path / "cache")
    known = {cache.tree(str(data), "blake3").digests["blake3-tree-1"]}
    assert cache.taken == 100

    def touched(change) -> None:  # type: ignore[no-untyped-def]
        time.sleep(0.02)
        change()
        found = cache.tree(str(data), "blake3")
        assert found == digest.tree_digest(str(data), "blake3")
        known.add(found.digests["blake3-tree-1"])
        assert cache.tree(str(data), "blake3") == found

    def rewrite() -> None:
        status = os.stat(data / "d3" / "10.bin")
        (data / "d3" / "10.bin").write_bytes(b"x" * status.st_size)
        os.utime(data / "d3" / "10.bin", ns=(status.st_atime_ns, status.st_mtime_ns))

    touched(rewrite)
    touched(lambda: os.rename(data / "d3" / "10.bin", data / "d3" / "new.bin"))
    touched((data / "d3" / "new.bin").unlink)
    touched((data / "d3" / "more.bin").touch)
    touched(lambda: (os.unlink(data / "link"), os.symlink("b", data / "link")))
    assert len(known) == 6
    assert len({cache.tree(str(data), "blake3", out).files for out in ((), ("d3/more.bin",))}) == 2
    assert cache.tree(str(data), "blake3", ("link",)).files == 100


def test_a_folder_that_was_just_written_is_not_trusted(tmp_path: Path) -> None:
    fill(tmp_path / "data", 10)
    cache = DigestCache(tmp_path / "cache")
    cache.tree(str(tmp_path / "data"), "blake3")
    cache.tree(str(tmp_path / "data"), "blake3")
    assert (cache.taken, cache.reused) == (20, 0)


@pytest.mark.usefixtures("aged")
def test_time_that_is_over_stops_it_and_the_next_goes_on_where_it_was(tmp_path: Path) -> None:
    fill(tmp_path / "data", 900)
    cache = DigestCache(tmp_path / "cache")
    seen: list[int] = []

    def watch() -> None:
        seen.append(1)
        if len(seen) == 5:  # once a portion
            cache.deadline = time.monotonic() - 1

    cache.watch = watch
    with pytest.raises(TimeoutError):
        cache.tree(str(tmp_path / "data"), "blake3")
    assert cache.save()
    again = DigestCache(tmp_path / "cache")
    found = again.tree(str(tmp_path / "data"), "blake3")
    assert found == digest.tree_digest(str(tmp_path / "data"), "blake3")
    assert again.reused >= 100
    assert again.reused + again.taken == 900


@pytest.mark.usefixtures("aged")
def test_what_a_killed_process_had_digested_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digestcache, "SPILL_S", 0.0)
    fill(tmp_path / "data", 300)
    DigestCache(tmp_path / "cache").tree(str(tmp_path / "data"), "blake3")  # never saved
    again = DigestCache(tmp_path / "cache")
    again.tree(str(tmp_path / "data"), "blake3")
    assert again.reused == 300


def test_a_file_that_cannot_be_read_is_an_error_and_no_thread_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "data", 300)
    real = os.open

    def refused(path, *more, **named):  # type: ignore[no-untyped-def]
        if os.fspath(path).endswith("/250.bin"):
            raise PermissionError("no")
        return real(path, *more, **named)

    monkeypatch.setattr(os, "open", refused)
    time.sleep(0.05)
    with pytest.raises(PermissionError, match="no"):
        DigestCache(tmp_path / "cache").tree(str(tmp_path / "data"), "blake3")
    assert threading.active_count() == 1


class Counting:
    """Knows nothing, and counts what it is asked to take itself."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.kept: dict[bytes, bytes] = {}

    def find(self, keys: list[bytes]) -> list[bytes | None]:
        return [None] * len(keys)

    known = find

    def keep(self, found: list[tuple[bytes, bytes]]) -> None:
        self.kept.update(found)

    def take(self, entry: os.DirEntry[str]) -> bytes:
        self.taken.append(entry.name)
        return bytes.fromhex(digest.file_digests(entry.path, ("blake3",))["blake3"])

    def did(self, files: int, size: int) -> None:
        pass


@pytest.mark.parametrize(("delay", "threads"), [(0.001, True), (0.0, False)])
def test_threads_are_used_where_reading_waits_and_only_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, delay: float, threads: bool
) -> None:
    monkeypatch.setattr(treedigest, "WAITING", 3.0 if delay else 1000.0)
    fill(tmp_path / "data", 600)
    used = set()
    real = _smallfiles.read

    def read(request, hashed):  # type: ignore[no-untyped-def]
        used.add(threading.get_ident())
        time.sleep(delay * len(request.paths))
        return real(request, hashed)

    monkeypatch.setattr(_smallfiles, "read", read)
    time.sleep(0.05)  # what has just been written is taken one by one
    found = treedigest.tree(str(tmp_path / "data"), "blake3", Counting())
    assert found == digest.tree_digest(str(tmp_path / "data"), "blake3")
    assert (len(used) > 1) == threads


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let other processes read from the first file on."""
    monkeypatch.setattr(treedigest, "WAITING", math.inf)
    monkeypatch.setattr(treedigest, "SOME", 0)
    monkeypatch.setattr(_readdigest, "cores", lambda: 3)


@pytest.mark.usefixtures("aged", "processes")
@pytest.mark.parametrize("algorithm", ["blake3", "sha256", "md5"])
def test_processes_give_the_same_and_only_what_is_odd_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    data = tmp_path / "data"
    fill(data, 1500)
    (data / "zwei\nzeilen").write_text("x")
    (data / os.fsdecode(b"\xff")).write_text("y")
    os.symlink("nowhere", data / "link")
    (data / "big").write_bytes(b"x" * (2 << 20))
    given = []
    real = _smallfiles.Helpers.give
    monkeypatch.setattr(
        _smallfiles.Helpers, "give", lambda *words: (given.append(1), real(*words))[1]
    )
    cache = DigestCache(tmp_path / "cache")
    expected = digest.tree_digest(str(data), algorithm)
    assert cache.tree(str(data), algorithm) == expected
    assert given
    assert cache.taken == 1503
    cache.save()
    again = DigestCache(tmp_path / "cache")
    assert again.tree(str(data), algorithm) == expected
    assert (again.taken, again.read) == (0, 0)


@pytest.mark.usefixtures("processes")
def test_a_process_that_dies_costs_nothing_but_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "data", 1500)
    real, given = _smallfiles.Helpers.give, []

    def give(self, request):  # type: ignore[no-untyped-def]
        if len(given) == 2:
            for one in self._all:
                one._process.kill()
        given.append(1)
        return real(self, request)

    monkeypatch.setattr(_smallfiles.Helpers, "give", give)
    time.sleep(0.05)
    found = treedigest.tree(str(tmp_path / "data"), "blake3", Counting())
    assert found == digest.tree_digest(str(tmp_path / "data"), "blake3")
    assert len(given) > 2


def test_a_file_that_is_not_what_was_listed_gets_no_digest(tmp_path: Path) -> None:
    fill(tmp_path / "data", 40)
    (part,) = treestamp.portions(str(tmp_path / "data"))
    paths = [entry.path for entry in part.entries]
    with open(paths[3], "ab") as stream:
        stream.write(b"more")
    os.unlink(paths[5])
    os.utime(paths[7])
    os.unlink(paths[9])
    os.mkfifo(paths[9])
    request = _smallfiles.Request(paths, part.identities)
    found = _smallfiles.read(request, _smallfiles.constructor("sha256"))
    assert [place for place, value in enumerate(found) if not value] == [3, 5, 7, 9]
    helpers = _smallfiles.Helpers("sha256", 1)
    try:
        coming = helpers.give(request)
        while not coming.ready():
            pass
        assert coming.found == found
    finally:
        helpers.close()


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        DigestCache(tmp_path / "cache").tree(str(tmp_path / "none"), "blake3")


_MEMORY = """\
import re, sys
from provenance.store.digestcache import DigestCache
cache = DigestCache(sys.argv[1])
if len(sys.argv) == 3:
    cache.digest(sys.argv[2], ("blake3",))
else:
    cache.tree(sys.argv[2], "blake3")
# Not ru_maxrss: that of a new process begins with what the one had that started it.
print(int(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1]) * 1024)
"""


def memory(*words: str) -> int:
    """Return the most bytes that a process held which digests what ``words`` name."""
    argv = [sys.executable, "-c", _MEMORY, *words]
    return int(subprocess.run(argv, capture_output=True, check=True, text=True).stdout)


def test_memory_does_not_grow_with_the_size_of_a_file(tmp_path: Path) -> None:
    for name, size in (("small", 9 << 20), ("big", 1 << 30)):
        with open(tmp_path / name, "wb") as stream:
            stream.truncate(size)  # holes: takes no room on the disk
    small = memory(str(tmp_path / "cache"), str(tmp_path / "small"))
    big = memory(str(tmp_path / "cache"), str(tmp_path / "big"))
    assert big - small < 16 << 20
    assert big < 120 << 20


def test_memory_does_not_grow_with_the_number_of_folders(tmp_path: Path) -> None:
    for name, many in (("few", 700), ("more", 7000)):
        for number in range(many):
            path = tmp_path / name / ("%d" % (number // 100)) / ("%d" % number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    few = memory(str(tmp_path / "cache"), str(tmp_path / "few"), "tree")
    more = memory(str(tmp_path / "cache"), str(tmp_path / "more"), "tree")
    assert more - few < 10 << 20  # digests are held until there are 200,000
