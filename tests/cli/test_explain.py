"""``prov explain``: what other versions would change, for the calls of one script."""

import json
import sys

import pytest

from provenance.environments import build
from provenance.environments.wanted import Wanted
from tests.environments._index import VERSION, Index

FIT = """\
from sklearn.cluster import KMeans

model = KMeans(4, tol=1)
other = KMeans(4, n_init=10, tol=2)
"""
OLD = "class KMeans:\n    def __init__(self, n_clusters=8, n_init=10, max_iter=300, tol=1): pass\n"
NEW = "class KMeans:\n    def __init__(self, n_clusters=8, n_init='auto', max_iter=99): pass\n"


@pytest.fixture
def index(tmp_path):
    made = Index(tmp_path / "index")
    made.wheel("scikit-learn", "1.1.3", OLD, module="sklearn.cluster")
    made.wheel("scikit-learn", "1.1.4", OLD, module="sklearn.cluster")
    made.wheel("scikit-learn", "1.5.2", NEW, module="sklearn.cluster")
    made.wheel("quiet", "1.0")
    made.wheel("quiet", "2.0")
    return made


@pytest.fixture
def explain(loose, index):
    """Return the command line in a folder with the script, and no network."""
    (loose.folder / "fit.py").write_text(FIT)
    loose.environ = index.environ
    return loose


def reasons(data):
    return [(r["level"], r["where"]) for f in data["findings"] for r in f["reasons"]]


def test_known_change_and_changed_interface_at_their_lines(explain):
    data = explain.json("explain", "scikit-learn", "1.1.3", "1.5.2", "fit.py")
    assert data["verdict"] == "different"
    assert [f["effect"] for f in data["findings"]] == ["broken"]
    texts = {r["text"]: (r["level"], r["where"]) for f in data["findings"] for r in f["reasons"]}
    level, where = next(v for t, v in texts.items() if t.startswith("KMeans(n_init) default"))
    assert (level, where) == ("L1", ["fit.py:3"])
    level, where = next(v for t, v in texts.items() if t.startswith("KMeans(max_iter)"))
    assert (level, where) == ("L2", ["fit.py:3", "fit.py:4"])
    level, where = next(v for t, v in texts.items() if t.startswith("KMeans(tol) is gone"))
    assert (level, where) == ("L2", ["fit.py:3", "fit.py:4"])
    assert len([t for t in texts if t.startswith("KMeans(n_init)")]) == 1, "told twice"
    assert data["changes"][0]["calls"] == 2
    text = explain("explain", "scikit-learn", "1.1.3", "1.5.2", "fit.py").stdout
    for word in ("DIFFERENT", "fit.py:3", "n_init=10", "pip install scikit-learn==1.1.3"):
        assert word in text


def test_findings_fail_only_where_asked(explain):
    words = ("explain", "sklearn", "1.1.3", "1.5.2", "fit.py")
    explain(*words, code=0)
    explain(*words, "--fail-on", "known", code=1)
    explain(*words, "--fail-on", "always", code=2)


def test_quiet_where_nothing_concerns_the_script(explain):
    (explain.folder / "fit.py").write_text("from sklearn.cluster import KMeans\n"
                                           "KMeans(4, n_init=10, max_iter=7)\n")  # fmt: skip
    done = explain("explain", "scikit-learn", "1.1.3", "1.5.2", "fit.py")
    (line,) = done.stdout.splitlines()
    assert line.startswith("scikit-learn 1.1.3 -> 1.5.2: ")
    assert line.endswith("known changes, none concerns your call (fit.py)")
    (line,) = explain("explain", "scikit-learn", "1.1.3", "1.1.4", "fit.py").stdout.splitlines()
    assert "no known change between them for your call" in line
    (line,) = explain("explain", "pandas", "1.5.3", "2.2.3", ".", "--offline").stdout.splitlines()
    assert line == "pandas 1.5.3 -> 2.2.3: not called by name (3 files)"


def test_what_was_not_compared_is_said(explain, index):
    data = explain.json("explain", "scikit-learn", "1.1.3", "1.4.0", "fit.py")
    assert data["not_compared"] == [
        {
            "facet": "interfaces",
            "what": "the interface of scikit-learn 1.4.0",
            "reason": "no index here has this version",
        }
    ]
    assert reasons(data) == [("L1", ["fit.py:3"])], "known changes need no wheel"
    explain.environ = index.away()
    data = explain.json("explain", "scikit-learn", "1.1.3", "1.4.0", "fit.py")
    assert data["not_compared"][0]["reason"].startswith("the index cannot be reached: ")
    assert reasons(data) == [("L1", ["fit.py:3"])]


def test_downgrades_and_the_newest(explain):
    data = explain.json("explain", "scikit-learn", "1.5.2", "1.1.3", "fit.py")
    assert "KMeans(n_init) default 'auto' -> 10" in data["findings"][0]["reasons"][0]["text"]
    data = explain.json("explain", "scikit-learn", "1.1.3", "newest", "fit.py")
    assert data["changes"][0]["new"] == "1.5.2"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["scikit-learn", "1.1.3", "1.5.2", "absent.py"], 2, "absent.py does not exist"),
        (["scikit-learn", "1.1.3", "1.5.2", "data.csv"], 2, "no Python file"),
        (["scikit-learn", "new", "old", "fit.py"], 2, "'new' is not a version"),
        (["scikit-learn", "1.5.2", "fit.py"], 2, "fit.py does not hold scikit-learn"),
        (["scikit-learn", "1.5.2"], 3, "no prov.lock and no finished run"),
        (["--newest"], 3, "no prov.lock and no finished run"),
        (["--newest", "a", "b"], 2, "one run at most"),
        (["scikit-learn", "1.1", "1.2", "--python", "python"], 2, "--python goes with a run"),
        (["nope"], 4, "there are no runs"),
    ],
)
def test_bad_input_is_one_sentence(explain, words, code, says):
    done = explain("explain", *words, "--json", code=code)
    assert says in done.stderr
    assert done.stderr.startswith("prov: ")
    assert says in json.loads(done.stdout)["errors"][0]["message"]


@pytest.fixture
def recorded(explain, index):
    """Return the command line after a run in an environment of its own."""
    recipe = Wanted(VERSION, ("scikit-learn==1.1.3", "quiet==1.0"), prefer=(sys.executable,))
    made = build.build(recipe, build.Wish(index.environ, str(index.wheels)))
    explain("run", "--name", "s0", "--", made.python, "fit.py")
    return explain


def test_newest_against_the_last_run(recorded):
    data = recorded.json("explain", "--newest")
    changes = [(c["package"], c["old"], c["new"]) for c in data["changes"]]
    assert changes == [("scikit-learn", "1.1.3", "1.5.2")], "quiet was not imported"
    assert ("L1", ["fit.py:3"]) in reasons(data)
    data = recorded.json("explain", "scikit-learn", "1.5.2")
    assert data["changes"][0]["old"] == "1.1.3"
    assert data["about"].startswith("run ")


def test_a_run_alone_is_verify_in_full(recorded):
    text = recorded("explain", "s0").stdout
    assert "compared" in text
    data = recorded.json("explain", "s0", "--python", sys.executable)
    assert data["reference"]["name"] == "s0"


def test_an_installed_release_is_not_fetched(explain, index):
    recipe = Wanted(VERSION, ("scikit-learn==1.5.2",), prefer=(sys.executable,))
    made = build.build(recipe, build.Wish(index.environ, str(index.wheels)))
    active = {"VIRTUAL_ENV": made.python.rpartition("/bin/")[0]}
    next(index.wheels.glob("scikit_learn-1.5.2*")).unlink()
    words = ("explain", "scikit-learn", "1.1.3", "1.5.2", "fit.py")
    assert [level for level, _ in reasons(explain.json(*words))] == ["L1"]
    assert "L2" in [level for level, _ in reasons(explain.json(*words, env=active))]


def test_a_misspelt_package_is_asked_about(explain):
    told = explain("explain", "scikit-lern", "1.1.3", "1.5.2", "fit.py").stdout
    assert "nothing here knows scikit-lern: did you mean scikit-learn?" in told
    assert explain.json("explain", "quiet", "1.0", "2.0", "fit.py")["notes"] == []
