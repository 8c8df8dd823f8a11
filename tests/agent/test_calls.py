"""The call table: what it holds, and that the program does not feel it."""

import textwrap

import pytest

from provenance.agent import launch
from tests.agent import _hook
from tests.facets._venvs import python_of, venv

SCRIPT = """\
"Doc."
from __future__ import annotations
import sys, math, json, os, inspect, traceback, warnings, textwrap
import decimal
class Base:
    def __init__(self, x): self.__x = x
    def get(self): return self.__x
class Sub(Base):
    def __init__(self): super().__init__(3)
    def area(self): return math.pi * decimal.Decimal(2).sqrt().__float__()
def f(n):
    total = 0
    for i in range(n):
        total += math.sqrt(i)
        if i == 5: continue
    return total
def gen(n):
    for i in range(n):
        yield math.floor(i + .5)
print(f(1000), list(gen(4)), Sub().get(), Sub().area())
print(__file__, __name__, __spec__, __package__, sys.argv, sys.path[0], __doc__)
print(__cached__ if '__cached__' in globals() else None)
print(inspect.getsource(f), type(__loader__).__name__, sorted(k for k in globals()))
print(json.dumps({"a": [math.sin(x) for x in range(3)]}), textwrap.dedent("  x"))
warnings.warn("look", stacklevel=2)
warnings.warn("look1")
for k in range(3):
    print(math.gcd(k, 6))
if "fail" in sys.argv:
    json.loads("{")
if "int" in sys.argv:
    os.kill(os.getpid(), 2)
sys.exit(3)
"""
MODULE = """
import math
def twice(x):
    return math.floor(x) * 2
class Kept:
    def __init__(self, x):
        self.x = math.ceil(x)
"""
PROCESSES = """\
import numba, math, numpy as np
from joblib import Parallel, delayed
import multiprocessing as mp, concurrent.futures as cf, pickle, sys
@numba.njit
def fast(x): return math.sqrt(x) + np.sin(x)
def slow(x): return math.sqrt(x) + np.sin(x)
def outer(x):
    return slow(math.floor(x))
class Net:
    def run(self, x): return outer(x) + math.ceil(x)
if __name__ == "__main__":
    print(fast(2.0), numba.njit(slow)(2.0), slow(2.0))
    print(Parallel(n_jobs=2)(delayed(outer)(i) for i in range(3)))
    print(Parallel(n_jobs=2)(delayed(Net().run)(i) for i in range(3)))
    for kind in ("spawn", "fork", "forkserver"):
        with mp.get_context(kind).Pool(2) as p: print(p.map(outer, range(3)))
    with cf.ProcessPoolExecutor(2) as e: print(list(e.map(Net().run, range(3))))
    import cloudpickle, subprocess
    data = cloudpickle.dumps(Net())
    code = "import pickle,sys; print(pickle.loads(sys.stdin.buffer.read()).run(2.5))"
    print(subprocess.run([sys.executable, "-I", "-c", code], input=data, capture_output=True))
    print(pickle.loads(pickle.dumps(slow)) is slow)
"""
FULL = """
import math
def root(n):
    return math.sqrt(n)
def looping(n):
    for i in range(n):
        math.floor(i)
    return looping
own = root.__code__
for i in range(500):
    root(i)
looping(500)
print(root.__code__.co_names, any("_prov" in name for name in root.__code__.co_names))
"""

slow = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(600)]


def both_ways(python, folder, argv, **files):
    """Run a command bare and with the table; return what was seen, after comparing all it said."""
    folder.mkdir()
    for name, text in files.items():
        (folder / (name + ".py")).write_text(text)
    bare = _hook.run([python, *argv], folder, _hook.plain_environment(PYTHONHASHSEED="0"))
    agent = folder.parent / "agent"
    agent.mkdir()
    launch.want_calls(str(agent))
    seen = _hook.observe([python, *argv], folder, agent=agent, PYTHONHASHSEED="0")
    assert (seen.code, seen.out) == (bare.returncode, bare.stdout)
    assert seen.err == bare.stderr
    return seen


def sites(seen):
    """Return the call sites of all processes, by callee."""
    told = [one.value for one in seen.observed.noted if one.topic == "calls"]
    assert not [one["off"] for one in told if "off" in one]
    return {site["callee"]: site for one in told for site in one.get("sites", ())}


@pytest.mark.parametrize("version", _hook.VERSIONS)
@pytest.mark.parametrize("end", ["well", "fail"])
def test_a_script_says_and_ends_the_same(version, end, tmp_path):
    shown = ", stacklevel=2" if version == "3.7" else ""  # a frame of runpy would show there
    text = SCRIPT.replace(shown, "")
    seen = both_ways(_hook.python_of(version), tmp_path / "w", ["s.py", end], s=text)
    assert seen.code == (1 if end == "fail" else 3)
    found = sites(seen)
    assert {"math.sqrt", "math.floor", "decimal.Decimal", "json.dumps"} <= set(found)
    assert found["math.sqrt"]["where"].endswith("s.py:14")
    assert found["math.sqrt"]["times"] == 3


@pytest.mark.parametrize("version", ["3.8", "3.11", "3.13"])
@pytest.mark.parametrize("argv", [["-m", "s"], ["-c", "import s"], ["-W", "error", "s.py"]])
def test_the_ways_to_start(version, argv, tmp_path):
    text = (
        "import sys, m\n"
        "print(sys.argv[1:], sys.path[0][-2:], __name__, m.twice(2.5), m.Kept(1).x)\n"
    )
    seen = both_ways(_hook.python_of(version), tmp_path / "w", [*argv, "a"], s=text, m=MODULE)
    assert sites(seen)["math.floor"]["where"].endswith("m.py:4")


@pytest.mark.parametrize("version", ["3.8", "3.11", "3.13"])
def test_a_function_seen_often_enough_has_its_own_code(version, tmp_path):
    seen = both_ways(_hook.python_of(version), tmp_path / "w", ["s.py"], s=FULL)
    assert b"False" in seen.out
    assert {"math.sqrt", "math.floor"} <= set(sites(seen))


@pytest.mark.parametrize(("version", "arguments", "count"), [("3.8", 24, 3500), ("3.13", 1, 80000)])
def test_a_recorder_above_its_budget_switches_itself_off(version, arguments, count, tmp_path):
    calls = "itertools.zip_longest(%s)\n" % ", ".join(["x"] * arguments) * count
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "s.py").write_text("import itertools\nx = list(range(8))\n" + calls)
    agent = tmp_path / "agent"
    agent.mkdir()
    launch.want_calls(str(agent))
    seen = _hook.observe([_hook.python_of(version), "s.py"], tmp_path / "w", agent=agent)
    assert seen.code == 0
    told = [one.value for one in seen.observed.noted if one.topic == "calls"]
    assert any("looking at calls took" in one.get("off", "") for one in told)


def test_where_reading_the_source_takes_long_the_rest_is_left_alone(tmp_path):
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "long.py").write_text("import math\n" + "math.floor(1)\n" * 30000)
    (tmp_path / "w" / "later.py").write_text("import math\nmath.gcd(4, 6)\n")
    (tmp_path / "w" / "s.py").write_text("import long, later\n")
    agent = tmp_path / "agent"
    agent.mkdir()
    launch.want_calls(str(agent))
    seen = _hook.observe([_hook.python_of("3.8"), "s.py"], tmp_path / "w", agent=agent)
    told = [one.value for one in seen.observed.noted if one.topic == "calls"]
    assert any("later.py and own files" in text for one in told for text in one.get("notes", ()))
    assert "math.gcd" not in str(told)


def test_without_being_asked_nothing_is_told(tmp_path):
    _hook.script(tmp_path, SCRIPT)
    seen = _hook.observe([_hook.python_of("3.13"), "script.py"], tmp_path)
    assert not [one for one in seen.observed.noted if one.topic == "calls"]


def test_arguments_are_told_as_the_function_got_them(tmp_path):
    text = textwrap.dedent("""
        import json
        json.dumps({"a": [1]}, indent=2)
        json.JSONEncoder(sort_keys=True).encode([1])
    """)
    found = sites(both_ways(_hook.python_of("3.13"), tmp_path / "w", ["s.py"], s=text))
    given = found["json.dumps"]["given"]
    assert given["indent"] == 2
    assert given["obj"] == {"type": "dict", "length": 1}
    assert given["sort_keys"] is False  # by default
    assert found["json.JSONEncoder.encode"]["self"]["type"] == "json.JSONEncoder"
    assert found["json.dumps"]["result"] == {"type": "str"}  # no text of the program's own


@pytest.mark.parametrize("version", [pytest.param(one, marks=slow) for one in ("3.9", "3.13")])
def test_compilers_and_pickles_see_the_original(version, tmp_path):
    wanted = ("numpy", "numba", "joblib", "cloudpickle")
    python = venv(tmp_path / "venv", *wanted, python=python_of(version))
    seen = both_ways(python, tmp_path / "w", ["s.py"], s=PROCESSES)
    assert seen.code == 0, seen.err.decode()
    assert {"numba.njit", "joblib.Parallel"} <= set(sites(seen))
