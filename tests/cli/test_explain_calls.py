"""``prov explain`` with the calls rehearsed, in environments that uv really builds."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from provenance.environments import build, resolve
from provenance.environments.wanted import Wanted
from provenance.errors import SystemRefused
from tests.environments._index import MINOR, VERSION, Index

SCRIPT = """\
import json
from widgets import Smoother
values = json.load(open("values.json"))
model = Smoother()
print("smooth", sum(model.smooth(values)))
"""
OLD = "class Smoother:\n    def smooth(self, v, width=3): return [sum(v) / width for _ in v]\n"
NEW = OLD.replace("sum(v) / width", "sum(v) / (width + 1)")
"""Nothing of the signature tells that the result is another."""


@pytest.fixture
def index(tmp_path):
    made = Index(tmp_path / "index")
    made.wheel("widgets", "1.0", OLD, requires=("gear>=1",))
    made.wheel("widgets", "2.0", NEW, requires=("gear>=2",))
    made.wheel("gear", "1.0")
    made.wheel("gear", "2.0")
    return made


@pytest.fixture
def project(loose, index):
    """Return the command line in a folder with the script and its data, and no network."""
    (loose.folder / "fit.py").write_text(SCRIPT)
    (loose.folder / "values.json").write_text("[1.0, 2.0, 9.0]")
    loose.environ = index.environ
    return loose


@pytest.fixture
def recorded(project, index):
    """Return the command line after a run in an environment of its own, and that environment."""
    folder = index.wheels.parent / "venv"
    uv = shutil.which("uv", path=index.environ["PATH"])
    for words in (
        ["venv", "-q", "-p", sys.executable, str(folder)],
        ["pip", "install", "-q", "-p", str(folder), "widgets==1.0", "gear==1.0"],
    ):
        subprocess.run([uv, *words], env=index.environ, cwd=index.wheels, check=True)
    project("run", "--name", "s0", "--", str(folder / "bin" / "python"), "fit.py")
    return project, folder


def seen(data):
    return [r for f in data["findings"] for r in f["reasons"] if r["level"] == "L3"]


def tapes(prov):
    folder = prov.folder / ".prov" / "tapes"
    return {one.name: one.stat().st_mtime_ns for one in folder.glob("*.tape.gz")}


def test_a_run_is_rehearsed_with_the_other_release(recorded, index):
    prov, _ = recorded
    data = prov.json("explain", "widgets", "2.0")
    [reason] = seen(data)
    assert reason["where"][0] == "fit.py:5"
    assert data["findings"][0]["name"] == "widgets"
    assert data["calls"]["compared"] == data["calls"]["sites"] > 0
    assert [(c["package"], c["old"], c["new"]) for c in data["changes"]] == [
        ("widgets", "1.0", "2.0")
    ], "gear was not imported"
    made = tapes(prov)
    assert len(made) == 3, "old twice, new once"
    for wheel in index.wheels.iterdir():
        wheel.unlink()
    again = prov.json("explain", "widgets", "2.0", "--offline")
    assert tapes(prov) == made, "all that was found out is kept"
    assert (again["findings"], again["calls"]) == (data["findings"], data["calls"])
    assert "fit.py:5" in prov("explain", "widgets", "2.0", "--markdown").stdout
    assert "file=fit.py,line=5" in prov("explain", "widgets", "2.0", "--github").stdout
    assert prov.json("explain", "widgets", "2.0", "--calls", "off")["calls"] is None


def test_what_changes_because_of_it_is_named(project, index):
    (project.folder / "fit.py").write_text("import gear\n" + SCRIPT)
    recipe = Wanted(VERSION, ("gear==1.0", "widgets==1.0"), prefer=(sys.executable,))
    made = build.build(recipe, build.Wish(index.environ, str(index.wheels)))
    project("run", "--", made.python, "fit.py")
    data = project.json("explain", "widgets", "2.0")
    assert [(c["package"], c["needed"]) for c in data["changes"]] == [
        ("widgets", False),
        ("gear", True),
    ]
    data = project.json("explain", "widgets", "9.0")
    assert {one["reason"] for one in data["not_compared"]} == {
        "widgets 9.0: no index here has this version",
        "no index here has this version",
    }


@pytest.mark.skipif(MINOR != "3.11", reason="files are rehearsed on Python 3.11 first")
def test_files_are_run_only_when_asked(project):
    words = ("explain", "widgets", "1.0", "2.0", "fit.py")
    assert project.json(*words)["calls"] is None
    assert not (project.folder / ".prov" / "tapes").exists()
    data = project.json(*words, "--calls", "cut")
    [reason] = seen(data)
    assert reason["where"][0] == "fit.py:5"
    assert data["findings"][0]["name"] == "widgets"
    made = tapes(project)
    project.json(*words, "--calls", "cut")
    assert tapes(project) == made
    (project.folder / "other.py").write_text(SCRIPT)
    data = project.json("explain", "widgets", "1.0", "2.0", ".", "--calls", "cut")
    assert "files cannot be rehearsed as one; name one" in str(data["not_compared"])


def test_interrupting_a_rehearsal_ends_it_at_once(recorded, index):
    prov, folder = recorded
    flag = index.wheels.parent / "slow"
    slow = "import os\nif os.path.exists(%r): sum(range(10**12))\n" % str(flag)
    (prov.folder / "fit.py").write_text(slow + SCRIPT)
    prov("run", "--", str(folder / "bin" / "python"), "fit.py")
    flag.write_text("")
    words = [sys.executable, "-m", "provenance", "explain", "widgets", "2.0"]
    process = subprocess.Popen(words, cwd=prov.folder, env=index.environ, start_new_session=True)
    trees = prov.folder / ".prov" / "rehearsals"
    until = time.monotonic() + 60
    while not list(trees.glob("*/prov-*/tape")) and time.monotonic() < until:
        time.sleep(0.05)
    assert list(trees.glob("*/prov-*/tape")), "the rehearsal has begun"
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=20) == 130
    assert [one.name for one in trees.iterdir()] == ["code"], "the tree is removed"


def test_a_recorded_environment_that_is_gone_is_built_again(recorded, index):
    prov, folder = recorded
    recipe = Wanted(VERSION, ("gear==2.0", "widgets==2.0"), prefer=(sys.executable,))
    new = build.build(recipe, build.Wish(index.environ, str(index.wheels))).python
    shutil.rmtree(folder)
    data = prov.json("verify", "--python", new)
    assert "add --build" in str(data["not_compared"])
    data = prov.json("verify", "--build", "--python", new, code=1)
    assert [one["where"][0] for one in seen(data)] == ["fit.py:5"]
    [note] = data["references"][0]["notes"]
    assert note.endswith("is not here any more. An environment like it was built.")
    again = prov.json("verify", "--python", new, code=1)
    assert again["findings"] == data["findings"]
    assert again["references"][0]["notes"] == []


def test_what_goes_together_is_remembered(index, tmp_path):
    asked = (["widgets"], {"widgets": "2.0"}, {"gear": "1.0"}, MINOR)
    goes = (index.environ, str(tmp_path))
    found = resolve.resolved(*asked, *goes)
    assert found.versions == {"widgets": "2.0", "gear": "2.0"}
    assert resolve.resolved(*asked, *goes, wheels=True) == found
    for wheel in index.wheels.iterdir():
        wheel.unlink()
    assert resolve.resolved(*asked, *goes) == found
    with pytest.raises(resolve.NotTogether, match=r"widgets 1\.0: no index here"):
        resolve.resolved(["widgets"], {"widgets": "1.0"}, {}, MINOR, *goes)
    away = index.away()
    with pytest.raises(SystemRefused, match="the index cannot be reached") as caught:
        resolve.resolved(["widgets"], {"widgets": "1.0"}, {}, MINOR, away, str(tmp_path))
    assert not isinstance(caught.value, resolve.NotTogether)
