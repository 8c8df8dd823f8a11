"""``prov verify`` with the calls of the run compared in two real environments, before any rerun."""

from __future__ import annotations

import gzip
import os
import shutil

import pytest

from tests import _two_versions
from tests.conftest import git

SECRET = "tk-93jf8alWq0zx71"


@pytest.fixture(scope="module")
def pythons(tmp_path_factory):
    return _two_versions.both(tmp_path_factory.mktemp("two"))


@pytest.fixture
def recorded(loose, pythons):
    """Return how to record a script with widgets 1.0 and to verify it with 2.0."""

    def record(source, *words, **more):
        (loose.folder / "fit.py").write_text(source)
        loose("run", *words, "--", pythons[0], "fit.py", **more)
        return loose

    return record


def verify(prov, pythons, *words, code=None, **more):
    return prov.json("verify", "--python", pythons[1], *words, code=code, **more)


def library(data):
    [found] = [one for one in data["findings"] if one["name"] == "widgets"]
    return found


SMOOTHS = """\
from widgets import Smoother
values = [1.0, 2.0, 9.0]
model = Smoother(width=3)
model.fit(values)
print(model.smooth(values))
"""


def test_a_changed_default_is_told_where_it_shows_with_its_cause(recorded, pythons):
    data = verify(recorded(SMOOTHS), pythons, code=1)
    found = library(data)
    assert found["effect"] == "known"
    assert "fit.py:5" in found["where"]
    assert "fit.py:3" in found["where"]
    seen = [one for one in found["reasons"] if one["level"] == "L3"]
    assert len(seen) == 1, "one root: what else differs follows from it"
    assert seen[0]["text"].startswith("model.smooth")
    assert "made by Smoother on line 3" in seen[0]["text"]
    assert data["calls"] == {"mode": "cut", "compared": 4, "sites": 4, "missed": {}, "short": ""}


def test_the_argument_to_paste_and_the_announcement(recorded, pythons):
    script = "import widgets\nprint(widgets.power([1.0, 2.0]))\n"
    told = recorded(script)("verify", "--python", pythons[1], "-v", code=1).stdout
    assert "widgets.power" in told or "power(exponent) default 2 -> 3" in told
    assert "add exponent=2   or   pip install widgets==1.0" in told
    assert "seen at fit.py:2: " in told
    assert "fit.py:2" in told

    chained = SMOOTHS.replace("model = Smoother(width=3)\nmodel.fit(values)\n", "").replace(
        "model.smooth(values)", "Smoother().fit(values).level_"
    )
    data = verify(recorded(chained), pythons, code=1)
    evidence = " ".join(one["evidence"] for one in library(data)["reasons"])
    assert "4 -> 2" in evidence
    assert "1.0 had announced: The default of mode will change" in evidence


def test_nothing_that_the_script_calls_changed(recorded, pythons):
    script = "import widgets\nfor _ in range(3):\n    print(widgets.scale([1.0, 2.0]))\n"
    data = verify(recorded(script), pythons, code=0)
    assert library(data)["effect"] == "unknown"
    assert data["verdict"] == "no known effect"
    assert data["calls"]["compared"] == data["calls"]["sites"] > 0
    folded = [one for one in library(data)["reasons"] if "scale(shift)" in one["text"]]
    assert [one["effect"] for one in folded] == ["unknown"], "0 -> None was seen to do nothing"


def test_a_changed_default_that_did_nothing_is_folded_beside_one_that_did(recorded, pythons):
    script = "import widgets\nvalues = widgets.scale([1.0, 2.0])\nprint(widgets.power(values))\n"
    found = library(verify(recorded(script), pythons, code=1))
    assert found["effect"] == "known"
    effects = {one["text"].partition("(")[0]: one["effect"] for one in found["reasons"]}
    assert effects["scale"] == "unknown"
    assert effects["power"] == "possible"


def test_a_call_that_fails_here_is_broken(recorded, pythons):
    found = library(verify(recorded(ROWS), pythons, code=1))
    assert found["effect"] == "broken"
    assert "fit.py:3" in found["where"]
    [seen] = [one for one in found["reasons"] if one["level"] == "L3"]
    assert "unit" in seen["text"]


ROWS = """\
import widgets
open("numbers.txt", "w").write("1\\n2\\n")
print(sum(widgets.rows("numbers.txt")))
"""


def test_other_random_numbers_from_the_same_seed(recorded, pythons):
    script = """\
import random, widgets
random.seed(1)
print([widgets.pick(range(99)) for _ in 'abcdef'])
"""
    found = library(verify(recorded(script), pythons, code=1))
    assert found["effect"] in ("possible", "known")
    assert "fit.py:3" in found["where"]


def test_what_differs_by_itself_is_no_finding(recorded, pythons):
    script = """\
import os, random, time, uuid, widgets
print(widgets.scale([time.time(), random.random(), float(os.getpid())], shift=1))
print(uuid.uuid4(), id(widgets), set("abcdefgh"), object())
"""
    data = verify(recorded(script), pythons, code=0)
    assert library(data)["effect"] == "unknown"


def test_the_tree_of_the_user_stays_as_it_is(recorded, pythons, loose):
    script = """\
import os, widgets
open('out.txt', 'a').write(str(widgets.power([2])))
os.remove('gone.txt')
"""
    (loose.folder / "gone.txt").write_text("here\n")
    prov = recorded(script)
    (loose.folder / "gone.txt").write_text("here\n")
    before = {p.name: p.read_bytes() for p in loose.folder.iterdir() if p.is_file()}
    verify(prov, pythons, code=1)
    assert {p.name: p.read_bytes() for p in loose.folder.iterdir() if p.is_file()} == before


def test_workers_may_talk_over_sockets_however_deep_the_project_lies(recorded, pythons):
    script = """\
from multiprocessing.connection import Client, Listener
from threading import Thread
import widgets
with Listener() as listener:
    Thread(target=lambda: Client(listener.address).send([2.0])).start()
    print(widgets.power(listener.accept().recv()))
"""
    data = verify(recorded(script), pythons, code=1)
    assert library(data)["effect"] == "known"
    assert data["calls"]["missed"] == {}


def test_kept_tapes_answer_again(recorded, pythons, loose):
    prov = recorded(SMOOTHS)
    first = verify(prov, pythons, code=1)
    tapes = sorted((loose.folder / ".prov" / "tapes").iterdir())
    stamps = [one.stat().st_mtime_ns for one in tapes]
    assert verify(prov, pythons, code=1)["findings"] == first["findings"]
    assert [one.stat().st_mtime_ns for one in tapes] == stamps
    assert sorted((loose.folder / ".prov" / "tapes").iterdir()) == tapes


def test_no_secret_is_on_a_tape(recorded, pythons, loose):
    script = """\
import os, widgets
token = os.environ['API_TOKEN']
print('x' + token, widgets.power([len(token)]))
"""
    environ = {"API_TOKEN": SECRET}
    prov = recorded(script, env=environ)
    verify(prov, pythons, env=environ)
    found = list((loose.folder / ".prov").rglob("*"))
    assert any(one.name.endswith(".tape.gz") for one in found)
    for one in found:
        if one.is_file():
            content = one.read_bytes()
            if one.name.endswith(".gz"):
                content = gzip.decompress(content)
            assert SECRET.encode() not in content, one


def test_off_says_nothing_of_calls(recorded, pythons):
    data = verify(recorded(SMOOTHS), pythons, "--calls", "off")
    assert data["calls"] is None
    assert all(one["level"] != "L3" for one in library(data)["reasons"])


def test_an_environment_that_is_gone_is_said_to_be(loose, pythons, tmp_path):
    old = _two_versions.environment(tmp_path / "env", "1.0", _two_versions.BEFORE)
    (loose.folder / "fit.py").write_text(SMOOTHS)
    loose("run", "--", old, "fit.py")
    shutil.rmtree(tmp_path / "env")
    data = verify(loose, pythons)
    [why] = [one for one in data["not_compared"] if one["facet"] == "calls"]
    assert "--build" in why["reason"] or "build" in why["reason"]
    assert data["calls"] is None


def test_a_lock_is_rehearsed_only_when_asked(repo, prov, pythons):
    (repo / "fit.py").write_text(SMOOTHS)
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "fit")
    prov("run", "--", pythons[0], "fit.py")
    prov("lock", "@last")
    data = prov.json("verify", "prov.lock", "--python", pythons[1], code=None)
    assert data["calls"] is None
    assert any("--calls cut" in one["reason"] for one in data["not_compared"])
    data = prov.json("verify", "prov.lock", "--python", pythons[1], "--calls", "cut", code=1)
    assert data["calls"]["compared"] == data["calls"]["sites"]
    assert os.path.exists(repo / "prov.lock")
