"""The example repositories do what their pages say, bare and under prov."""

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Prov, git
from tests.facets._venvs import UV, python_of, venv

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(900)]


def paper(name, folder):
    """Copy an example and make it a git repository."""
    target = folder / name
    shutil.copytree(EXAMPLES / name, target, ignore=shutil.ignore_patterns("__pycache__"))
    git(target, "init", "-q", "-b", "main")
    git(target, "add", "-A")
    git(target, "commit", "-q", "-m", "start")
    return target


def bare(python, script, cwd):
    subprocess.run([python, script], cwd=cwd, check=True, capture_output=True, timeout=300)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def requirements(name, file="requirements.txt"):
    lines = (EXAMPLES / name / file).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.fixture(autouse=True)
def bytecode(monkeypatch):
    """Let Python keep its bytecode: importing torch takes ten times as long without."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)


@pytest.fixture(scope="module")
def old_and_new(tmp_path_factory):
    """Return the two interpreters of the k-means story."""
    base = tmp_path_factory.mktemp("environments")
    python = python_of("3.10")
    return tuple(
        venv(base / label, *requirements("kmeans-story", file), python=python)
        for label, file in (("then", "requirements.txt"), ("now", "requirements-today.txt"))
    )


def test_digits_is_repeatable_and_prov_says_so(tmp_path):
    python = venv(tmp_path / "venv", *requirements("digits"))
    folder = paper("digits", tmp_path)
    bare(python, "prepare.py", folder)
    bare(python, "train.py", folder)
    first = contents(folder / "results")
    bare(python, "train.py", folder)
    assert contents(folder / "results") == first
    assert set(first) == {"metrics.json", "history.csv", "model.npz"}

    prov = Prov(folder)
    prov("run", "--name", "paper", "--", python, "train.py")
    assert contents(folder / "results") == first
    metrics = prov.payload("metrics")["final"]
    accuracy = json.loads(first["metrics.json"])["val_accuracy"]
    assert accuracy > 0.9
    assert accuracy in metrics.values()
    assert [f["path"]["path"] for f in prov.payload("data")["files"]] == ["data/digits.csv"]
    prov("lock", "paper")
    judged = prov.json("verify")
    assert judged["verdict"] == "same"
    assert {"code", "packages", "data"} <= set(judged["compared"])
    replayed = prov.json("replay", "prov.lock", "--yes")
    assert replayed["results"]["verdict"] == "same"
    assert replayed["results"]["metrics"]


def test_the_kmeans_story_is_true(tmp_path, old_and_new):
    folder = paper("kmeans-story", tmp_path)
    points = (folder / "points.csv").read_bytes()
    bare(old_and_new[0], "make_points.py", folder)
    assert (folder / "points.csv").read_bytes() == points
    script = folder / "cluster.py"
    found = {}
    for label, python in zip(("then", "now"), old_and_new, strict=True):
        bare(python, "cluster.py", folder)
        found[label] = json.loads((folder / "metrics.json").read_text())
    script.write_text(script.read_text().replace("random_state=0", "random_state=0, n_init=10"))
    bare(old_and_new[1], "cluster.py", folder)
    found["fixed"] = json.loads((folder / "metrics.json").read_text())

    page = (EXAMPLES / "kmeans-story" / "README.md").read_text()
    for metrics in (found["then"], found["now"]):
        assert "| %.3f | %.4f |" % (metrics["inertia"], metrics["adjusted_rand"]) in page
    assert found["fixed"] == pytest.approx(found["then"], rel=1e-9)
    assert found["now"]["inertia"] > found["then"]["inertia"] * 1.1


def test_prov_warns_before_the_kmeans_story_repeats_itself(tmp_path, old_and_new):
    folder = paper("kmeans-story", tmp_path)
    prov = Prov(folder)
    then, now = old_and_new
    prov("run", "--name", "paper", "--", then, "cluster.py")
    prov("lock", "paper")
    assert prov.json("verify")["verdict"] == "same"

    judged = prov.json("verify", "--python", now, code=1)
    assert judged["verdict"] == "different"
    known = [f for f in judged["findings"] if f["effect"] == "known"]
    text = json.dumps(known)
    assert "n_init" in text
    assert "1.1.3" in text
    assert "1.5.2" in text
    line = 1 + (folder / "cluster.py").read_text().splitlines().index(
        "    model = KMeans(n_clusters=10, random_state=0)"
    )
    assert "cluster.py:%d" % line in text
    assert any("n_init=10" in reason["remedy"] for f in known for reason in f["reasons"])

    replayed = prov.json("replay", "prov.lock", "--python", now, "--yes", code=1)
    assert replayed["results"]["verdict"] == "different"
    assert any("n_init" in json.dumps(finding) for finding in replayed["findings"])
    same = prov.json("replay", "prov.lock", "--yes")
    assert same["results"]["verdict"] == "same"


def with_torch(folder, *more):
    """Return an interpreter with torch for the CPU, numpy and ``more``; skip without one."""
    python = venv(folder)
    done = subprocess.run(
        [UV, "pip", "install", "-q", "-p", python, "torch==2.13.0+cpu", "numpy", *more],
        env=dict({"UV_FIND_LINKS": os.environ.get("PIP_FIND_LINKS", "")}, **os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode != 0:
        pytest.skip("the package index has no CPU build of torch 2.13 for this Python")
    return python


def test_torch_on_the_cpu_is_repeatable_and_prov_says_so(tmp_path):
    python = with_torch(tmp_path / "venv")
    folder = paper("torch-cpu", tmp_path)
    bare(python, "train.py", folder)
    first = contents(folder / "results")
    prov = Prov(folder)
    prov("run", "--name", "stripes", "--", python, "train.py")
    assert contents(folder / "results") == first
    with (folder / "results" / "history.csv").open() as stream:
        accuracy = [float(row["val_accuracy"]) for row in csv.DictReader(stream)]
    assert accuracy[-1] > 0.8
    assert prov.payload("metrics")["final"]
    seeds = prov.payload("seeds")
    assert {"random", "numpy", "torch"} <= {call["library"] for call in seeds["calls"]}
    prov("lock", "stripes")
    assert prov.json("verify")["verdict"] == "same"
    replayed = prov.json("replay", "prov.lock", "--yes")
    assert replayed["results"]["verdict"] == "same"


def test_the_ported_net_gives_what_torch_gives(tmp_path):
    python = with_torch(tmp_path / "venv", "safetensors")
    folder = paper("ported-weights", tmp_path)
    steps = (
        ["authors.py"],
        ["convert.py", "port"],
        ["port.py", "port"],
        ["convert.py", "port-wrong", "wrong"],
        ["port.py", "port-wrong"],
    )
    for name in ("authors", "port", "port-wrong"):
        shutil.rmtree(folder / name)
    for step in steps:
        subprocess.run([python, *step], cwd=folder, check=True, capture_output=True, timeout=300)
    prov = Prov(folder)
    weights = "authors/weights.safetensors"
    judged = prov.json("diff", weights, "port/weights.npz", "--map", "map.yaml")
    assert judged["verdict"] == "same"
    judged = prov.json("diff", "--outputs", "authors/outputs.npz", "port/outputs.npz")
    assert judged["verdict"] == "within tolerance"
    assert all(one["figures"]["rms_rel"] < 1e-6 for one in judged["parts"])
    judged = prov.json("diff", weights, "port-wrong/weights.npz", "--map", "map.yaml", code=1)
    assert judged["figures"]["first"] == "fc2.weight"
