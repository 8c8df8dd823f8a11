"""What a program can see of itself is the same with the call table and without."""

import pytest

from tests.agent import _hook
from tests.agent.test_calls import both_ways

LIVES = """\
import collections, functools, io, json, sys, types, weakref
class Held:
    def __init__(self, name): self.name = name
    def __del__(self): print("gone", self.name)
    def told(self, other): return self.name, other.name
def given(thing): return thing
functools.partial(given)(Held("an argument"))
print("after a call")
functools.reduce(lambda a, b: b, [Held("first"), Held("second")])
print("after a result")
made = collections.OrderedDict(a=Held("an item"))
seen = weakref.ref(made["a"])
made.popitem()
print(seen())
io.open("kept.txt", "w").write("at once")
print(io.open("kept.txt").read())
Held("a receiver").told(Held("another"))
print("after a method")
def inner():
    local = Held("a local")
    weakref.finalize(local, print, "finalized")
    functools.reduce(given, [local])
    print(sys.getrefcount(local))
for _ in range(5): inner()
try:
    functools.reduce(given, Held("in a failing call"))
except TypeError as error:
    print(error)
print("after an exception")
last = types.SimpleNamespace(held=Held("at the end"))
print(sys.getrefcount(last.held), sys.getrefcount(last))
class Made(collections.OrderedDict): pass
class Parsed(json.JSONDecoder): pass
both = functools.partial(Made), Parsed(), Made(held=Held("in a class of its own"))
functools.reduce(lambda a, b: b, [Held, Made])
never_closed = io.open("never_closed.txt", "w")
never_closed.write("but written")
"""
STATE = """\
import collections, copy, json, math, random, sys, threading, warnings
random.seed(5)
print([random.gauss(0, 1) for _ in range(3)], random.random(), hash(random.getstate()))
def shown():
    frame = sys._getframe()
    return [frame.f_code.co_name, frame.f_lineno, frame.f_back.f_lineno, sorted(frame.f_locals)]
def outer(n):
    here = math.floor(n)
    warnings.warn("of the caller", stacklevel=2)
    warnings.warn("of here", FutureWarning)
    return shown(), sorted(locals()), here
for n in range(70): print(outer(n))
print(sorted(__warningregistry__, key=repr))
print(sorted(globals()), sorted(n for n in dir() if "prov" in n))
print(outer.__name__, outer.__qualname__, outer.__defaults__, outer.__code__.co_firstlineno)
print(outer.__code__.co_argcount, outer.__code__.co_varnames, outer.__code__.co_filename)
answers = []
workers = [threading.Thread(target=lambda: answers.append(math.gcd(4, 6))) for _ in range(4)]
for worker in workers: worker.start()
for worker in workers: worker.join()
print(answers, threading.active_count())
def deep(n): return n if math.floor(n) > 900 else deep(n + 1)
print(deep(0), sys.getrecursionlimit(), sys.gettrace(), sys.getprofile())
def counting():
    with_one = yield math.floor(1.5)
    print("sent", with_one)
    try: yield math.ceil(1.5)
    finally: print("closed")
one = counting(); print(next(one), one.send(3)); one.close()
try:
    json.loads(
        "{",
        object_hook=collections.OrderedDict,
    )
except ValueError as error:
    copy.copy(error)
    raise RuntimeError(
        math.floor(2.5)
    ) from error
"""
PROCESSES = """\
import copyreg, math, multiprocessing, pickle, sys
import m
def own(x): return math.floor(x) + m.twice(x)
class Thing:
    def run(self, x): return own(x) + math.ceil(x)
if __name__ == "__main__":
    print(pickle.dumps(own, 2), pickle.loads(pickle.dumps(own)) is own)
    print(pickle.dumps(Thing().run, 4))
    for kind in ("spawn", "fork", "forkserver"):
        with multiprocessing.get_context(kind).Pool(2) as pool:
            print(kind, pool.map(own, range(3)), pool.map(Thing().run, range(3)))
"""
MODULE = "import math\ndef twice(x):\n    return math.floor(x) * 2\n"


@pytest.mark.parametrize("version", _hook.VERSIONS)
def test_objects_live_as_long(version, tmp_path):
    seen = both_ways(_hook.python_of(version), tmp_path / "w", ["s.py"], s=LIVES)
    assert seen.out.index(b"gone an argument") < seen.out.index(b"after a call")
    assert b"at once" in seen.out
    assert b"gone at the end" in seen.out
    assert (seen.folder / "never_closed.txt").read_text() == "but written"


@pytest.mark.parametrize("version", _hook.VERSIONS)
def test_frames_states_and_tracebacks_are_the_same(version, tmp_path):
    text = STATE if version != "3.7" else STATE.replace(", stacklevel=2", "")
    seen = both_ways(_hook.python_of(version), tmp_path / "w", ["s.py"], s=text)
    assert seen.code == 1
    assert seen.err.count(b"Traceback") == 2
    assert b"prov" not in seen.out + seen.err


@pytest.mark.parametrize("version", _hook.VERSIONS)
def test_processes_and_pickles_are_the_same(version, tmp_path):
    python = _hook.python_of(version)
    seen = both_ways(python, tmp_path / "w", ["s.py"], s=PROCESSES, m=MODULE)
    assert seen.code == 0
    assert seen.out.count(b"[0, 3, 6]") == 3
