"""Repositories with several files, odd versions and many packages; the lock made from a file."""

from __future__ import annotations

import json
import os

import pytest

from tests.stated.restored import OLD_IDNA, Place, quiet, three, uv

pytestmark = [pytest.mark.slow, pytest.mark.network]

PROJECT = """\
[project]
name = "paper-code"
version = "0.1"
requires-python = ">=3.9"
dependencies = ["six", "idna", "click"]
"""
ENVIRONMENT = """\
name: paper
dependencies:
  - python>=3.8
  - six=1.15
  - idna
  - pip:
    - click==7.0
"""
WORDS = {"same", "differs", "not installed", "extra", "not stated", "not compared", "not for here"}


def test_the_best_of_several_files_is_taken_and_named(tmp_path):
    place = Place(tmp_path, **{"pyproject.toml": PROJECT, "environment.yml": ENVIRONMENT})
    place.write("README.md", "# Paper\n\nTested with numpy 1.19.2 and Python 3.6.\n")
    place.write("requirements.txt", "six==1.14.0\nidna\nclick==6.0\n")
    place.write("requirements-dev.txt", "pytest==3.0\n")
    place.write("docs/requirements.txt", "sphinx==2.0\n")
    place.write("third_party/other/requirements.txt", "six==1.0\n")
    uv(place.folder, "lock", "-q")
    place.venv()
    uv(place.folder, "sync", "-q", env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(place.env)})
    said = place.verify()
    assert said.data["reference"]["file"] == "uv.lock"
    assert set(said.data["reference"]["also"]) >= {"environment.yml", "requirements.txt"}
    quiet(said)  # the README's Python is older than what the lock is for
    place.write("README.md", "# Paper\n\nTested with Python 3.9.\n")
    said = place.verify()
    assert {one[:2] for one in said.findings} == {("version", "python")}
    (place.folder / "README.md").unlink()
    quiet(place.verify())
    for file, also in (
        ("uv.lock", "environment.yml"),
        ("environment.yml", "requirements.txt"),
        ("requirements.txt", "pyproject.toml"),
        ("pyproject.toml", "requirements-dev.txt"),
    ):
        reference = place.verify(code=None).data["reference"]
        assert reference["file"] == file
        assert also in reference["also"]
        assert place.verify(file, code=None).data["reference"]["file"] == file
        (place.folder / file).unlink()


def test_what_the_best_file_leaves_open_is_taken_from_the_next(tmp_path):
    place = Place(
        tmp_path, **{"environment.yml": "dependencies:\n- python\n- pip\n- six\n- idna\n"}
    )
    place.write("requirements.txt", "six==1.16.0\nidna==3.10\n")
    place.venv("--seed")
    place.install("-r", "requirements.txt")
    said = place.verify()
    assert said.data["reference"]["file"] in ("requirements.txt", "environment.yml")
    assert {said.status(one) for one in ("six", "idna")} == {"same"}
    place.change()
    three(place.verify(code=1), place, "requirements.txt", "3.10", "1.16.0", False)


def test_a_lock_from_a_file_gives_the_same_answer(tmp_path):
    text = "six>=1.16\nidna==3.10\nclick\ncolorama==0.4.6; sys_platform == 'win32'\n"
    place = Place(tmp_path, **{"requirements.txt": text})
    place.venv()
    place.install("-r", "requirements.txt")
    for change in (False, True):
        if change:
            place.change()
        files = place.verify(code=None)
        prov = place.prov()
        prov("lock", "--from", "requirements.txt")
        lock = place.verify(code=None)
        assert lock.data["reference"]["source"].endswith("prov.lock")
        for part in ("findings", "not_compared", "compared", "verdict"):
            assert lock.data[part] == files.data[part]
        assert lock.rows == files.rows
        assert lock.code == files.code == int(change)
        (place.folder / "prov.lock").unlink()


def test_the_words_of_rows(tmp_path):
    place = Place(tmp_path)
    place.write(
        "requirements.txt",
        "six==1.16.0\nidna==3.10\nclick\niniconfig==2.0.0\n"
        "colorama; sys_platform == 'win32'\npackaging @ https://example.org/packaging/main.zip\n",
    )
    place.venv()
    place.install("six==1.16.0", "idna==" + OLD_IDNA, "click", "packaging")
    said = place.verify(code=None)
    assert {name: row["status"] for name, row in said.rows.items()} == {
        "six": "same",
        "idna": "differs",
        "click": "not stated",
        "iniconfig": "not installed",
        "colorama": "not for here",
        "packaging": "not compared",
    }
    assert {row["status"] for row in said.rows.values()} | {"extra"} == WORDS
    assert all(row["reason"] for row in said.rows.values() if row["status"].startswith("not c"))


ODD = """\
Foo_Bar==1.0
foo.baz==2
torchlike==2.1.0
cpulike==2.1.0+cpu
oldlike==1.0-r3
epoch==1!2.0
pre==2.0rc1
wild==3.4.*
twice
twice>=1.0
arbitrary===1.0.0
zeros==1.0
"""
INSTALLED = """\
foo-bar==1.0 Foo.Baz==2.0.0 torchlike==2.1.0+cu118 cpulike==2.1.0+cpu oldlike==1.0.post3
epoch==1!2.0 pre==2.0rc1 wild==3.4.1 twice==1.5 arbitrary==1.0.0 zeros==1.0.0
""".split()


def metadata(place: Place, *pins: str) -> None:
    """Put the metadata of packages into the environment, as installers leave it."""
    site = next((place.env / "lib").glob("python*")) / "site-packages"
    for pin in pins:
        name, version = pin.split("==")
        folder = site / ("%s-%s.dist-info" % (name.replace("-", "_"), version))
        folder.mkdir()
        text = "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version)
        (folder / "METADATA").write_text(text)
        (folder / "INSTALLER").write_text("pip\n")
        (folder / "RECORD").write_text("%s/METADATA,,\n" % folder.name)


def test_odd_versions_and_names(tmp_path):
    place = Place(tmp_path, **{"requirements.txt": ODD})
    place.venv()
    metadata(place, *INSTALLED)
    said = place.verify()
    quiet(said)
    assert {row["status"] for row in said.rows.values()} == {"same"}
    assert len(said.rows) == 11


DIFFERENT = [
    ("==2.1.0+cpu", "2.1.0+cu118", "build", "unknown"),
    ("==2.1.0+cpu", "2.1.0", "build", "unknown"),
    ("==1.0rc1", "1.0", "version", "unknown"),
    ("==1.0", "1.0.1", "version", "unknown"),
    ("==1.0", "1.0.post1", "version", "unknown"),
    ("~=1.4.2", "1.5.0", "version", "possible"),
    ("<2", "2.0.0", "version", "possible"),
    ("<2", "2.0.dev1", "version", "possible"),  # pip's rule: of what comes before 2, too
    (">=1.0", "1.0rc1", "version", "possible"),
    ("!=1.5", "1.5", "version", "possible"),
    ("==1!1.0", "1.0", "version", "unknown"),
    ("==3.4.*", "3.5", "version", "unknown"),
]
ALIKE = [("==1.0", "1.0+local"), ("==1.0+A.b", "1.0+a-b"), ("<=1.0", "1.0+local"), ("==1", "1.0.0")]


def test_versions_that_differ_and_versions_that_only_look_so(tmp_path):
    rows = [(*one[:2], *one[2:]) for one in DIFFERENT] + [(*one, "", "") for one in ALIKE]
    lines = ["like-%d%s\n" % (number, one[0]) for number, one in enumerate(rows, 1)]
    place = Place(tmp_path, **{"requirements.txt": "".join(lines)})
    place.venv()
    metadata(place, *("like-%d==%s" % (number, one[1]) for number, one in enumerate(rows, 1)))
    said = place.verify()
    assert said.findings == {
        (kind, "like-%d" % number, effect, stated.removeprefix("=="), installed)
        for number, (stated, installed, kind, effect) in enumerate(rows, 1)
        if kind
    }
    for number, one in enumerate(rows, 1):
        row = said.rows["like-%d" % number]
        assert row["where"] == "requirements.txt:%d" % number
        assert row["status"] == ("differs" if one[2] else "same")


def test_many_that_are_missing_are_told_together(tmp_path):
    names = ["pkg-%d==1.0" % number for number in range(60)]
    place = Place(tmp_path, **{"requirements.txt": "\n".join(["six==1.16.0", *names, ""])})
    place.venv()
    metadata(place, "six==1.16.0", *names[:20])
    said = place.verify()
    assert {one[0] for one in said.findings} == {"removed"}
    assert len(said.findings) == 40
    assert len(said.data["references"][0]["notes"]) == 1
    done = place.prov()("verify", "--offline", "--python", place.python, code=0)
    assert len(done.stdout.splitlines()) < 25, done.stdout
    assert "40 of 61 packages of requirements.txt are not installed" in done.stdout
    json.dumps(said.data)
