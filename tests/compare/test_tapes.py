"""Roots: scripts rehearsed in earnest against two versions of a small library."""

from __future__ import annotations

from pathlib import Path

import pytest

from provenance.compare.roots import ALIAS, FAILS, NUMERICS, RANDOM, STATE, VALUE, WORKS
from tests.compare.tapes_helpers import Stage, only, said


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


MODEL = """
class Model:
    def __init__(self, k):
        self.k = k
    def fit(self, rows):
        self.mean_ = sum(rows) / len(rows) * self.k
        return self
    def predict(self, rows):
        return [self.mean_ + one for one in rows]
"""


def test_equal_versions_have_no_root(stage: Stage) -> None:
    script = "import lib\nm = lib.Model(2).fit([1, 2, 3])\nprint(m.predict([4]), m.mean_)\n"
    found = stage.compare(MODEL, MODEL, script)
    assert found.roots == ()
    assert found.coverage.compared == found.coverage.reached > 3
    assert "train.py:2" in found.same


def test_a_changed_default_is_told_at_the_call_and_reaches_the_print(stage: Stage) -> None:
    script = "import lib\nkept = lib.same(4)\nmade = lib.scale(4)\nmore = [made]\nprint(more)\n"
    old = "def scale(x, by=2): return x * by\n"
    new = "def scale(x, by=3): return x * by\n"
    found = stage.compare(old, new, script, same="def same(x): return x\n")
    root = only(found)
    assert (root.kind, root.site.line, root.operation.callee) == (VALUE, 3, "lib.scale")
    assert root.unlike is not None
    assert root.unlike.text == "8 -> 12"
    assert root.reaches == "train.py:5"
    assert "train.py:2" in found.same
    assert "train.py:3" not in found.same


def test_one_object_has_one_root_and_names_its_maker(stage: Stage) -> None:
    script = (
        "import lib\nm = lib.Model(2)\nm.fit([1, 2])\nm.fit([3, 4])\nprint(m.predict([1]))\n"
        "print(m.mean_)\n"
    )
    root = only(stage.compare(MODEL, MODEL.replace("* self.k", "- self.k"), script))
    assert root.operation.callee.startswith("lib.Model.")
    assert root.maker is not None
    assert root.maker[0].line == 2
    assert root.reaches == "train.py:5"


def test_a_mutated_argument(stage: Stage) -> None:
    script = "import lib\nrows = [3, 1, 2]\nbest = lib.best(rows)\nprint(best, rows)\n"
    old = "def best(rows): return sorted(rows)[0]\n"
    new = "def best(rows):\n    rows.sort()\n    return rows[0]\n"
    root = only(stage.compare(old, new, script))
    assert (root.kind, root.site.line) == (STATE, 3)
    assert root.reaches == "train.py:4"


VIEW = """
class Table:
    def __init__(self, rows):
        self.rows = list(rows)
    def __getitem__(self, place):
        return self.rows[place]
    def total(self):
        return sum(sum(one.cells) for one in self.rows)
class Row:
    def __init__(self, cells):
        self.cells = list(cells)
    def __setitem__(self, place, value):
        self.cells[place] = value
def table(): return Table([Row([1, 2]), Row([3, 4])])
"""


def test_a_copy_where_there_was_an_alias(stage: Stage) -> None:
    script = "import lib\nt = lib.table()\nrow = t[0]\nrow[1] = 50\nprint(t.total())\n"
    new = VIEW.replace("return self.rows[place]", "return Row(self.rows[place].cells)")
    root = only(stage.compare(VIEW, new, script))
    assert root.unlike is not None
    assert root.site.line in (4, 5)
    assert root.reaches == "train.py:5"


def test_another_order_of_iteration(stage: Stage) -> None:
    script = "import lib\nfor one in lib.Folds(4):\n    print(one)\n"
    old = "class Folds:\n    def __init__(self, n): self.n = n\n    def __iter__(self):\n"
    new = old + "        yield from reversed(range(self.n))\n"
    found = stage.compare(old + "        yield from range(self.n)\n", new, script)
    root = only(found)
    assert (root.site.kind, root.site.line, root.reaches) == ("iterate", 2, "train.py:3")
    assert root.maker is not None
    assert root.maker[1].callee == "lib.Folds"


GLOBAL = "import random\ndef noise(n): return [random.random() for _ in range({n})][:n]\n"


def test_more_draws_from_the_global_generator_are_one_root(stage: Stage) -> None:
    script = (
        "import random, lib\nrandom.seed(1)\na = lib.noise(3)\nb = random.random()\n"
        "c = random.choice([1, 2, 3, 4, 5, 6, 7])\nprint(a, b, c)\n"
    )
    found = stage.compare(GLOBAL.format(n="n"), GLOBAL.format(n="n + 1"), script)
    root = only(found)
    assert (root.kind, root.site.line) == (RANDOM, 3)
    assert root.follows >= 1
    assert root.reaches == "train.py:6"


def test_draws_that_nobody_uses_follow_nothing(stage: Stage) -> None:
    script = "import random, lib\nrandom.seed(1)\nprint(lib.noise(3))\n"
    root = only(stage.compare(GLOBAL.format(n="n"), GLOBAL.format(n="n + 1"), script))
    assert (root.kind, root.follows) == (RANDOM, 0)


def test_draws_from_a_generator_of_its_own(stage: Stage) -> None:
    script = "import lib\ns = lib.Sampler(7)\na = s.draw()\nb = s.draw()\nprint(a, b)\n"
    old = "import random\nclass Sampler:\n    def __init__(self, seed):\n"
    old += "        self.source = random.Random(seed)\n    def draw(self):\n"
    new = old + "        self.source.random()\n        return self.source.random()\n"
    old += "        return self.source.random()\n"
    root = only(stage.compare(old, new, script))
    assert root.site.line == 3
    assert root.maker is not None
    assert root.maker[1].callee == "lib.Sampler"


def test_a_call_that_fails_only_in_the_new_version(stage: Stage) -> None:
    script = "import lib\nx = lib.norm(3, axis=None)\ny = lib.same(x)\nprint(y)\n"
    found = stage.compare(
        "def norm(x, axis=0): return x\n",
        "def norm(x): return x\n",
        script,
        same="def same(x): return x\n",
    )
    root = only(found)
    assert (root.kind, root.site.line) == (FAILS, 2)
    assert root.error.startswith("TypeError")


def test_a_failure_that_the_script_handles(stage: Stage) -> None:
    script = "import lib\ntry:\n    x = lib.old(3)\nexcept AttributeError:\n    x = 4\nprint(x)\n"
    root = only(stage.compare("def old(x): return x\n", "", script))
    assert (root.kind, root.site.line) == (FAILS, 3)


def test_a_call_that_no_longer_fails(stage: Stage) -> None:
    script = "import lib\ntry:\n    x = lib.get(3)\nexcept ValueError:\n    x = 4\nprint(x)\n"
    old = "def get(x): raise ValueError('too many')\n"
    found = stage.compare(old, "def get(x): return x\n", script)
    assert (found.roots[0].kind, found.roots[0].site.line) == (WORKS, 3)
    assert len(found.roots) == 1, said(found)


def test_a_failing_import_is_the_root_not_the_names_that_are_missing_then(stage: Stage) -> None:
    script = (
        "import lib\nfrom lib import gone\nx = gone(3)\ny = gone(4)\nprint(x)\nprint(lib.same(1))\n"
    )
    found = stage.compare("def gone(x): return x\n", "", script, same="def same(x): return x\n")
    root = only(found)
    assert (root.kind, root.site.line) == (FAILS, 2)
    assert "gone" in root.error
    assert found.coverage.missing >= 2


def test_a_new_warning_alone_is_no_root(stage: Stage) -> None:
    script = "import lib\nprint(lib.f(3))\n"
    new = "import warnings\ndef f(x):\n    warnings.warn('soon', FutureWarning)\n    return x\n"
    assert stage.compare("def f(x): return x\n", new, script).roots == ()


SHOWN = "class Score:\n    def __init__(self, x): self.x = x\n"


@pytest.mark.parametrize(
    "line", ["print(s)", "print(f'{s}')", "print(str(s))", "print('%s' % s)", "print(repr(s))"]
)
def test_only_the_text_form_differs(stage: Stage, line: str) -> None:
    old = SHOWN + "    def __repr__(self): return str(self.x)\n"
    new = SHOWN + "    def __repr__(self): return 'Score(%s)' % self.x\n"
    root = only(stage.compare(old, new, "import lib\ns = lib.Score(3)\n%s\n" % line))
    assert (root.kind, root.site.line) == (VALUE, 3)


def test_another_dtype(stage: Stage) -> None:
    script = "import lib\na = lib.make()\nprint((a * 2).nbytes)\n"
    old = "import numpy as np\ndef make(): return np.array([1.5, 2], dtype='float64')\n"
    root = only(stage.compare(old, old.replace("float64", "float32"), script))
    assert (root.kind, root.site.line) == (VALUE, 2)
    assert root.unlike is not None
    assert root.unlike.kind == "dtype"


def test_state_that_is_used_later(stage: Stage) -> None:
    script = "import lib\nm = lib.Model(2)\nn = lib.same(m)\nm.fit([1, 2])\nprint(m.predict([1]))\n"
    new = MODEL.replace("self.k = k", "self.k = k + 1")
    root = only(stage.compare(MODEL, new, script, same="def same(x): return x\n"))
    made = root.maker[0].line if root.maker is not None else root.site.line
    assert made == 2
    assert root.reaches == "train.py:5"


def test_what_an_object_keeps_and_nobody_reads_is_no_root(stage: Stage) -> None:
    script = "import lib\nm = lib.Model(2).fit([1, 2])\nprint(m.predict([1]))\n"
    new = MODEL.replace("self.k = k", "self.k = k\n        self.tol = 1e-3")
    assert stage.compare(MODEL, new, script).roots == ()


def test_numbers_that_differ_by_rounding_are_no_root(stage: Stage) -> None:
    script = "import lib\nx = lib.total([0.1, 0.2, 0.3])\nprint('%.4f' % x)\n"
    old = "import math\ndef total(x): return math.fsum(x)\n"
    assert stage.compare(old, "def total(x): return sum(x)\n", script).roots == ()


def test_rounding_that_shows_is_said_to_be_rounding(stage: Stage) -> None:
    script = "import lib\nx = lib.total(3)\nprint('loss %.6f' % x)\n"
    root = only(
        stage.compare(
            "def total(n): return 0.1234565000001\n",
            "def total(n): return 0.1234564999999\n",
            script,
        )
    )
    assert root.kind == NUMERICS
    assert root.reaches == "train.py:3"


def test_what_differs_between_two_rehearsals_of_the_old_version_is_ignored(stage: Stage) -> None:
    lib = "import os\ndef pick(): return int.from_bytes(os.urandom(8), 'big')\n"
    found = stage.compare(
        lib + "def f(x): return x\n",
        lib + "def f(x): return x + 1\n",
        "import lib\nprint(lib.pick())\nprint(lib.f(2))\n",
    )
    assert (only(found).site.line, only(found).operation.callee) == (3, "lib.f")
    assert found.coverage.noisy >= 1


def test_an_order_that_differs_with_the_hash_seed_is_ignored(stage: Stage) -> None:
    lib = "def names(): return list({'a', 'bb', 'ccc', 'dddd', 'eeeee', 'f6'})\n"
    assert stage.compare(lib, lib + "x = 1\n", "import lib\nprint(lib.names())\n").roots == ()


def test_an_input_that_is_noise_is_no_reason(stage: Stage) -> None:
    lib = "import os\ndef pick(): return int.from_bytes(os.urandom(8), 'big')\n"
    script = "import lib\nx = lib.pick()\ny = lib.size(x)\nprint(y, lib.size(2))\n"
    old, new = ("def size(x): return %d\n" % n for n in (1, 2))
    assert only(stage.compare(lib + old, lib + new, script)).site.line == 3
    assert stage.compare(lib + old, lib + old + "more = 1\n", script).roots == ()


PLACE = """
class Place:
    def __init__(self, start): self.cells = start
    @property
    def cells(self): return {cells}
    @cells.setter
    def cells(self, value): self._cells = value
    def total(self): return sum(self._cells)
"""


def test_an_alias_seen_at_its_next_use_is_told_with_what_came_before(stage: Stage) -> None:
    script = "import lib\np = lib.Place([1, 2])\np.cells[0] = 50\nt = p.total()\nprint(t)\n"
    old, new = (PLACE.format(cells=one) for one in ("self._cells", "list(self._cells)"))
    root = only(stage.compare(old, new, script))
    assert root.kind in (ALIAS, VALUE)
    assert root.site.line == 4
    assert root.reaches == "train.py:5"
