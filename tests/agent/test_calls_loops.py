"""Loops under the call table do what they do without: turns, ends, iterators, lives of objects."""

import random

import pytest

from tests.agent import _hook
from tests.agent.test_calls import both_ways, sites

OLD = ("3.7", "3.8", "3.9", "3.10", "3.11")
HEAD = '''\
import math, sys
said = []
def say(*words):
    said.append(words)
class Thing:
    def __init__(self, n): self.n = n
    def __del__(self): say("gone", self.n)
class Items:
    """Says what is asked of it; asked for its iterator again it begins anew."""
    def __init__(self, n): self.n, self.i = n, 0
    def __iter__(self):
        say("iter")
        self.i = 0
        return self
    def __next__(self):
        if self.i >= self.n:
            say("end", self.n)
            raise StopIteration
        self.i += 1
        return Thing(self.i)
class Bare:
    """Its iterator is none itself."""
    def __init__(self, n): self.n = n
    def __iter__(self):
        class Turns:
            left = self.n
            def __next__(turns):
                turns.left -= 1
                if turns.left < 0: raise StopIteration
                return Thing(turns.left)
        return Turns()
def made(n):
    try:
        for i in range(n):
            say("frame", sys._getframe(1).f_code.co_name)
            yield Thing(i)
    finally:
        say("closed", n)
'''
TAIL = """
for number, program in enumerate(programs):
    said.clear()
    try:
        said.append(("gave", program(number)))
    except Exception as error:
        trace = error.__traceback__
        lines = []
        while trace is not None:
            lines.append(trace.tb_lineno)
            trace = trace.tb_next
        say(repr(error), lines)
        del error, trace
    print(number, said)
"""
LENGTHS = (0, 1, 3, 62, 63, 64, 65, 130)
KINDS = ("range(%d)", "list(range(%d))", "Items(%d)", "Bare(%d)", "made(%d)", "iter(Items(%d))")


class Program:
    """A random function of loops in loops."""

    def __init__(self, chance: random.Random, name: str) -> None:
        self.chance, self.count = chance, 0
        self.lines = ["def %s(start):" % name, "    total = math.floor(start)"]
        self.block(1, 0, 3)
        self.lines.append("    return total, sorted(locals())")

    def block(self, depth: int, loops: int, most: int) -> None:
        for _ in range(self.chance.randint(1, most)):
            self.statement(depth, loops)

    def put(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def statement(self, depth: int, loops: int) -> None:
        pick = self.chance.random()
        self.count += 1
        if pick < 0.45 and depth < 4 and self.count < 12:
            self.loop(depth, loops)
        elif pick < 0.6 and loops:
            turn = self.chance.choice((0, 2, 62, 63, 64, 65, 66, 100))
            word = self.chance.choice(("break", "continue", "return total", "raise KeyError(1)"))
            self.put(depth, "if i%d == %d: %s" % (loops, turn, word))
        elif pick < 0.7:
            self.put(depth, "try:")
            self.block(depth + 1, loops, 1)
            self.put(depth, "finally:")
            self.put(depth + 1, "say('finally')")
        else:
            self.put(depth, "total += math.floor(total / 7) %% 5 + math.gcd(%d, 6)" % self.count)

    def loop(self, depth: int, loops: int) -> None:
        inner = loops + 1
        if self.chance.random() < 0.2:
            self.put(depth, "i%d = -1" % inner)
            self.put(depth, "while i%d < %d:" % (inner, self.chance.choice(LENGTHS)))
            self.put(depth + 1, "i%d += 1" % inner)
        else:
            long = LENGTHS if depth < 3 else LENGTHS[:3]
            items = self.chance.choice(KINDS) % self.chance.choice(long)
            self.put(depth, "for i%d, x%d in enumerate(%s):" % (inner, inner, items))
            if self.chance.random() < 0.3:
                self.put(depth + 1, "del x%d" % inner)
        self.block(depth + 1, inner, 2)
        if self.chance.random() < 0.5:
            self.put(depth, "else:")
            self.put(depth + 1, "say('else', math.floor(total))")


def programs(seed: int, count: int) -> str:
    chance = random.Random(seed)
    made = [Program(chance, "program_%d" % n).lines for n in range(count)]
    names = ", ".join("program_%d" % n for n in range(count))
    return "\n".join([HEAD, *("\n".join(one) for one in made), "programs = [%s]" % names, TAIL])


@pytest.mark.parametrize("version", OLD)
def test_random_loops_do_the_same(version, tmp_path):
    text = programs(int(version[2:]), 40)
    seen = both_ways(_hook.python_of(version), tmp_path / "w", ["s.py"], s=text)
    assert seen.out.count(b"\n") == 40
    assert b"gave" in seen.out
    assert b"KeyError" in seen.out
    assert any("math.gcd" in str(one.value) for one in seen.observed.noted)


WHOLE = (
    HEAD
    + """
for n in (3, 64, 65, 200):
    for kind in (range, Items, Bare, made):
        for x in kind(n):
            math.floor(n)
            if n == 200 and getattr(x, "n", x) == 150: break
        else:
            say("all", math.floor(n))
for one in (1, 2), [], {1: 2}, "ab", (n for n in range(70)):
    for x in one: math.floor(1)
try:
    for x in 5: math.floor(1)
except TypeError as error:
    say(str(error))
print(said, sorted(globals()))
"""
)


@pytest.mark.parametrize("version", OLD)
def test_loops_of_a_module_do_the_same(version, tmp_path):
    seen = both_ways(_hook.python_of(version), tmp_path / "w", ["s.py"], s=WHOLE)
    assert b"object is not iterable" in seen.out
    assert "math.floor" in sites(seen)
