"""``prov replay --env rebuild``: the recorded environment is gone, and comes back."""

import shutil

import pytest

from tests.conftest import Prov, git
from tests.facets._venvs import project, python_of, uv, venv

pytestmark = [pytest.mark.slow, pytest.mark.network]

FOREST = """\
import json
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

X, y = make_classification(300, random_state=0)
forest = RandomForestClassifier(random_state=0)
json.dump({"accuracy": cross_val_score(forest, X, y).mean()}, open("metrics.json", "w"))
"""
OLD = ("scikit-learn==0.21.3", "numpy==1.17.5", "scipy==1.3.3", "joblib==1.0.1")
NEW = ("scikit-learn==1.5.2", "numpy==1.26.4", "scipy==1.13.1")


@pytest.fixture
def paper(tmp_path):
    """Return the command line in a committed repository."""
    folder = tmp_path / "paper"
    folder.mkdir()
    git(folder, "init", "-q")
    return Prov(folder)


def commit(prov, **files):
    for name, text in files.items():
        (prov.folder / (name + ".py")).write_text(text)
    git(prov.folder, "add", ".")
    git(prov.folder, "commit", "-q", "-m", "code")


def effects(findings):
    return [f["effect"] for f in findings if f["effect"] != "none"]


def test_an_old_forest_differs_here_and_comes_back_rebuilt(paper, tmp_path):
    old = venv(tmp_path / "old", *OLD, python=python_of("3.7"))
    new = venv(tmp_path / "new", *NEW, python=python_of("3.11"))
    commit(paper, fit=FOREST)
    paper("run", "--", old, "fit.py")
    paper("lock", "@last")
    shutil.rmtree(tmp_path / "old")

    warned = paper.json("replay", "--yes", "--python", new, code=1)
    assert warned["results"]["verdict"] == "different"
    told = [r["text"] for f in warned["findings"] for r in f["reasons"] if f["effect"] == "known"]
    assert any("n_estimators" in text for text in told)
    assert any("cv" in text for text in told)

    back = paper.json("replay", "--yes", "--env", "rebuild")
    assert effects(back["findings"]) == []
    assert back["results"]["verdict"] == "same"
    metrics = {m["name"]: m["verdict"] for m in back["results"]["metrics"]}
    assert metrics == {"accuracy": "same"}
    last = paper.last()
    assert last["replay_of"]
    left = git(paper.folder, "status", "--porcelain").split()
    assert left == ["??", "metrics.json", "??", "prov.lock"], "the rerun writes elsewhere"


def test_a_repository_of_this_machine_alone_is_refused(paper, tmp_path):
    source = project(tmp_path / "tool-src", "prov-tool")
    git(source, "init", "-q")
    git(source, "add", ".")
    git(source, "commit", "-q", "-m", "one")
    here = "git+file://%s" % source
    python = venv(tmp_path / "env", "six==1.16.0", "prov-tool @ " + here)
    commit(paper, main="import prov_tool, six\nprint(prov_tool.VALUE)\n")
    paper("run", "--", python, "main.py")
    shutil.rmtree(tmp_path / "env")
    done = paper("replay", "--yes", "--env", "rebuild", code=5)
    assert "cannot be rebuilt: prov-tool 0.1: installed from a repository" in done.stderr
    assert "--python PATH" in done.stderr


def test_what_the_run_did_not_import_may_be_missing_and_is_named(paper, tmp_path):
    tool = project(tmp_path / "tool-src", "prov-tool")
    python = venv(tmp_path / "env", "six==1.16.0", str(tool))
    commit(paper, main="import six\nprint(six.__version__)\n")
    paper("run", "--", python, "main.py")
    shutil.rmtree(tmp_path / "env")
    done = paper("replay", "--yes", "--env", "rebuild", code=None)
    assert "without prov-tool 0.1: installed from a folder" in done.stdout
    assert "will run: " in done.stdout


def test_words_that_exclude_each_other(paper, tmp_path):
    commit(paper, main="print(1)\n")
    assert "exclude" in paper("replay", "--env", "rebuild", "--python", "x", code=2).stderr
    assert "--env rebuild" in paper("replay", "--env", "docker", code=2).stderr


def test_what_was_refused_once_is_asked_for_again(paper, tmp_path):
    python = venv(tmp_path / "env", "six==1.16.0")
    commit(paper, main="import six\n")
    paper("run", "--", python, "main.py")
    shutil.rmtree(tmp_path / "env")
    cache = {"PROV_CACHE": str(tmp_path / "cache")}
    alone = {**cache, "UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path / "uv")}
    done = paper("replay", "--yes", "--env", "rebuild", env=alone, code=5)
    assert len(done.stderr.strip().splitlines()) == 2
    assert "cannot be rebuilt: six 1.16.0" in done.stderr
    paper("replay", "--yes", "--env", "rebuild", env=cache, code=None)
    assert paper.last()["replay_of"]


def test_local_builds_and_other_repositories_come_back_from_the_lock(paper, tmp_path):
    paper.environ["PROV_CACHE"] = str(tmp_path / "cache")
    wheel = project(tmp_path / "wheel", "from-wheel")
    uv(wheel, "build", "-q", "--wheel", "-o", str(tmp_path / "dist"))
    other = project(tmp_path / "other", "from-other", layout="src")
    git(other, "init", "-q")
    git(other, "add", ".")
    git(other, "commit", "-q", "-m", "one")
    (other / "src" / "from_other" / "__init__.py").write_text("VALUE = 3\n")
    dist = str(next((tmp_path / "dist").glob("*.whl")))
    python = venv(tmp_path / "env", "six==1.16.0", dist, editable=str(other))
    code = "import json, six, from_wheel, from_other\n"
    code += "json.dump({'loss': from_wheel.VALUE + from_other.VALUE}, open('metrics.json', 'w'))\n"
    commit(paper, main=code)
    paper("run", "--", python, "main.py")
    paper("lock", "@last")
    for gone in ("env", "dist", "wheel"):
        shutil.rmtree(tmp_path / gone)
    (other / "src" / "from_other" / "__init__.py").write_text("VALUE = 4\n")  # went on
    back = paper.json("replay", "prov.lock", "--yes", "--env", "rebuild")
    assert effects(back["findings"]) == []
    assert back["results"]["verdict"] == "same"
