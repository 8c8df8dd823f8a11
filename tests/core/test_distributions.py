"""What is installed: held against importlib.metadata and against what installers leave behind."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from provenance.core import distributions
from provenance.core.distributions import Distribution, scan

RECORD = """\
demo/__init__.py,sha256=aaa,10
demo/core.py,sha256=bbb,20
demo-1.0.dist-info/METADATA,sha256=ccc,30
demo-1.0.dist-info/RECORD,,
"""


def dist_info(site: Path, name: str, version: str, **files: str) -> Path:
    """Make a metadata folder; ``files`` by name with "_" for ".", METADATA made unless given."""
    folder = site / ("%s-%s.dist-info" % (name.replace("-", "_"), version))
    folder.mkdir(parents=True)
    metadata = "Metadata-Version: 2.1\nName: %s\nVersion: %s\n\nText.\n" % (name, version)
    for file, text in {"METADATA": metadata, **files}.items():
        (folder / file.replace("_json", ".json").replace("level_txt", "level.txt")).write_text(text)
    return folder


def only(found: list[Distribution]) -> Distribution:
    assert len(found) == 1, found
    return found[0]


def test_agrees_with_importlib_metadata_on_this_environment() -> None:
    site = sysconfig.get_path("purelib")
    theirs = {
        canonicalize_name(d.metadata["Name"]): (d.metadata["Name"], d.version)
        for d in importlib.metadata.distributions(path=[site])
    }
    ours = {d.key: (d.name, d.version) for d in scan([site])}
    assert ours == theirs
    assert len(ours) > 5


def test_modules_agree_with_importlib_metadata_on_this_environment() -> None:
    site = sysconfig.get_path("purelib")
    for one in scan([site]):
        files = importlib.metadata.Distribution.at(Path(one.folder)).files or []
        tops = {
            f.parts[0].partition(".")[0]
            for f in files
            if f.suffix in (".py", ".so") and f.parts[0].partition(".")[0].isidentifier()
        }
        if not one.editable_root:
            assert tops <= {m.partition(".")[0] for m in one.modules}, one.name


def test_reads_every_member(tmp_path: Path) -> None:
    direct = {"url": "https://example.org/demo.zip", "archive_info": {}}
    dist_info(
        tmp_path, "demo", "1.0", INSTALLER="uv\n", REQUESTED="", RECORD=RECORD,
        direct_url_json=json.dumps(direct),
    )  # fmt: skip
    one = only(scan([str(tmp_path)]))
    assert (one.name, one.key, one.version, one.installer) == ("demo", "demo", "1.0", "uv")
    assert one.requested
    assert one.direct_url == direct
    assert one.location == str(tmp_path)
    assert one.modules == ("demo",)
    assert len(one.record_sha256) == 64
    assert one.note == ""


def test_the_first_on_the_path_wins(tmp_path: Path) -> None:
    dist_info(tmp_path / "a", "Demo_Package", "1.0")
    dist_info(tmp_path / "b", "demo-package", "2.0")
    one = only(scan([str(tmp_path / "a"), str(tmp_path / "b"), str(tmp_path / "a")]))
    assert (one.name, one.version) == ("Demo_Package", "1.0")
    assert only(scan([str(tmp_path / "b"), str(tmp_path / "a")])).version == "2.0"


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("demo-1.0.dist-info/INSTALLER,sha256=p,4\n", "", True),
        ("demo-1.0.dist-info/REQUESTED,,\n", "demo-1.0.dist-info/direct_url.json,,\n", True),
        ("demo/__pycache__/core.cpython-311.pyc,,\n", "", True),
        ("../../../bin/demo,sha256=one,200\n", "../../../bin/demo,sha256=two,210\n", True),
        ("/opt/bin/demo,sha256=one,200\n", "", True),
        ("demo/new.py,sha256=n,1\n", "", False),
        ("demo/data.bin,sha256=n,1\n", "demo/data.bin,sha256=m,1\n", False),
    ],
)
def test_the_digest_of_a_record_speaks_of_the_package_alone(
    tmp_path: Path, one: str, two: str, same: bool
) -> None:
    dist_info(tmp_path / "a", "demo", "1.0", RECORD=RECORD + one)
    dist_info(tmp_path / "b", "demo", "1.0", RECORD=two + RECORD)
    digests = [only(scan([str(tmp_path / p)])).record_sha256 for p in "ab"]
    assert (digests[0] == digests[1]) is same


def test_line_ends_and_order_do_not_change_the_digest(tmp_path: Path) -> None:
    dist_info(tmp_path / "a", "demo", "1.0", RECORD=RECORD)
    folder = dist_info(tmp_path / "b", "demo", "1.0")
    lines = RECORD.splitlines()[::-1]
    (folder / "RECORD").write_bytes("\r\n".join(lines).encode() + b"\r\n")
    digests = {only(scan([str(tmp_path / p)])).record_sha256 for p in "ab"}
    assert len(digests) == 1
    assert digests != {""}


def test_namespace_packages_are_told_by_their_parts(tmp_path: Path) -> None:
    record = "google/auth/__init__.py,sha256=a,1\ngoogle/auth/x.py,sha256=a,1\nsolo.py,,\n"
    record += "native.cpython-311-x86_64-linux-gnu.so,,\nnumpy.libs/libblas.so,,\n"
    dist_info(tmp_path, "google-auth", "2.0", RECORD=record, top_level_txt="google\n")
    assert only(scan([str(tmp_path)])).modules == ("google.auth", "native", "solo")


def test_top_level_txt_serves_where_there_is_no_record(tmp_path: Path) -> None:
    folder = tmp_path / "PyDemo.egg-info"
    folder.mkdir()
    (folder / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: PyDemo\nVersion: 0.1\n")
    (folder / "top_level.txt").write_text("pydemo\n_pydemo\n")
    one = only(scan([str(tmp_path)]))
    assert (one.key, one.version, one.record_sha256) == ("pydemo", "0.1", "")
    assert one.modules == ("_pydemo", "pydemo")


def test_old_egg_info_files_and_eggs(tmp_path: Path) -> None:
    (tmp_path / "Old-1.2-py3.8.egg-info").write_text("Name: Old\nVersion: 1.2\nSummary: s\n")
    egg = tmp_path / "Eggy-3.0-py3.8.egg"
    (egg / "EGG-INFO").mkdir(parents=True)
    (egg / "EGG-INFO" / "PKG-INFO").write_text("Name: Eggy\nVersion: 3.0\n")
    packed = tmp_path / "Packed-4.0-py3.8.egg"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("EGG-INFO/PKG-INFO", "Name: Packed\nVersion: 4.0\n")
    found = scan([str(tmp_path), str(egg), str(packed)])
    assert [(d.name, d.version) for d in found] == [
        ("Eggy", "3.0"), ("Old", "1.2"), ("Packed", "4.0"),
    ]  # fmt: skip


def test_what_is_half_removed_or_damaged_is_said_so(tmp_path: Path) -> None:
    dist_info(tmp_path, "numpy", "1.26.0")
    os.rename(tmp_path / "numpy-1.26.0.dist-info", tmp_path / "~umpy-1.26.0.dist-info")
    (tmp_path / "lost_meta-2.1.dist-info").mkdir()
    dist_info(tmp_path, "twice", "1.9")
    dist_info(tmp_path, "twice", "1.10")
    dist_info(tmp_path, "odd", "1", METADATA="\x00\xff not a header", direct_url_json="{not json")
    found = {d.name: d for d in scan([str(tmp_path)])}
    assert found["~umpy"].note == "half removed"
    assert "numpy" not in found
    assert (found["lost_meta"].key, found["lost_meta"].version) == ("lost-meta", "2.1")
    assert found["lost_meta"].note == "no metadata"
    assert found["twice"].version == "1.10"
    assert "1.9" in found["twice"].note
    assert found["odd"].version == "1"
    assert found["odd"].direct_url == {}


def test_editable_installs_point_to_their_project(tmp_path: Path) -> None:
    project = tmp_path / "my project"
    project.mkdir()
    site = tmp_path / "site"
    direct = {"url": project.as_uri(), "dir_info": {"editable": True}}
    dist_info(site, "modern", "1", direct_url_json=json.dumps(direct), RECORD="_modern.pth,,\n")
    (site / "_bare.pth").write_text("%s\n" % project)
    dist_info(site, "bare", "1", RECORD="_bare.pth,sha256=x,1\nbare-1.dist-info/RECORD,,\n")
    finder = "MAPPING: dict[str, str] = {'finder': '%s'}\nNAMESPACES = {}\n" % (project / "finder")
    (site / "__editable___finder_1_finder.py").write_text(finder)
    (site / "__editable__.finder-1.pth").write_text("import __editable___finder_1_finder\n")
    record = "__editable__.finder-1.pth,sha256=x,1\n__editable___finder_1_finder.py,sha256=y,2\n"
    dist_info(site, "finder", "1", RECORD=record, top_level_txt="finder\n")
    (site / "linked.egg-link").write_text("%s\n." % (tmp_path / "linked"))
    (tmp_path / "linked" / "linked.egg-info").mkdir(parents=True)
    (tmp_path / "linked" / "linked.egg-info" / "PKG-INFO").write_text("Name: linked\nVersion: 5\n")
    found = {d.name: d for d in scan([str(site), str(tmp_path / "linked")])}
    assert {n: d.editable_root for n, d in found.items()} == {
        "modern": str(project),
        "bare": str(project),
        "finder": str(project),
        "linked": str(tmp_path / "linked"),
    }
    assert {d.record_sha256 for d in found.values()} == {""}
    assert found["finder"].modules == ("finder",)


def test_a_source_tree_on_the_path_does_not_hide_its_editable_install(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "demo.egg-info").mkdir(parents=True)
    (project / "demo.egg-info" / "PKG-INFO").write_text("Name: demo\nVersion: 0.1\n")
    direct = {"url": project.as_uri(), "dir_info": {"editable": True}}
    dist_info(tmp_path / "site", "demo", "0.1", direct_url_json=json.dumps(direct), INSTALLER="pip")
    one = only(scan([str(project), str(tmp_path / "site")]))
    assert (one.editable_root, one.installer) == (str(project), "pip")


def test_a_plain_pth_file_makes_nothing_editable(tmp_path: Path) -> None:
    (tmp_path / "hooks.pth").write_text("import os; x = 1\n")
    dist_info(tmp_path, "hooks", "1", RECORD="hooks.pth,sha256=a,1\nhooks/__init__.py,sha256=b,2\n")
    assert only(scan([str(tmp_path)])).editable_root == ""


def test_folders_that_are_not_there_or_not_folders_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "file.zip").write_text("")
    assert scan([str(tmp_path / "none"), str(tmp_path / "file.zip"), str(tmp_path)]) == []


def test_an_empty_entry_means_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dist_info(tmp_path, "here", "1")
    monkeypatch.chdir(tmp_path)
    assert only(scan([""])).name == "here"


@given(st.text("aZ0-_.", min_size=1, max_size=20))
def test_keys_are_those_of_packaging(name: str) -> None:
    assert distributions.key_of(name) == canonicalize_name(name)


@given(
    st.lists(
        st.sampled_from([*RECORD.splitlines(), "", "../x,,", "a,b", ",,", '"q,r.py",,']), max_size=8
    )
)
def test_no_record_is_too_odd(lines: list[str]) -> None:  # fmt: skip
    kept = distributions._record("\n".join(lines).encode(), b"demo-1.0.dist-info")
    assert kept == sorted(kept)
    assert not [x for x in kept if x.startswith((b"../", b"demo-1.0.dist-info/")) or not x]
    assert distributions._modules(kept) == tuple(sorted(set(distributions._modules(kept))))


@pytest.mark.skipif(sys.platform == "win32", reason="names on Windows are text")
def test_names_that_are_not_utf8_do_no_harm(tmp_path: Path) -> None:
    os.mkdir(os.fsencode(tmp_path) + b"/caf\xe9-1.0.dist-info")
    assert only(scan([str(tmp_path)])).version == "1.0"
