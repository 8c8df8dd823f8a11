"""What is folded into a root, what stands beside it, and what is no root at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from provenance.compare.roots import FAILS, VALUE
from tests.compare.tapes_helpers import Stage, only, said


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


TWO = "def first(x): return x + {a}\ndef second(x): return x * {b}\n"


def test_two_independent_roots_stay_two(stage: Stage) -> None:
    script = "import lib\na = lib.first(1)\nb = lib.second(3)\nprint(a)\nprint(b)\n"
    found = stage.compare(TWO.format(a=1, b=2), TWO.format(a=2, b=3), script)
    assert said(found) == ["value 2 lib.first", "value 3 lib.second"]
    assert [root.reaches for root in found.roots] == ["train.py:4", "train.py:5"]


def test_all_that_follows_from_a_root_is_folded(stage: Stage) -> None:
    lines = ["import lib", "x = lib.first(1)"]
    lines += ["y%d = lib.second(x)" % number for number in range(10)]
    lines += ["print(y%d)" % number for number in range(10)]
    found = stage.compare(TWO.format(a=1, b=2), TWO.format(a=2, b=2), "\n".join(lines) + "\n")
    root = only(found)
    assert root.follows == 10
    assert root.reaches == "train.py:13"


def test_calls_of_the_same_function_are_one_root_with_all_its_places(stage: Stage) -> None:
    script = "import lib\na = lib.first(1)\nb = lib.first(5)\nprint(a, b, lib.second(2))\n"
    root = only(stage.compare(TWO.format(a=1, b=2), TWO.format(a=2, b=2), script))
    assert root.site.line == 2
    assert [site.line for site in root.also] == [3]


NET = """
class Net:
    def __init__(self): self.weight, self._grad = 1.0, 0.0
    def __call__(self, x): return Loss(self, x * self.weight)
    def params(self): return Params(self)
class Params:
    def __init__(self, net): self._net = net
class Loss:
    def __init__(self, net, value): self._net, self.value = net, value
    def backward(self): self._net._grad = self.value
class Optimizer:
    def __init__(self, params, rate): self._params, self.rate = params, rate
    def step(self):
        net = self._params._net
        net.weight -= self.rate * net._grad
        return net.weight
"""
TRAIN = """
import lib
net = lib.Net()
opt = lib.Optimizer(net.params(), 0.1)
x = lib.batch()
loss = net(x)
loss.backward()
w = opt.step()
print(w)
"""


def test_what_was_written_unseen_into_linked_objects_follows_from_the_root(stage: Stage) -> None:
    old, new = ("def batch(): return %d\n" % number for number in (3, 4))
    root = only(stage.compare(old, new, TRAIN, same=NET))
    assert root.operation.callee == "lib.batch"
    assert root.reaches == "train.py:9"


def test_an_operation_on_linked_objects_is_a_root_where_none_reached_them(stage: Stage) -> None:
    batch = "def batch(): return 3\n"
    new = NET.replace("net.weight -= self.rate", "net.weight -= 2 * self.rate")
    root = only(stage.compare(NET + batch, new + batch, TRAIN))
    assert root.operation.callee == "lib.Optimizer.step"
    assert root.maker is not None
    assert root.maker[1].callee == "lib.Optimizer"


SEARCH = "def search(f, low, high):\n    return max(f(low + {step} * n) for n in range(3))\n"


def test_other_values_handed_to_a_callback_are_the_callers_doing(stage: Stage) -> None:
    script = (
        "import lib\ndef loss(x):\n    return lib.square(x) - 3\n"
        "best = lib.search(loss, 0, 9)\nprint(best)\n"
    )
    old, new = (SEARCH.format(step=step) for step in (1, 2))
    root = only(stage.compare(old, new, script, same="def square(x): return x * x\n"))
    assert (root.kind, root.site.line, root.operation.callee) == (VALUE, 4, "lib.search")


def test_other_values_handed_to_a_callback_matter_only_with_the_result(stage: Stage) -> None:
    script = (
        "import lib\ndef loss(x):\n    return 0 * lib.square(x)\n"
        "best = lib.search(loss, 0, 9)\nprint(best)\n"
    )
    old, new = (SEARCH.format(step=step) for step in (1, 2))
    assert stage.compare(old, new, script, same="def square(x): return x * x\n").roots == ()


def test_a_root_inside_a_callback_is_not_told_again_for_the_caller(stage: Stage) -> None:
    script = (
        "import lib\ndef loss(x):\n    return lib.square(x) - 3\n"
        "best = lib.search(loss, 1, 9)\nprint(best)\n"
    )
    old, new = ("def square(x): return x * x + %d\n" % more for more in (0, 1))
    root = only(stage.compare(old, new, script, same=SEARCH.format(step=1)))
    assert (root.site.line, root.operation.callee) == (3, "lib.square")
    assert root.reaches == "train.py:5"


FALLBACK = (
    "import lib\ntry:\n    f = lib.old\nexcept AttributeError:\n    f = lib.new\nprint(f(2))\n"
)


def test_a_fallback_that_gives_the_same_is_no_root(stage: Stage) -> None:
    old = "def old(x): return x\ndef new(x): return x\n"
    assert stage.compare(old, "def new(x): return x\n", FALLBACK).roots == ()


def test_a_fallback_that_gives_something_else_is_one(stage: Stage) -> None:
    old = "def old(x): return x\ndef new(x): return x + 1\n"
    root = only(stage.compare(old, "def new(x): return x + 1\n", FALLBACK))
    assert (root.kind, root.site.line, root.handled) == (FAILS, 3, True)
    assert "old" in root.error


IMPORT = """
import lib
try:
    from lib import fast
    print("fast")
except ImportError:
    print({text!r})
print("done")
"""


def test_an_import_that_is_handled_shows_by_what_is_printed_elsewhere(stage: Stage) -> None:
    old = "def fast(x): return x\n"
    root = only(stage.compare(old, "", IMPORT.format(text="slow")))
    assert (root.site.line, root.reaches) == (5, "train.py:5")
    assert root.unlike is not None
    assert root.unlike.text == "'fast' -> 'slow'"
    assert stage.compare(old, "", IMPORT.format(text="fast")).roots == ()


def test_a_name_that_is_gone_is_a_root_though_loading_it_is_not_noted(stage: Stage) -> None:
    script = "import lib\nx = lib.same(lib.kind)\nprint(x)\n"
    old = "def kind(): return 3\n"
    root = only(stage.compare(old, "", script, same="def same(x): return x is not None\n"))
    assert (root.kind, root.operation.callee) == (FAILS, "lib.kind")


def test_an_operation_is_lost_with_its_branch_and_the_condition_is_the_root(stage: Stage) -> None:
    script = "import lib\nif lib.ready():\n    x = lib.same(1)\nelse:\n    x = 5\nprint(x)\n"
    old, new = ("def ready(): return %s\n" % value for value in (True, False))
    found = stage.compare(old, new, script, same="def same(x): return x\n")
    root = only(found)
    assert root.operation.callee == "lib.ready"
    assert root.reaches == "train.py:6"
    assert found.coverage.missing == 1


def test_a_loop_takes_as_many_turns_as_in_the_recorded_environment(stage: Stage) -> None:
    script = "import lib\nfor n in lib.rows():\n    lib.same(n)\nprint('done')\n"
    old, new = ("def rows(): return iter(range(%d))\n" % number for number in (4, 9))
    assert stage.compare(old, new, script, same="def same(x): return x\n").roots == ()
    shorter = stage.compare(new, old, script, same="def same(x): return x\n")
    assert shorter.coverage.compared == shorter.coverage.reached


RECORD = """
class Record(dict):
    __getattr__ = dict.__getitem__
def load(): return Record(data=[1, 2], text='{text}', extra={extra})
"""


def test_a_part_that_is_not_read_is_no_root(stage: Stage) -> None:
    script = "import lib\nr = lib.load()\nprint(r.data)\n"
    old, new = (RECORD.format(text=text, extra=1) for text in ("one", "two"))
    assert stage.compare(old, new, script).roots == ()
    read = script + "print(r.text)\n"
    assert only(stage.compare(old, new, read)).site.line == 2


def test_pickles_of_equal_objects_may_differ(stage: Stage) -> None:
    script = "import lib, pickle\nblob = lib.pack([1, 2])\nprint(pickle.loads(blob))\n"
    old, new = ("import pickle\ndef pack(x): return pickle.dumps(x, %d)\n" % n for n in (2, 4))
    assert stage.compare(old, new, script).roots == ()


VOID = """
import numpy as np
def empty(n): return np.arange(float(n)) + {what}
empty.__module__ = 'torch'
def fill(a, x):
    a[:] = x
    return a
"""


def test_memory_that_was_not_written_yet_is_no_root(stage: Stage) -> None:
    script = "import lib\na = lib.empty(3)\nb = lib.fill(a, 2)\nprint(b)\n"
    old, new = (VOID.format(what=number) for number in (5, 7))
    assert stage.compare(old, new, script).roots == ()
    root = only(stage.compare(old, new.replace("= x", "= x + 1"), script))
    assert root.operation.callee == "lib.fill"


TIMED = """\
import time
import lib
print("score", lib.score(), "in", time.perf_counter(), "s")
"""


def test_other_words_show_beside_a_time(stage: Stage) -> None:
    plain = "class Score(float):\n    def __str__(self): return %r\n"
    score = "def score(): return Score(0.5)\n"
    found = stage.compare(plain % "0.65", plain % "Score(0.65)", TIMED, same=score)
    assert only(found).site.line == 3


def test_other_numbers_beside_a_time_may_be_of_chance(stage: Stage) -> None:
    plain = "class Score(float):\n    def __str__(self): return %r\n"
    score = "def score(): return Score(0.5)\n"
    assert stage.compare(plain % "0.65", plain % "0.66", TIMED, same=score).roots == ()
