"""Random streams and results are the same bytes with and without the hook, on real libraries."""

import os
import shutil
import subprocess

import pytest

from tests.agent import _hook
from tests.facets._venvs import UV, python_of, venv

STANDARD = """
import hashlib, multiprocessing, os, random, tempfile
random.seed(7)
print([random.random() for _ in range(5)], random.sample(range(1000), 5), random.getstate()[1][:9])
print(random.Random(3).gauss(0, 1), random.shuffle(list(range(9))), hash("fixed"))
def child(n):
    random.seed(n)
    return random.random()
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(child, range(4)))
    with open("out.bin", "wb") as stream:
        stream.write(bytes(random.getrandbits(8) for _ in range(4096)))
"""
NUMPY = """
import random
import numpy as np
random.seed(1); np.random.seed(2)
print(np.random.rand(3), np.random.get_state()[2], np.random.default_rng(5).normal(size=3))
print(np.random.RandomState(9).permutation(6), np.random.randint(0, 99, 4), random.random())
unseeded = np.random.default_rng(np.random.SeedSequence(4).spawn(2)[1])
np.save("out.npy", unseeded.random(100))
"""
SKLEARN = (
    NUMPY
    + """
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
X, y = make_blobs(300, centers=4, random_state=None)
parts = train_test_split(X, y, test_size=0.4)
model = make_pipeline(StandardScaler(), RandomForestClassifier(10)).fit(parts[0], parts[2])
print(model.score(parts[1], parts[3]), model.predict_proba(parts[1][:3]))
print(KMeans(4, n_init=2).fit(X).inertia_, np.random.rand())
search = GridSearchCV(RandomForestClassifier(5), {"max_depth": [2, 4]}, cv=3).fit(X, y)
print(search.best_params_, search.cv_results_["mean_test_score"], np.random.rand())
"""
)
TORCH = (
    NUMPY
    + """
import hashlib
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(3)
torch.set_num_threads(1)
def main():
    data = TensorDataset(torch.randn(256, 10), torch.randint(0, 3, (256,)))
    loader = DataLoader(data, batch_size=32, shuffle=True, num_workers=2)
    model = nn.Sequential(nn.Linear(10, 32), nn.Dropout(0.5), nn.ReLU(), nn.Linear(32, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    for epoch in range(2):
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        schedule.step()
        print(epoch, loss.item(), schedule.get_last_lr())
    torch.save(model.state_dict(), "model.pt")
    numbers = [hashlib.sha256(p.detach().numpy().tobytes()).hexdigest() for p in model.parameters()]
    print(numbers, torch.rand(3), np.random.rand(), random.random(), torch.initial_seed())
if __name__ == "__main__":
    main()
"""
)

slow = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(600)]


def same_with_and_without(python, text, tmp_path):
    """Run a script both ways; compare what it printed and wrote."""
    results = []
    for label in ("bare", "hooked"):
        folder = tmp_path / "same name" / "work"
        folder.mkdir(parents=True)
        _hook.script(folder, text)
        if label == "bare":
            argv, environ = [python, "script.py"], _hook.plain_environment(PYTHONHASHSEED="0")
            done = _hook.run(argv, folder, environ)
        else:
            done = _hook.observe([python, "script.py"], folder, PYTHONHASHSEED="0")
        code = done.returncode if label == "bare" else done.code
        out, err = (done.stdout, done.stderr) if label == "bare" else (done.out, done.err)
        files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        assert code == 0, err.decode()
        results.append((out, err, files))
        shutil.rmtree(tmp_path / "same name")
    assert results[0] == results[1]
    return done


@pytest.mark.parametrize("version", _hook.VERSIONS)
def test_the_standard_library(version, tmp_path):
    seen = same_with_and_without(_hook.python_of(version), STANDARD, tmp_path)
    assert ("random.seed", 7) in [(s.function, s.argument) for s in seen.observed.seeds]


@pytest.mark.parametrize(
    "version", [pytest.param(one, marks=slow) for one in ("3.8", "3.9", "3.10", "3.12", "3.13")]
)
def test_numpy(version, tmp_path):
    python = venv(tmp_path / "venv", "numpy", python=python_of(version))
    seen = same_with_and_without(python, NUMPY, tmp_path)
    assert {"random", "numpy"} <= {one.library for one in seen.observed.seeds}


@pytest.mark.parametrize("version", [pytest.param(one, marks=slow) for one in ("3.8", "3.13")])
def test_scikit_learn(version, tmp_path):
    python = venv(tmp_path / "venv", "scikit-learn", python=python_of(version))
    seen = same_with_and_without(python, SKLEARN, tmp_path)
    draws = {one.value["by"] for one in seen.observed.noted if one.topic == "draw"}
    assert {"train_test_split", "make_blobs", "KMeans.fit"} <= draws


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(600)
def test_torch(tmp_path):
    python = venv(tmp_path / "venv", python=python_of("3.11"))
    done = subprocess.run(
        [UV, "pip", "install", "-q", "-p", python, "torch==2.13.0+cpu", "numpy"],
        env=dict({"UV_FIND_LINKS": os.environ.get("PIP_FIND_LINKS", "")}, **os.environ),
        capture_output=True,
        check=False,
        timeout=500,
    )
    if done.returncode:
        pytest.skip("the package index has no CPU build of torch 2.13 for this Python")
    seen = same_with_and_without(python, TORCH, tmp_path)
    assert ("torch.manual_seed", 3) in [(s.function, s.argument) for s in seen.observed.seeds]
