"""What compiles, traces, reads or sends functions works on the user's own in a rehearsal."""

import os
import shutil
from pathlib import Path

import pytest

from tests.agent.rehearsal import _runs
from tests.agent.test_hook_models import installed

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(600)]

SCRIPTS = Path(__file__).parent / "same"
SETTINGS = {
    "PYTHONHASHSEED": "0",
    "CUDA_VISIBLE_DEVICES": "",
    "JAX_PLATFORMS": "cpu",
    "TORCHDYNAMO_DISABLE": "1",  # a rehearsal sets it; compiled sums differ in the last digits
}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    wanted = ("numba", "joblib", "cloudpickle", "jax")
    return installed(tmp_path_factory.mktemp("small") / "env", *wanted)


def pytorch(folder):
    if "UV_FIND_LINKS" not in os.environ and "PIP_FIND_LINKS" not in os.environ:
        pytest.skip("torch for the processor alone is in no index that is set up")
    return installed(folder / "env", "torch==2.13.0+cpu", "numpy", "tqdm")


def both(python, folder, name):
    """Run a script plainly and as a rehearsal; return the tape, having compared what they say."""
    work = folder / "w"
    work.mkdir()
    shutil.copy(SCRIPTS / (name + ".txt"), work / "s.py")
    bare = _runs.plain(python, work, ["s.py"], **SETTINGS)
    assert bare.code == 0, bare.err[-2000:]
    done = _runs.rehearsed(python, work, environ=SETTINGS)
    assert done.out.splitlines() == bare.out.splitlines()
    assert (done.tape.end, done.tape.failed) == ("done", ())
    return done.tape


@pytest.mark.parametrize("name", ["numba", "jax", "workers"])
def test_small_libraries(name, small, tmp_path):
    tape = both(small, tmp_path, name)
    wanted = {"numba": "numba.", "jax": "jax.", "workers": "joblib."}[name]
    assert any(callee.startswith(wanted) for callee in _runs.called(tape))


@pytest.mark.parametrize("name", ["torch", "loader"])
def test_torch(name, tmp_path):
    tape = both(pytorch(tmp_path), tmp_path, name)
    assert any(callee.startswith("torch.") for callee in _runs.called(tape))


def test_tensorflow(tmp_path):
    tape = both(installed(tmp_path / "env", "tensorflow-cpu"), tmp_path, "tensorflow")
    assert any("tensorflow" in callee for callee in _runs.called(tape))
