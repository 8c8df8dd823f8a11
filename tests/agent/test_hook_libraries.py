"""The hook with real libraries: seeds, settings, and readers written in C, C++ and Rust."""

import subprocess
import sys

import pytest

from tests.agent._hook import observe, plain_environment, run

pytestmark = [pytest.mark.network, pytest.mark.slow]

MAKE = """
import h5py, numpy, pyarrow, pyarrow.parquet
from safetensors.numpy import save_file
h5py.File("x.h5", "w").create_dataset("a", data=[1])
pyarrow.parquet.write_table(pyarrow.table({"a": [1, 2]}), "x.parquet")
open("x.csv", "w").write("a\\n1\\n")
save_file({"a": numpy.ones(1)}, "x.st")
save_file({"a": numpy.ones(1)}, "y.st")
"""
USE = """
import inspect, pickle
import h5py, numpy as np, pyarrow.csv, pyarrow.parquet
from safetensors import safe_open
from safetensors.numpy import load_file
from sklearn.linear_model import SGDClassifier
np.random.seed(3)
np.random.default_rng(5)
np.random.default_rng()
np.random.default_rng(np.random.default_rng(6))
np.random.default_rng(np.random.SeedSequence(8))
print(np.random.rand(2), inspect.signature(np.random.default_rng))
assert pickle.loads(pickle.dumps(np.random.seed)) is np.random.seed
with h5py.File("x.h5", "r") as file:
    print(list(file))
print(pyarrow.parquet.read_table("x.parquet"), pyarrow.csv.read_csv("x.csv"))
with safe_open("x.st", framework="np") as file:
    print(list(file.keys()), load_file("y.st"))
print(SGDClassifier(random_state=1).fit([[0], [1]], [0, 1]).coef_)
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Return the interpreter of an environment with the libraries."""
    folder = tmp_path_factory.mktemp("libraries") / "env"
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", str(folder)], check=True)
    wanted = ["numpy", "h5py", "pyarrow", "safetensors", "scikit-learn"]
    done = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "install", "-q", "-p", folder / "bin/python", *wanted],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip("the libraries cannot be installed: " + done.stderr[-200:])
    return str(folder / "bin" / "python")


def test_seeds_files_and_settings_of_real_libraries(python, tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    assert run([python, "-c", MAKE], folder, plain_environment()).returncode == 0
    (folder / "use.py").write_text(USE)
    bare = run([python, "use.py"], folder, plain_environment())
    seen = observe([python, "use.py"], folder)
    assert (seen.code, seen.out, seen.err) == (0, bare.stdout, bare.stderr)
    place = str(folder / "use.py")
    assert [(c.function, c.argument, c.where) for c in seen.observed.seeds] == [
        ("numpy.random.seed", 3, place + ":7"),
        ("numpy.random.default_rng", 5, place + ":8"),
        ("numpy.random.default_rng", None, place + ":9"),
        ("numpy.random.default_rng", 6, place + ":10"),
        ("numpy.random.default_rng", 8, place + ":11"),
    ]
    files = ("use.py", "x.h5", "x.parquet", "x.csv", "x.st", "y.st")
    assert seen.uses() == dict.fromkeys(files, "r")
    (one,) = seen.interpreters
    assert {"numpy", "sklearn", "scipy", "h5py", "pyarrow", "safetensors"} <= set(one.modules)
    assert one.settings["numpy"]["legacy_seeded"] is True
    assert one.settings["numpy"]["bit_generator"] == "MT19937"
    assert "blas" in one.settings["numpy"]["blas"].lower()


def test_an_unseeded_numpy_says_so(python, tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    seen = observe([python, "-c", "import numpy; numpy.random.rand()"], folder)
    assert seen.interpreters[0].settings["numpy"]["legacy_seeded"] is False
    assert seen.observed.seeds == ()
