"""Scripts of all kinds, rehearsed: how they are started, what they do at their end, notebooks."""

import json

import pytest

from tests.agent import _hook
from tests.agent.rehearsal import _runs

PYTHONS = ["3.7", "3.8", "3.11", "3.13"]
ENDING = """\
import atexit, math, os, signal, sys, threading, time
atexit.register(lambda: print("bye", math.sqrt(2)))
def handler(n, frame): print("signal", frame.f_code.co_name)
signal.signal(signal.SIGUSR1, handler); os.kill(os.getpid(), signal.SIGUSR1)
signal.signal(signal.SIGALRM, lambda n, f: print("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.01); time.sleep(0.05)
threading.Thread(target=lambda: (time.sleep(0.2), print("thread"))).start()
def main():
    os.chdir(".."); print(os.path.basename(os.getcwd()), sys.argv, __name__)
    print(os.path.basename(__file__), sys.path[0] == os.path.dirname(os.path.abspath(__file__)))
    print(os.path.isabs(__file__))
    return 3
if __name__ == "__main__":
    sys.exit(main())
"""
ARGUMENTS = """\
import argparse, json
from pkg import settings
def parsed():
    p = argparse.ArgumentParser()
    p.add_argument("--n", type=int, default=2); p.add_argument("name")
    return p.parse_args()
a = parsed()
print(json.dumps({"n": a.n * settings.TIMES, "name": a.name}), __name__, __package__)
"""
WORKERS = """\
import concurrent.futures, json, math, multiprocessing, os, subprocess, sys
def work(x):
    total = 0
    for k in range(3): total += math.sqrt(x + k)
    return round(total, 6)
def told(q): q.put(work(2))
if __name__ == "__main__":
    for kind in ("spawn", "fork", "forkserver"):
        context = multiprocessing.get_context(kind)
        with context.Pool(2) as pool: print(kind, pool.map(work, range(4)))
        q = context.Queue(); one = context.Process(target=told, args=(q,)); one.start()
        print(q.get(timeout=60)); one.join(); print(one.exitcode)
    with concurrent.futures.ProcessPoolExecutor(2) as pool: print(list(pool.map(work, range(3))))
    with concurrent.futures.ThreadPoolExecutor(2) as pool: print(list(pool.map(work, range(3))))
    pid = os.fork()
    if not pid: print("child", work(3), flush=True); os._exit(0)
    os.waitpid(pid, 0)
    words = [sys.executable, "-c", "import s; print(s.work(7))"]
    here = os.path.dirname(os.path.abspath(__file__))
    print(subprocess.run(words, stdout=subprocess.PIPE, cwd=here).stdout)
"""
CELLS = [
    "%matplotlib inline\nimport json, os\n!pip install nothing",
    "%%time\nx = json.loads('[1, 2]')\nprint(x)",
    "%cd below\nprint(os.path.basename(os.getcwd()))\n%env MINE=7",
    "%time y = json.dumps(x)\nprint(y, os.environ['MINE'])",
    "%%bash\nexit 1",
    "json.dumps?\nget_ipython().run_line_magic('load_ext', 'autoreload')\ndisplay(x)",
    "z = ('%d'\n     % 3)\nprint(z)",
    "json.loads('{')\nprint('not here')",
    "print('__file__' in globals(), __name__)",
]


def callees(done):
    return set(_runs.called(done.tape))


@pytest.mark.parametrize("version", PYTHONS)
def test_how_a_script_ends(version, tmp_path):
    python = _hook.python_of(version)
    folder = _runs.write(tmp_path / "w", s=ENDING)
    bare = _runs.plain(python, folder, ["s.py"])
    done = _runs.rehearsed(python, folder, script="s.py")
    assert bare.code == 3
    assert sorted(done.out.splitlines()) == sorted(bare.out.splitlines())
    assert done.tape.why == "exit 3"
    assert {"thread", "bye 1.4142135623730951"} <= set(done.out.splitlines())


@pytest.mark.parametrize("version", PYTHONS)
@pytest.mark.parametrize("start", ["script", "module", "package"])
def test_arguments_and_modules(version, start, tmp_path):
    python = _hook.python_of(version)
    inner = {"script": "s", "module": "train", "package": "__main__"}[start]
    folder = tmp_path / "w"
    _runs.write(folder / "pkg", __init__="", settings="TIMES = 3\n")
    _runs.write(folder if start == "script" else folder / "pkg", **{inner: ARGUMENTS})
    module = {"script": "", "module": "pkg.train", "package": "pkg"}[start]
    words = ["-m", module] if module else ["s.py"]
    argv = ["--n", "5", "me"]
    bare = _runs.plain(python, folder, [*words, *argv])
    done = _runs.rehearsed(python, folder, argv=argv, **({"module": module} if module else {}))
    assert bare.code == 0
    assert done.out == bare.out
    assert "json.dumps" in callees(done)


@pytest.mark.parametrize("version", ["3.8", "3.13"])
def test_processes_that_the_script_starts(version, tmp_path):
    python = _hook.python_of(version)
    folder = _runs.write(tmp_path / "w", s=WORKERS)
    bare = _runs.plain(python, folder, ["s.py"])
    done = _runs.rehearsed(python, folder)
    assert bare.code == 0, bare.err
    assert sorted(done.out.splitlines()) == sorted(bare.out.splitlines())
    assert (done.tape.end, done.tape.failed) == ("done", ())


@pytest.mark.parametrize("version", PYTHONS)
def test_the_cells_of_a_notebook(version, tmp_path):
    folder = _runs.write(tmp_path / "w")
    _runs.write(folder / "below")
    cells = [{"cell_type": "code", "source": text} for text in CELLS]
    (folder / "n.ipynb").write_text(json.dumps({"cells": cells}))
    done = _runs.rehearsed(_hook.python_of(version), folder, script="n.ipynb", cells=True)
    said = ["[1, 2]", "below", "[1, 2] 7", "3", "not here", "False __main__"]
    assert done.out.splitlines() == said
    assert [line for line, _ in done.tape.failed] == [1]
    assert any(site.where == "n.ipynb:4:1" for site in done.tape.sites.values())
    assert {"json.loads", "json.dumps"} <= callees(done)
