"""Parsed parameters and seed calls, on every version that is here."""

import sys

import pytest

from tests.agent._hook import VERSIONS, observe, python_of

PARSER = """
import argparse, pathlib
p = argparse.ArgumentParser()
p.add_argument("data", type=pathlib.Path)
p.add_argument("more", nargs="*")
p.add_argument("--learning-rate", type=float, default=0.1)
p.add_argument("--batch-size", "-b", type=int, default=32)
p.add_argument("-v", action="count", default=0)
p.add_argument("-q", action="store_true")
p.add_argument("--layers", nargs="+", type=int, default=[1, 2])
p.add_argument("--activation", type=eval, default=abs)
p.set_defaults(extra="set")
args = p.parse_args()
args.learning_rate *= 2
"""


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "work"
    made.mkdir()
    return made


def parsed(version, folder, text, *words):
    (folder / "train.py").write_text(text)
    seen = observe([python_of(version), "train.py", *words], folder)
    assert seen.code == 0, seen.err
    return [one.values for one in seen.observed.parsed]


@pytest.mark.parametrize("version", VERSIONS)
def test_values_defaults_and_what_was_given(version, folder):
    words = ["d.csv", "--learn", "0.5", "-vqb64", "--layers", "3", "4"]
    (values,) = parsed(version, folder, PARSER, *words)
    assert values == {
        "data": {"value": "d.csv", "default": None, "given": True},
        "more": {"value": [], "default": None, "given": False},
        "learning_rate": {"value": 0.5, "default": 0.1, "given": True},
        "batch_size": {"value": 64, "default": 32, "given": True},
        "v": {"value": 1, "default": 0, "given": True},
        "q": {"value": True, "default": False, "given": True},
        "layers": {"value": [3, 4], "default": [1, 2], "given": True},
        "activation": {"value": "builtins.abs", "default": "builtins.abs", "given": False},
        "extra": {"value": "set", "default": "set", "given": False},
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_a_default_given_explicitly_is_given(version, folder):
    (values,) = parsed(version, folder, PARSER, "d", "m", "--batch-size=32")
    assert values["batch_size"] == {"value": 32, "default": 32, "given": True}
    assert values["more"] == {"value": ["m"], "default": None, "given": True}
    assert values["learning_rate"]["given"] is False


@pytest.mark.parametrize("version", VERSIONS)
def test_sub_commands_count_once(version, folder):
    text = (
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--seed', type=int)\n"
        "s = p.add_subparsers(dest='command')\nt = s.add_parser('train')\n"
        "t.add_argument('--lr', default=1.0, type=float)\nt.add_argument('--wd', default=0.0)\n"
        "p.parse_args()\n"
    )
    (values,) = parsed(version, folder, text, "--seed", "3", "train", "--lr", "2")
    assert values == {
        "seed": {"value": 3, "default": None, "given": True},
        "command": {"value": "train", "default": None, "given": True},
        "lr": {"value": 2.0, "default": 1.0, "given": True},
        "wd": {"value": 0.0, "default": 0.0, "given": False},
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_intermixed_and_repeated_parses(version, folder):
    text = (
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('files', nargs='*')\n"
        "p.add_argument('--n', type=int, default=1)\n"
        "p.parse_intermixed_args(['a', '--n', '2', 'b'])\n"
        "for _ in range(3): p.parse_args([])\n"
    )
    found = parsed(version, folder, text)
    assert [values["n"] for values in found] == [
        {"value": 2, "default": 1, "given": True},
        {"value": 1, "default": 1, "given": False},
    ]
    assert found[0]["files"]["value"] == ["a", "b"]


def test_values_that_are_no_plain_data(folder):
    text = (
        "import argparse, enum\nclass Kind(enum.Enum):\n  A = 1\nclass Odd(object):\n"
        "  def __repr__(self): raise KeyError\n"
        "p = argparse.ArgumentParser()\n"
        "p.set_defaults(kind=Kind.A, plain=object(), odd=Odd(), big='x' * 9999,\n"
        "  nested={'a': [1, {2: None}]}, c=1j, many=list(range(9999)))\np.parse_args([])\n"
    )
    (values,) = parsed("%d.%d" % sys.version_info[:2], folder, text)
    plain = {name: one["value"] for name, one in values.items()}
    assert plain["kind"] == "<Kind.A: 1>"
    assert plain["odd"] == "<__main__.Odd>"
    assert plain["plain"] == "<builtins.object>"
    assert len(plain["big"]) == 2003
    assert plain["nested"] == {"a": [1, {"2": None}]}
    assert plain["c"] == "1j"
    assert len(plain["many"]) == 200


@pytest.mark.parametrize("version", VERSIONS)
def test_helpers_of_libraries_are_no_parameters_of_the_run(version, folder):
    """``python -m tokenize`` parses in the standard library, here started by the program."""
    text = "import subprocess, sys\nsubprocess.call([sys.executable, '-m', 'tokenize', 'train.py'])"
    assert parsed(version, folder, text) == []
    seen = observe(
        [python_of(version), "-m", "tokenize", "train.py"], folder, agent=folder.parent / "own"
    )
    (one,) = seen.observed.parsed
    assert one.source == "argparse"
    assert one.values["filename"]["value"] == "train.py"


SEEDS = """
import random
random.seed(7)
random.seed()
def helper():
    random.seed("text")
helper()
random.seed(a=0.5, version=2)
own = random.Random(1)
for n in range(60):
    random.seed(n + 100)
for n in range(3):
    random.seed(7)
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_seed_calls(version, folder):
    (folder / "train.py").write_text(SEEDS)
    seen = observe([python_of(version), "train.py"], folder)
    calls = seen.observed.seeds
    place = str(folder / "train.py")
    assert [(c.argument, c.where) for c in calls[:4]] == [
        (7, place + ":3"),
        (None, place + ":4"),
        ("text", place + ":6"),
        (0.5, place + ":8"),
    ]
    assert {(c.library, c.function) for c in calls} == {("random", "random.seed")}
    assert len(calls) == 50
    assert "14 further calls that seeded were not kept" not in seen.observed.notes
    assert "17 further calls that seeded were not kept" in seen.observed.notes


@pytest.mark.parametrize("version", VERSIONS)
def test_a_module_loaded_before_the_hook_is_watched_too(version, folder):
    """A ``.pth`` file, as some packages install, may import random before any sitecustomize."""
    import subprocess

    from tests.agent._hook import plain_environment

    subprocess.run(
        [python_of(version), "-m", "venv", "--without-pip", "env"],
        cwd=folder,
        env=plain_environment(),
        check=True,
    )
    (site,) = folder.glob("env/lib/python*/site-packages")
    (site / "early.pth").write_text("import random, argparse\n")
    (folder / "t.py").write_text("import random\nrandom.seed(3)\n")
    seen = observe([str(folder / "env/bin/python"), "t.py"], folder)
    assert [call.argument for call in seen.observed.seeds] == [3]


TORCH = """
class version: cuda = "12.1"; git_version = "abc"; hip = None
__version__ = "2.0"
class _B: pass
backends = _B(); backends.cudnn = _B(); backends.cuda = _B(); backends.cuda.matmul = _B()
backends.cudnn.deterministic = True; backends.cudnn.benchmark = False
backends.cudnn.allow_tf32 = True
backends.cuda.matmul.allow_tf32 = False
from torch.random import manual_seed, initial_seed
def are_deterministic_algorithms_enabled(): return True
def get_float32_matmul_precision():
    import warnings
    warnings.warn("old")
    return "highest"
def get_num_threads(): raise RuntimeError
"""
RANDOM = """
_seed = 0
def manual_seed(seed):
    "Seed it."
    global _seed
    _seed = int(seed)
    return "generator"
def initial_seed(): return _seed
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_settings_and_seeds_of_a_framework(version, folder):
    (folder / "torch").mkdir()
    (folder / "torch" / "__init__.py").write_text(TORCH)
    (folder / "torch" / "random.py").write_text(RANDOM)
    (folder / "train.py").write_text(
        "import torch, pickle, inspect, torch.random\nprint(torch.manual_seed(12))\n"
        "assert torch.manual_seed is torch.random.manual_seed\n"
        "assert pickle.loads(pickle.dumps(torch.manual_seed)) is torch.manual_seed\n"
        "print(inspect.signature(torch.manual_seed), torch.manual_seed.__doc__)\n"
    )
    seen = observe([python_of(version), "train.py"], folder)
    assert (seen.out, seen.err) == (b"generator\n(seed) Seed it.\n", b"")
    (call,) = seen.observed.seeds
    assert call == ("torch", "torch.manual_seed", 12, str(folder / "train.py") + ":2")
    assert seen.interpreters[0].settings["torch"] == {
        "initial_seed": 12,
        "deterministic_algorithms": True,
        "float32_matmul_precision": "highest",
        "version": "2.0",
        "cuda": "12.1",
        "hip": None,
        "git_version": "abc",
        "cudnn.deterministic": True,
        "cudnn.benchmark": False,
        "cudnn.allow_tf32": True,
        "cuda.matmul.allow_tf32": False,
    }
    assert seen.interpreters[0].modules["torch"] == str(folder / "torch" / "__init__.py")


@pytest.mark.parametrize("version", VERSIONS)
def test_readers_written_in_other_languages(version, folder):
    """Stand-ins for h5py and cv2: the files they open raise no event of the interpreter."""
    (folder / "h5py" / "_hl").mkdir(parents=True)
    (folder / "h5py" / "__init__.py").write_text("from h5py._hl.files import File\n")
    (folder / "h5py" / "_hl" / "__init__.py").write_text("")
    (folder / "h5py" / "_hl" / "files.py").write_text(
        "class File(object):\n def __init__(self, name, mode='r', driver=None): self.mode = mode\n"
    )
    (folder / "cv2.py").write_text("def imread(filename, flags=1): return filename\n")
    for name in ("a.h5", "b.h5", "x.png"):
        (folder / name).write_text("x")
    (folder / "train.py").write_text(
        "import cv2, h5py, pathlib\nh5py.File('a.h5')\nh5py.File(pathlib.Path('b.h5'), mode='w')\n"
        "print(cv2.imread('x.png'), cv2.imread(filename='http://x/y.png'), cv2.imread(b'gone'))\n"
    )
    seen = observe([python_of(version), "train.py"], folder)
    assert seen.out == b"x.png http://x/y.png b'gone'\n", seen.err
    found = seen.uses()
    assert (found["a.h5"], found["b.h5"], found["x.png"]) == ("r", "w", "r")
    assert "gone" not in found


BOOSTER = """
import os
class Booster(object):
    def get_dump(self, fmap="", with_stats=False): return [fmap]
    def dump_model(self, fout, fmap=""): return self.get_dump(os.fspath(fmap))
"""
TRAINING = """
import functools, inspect
from xgboost.core import Booster
def keyword_only(function):
    names = list(inspect.signature(function).parameters)
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(**dict(kwargs, **dict(zip(names, args))))
    return inner
@keyword_only
def train(params, dtrain, num_boost_round=10, *, evals=None, maximize=None): return Booster()
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_arguments_by_position_that_are_keyword_only_by_now(version, folder):
    """A stand-in for XGBoost: its functions still take them, its maps of features are read in C."""
    (folder / "xgboost").mkdir()
    (folder / "xgboost" / "__init__.py").write_text("from xgboost.training import train\n")
    (folder / "xgboost" / "core.py").write_text(BOOSTER)
    (folder / "xgboost" / "training.py").write_text(TRAINING)
    for name in ("map.txt", "other.txt"):
        (folder / name).write_text("0 a q")
    (folder / "train.py").write_text(
        "import xgboost\npairs = [('eta', 1), ('metric', 'auc'), ('metric', 'error')]\n"
        "m = xgboost.train(pairs, object(), 4, [('data', 'eval')], True)\n"
        "print(m.get_dump(), m.get_dump('map.txt'), m.dump_model('out', fmap='other.txt'))\n"
    )
    seen = observe([python_of(version), "train.py"], folder)
    assert (seen.out, seen.err) == (b"[''] ['map.txt'] ['other.txt']\n", b"")
    (told,) = [one for one in seen.observed.parsed if one.source == "xgboost"]
    values = {name: item["value"] for name, item in told.values.items()}
    assert (values["num_boost_round"], values["maximize"]) == (4, True)
    assert (values["eta"], values["metric"]) == (1, ["auc", "error"])
    found = seen.uses()
    assert (found["map.txt"], found["other.txt"]) == ("r", "r")
    assert "" not in found
