"""``prov verify`` in repositories that never ran prov, and locks of what their files state."""

import json
import os
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from tests.conftest import Prov, git


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Return an interpreter with six 1.16.0 and attrs installed by hand, as a wheel leaves them."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    site = next(folder.glob("lib/python*/site-packages"))
    for name, version, module in (("six", "1.16.0", "six"), ("attrs", "23.1.0", "attr")):
        info = site / ("%s-%s.dist-info" % (name, version))
        info.mkdir()
        (info / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version)
        )
        (info / "top_level.txt").write_text(module + "\n")
        (site / (module + ".py")).write_text("")
    return str(folder / "bin" / "python")


@pytest.fixture
def paper(tmp_path):
    """Return the folder of a repository with a script and no trace of prov."""
    folder = tmp_path / "paper"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "train.py").write_text("import six\n\nprint(six.__name__)\n")
    return folder


@pytest.fixture
def prov(paper, tmp_path):
    """Return the command line in that folder, with caches that nobody filled."""
    found = Prov(paper)
    found.environ.update(PROV_CACHE=str(tmp_path / "cache"), UV_CACHE_DIR=str(tmp_path / "uv"))
    return found


@pytest.fixture
def verify(prov, paper, python):
    """Return ``prov verify --json`` against that interpreter, as a function."""

    def run(*words, code=0):
        return prov.json("verify", "--offline", "--python", python, *words, code=code)

    return run


def rows(data):
    return {row["name"]: row["status"] for row in data["references"][0]["packages"]}


def test_quiet_where_all_is_as_stated(verify, paper):
    (paper / "requirements.txt").write_text("six==1.16.0\nattrs>=20\n")
    data = verify()
    assert data["verdict"] == "same"
    assert data["findings"] == [] == data["not_compared"]
    assert data["reference"]["kind"] == "stated"
    assert data["reference"]["file"] == "requirements.txt"
    assert data["reference"]["stated"] == {"exact": 1, "range": 1}
    assert rows(data) == {"six": "same", "attrs": "same"}
    assert not os.path.exists(paper / ".prov"), "a repository that did not ask for it stays clean"


def test_what_differs_is_told_with_its_place(verify, paper):
    (paper / "requirements.txt").write_text("six==1.15.0\nattrs<20\nnumpy\n")
    data = verify()
    found = {f["name"]: (f["kind"], f["effect"], f["old"], f["new"]) for f in data["findings"]}
    assert found == {
        "six": ("version", "unknown", "1.15.0", "1.16.0"),
        "attrs": ("version", "possible", "<20", "23.1.0"),
        "numpy": ("removed", "possible", "", None),
    }
    places = {row["name"]: row["where"] for row in data["references"][0]["packages"]}
    assert places == {
        "six": "requirements.txt:1",
        "attrs": "requirements.txt:2",
        "numpy": "requirements.txt:3",
    }
    assert verify("--fail-on", "possible", code=1)["verdict"] == "possible effect"


def test_a_missing_import_of_the_source_is_broken(verify, paper):
    (paper / "requirements.txt").write_text("torch==1.4\nsix\n")
    (paper / "net.py").write_text("import os\nimport torch\n")
    data = verify(code=1)
    assert [(f["name"], f["effect"], f["where"]) for f in data["findings"]] == [
        ("torch", "broken", ["net.py:2"])
    ]


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    import torch\nexcept ImportError:\n    torch = None\n",
        "def f():\n    import torch\n",
        "if False:\n    import torch\n",
    ],
)
def test_an_import_that_may_fail_is_not(verify, paper, source):
    (paper / "requirements.txt").write_text("torch==1.4\nsix\n")
    (paper / "net.py").write_text(source)
    assert [f["effect"] for f in verify()["findings"]] == ["possible"]


def test_tests_and_modules_of_the_repository_need_nothing(verify, paper):
    (paper / "requirements.txt").write_text("torch==1.4\nutils\nsix\n")
    (paper / "tests").mkdir()
    (paper / "tests" / "test_net.py").write_text("import torch\n")
    (paper / "utils.py").write_text("")
    (paper / "main.py").write_text("import utils\n")
    assert {f["effect"] for f in verify()["findings"]} == {"possible"}


def test_names_alone_are_there_or_not_and_no_version_is_guessed(verify, paper):
    (paper / "requirements.txt").write_text("six\nattrs\n")
    data = verify()
    assert data["verdict"] == "same"
    assert rows(data) == {"six": "not stated", "attrs": "not stated"}
    assert {n["reason"] for n in data["not_compared"]} == {"no version is stated"}


def test_the_best_file_is_taken_and_the_others_named(verify, paper):
    (paper / "README.md").write_text("Tested with Python 3.6 and six 1.10.\n")
    (paper / "requirements.txt").write_text("six\n")
    (paper / "poetry.lock").write_text(
        '[[package]]\nname = "six"\nversion = "1.16.0"\ndescription = ""\noptional = false\n'
        'python-versions = "*"\n\n[metadata]\nlock-version = "2.0"\npython-versions = "^3.6"\n'
        'content-hash = "0"\n'
    )
    reference = verify()["reference"]
    assert reference["file"] == "poetry.lock"
    assert sorted(reference["also"]) == ["README.md", "requirements.txt"]
    assert verify("requirements.txt")["reference"]["file"] == "requirements.txt"


def test_what_the_best_file_leaves_open_others_fill(verify, paper):
    (paper / "requirements.txt").write_text("six\nattrs==23.1.0\n")
    (paper / "README.md").write_text("We used Python 3.6.\n\n```\npip install six==1.10.0\n```\n")
    data = verify()
    found = {(f["facet"], f["name"]): f["old"] for f in data["findings"]}
    assert found == {("packages", "six"): "1.10.0", ("runtime", "python"): "3.6.*"}


def test_a_subfolder_has_its_own_files_else_those_of_the_repository(python, paper):
    (paper / "requirements.txt").write_text("six==1.16.0\n")
    (paper / "part").mkdir()
    inside = Prov(paper / "part")
    asked = ("verify", "--offline", "--python", python)
    assert inside.json(*asked)["reference"]["file"] == "requirements.txt"
    (paper / "part" / "requirements.txt").write_text("attrs==23.1.0\n")
    assert rows(inside.json(*asked)) == {"attrs": "same"}


def test_nothing_at_all_is_one_sentence(prov, paper):
    (paper / "train.py").unlink()
    done = prov("verify", code=3)
    assert "no prov.lock, no finished run and no environment file" in done.stderr
    (paper / "README.md").write_text("# A paper\n")
    assert "no environment file" in prov("verify", code=3).stderr


def test_a_file_that_says_nothing_is_named(prov, paper):
    (paper / "requirements.txt").write_text("# nothing\n")
    assert "requirements.txt" in prov("verify", "requirements.txt", code=3).stderr
    assert "nope.txt" in prov("verify", "nope.txt", code=4).stderr


def test_a_run_comes_before_files(prov, paper, python):
    (paper / "requirements.txt").write_text("six==1.15.0\n")
    prov("run", "--", python, "train.py")
    assert prov.json("verify")["reference"]["kind"] == "run"
    prov("lock", "--from", "requirements.txt")
    data = prov.json("verify", "--offline", "--python", python)
    assert data["reference"]["kind"] == "stated"


def test_the_repositorys_own_environment_is_found(prov, paper):
    (paper / "requirements.txt").write_text("six==1.16.0\n")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", paper / ".venv"], check=True)
    data = prov.json("verify", code=1)
    assert data["interpreter"]["executable"] == str(paper / ".venv" / "bin" / "python")


def test_nearly_nothing_installed_asks_for_the_interpreter(verify, paper):
    (paper / "requirements.txt").write_text("scipy\nnumpy\npandas\nsix\n")
    notes = verify()["references"][0]["notes"]
    assert any("another interpreter? --python PATH" in note for note in notes)


def test_text_groups_what_is_missing(prov, paper, python):
    (paper / "requirements.txt").write_text("scipy\nnumpy\npandas\ntorch\nsix\n")
    lines = prov("verify", "--python", python).stdout.splitlines()
    assert lines[0].startswith("POSSIBLE EFFECT: 4 possible")
    assert "requirements.txt (5 packages, by name only)" in lines[0]
    assert lines[1:3] == ["POSSIBLE  4 packages are not installed", "  numpy, pandas, scipy, torch"]


def test_a_lock_of_a_file_says_the_same_and_travels(verify, prov, paper):
    (paper / "requirements.txt").write_text("six==1.15.0\nattrs>=20\n")
    before = verify()["findings"]
    done = prov("lock", "--from", "requirements.txt")
    assert "requirements.txt: 2 packages: 1 exact, 1 by range" in done.stdout
    data = verify()
    assert data["findings"] == before
    assert data["reference"]["source"].endswith("prov.lock")
    (paper / "requirements.txt").write_text("six==1.16.0\n")
    assert any("was changed since" in note for note in verify()["references"][0]["notes"])
    (paper / "requirements.txt").unlink()
    assert verify()["findings"] == before


def test_a_lock_of_files_is_no_run(prov, paper):
    (paper / "requirements.txt").write_text("six==1.15.0\n")
    prov("lock", "--from", "requirements.txt")
    for words in (("replay",), ("explain", "--newest"), ("show", "prov.lock")):
        done = prov(*words, code=None)
        assert done.returncode in (3, 4), words
        assert "Traceback" not in done.stderr
    assert "and no run" in prov("replay", code=3).stderr


def test_a_damaged_lock_of_files_is_one_sentence(prov, paper):
    (paper / "requirements.txt").write_text("six==1.15.0\n")
    prov("lock", "--from", "requirements.txt")
    document = json.loads((paper / "prov.lock").read_text())
    document["stated"][0]["facts"] = [{"kind": "package"}]
    (paper / "prov.lock").write_text(json.dumps(document))
    assert "changed by hand" in prov("verify", code=4).stderr


def test_runs_and_files_together_are_refused(prov, paper):
    assert "not both" in prov("lock", "@last", "--from", "requirements.txt", code=2).stderr


def test_junit_has_a_case_for_everything(verify, paper):
    (paper / "requirements.txt").write_text("six==1.15.0\nattrs\ntorch\n")
    verify("--junit", "out.xml", "--fail-on", "unknown", code=1)
    root = ElementTree.parse(paper / "out.xml").getroot()
    suite = root.find("testsuite")
    failed = [c.get("name") for c in suite.iter("testcase") if c.find("failure") is not None]
    skipped = [c.get("name") for c in suite.iter("testcase") if c.find("skipped") is not None]
    assert sorted(failed) == ["six", "torch"]
    assert skipped == ["attrs", "the interface of six 1.15.0"], "offline, it cannot be fetched"
    assert suite.get("failures") == "2"
    assert suite.get("skipped") == "2"
    assert int(suite.get("tests")) == len(list(suite.iter("testcase")))


def test_junit_of_a_run_and_of_an_unwritable_place(prov, paper, python):
    prov("run", "--", python, "train.py")
    prov("verify", "--junit", "out.xml")
    assert ElementTree.parse(paper / "out.xml").getroot().find("testsuite").get("failures") == "0"
    assert "cannot be written" in prov("verify", "--junit", "no/where.xml", code=5).stderr
