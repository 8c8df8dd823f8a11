"""The program behaves, and prints, as it does without the hook."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from provenance.agent import launch
from tests.agent._hook import VERSIONS, observe, plain_environment, python_of, run

PROGRAMS = {
    "modules": (
        "import sys\nours = {'time', 'atexit', 'encodings.ascii'}\n"
        "print(sorted(set(sys.modules) - ours)); print(sys.path)"
    ),
    "error": "def f():\n raise ValueError('x')\nf()",
    "open fails": "import os\nos.open('missing.txt', 0)",
    "import fails": "import missing_module",
    "module fails": "import broken",
    "random": "import random\nrandom.seed(5)\nprint(random.random(), random.getstate()[1][:3])",
    "unseeded": "import random\nprint(random.getstate()[1] != random.Random(0).getstate()[1])",
    "warnings": (
        "import random, warnings\nwarnings.simplefilter('always')\n"
        "warnings.warn('w', stacklevel=1)\nrandom.seed(0.5)\nopen('in.txt')"
    ),
    "own seed": "import random\nclass S(object): pass\nrandom.seed(S())\nprint(1)",
    "argparse": (
        "import argparse\np = argparse.ArgumentParser(prog='x')\np.add_argument('--n', type=int)\n"
        "print(p.parse_args(['--n', '3']), p.parse_known_args(['--z']))\np.parse_args(['--n', 'x'])"
    ),
    "help": "import argparse\nargparse.ArgumentParser(prog='x').parse_args(['-h'])",
    "signatures": (
        "import argparse, inspect, random\n"
        "print(inspect.signature(random.seed), type(random.seed))\n"
        "p = argparse.ArgumentParser\nprint(inspect.signature(p.parse_known_args))\n"
        "print(p.parse_known_args.__qualname__, p.parse_known_args.__module__)"
    ),
    "pickles": (
        "import argparse, pickle, random\nrandom.seed(1)\nprint(len(pickle.dumps(random.seed)))\n"
        "print(pickle.loads(pickle.dumps(argparse.ArgumentParser.parse_known_args)).__name__)"
    ),
    "finders": "import importlib.util as u\nprint(type(u.find_spec('json').loader))\n"
    "import argparse\nprint(argparse.__loader__.__dict__)",
    "reload": "import argparse, importlib\nprint(importlib.reload(argparse).__loader__.__dict__)",
    "exit code": "import sys; sys.exit(7)",
    "atexit": "import atexit\natexit.register(print, 'last')\nprint('first')",
    "threads": "import threading\nprint(threading.active_count())",
    "descriptors": "import os\nprint(sorted(os.listdir('/proc/self/fd')))",
    "sitecustomize": "import sitecustomize",
}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "work"
    made.mkdir()
    (made / "in.txt").write_text("x")
    (made / "broken.py").write_text("1 / 0\n")
    return made


def both(argv, folder, **environ):
    """Return what ``argv`` gives without and with the hook."""
    bare = run(argv, folder, plain_environment(**environ))
    seen = observe(argv, folder, **environ)
    return (bare.returncode, bare.stdout, bare.stderr), (seen.code, seen.out, seen.err)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_same_bytes_and_exit_code(version, name, folder):
    if version == "3.7" and name in ("modules", "open fails"):
        pytest.skip("3.7 has no audit hooks: opening functions are wrapped, which is visible")
    script = folder / "program.py"
    script.write_text(PROGRAMS[name])
    ways = [["program.py"], ["-c", PROGRAMS[name]], ["-W", "error", "-X", "dev", "program.py"]]
    if name == "own seed" and version in ("3.9", "3.10"):
        ways.pop()  # ends in a traceback through a replaced function: see below
    for argv in ways:
        without, with_hook = both([python_of(version), *argv], folder)
        assert with_hook == without


SEED_ERROR = "import random\nrandom.seed([1], [2], [3])"
TYPE_ERROR = (
    "import argparse\ndef kind(text):\n raise RuntimeError(text)\n"
    "p = argparse.ArgumentParser()\np.add_argument('--n', type=kind)\np.parse_args(['--n', '3'])"
)


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("code", [SEED_ERROR, TYPE_ERROR], ids=["seed", "argparse"])
def test_tracebacks_through_replaced_functions(version, code, folder):
    """Before 3.11 one frame more is seen here: it cannot be taken out there."""
    (folder / "program.py").write_text(code)
    without, with_hook = both([python_of(version), "program.py"], folder)
    assert with_hook == without
    assert b"Error" in without[2]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("body", ["import sys\nsys.mine = 1\n", "1 / 0\n", "import missing\n"])
def test_the_shadowed_sitecustomize_runs(version, body, folder):
    other = folder / "other place"
    other.mkdir()
    (other / "sitecustomize.py").write_text(body)
    (other / "usercustomize.py").write_text("import sys\nsys.user = 2\n")
    code = (
        "import sys\nprint(getattr(sys, 'mine', 0), getattr(sys, 'user', 0), sys.path)\n"
        "import sitecustomize\nprint(sitecustomize.__file__)"
    )
    without, with_hook = both([python_of(version), "-c", code], folder, PYTHONPATH=str(other))
    assert with_hook == without
    assert b"other place" in without[1]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", ["a b", ":x", "x:", "rel:/abs::y", ""])
def test_an_existing_pythonpath_keeps_its_meaning(version, path, folder):
    code = "import sys\nprint(sys.path)"
    without, with_hook = both([python_of(version), "-c", code], folder, PYTHONPATH=path)
    assert with_hook == without


def test_user_exceptions_from_signals_are_not_swallowed(folder):
    """A handler that raises may run while the hook does; the program must get its exception."""
    code = (
        "import signal\nclass Stop(Exception): pass\n"
        "def handler(*_): raise Stop\nsignal.signal(signal.SIGALRM, handler)\ncaught = 0\n"
        "for turn in range(60):\n"
        " signal.setitimer(signal.ITIMER_REAL, 0.0005 + turn * 0.00001)\n"
        " try:\n"
        "  for n in range(10 ** 9):\n   open('/dev/null').close()\n"
        "   try:\n    open('no%d.%d' % (turn, n))\n   except FileNotFoundError:\n    pass\n"
        " except Stop:\n  caught += 1\nprint(caught)\n"
    )
    seen = observe([sys.executable, "-c", code], folder)
    assert (seen.code, seen.out) == (0, b"60\n"), seen.err


def test_the_environment_is_left_alone_when_switched_off(folder):
    environ = {"PROV_HOOK": "0", "A": "b"}
    assert launch.hooked_environment(environ, str(folder)) == environ


def test_hooked_and_unhooked(folder):
    for path in (None, "x", "x:y", ":x"):
        environ = {"A": "b"} if path is None else {"A": "b", "PYTHONPATH": path}
        hooked = launch.hooked_environment(environ, str(folder))
        assert hooked["PYTHONPATH"].split(os.pathsep)[0] == launch.SITE
        assert hooked[launch.FOLDER] == str(folder)
        assert launch.unhooked_environment(hooked) == environ
        assert launch.hooked_environment(hooked, str(folder)) == hooked


def test_a_run_inside_a_run_has_its_own_logs(folder, tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    hooked = launch.hooked_environment(plain_environment(), str(tmp_path))
    hooked = launch.hooked_environment(hooked, str(inner))
    subprocess.run([sys.executable, "-c", "open('in.txt')"], cwd=folder, env=hooked, check=True)
    assert [path.suffix for path in inner.iterdir()] == [".log"]
    assert not list(tmp_path.glob("*.log"))
    assert Path(launch.SITE, "sitecustomize.py").is_file()


@pytest.mark.parametrize("version", VERSIONS)
def test_replaced_functions_look_like_the_originals(version, folder):
    (folder / "torch").mkdir()
    (folder / "torch" / "__init__.py").write_text("from torch.random import manual_seed\n")
    (folder / "torch" / "random.py").write_text(
        "def manual_seed(seed: int, *, again: bool = False) -> bool:\n"
        "    'Seed.'\n"
        "    return again\n"
    )
    (folder / "script.py").write_text(
        "import inspect, pickle, typing\nfrom torch import manual_seed as f\n"
        "print(inspect.signature(f), typing.get_type_hints(f), f.__annotations__)\n"
        "print(f.__name__, f.__module__, f.__qualname__, f.__doc__)\n"
        "print(pickle.loads(pickle.dumps(f)) is f)\n"
        "print(f(3), f(4, again=True))\n"
    )
    bare, hooked = both([python_of(version), "script.py"], folder)
    assert bare == hooked
    assert bare[0] == 0
