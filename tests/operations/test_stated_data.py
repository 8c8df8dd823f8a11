"""Digests that DVC's files and lists of checksums state, against what is here.

What DVC itself says is in ``test_stated_data_dvc.py``; the digests of ``FOLDER`` were taken by DVC
3.67.1 and 2.58.2.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.core.difference import BROKEN, UNKNOWN, Comparison
from provenance.operations import _dvc, _stated_digests
from provenance.operations.stated_data import compare_data
from provenance.specs import formats
from provenance.specs.model import Fact, Source

FOLDER = {"x.csv": b"a,b\r\n1,2\r\n", 'sub/\u00e9 "q".txt': "h\u00e9\n".encode(), "empty": b""}
BY_DVC_3 = "f65a259acb35304f6c3eeacbe563203a.dir"
BY_DVC_2 = "a40ba2d861951341f63556e85d610a8a.dir"


def facts(path: str, text: str) -> tuple[Fact, ...]:
    return formats.read(Source(path, text.encode())).facts


def out(path: str, digest: str) -> tuple[Fact, ...]:
    name = path + ".dvc"
    return facts(name, "outs:\n- md5: %s\n  path: %s\n" % (digest, os.path.basename(path)))


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def why(found: Comparison) -> dict[str, str]:
    return {one.what: one.reason for one in found.not_compared}


@pytest.mark.parametrize("digest", [BY_DVC_3, BY_DVC_2])
def test_a_folder_as_dvc_digests_it(tmp_path: Path, digest: str) -> None:
    write(tmp_path / "data", FOLDER)
    found = compare_data(out("data", digest), str(tmp_path))
    assert (found.equal, found.total, found.unit) == (1, 1, "data files")
    (tmp_path / "data" / "x.csv").write_bytes(b"a,b\r\n1,3\r\n")
    found = compare_data(out("data", digest), str(tmp_path))
    (one,) = found.differences
    assert (one.facet, one.kind, one.name, one.effect) == ("data", "digest", "data", BROKEN)
    assert one.old == {"md5": digest}
    assert one.where == ("data.dvc:2",)


@pytest.mark.parametrize(
    ("digest", "equal"),
    [
        (hashlib.md5(FOLDER["x.csv"]).hexdigest(), 1),
        ("e5ebd4c02cefbe7955977c67ada242b7", 1),
        ("e5ebd4c02cefbe7955977c67ada242b8", 0),
    ],
)
def test_a_text_file_of_either_dvc(tmp_path: Path, digest: str, equal: int) -> None:
    write(tmp_path, {"x.csv": FOLDER["x.csv"]})
    found = compare_data(out("x.csv", digest), str(tmp_path))
    assert (found.equal, found.total) == (equal, 1)


def test_a_list_of_md5s_means_the_bytes_themselves(tmp_path: Path) -> None:
    """Only DVC ever took text files with other line ends for the same."""
    write(tmp_path, {"x.csv": FOLDER["x.csv"]})
    found = compare_data(
        facts("md5sums", "e5ebd4c02cefbe7955977c67ada242b7  x.csv\n"), str(tmp_path)
    )
    assert [one.effect for one in found.differences] == [BROKEN]


def test_files_that_use_brings_do_not_count(tmp_path: Path) -> None:
    write(tmp_path / "data", {**FOLDER, ".DS_Store": b"x", "__pycache__/a.pyc": b"y"})
    assert compare_data(out("data", BY_DVC_3), str(tmp_path)).equal == 1


def cached(root: Path, rows: dict[str, bytes], version: int = 3) -> str:
    """Write a folder's list as DVC's cache has it; return its digest."""
    listed = [
        {"md5": hashlib.md5(data).hexdigest(), "relpath": name}
        for name, data in sorted(rows.items())
    ]
    data = json.dumps(listed, sort_keys=True).encode()
    value = hashlib.md5(data).hexdigest()
    below = "files/md5/" if version == 3 else ""
    write(root / ".dvc" / "cache", {"%s%s/%s.dir" % (below, value[:2], value[2:]): data})
    return value + ".dir"


@pytest.mark.parametrize("version", [2, 3])
def test_the_list_in_the_cache_names_what_differs(tmp_path: Path, version: int) -> None:
    digest = cached(tmp_path, FOLDER, version)
    assert digest == BY_DVC_3
    write(tmp_path / "data", {**FOLDER, "more.txt": b"not of the list"})
    assert compare_data(out("data", digest), str(tmp_path)).equal == 1
    write(tmp_path / "data", {"x.csv": b"other"})
    (one,) = compare_data(out("data", digest), str(tmp_path)).differences
    assert one.text == "has other content: 1 of 3 files: x.csv"
    write(tmp_path / "data", FOLDER)
    (tmp_path / "data" / "empty").unlink()
    found = compare_data(out("data", digest), str(tmp_path))
    assert why(found) == {"data": "not all here: 2 of its 3 files"}


def test_a_list_that_is_not_what_it_says_is_no_list(tmp_path: Path) -> None:
    digest = cached(tmp_path, FOLDER)
    place = tmp_path / ".dvc" / "cache" / "files" / "md5" / digest[:2] / digest[2:]
    place.write_text("[]")
    write(tmp_path / "data", {"x.csv": b"other"})
    assert compare_data(out("data", digest), str(tmp_path)).differences


def test_a_cache_at_another_place(tmp_path: Path) -> None:
    digest = cached(tmp_path / "elsewhere", FOLDER)
    write(tmp_path / "repo", {".dvc/config": b"[cache]\n    dir = ../../elsewhere/.dvc/cache\n"})
    write(tmp_path / "repo" / "data", {**FOLDER, "x.csv": b"other"})
    (one,) = compare_data(out("data", digest), str(tmp_path / "repo")).differences
    assert one.text == "has other content: 1 of 3 files: x.csv"


def test_rules_that_leave_files_out_are_said(tmp_path: Path) -> None:
    write(tmp_path, {".dvcignore": b"# comment\n*.tmp\n"})
    write(tmp_path / "data", {**FOLDER, "a.tmp": b"x"})
    assert ".dvcignore" in why(compare_data(out("data", BY_DVC_3), str(tmp_path)))["data"]


def test_scripts_that_dvc_lists_are_not_broken_data(tmp_path: Path) -> None:
    text = (
        "schema: '2.0'\nstages:\n  fit:\n    cmd: python fit.py\n    deps:\n"
        "    - path: fit.py\n      md5: 51627ab6d865c51a634959dbc4a59b27\n"
        "    - path: d.csv\n      md5: 51627ab6d865c51a634959dbc4a59b27\n"
    )
    write(tmp_path, {"fit.py": b"x = 1\n", "d.csv": b"1\n"})
    found = compare_data(facts("dvc.lock", text), str(tmp_path))
    assert {one.name: one.effect for one in found.differences} == {
        "fit.py": UNKNOWN,
        "d.csv": BROKEN,
    }


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [
        ("SHA256SUMS", "sha256"),
        ("md5sum.txt", "md5"),
        ("sha1sums", "sha1"),
        ("SHA512SUMS", "sha512"),
        ("b2sums", "blake2b"),
    ],
)
def test_lists_of_checksums(tmp_path: Path, name: str, algorithm: str) -> None:
    files = {"data/a.bin": b"a" * 100, "data/b c.bin": b"b" * 2_000_000}
    write(tmp_path, files)
    text = "".join(
        "%s  %s\n" % (hashlib.new(algorithm, data).hexdigest().upper(), path.partition("/")[2])
        for path, data in files.items()
    )
    stated = facts("data/" + name, text)
    found = compare_data(stated, str(tmp_path))
    assert (found.equal, found.total, found.not_compared) == (2, 2, ())
    write(tmp_path, {"data/a.bin": b"A" * 100})
    found = compare_data(stated, str(tmp_path))
    assert [(one.name, one.effect) for one in found.differences] == [("data/a.bin", BROKEN)]
    assert found.differences[0].where == ("data/%s:1" % name,)


def test_blake3(tmp_path: Path) -> None:
    import blake3

    write(tmp_path, {"a": b"data"})
    text = "%s  a\n" % blake3.blake3(b"data").hexdigest()
    assert compare_data(facts("x.b3", text), str(tmp_path)).equal == 1


def test_what_is_not_here_is_one_line(tmp_path: Path) -> None:
    text = "".join("%s  part%d.tar\n" % ("0" * 64, number) for number in range(5))
    found = compare_data(facts("SHA256SUMS", text), str(tmp_path))
    assert found.total == 0
    assert why(found) == {"5 files: part0.tar, part1.tar, part2.tar and 2 more": "not here"}


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/hostname", "sub/../../secret", "s3://bucket/x", "~/x", "."]
)
def test_nothing_outside_of_the_repository_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "repo").mkdir()
    stated = [Fact("data", name, "exact", "sums:1", digest="sha256:" + "0" * 64)]
    found = compare_data(stated, str(tmp_path / "repo"))
    assert found.total == 0
    assert "outside of this repository" in why(found).values() or name == "~/x"


def test_a_pointer_of_git_lfs_is_no_data(tmp_path: Path) -> None:
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 9\n" % ("0" * 64)
    write(tmp_path, {"a.bin": text.encode()})
    found = compare_data(facts("SHA256SUMS", "%s  a.bin\n" % ("0" * 64)), str(tmp_path))
    assert "git lfs pull" in why(found)["a.bin"]


def test_what_is_no_digest_or_no_file(tmp_path: Path) -> None:
    write(tmp_path, {"a": b"x", "b": b"x", "d/x": b"x"})
    os.mkfifo(tmp_path / "pipe")
    stated = [
        Fact("data", "a", "exact", "a.dvc:1", digest="etag:abc"),
        Fact("data", "b", "exact", "b.dvc:1", digest="shake_128:abc"),
        Fact("data", "d", "exact", "d.dvc:1", digest="sha256:" + "0" * 64),
        Fact("data", "pipe", "exact", "d.dvc:1", digest="sha256:" + "0" * 64),
        Fact("data", "b2", "name only", "dvc.yaml:1"),
    ]
    found = compare_data(stated, str(tmp_path))
    assert (found.differences, found.total) == ((), 0)
    assert set(why(found)) == {"a", "b", "d", "pipe", "b2"}


def test_a_file_stated_twice_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"z" * 10
    write(tmp_path, {"a": data})
    text = "%s  a\n" % hashlib.sha256(data).hexdigest()
    stated = facts("SHA256SUMS", text) + facts("md5sums", "%s  a\n" % ("0" * 32))
    taken = []
    whole = _stated_digests.DigestCache.digest

    def digest(self: object, path: str, algorithms: tuple[str, ...]) -> dict[str, str]:
        taken.append(algorithms)
        return whole(self, path, algorithms)  # type: ignore[arg-type]

    monkeypatch.setattr(_stated_digests.DigestCache, "digest", digest)
    found = compare_data(stated, str(tmp_path))
    assert (found.equal, len(found.differences)) == (1, 1)
    assert taken == [("sha256", "md5")]


def test_the_time_is_kept_and_the_cache_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file too large for the time is not begun; once its digest is known, it is compared."""
    monkeypatch.setattr(_stated_digests, "RATE", 1 << 20)
    size = 64 << 20
    with (tmp_path / "large.bin").open("wb") as stream:
        stream.truncate(size)
    write(tmp_path, {"small.bin": b"s"})
    text = "%s  large.bin\n%s  small.bin\n" % (
        hashlib.sha256(bytes(size)).hexdigest(),
        hashlib.sha256(b"s").hexdigest(),
    )
    stated = facts("SHA256SUMS", text)
    cache = str(tmp_path / "digests")
    found = compare_data(stated, str(tmp_path), cache, 20)
    assert (found.equal, found.total) == (1, 1)
    assert why(found) == {"large.bin": "67.1 MB: digesting takes longer than 20 s; --full takes it"}
    time.sleep(2.1)  # the digest of what was changed within two seconds is not kept
    assert compare_data(stated, str(tmp_path), cache, None).equal == 2
    found = compare_data(stated, str(tmp_path), cache, 20)
    assert (found.equal, found.not_compared) == (2, ())


def test_a_folder_that_was_not_pulled_is_not_broken(tmp_path: Path) -> None:
    """A clone holds what git holds: here the pointer that lies in the folder."""
    text = "outs:\n- md5: %s\n  size: 14\n  nfiles: 3\n  hash: md5\n  path: data\n" % BY_DVC_3
    write(tmp_path, {"data.dvc": text.encode(), "data/x.csv.dvc": b"", "data/.gitignore": b"x.csv"})
    found = compare_data(facts("data.dvc", text), str(tmp_path))
    assert (found.differences, why(found)) == ((), {"data": "not all here: 2 of its 3 files"})
    (tmp_path / "data.dvc").unlink()
    found = compare_data(out("data", BY_DVC_3), str(tmp_path))
    assert (found.differences, why(found)) == ((), {"data": "not here"}), "without a count"


LOCK = """\
schema: '2.0'
stages:
  a:
    deps:
    - path: one.bin
      md5: 11111111111111111111111111111111
      size: 11
    - path: data
      hash: md5
      md5: 22222222222222222222222222222222.dir
      size: 22
      nfiles: 2
    outs:
    - md5: '33333333333333333333333333333333'   # remark
      path: out
"""


@pytest.mark.parametrize(
    ("line", "value", "told"),
    [
        (6, "1" * 32, (11, None, True)),
        (10, "2" * 32 + ".dir", (22, 2, False)),
        (14, "3" * 32, (None, None, True)),
        (7, "1" * 32, (None, None, True)),
        (99, "1" * 32, (None, None, True)),
        ("\u00b2", "1" * 32, (None, None, True)),
        ("9" * 5000, "1" * 32, (None, None, True)),
    ],
)
def test_what_stands_beside_a_digest(
    tmp_path: Path, line: int | str, value: str, told: tuple[int | None, int | None, bool]
) -> None:
    write(tmp_path, {"dvc.lock": LOCK.encode()})
    assert tuple(_dvc.entry(str(tmp_path), "dvc.lock:%s" % line, value)) == told


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(lines=st.lists(st.sampled_from((*LOCK.split("\n"), "", "-", "size: 9999", "\t- - a: b"))))
def test_any_file_of_dvc_is_read(tmp_path: Path, lines: list[str]) -> None:
    write(tmp_path, {"dvc.lock": "\n".join(lines).encode()})
    for number in range(len(lines) + 2):
        _dvc.entry(str(tmp_path), "dvc.lock:%d" % number, "1" * 32)


def test_another_size_tells_without_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digest(*_: object) -> dict[str, str]:
        raise AssertionError("it was read")

    monkeypatch.setattr(_stated_digests.DigestCache, "digest", digest)
    text = "outs:\n- md5: %s\n  size: 5\n  hash: md5\n  path: a.bin\n" % ("0" * 32)
    write(tmp_path, {"a.bin.dvc": text.encode(), "a.bin": b"1234"})
    (one,) = compare_data(facts("a.bin.dvc", text), str(tmp_path)).differences
    assert (one.effect, one.new, one.text) == (
        BROKEN,
        {"size": 4},
        "has other content: 5 bytes stated, 4 here",
    )


def test_dvc_3_means_the_bytes_themselves(tmp_path: Path) -> None:
    text = "outs:\n- md5: e5ebd4c02cefbe7955977c67ada242b7\n  hash: md5\n  path: x.csv\n"
    write(tmp_path, {"x.csv.dvc": text.encode(), "x.csv": FOLDER["x.csv"]})
    assert compare_data(facts("x.csv.dvc", text), str(tmp_path)).differences


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1)


@given(st.dictionaries(NAMES, st.binary(max_size=4).map(bytes.hex), max_size=8))
def test_the_digest_of_a_folder_depends_on_nothing_else(rows: dict[str, str]) -> None:
    told = _dvc.folder_digest(rows)
    assert told == _dvc.folder_digest(dict(reversed(rows.items())))
    assert _dvc.folder_digest({**rows, "more/": "x"}) != told


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(name=st.text(max_size=40), digest=st.text(max_size=80))
def test_any_stated_text_gives_an_answer(tmp_path: Path, name: str, digest: str) -> None:
    stated = [Fact("data", name, "exact", "x.dvc:1", digest=digest)]
    found = compare_data(stated, str(tmp_path))
    assert found.total + len(found.not_compared) == 1


def test_small_files_come_before_a_large_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    whole = _stated_digests.Digester.of

    def of(self: object, one: _stated_digests.Stated) -> object:
        order.append(one.name)
        return whole(self, one)  # type: ignore[arg-type]

    monkeypatch.setattr(_stated_digests.Digester, "of", of)
    write(tmp_path, {"data/a": b"x" * 1000, "small": b"y"})
    stated = out("data", "0" * 32 + ".dir") + out("small", "0" * 32)
    compare_data(stated, str(tmp_path))
    assert order == ["small", "data"]


def test_a_link_to_the_root_of_everything_does_not_hang(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "all").symlink_to("/")
    (tmp_path / "data" / "loop").symlink_to(".")
    began = time.monotonic()
    found = compare_data(out("data", BY_DVC_3), str(tmp_path), seconds=0.2)
    assert found.total + len(found.not_compared) == 1
    assert time.monotonic() - began < 30
