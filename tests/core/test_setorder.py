"""Where a set's order may reach a result is found; what sorts, counts or folds is not."""

import pytest

from provenance.core import setorder

LEAKING = {
    "list": "words = list(set(text.split()))",
    "vocabulary": "index = {w: i for i, w in enumerate(set(words))}",
    "named": "names = set(words)\nordered = list(names)",
    "literal": "labels = list({'cat', 'dog'})",
    "union": "both = list(set(a) | set(b))",
    "join": "print(' '.join(set(words)))",
    "loop": "for w in set(words):\n    out.write(w)",
    "yielding": "def f(words):\n    for w in frozenset(words):\n        yield w",
    "comprehension": "rows = [encode(w) for w in set(words)]",
    "starred": "rows = [*set(words)]",
    "array": "import numpy as np\nx = np.array(list(set(words)))",
    "in a function": "def f(a):\n    s = {x.lower() for x in a}\n    return tuple(s)",
}
HARMLESS = {
    "sorted": "words = sorted(set(words))",
    "sorted list": "words = sorted(list(set(words)))",
    "length": "n = len(set(words))",
    "numbers": "x = list({1, 2, 3})",
    "range": "x = list(set(range(10)))",
    "membership": "stop = set(words)\nkept = [w for w in words if w not in stop]",
    "total": "n = sum(len(w) for w in set(words))",
    "set to set": "low = {w.lower() for w in set(words)}",
    "quiet loop": "for w in set(words):\n    count[w] += 1",
    "dictionary": "x = list({'a': 1})",
    "sorted later": "x = sorted(enumerate(set(words)))",
    "renamed": "s = set(words)\ns = sorted(s)\nx = list(s)",
    "other scope": "def f():\n    s = set(words)\n    return s\ndef g(s):\n    return list(s)",
    "not python": "x = (",
    "any": "any(w for w in set(words))",
}


@pytest.mark.parametrize("name", sorted(LEAKING))
def test_an_order_that_may_leak(name):
    assert len(setorder.lines(LEAKING[name])) == 1


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_an_order_that_does_not(name):
    assert setorder.lines(HARMLESS[name]) == ()


def test_lines_are_those_of_the_set():
    assert setorder.lines("a = 1\n\nb = list(\n    set(a)\n)\n") == (4,)
