"""Output files of two runs: by digest, else by what they say, never executed."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from provenance.compare.files import OutputResult, compare_outputs
from provenance.compare.kinds import base
from provenance.compare.tolerance import Tolerance
from provenance.core.digest import file_digests
from provenance.core.paths import PathRef
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN


class Two:
    """Two folders with the outputs of two runs."""

    def __init__(self, folder: Path) -> None:
        self.folders = (folder / "old", folder / "new")
        for one in self.folders:
            one.mkdir()
        self.entries: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])

    def put(self, side: int, name: str, data: bytes | str, **rest: Any) -> None:
        path = self.folders[side] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        entry = {
            "path": {"root": "repo", "path": name},
            "kind": "output",
            "size": path.stat().st_size,
            "digests": file_digests(str(path), ("blake3",)),
            "how": ["scanned"],
            "state": "digested",
        }
        self.entries[side].append({**entry, **rest})

    def results(self, tolerance: Tolerance | None = None) -> list[OutputResult]:
        def locator(side: int) -> Any:
            return lambda ref: str(self.folders[side] / ref.path)

        return compare_outputs(*self.entries, locator(0), locator(1), tolerance)

    def judge(self, name: str, old: bytes | str, new: bytes | str) -> OutputResult:
        self.put(0, name, old)
        self.put(1, name, new)
        return self.results()[-1]


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)


def test_equal_digests_are_the_same_and_nothing_is_opened(two: Two) -> None:
    two.put(0, "x.pkl", b"a")
    two.put(1, "x.pkl", b"a")
    results = compare_outputs(*two.entries, lambda _: 1 / 0, lambda _: 1 / 0)  # type: ignore[arg-type, return-value]
    assert results == [OutputResult(PathRef("repo", "x.pkl"), SAME, "", "output")]


def test_json_within_tolerance_volatile_and_different(two: Two) -> None:
    old = {"acc": 0.9, "time": 1.5, "out": "/a/b/model.pt", "n": 3}
    near = {**old, "acc": 0.9 + 1e-9, "time": 9, "out": "/c/model.pt"}
    one = two.judge("a.json", json.dumps(old), json.dumps(near))
    assert one.verdict == WITHIN
    assert one.detail == (
        "1 value within tolerance; differs only in times, durations, paths and the like"
    )
    one = two.judge("b.json", json.dumps(old), json.dumps({**old, "n": 4}))
    assert (one.verdict, one.detail) == (DIFFERENT, "1 of 4 values differ, the first at n")
    one = two.judge("c.json", '{"a": 1, "b": 2}', '{"b":2,"a":1}')
    assert (one.verdict, one.detail) == (WITHIN, "the same values in another layout")


def test_the_users_tolerance_counts(two: Two) -> None:
    two.put(0, "a.json", "[100]")
    two.put(1, "a.json", "[101]")
    assert two.results()[0].verdict == DIFFERENT
    assert two.results(Tolerance.of(rtol=0.02))[0].verdict == WITHIN


@pytest.mark.parametrize(
    ("name", "old", "same", "other"),
    [
        ("a.csv", "loss,time\n0.5,1\n", "loss,time\n0.50000001,9\n", "loss,time\n0.6,1\n"),
        ("a.tsv", "x\n1.0\n", "x\n1.00\n", "x\n2\n"),
        ("a.jsonl", '{"a": 1.0}\n', '{"a": 1.00}\n\n', '{"a": 2}\n'),
        ("a.yaml", "a: 1\nb: x\n", "b: x\na: 1\n", "a: 2\nb: x\n"),
        ("run.log", "loss 0.5 in 3.2s\n", "loss 0.5 in 4.1s\n", "loss 0.7 in 3.2s\n"),
        ("a.svg", "<d>2025-01-01T01:01:01</d>", "<d>2026-01-01T01:01:01</d>", "<e>1</e>"),
    ],
)
def test_texts_and_tables(two: Two, name: str, old: str, same: str, other: str) -> None:
    assert two.judge(name, old, same).verdict == WITHIN
    assert two.judge("other-" + name, old, other).verdict == DIFFERENT


def test_pickles_are_never_loaded(two: Two, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return os.system, ("touch %s/exploded" % tmp_path,)

    for name in ("m.pkl", "m.pt", "m.joblib", "m.npy", "m.npz", "m.ckpt", "m.yaml"):
        one = two.judge(name, pickle.dumps(Bomb()), pickle.dumps([Bomb()]))
        assert one.verdict == DIFFERENT
    tag = "!!python/object/apply:os.system ['touch %s/exploded']" % tmp_path
    assert two.judge("n.yaml", tag, tag + " ").verdict == DIFFERENT
    assert not (tmp_path / "exploded").exists()


def archive(path: Path, year: int, **members: bytes) -> bytes:
    with zipfile.ZipFile(path, "w") as out:
        for name, data in members.items():
            out.writestr(zipfile.ZipInfo("%s/%s" % (path.stem, name), (year, 1, 1, 0, 0, 0)), data)
    return path.read_bytes()


def test_archives_by_their_members(two: Two, tmp_path: Path) -> None:
    old = archive(tmp_path / "a", 1990, w=b"weights", v=b"1")
    new = archive(tmp_path / "b", 2000, w=b"weights", v=b"1")
    other = archive(tmp_path / "c", 1990, w=b"weightz", v=b"1")
    assert two.judge("m.pt", old, new).verdict == WITHIN
    one = two.judge("n.pt", old, other)
    assert (one.verdict, one.detail) == (
        DIFFERENT,
        "1 of 2 members differ: w (1 of 1 lines differ, the first at line 1)",
    )


def test_gzip_and_png_by_what_is_inside(two: Two) -> None:
    one = two.judge("a.gz", gzip.compress(b"x" * 99, mtime=1), gzip.compress(b"x" * 99, mtime=2))
    assert one.verdict == WITHIN
    one = two.judge("b.gz", gzip.compress(b"x", mtime=1), gzip.compress(b"y", mtime=1))
    assert one.verdict == DIFFERENT
    assert two.judge("a.png", png(b"v1", 7), png(b"v2", 7)).verdict == WITHIN
    assert two.judge("b.png", png(b"v1", 7), png(b"v1", 8)).verdict == DIFFERENT


def png(text: bytes, pixel: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    image = zlib.compress(bytes([0, pixel]))
    parts = (b"IHDR", header), (b"tEXt", b"Software\0" + text), (b"IDAT", image), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def test_arrays_where_numpy_is_here(two: Two) -> None:
    numpy = pytest.importorskip("numpy")
    import io

    def saved(value: Any) -> bytes:
        out = io.BytesIO()
        numpy.save(out, value)
        return out.getvalue()

    base = numpy.array([1.0, 2.0])
    assert two.judge("a.npy", saved(base), saved(base * (1 + 1e-9))).verdict == WITHIN
    assert two.judge("b.npy", saved(base), saved(base * 2)).verdict == DIFFERENT


@pytest.mark.parametrize("name", ["a.json", "a.yaml", "a.csv", "a.gz", "a.png", "a.pt", "a.jsonl"])
def test_what_is_not_of_its_form_is_judged_by_its_bytes(two: Two, name: str) -> None:
    one = two.judge(name, b'\x00\xff{[,"\n', b"\x00\xfe}]:'\n\n")
    assert one.verdict == DIFFERENT


def test_forms_that_hold_times_of_writing_are_not_judged_by_bytes(two: Two) -> None:
    assert two.judge("a.pdf", b"1", b"2").verdict == NOT_COMPARED
    assert two.judge("a.bin", b"1", b"2").verdict == DIFFERENT


def test_content_that_is_no_longer_the_recorded_one_is_not_at_hand(two: Two) -> None:
    two.put(0, "a.json", '{"a": 1.0}')
    two.put(1, "a.json", '{"a":1.0}')
    (two.folders[0] / "a.json").write_text('{"a": 2.0}')
    (one,) = two.results()
    assert (one.verdict, one.detail) == (
        NOT_COMPARED,
        "other bytes; the recorded content is not at hand: "
        "whether by more than rounding is not known",
    )


def test_other_bytes_of_a_form_without_numbers_are_different(two: Two) -> None:
    two.put(0, "a.dat", "one")
    two.put(1, "a.dat", "two")
    (two.folders[0] / "a.dat").write_text("six")
    (one,) = two.results()
    assert (one.verdict, one.detail) == (
        DIFFERENT,
        "differs (digest); the recorded content is not at hand",
    )


def test_larger_files_are_judged_by_bytes(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "LIMIT", 5)
    one = two.judge("a.json", '{"a": 1.0}', '{"a": 1.00}')
    assert one.verdict == DIFFERENT
    assert "larger than" in one.detail


def test_missing_new_renamed_and_uncertain_files(two: Two) -> None:
    two.put(0, "gone.csv", "a")
    two.put(0, "runs/2025-01-02_03-04-05/m.json", '{"a": 1}')
    two.put(0, "may-be.txt", "a", state="ambiguous")
    two.put(0, "late.bin", "a", state="pending", digests={})
    two.put(1, "runs/2026-11-12_13-14-15/m.json", '{"a": 1}')
    two.put(1, "may-be.txt", "a")
    two.put(1, "late.bin", "a")
    two.put(1, "added.csv", "a")
    found = {str(one.path): one for one in two.results()}
    assert {name: one.verdict for name, one in found.items()} == {
        "gone.csv": DIFFERENT,
        "runs/2025-01-02_03-04-05/m.json": SAME,
        "may-be.txt": NOT_COMPARED,
        "late.bin": NOT_COMPARED,
        "added.csv": NOT_COMPARED,
    }
    assert found["runs/2025-01-02_03-04-05/m.json"].detail == (
        "now runs/2026-11-12_13-14-15/m.json"
    )


def test_a_pending_text_is_still_compared_by_content(two: Two) -> None:
    two.put(0, "a.json", '{"a": 1}', state="pending", digests={})
    two.put(1, "a.json", '{"a": 2}')
    assert two.results()[0].verdict == DIFFERENT


def test_folders_of_many_files(two: Two) -> None:
    def folder(value: str, files: int) -> dict[str, Any]:
        return {
            "path": {"root": "repo", "path": "out"},
            "kind": "folder",
            "size": 9,
            "files": files,
            "digests": {"blake3-tree-1": value},
        }

    assert compare_outputs([folder("a", 3)], [folder("a", 3)], str, str)[0].verdict == SAME
    (one,) = compare_outputs([folder("a", 3)], [folder("b", 4)], str, str)
    assert (one.verdict, one.detail) == (
        DIFFERENT,
        "3 files when recorded, 4 now; differs (digest)",
    )
