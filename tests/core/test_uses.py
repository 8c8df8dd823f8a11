"""Reading the uses of libraries out of source text."""

from __future__ import annotations

import json
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.core.uses import CALL, READ, WRITE, Use, read, uses


def seen(source: str, path: str = "fit.py") -> dict[str, Use]:
    """Return the uses of ``source`` by symbol."""
    return {use.symbol: use for use in uses(textwrap.dedent(source), path)}


@pytest.mark.parametrize(
    ("source", "symbol"),
    [
        ("import numpy as np\nnp.zeros(3)", "numpy.zeros"),
        ("from sklearn.cluster import KMeans as KM\nKM(3)", "sklearn.cluster.KMeans"),
        ("from sklearn import cluster\ncluster.KMeans(3)", "sklearn.cluster.KMeans"),
        ("import sklearn.cluster\nsklearn.cluster.KMeans(3)", "sklearn.cluster.KMeans"),
        ("def f():\n    import torch.nn as nn\n    nn.Linear(1, 2)", "torch.nn.Linear"),
        ("try:\n    import cv2\nexcept ImportError:\n    cv2 = None\ncv2.resize(x)", "cv2.resize"),
        ("import pandas as pd\nd = pd.read_csv(f)\nd.groupby('a')", "pandas.DataFrame.groupby"),
        ("import pandas as pd\npd.read_csv(f).dropna().groupby(1)", "pandas.DataFrame.groupby"),
        ("import pandas as pd\ndef f(d: pd.DataFrame):\n    d.stack()", "pandas.DataFrame.stack"),
        ("import h5py\nwith h5py.File('x') as f:\n    f.close()", "h5py.File.close"),
        ("from torch.optim import SGD\no = SGD(p)\no.zero_grad()", "torch.optim.SGD.zero_grad"),
        ("from jax import random as r\nr.normal(k)", "jax.random.normal"),
        ("import tensorflow as tf\ntf.keras.layers.Dropout(1)", "keras.layers.Dropout"),
        ("import torch as t\nL = getattr(t.nn, 'ReLU')\nL()", "torch.nn.ReLU"),
        ("import numpy as np\n[np.ones(i) for i in x]", "numpy.ones"),
        ("import numpy as np\nf = lambda n: np.ones(n)", "numpy.ones"),
        (
            "from gym import Env\nclass E(Env):\n    def go(self):\n        self.step(1)",
            "gym.Env.step",
        ),
    ],
)
def test_finds_the_symbol_as_the_library_calls_it(source: str, symbol: str) -> None:
    assert seen(source)[symbol].kind == CALL


def test_follows_attributes_of_the_users_own_classes() -> None:
    found = seen("""
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.norm = nn.BatchNorm2d(8)
            def reset(self):
                self.norm.reset_parameters()
                self.zero_grad()
        def make():
            return Net()
        net = make()
        net.zero_grad()
        net.reset()
    """)
    assert found["torch.nn.BatchNorm2d"].line == 6
    assert found["torch.nn.BatchNorm2d.reset_parameters"].line == 8
    assert found["torch.nn.Module.zero_grad"].line == 13
    assert not any(symbol.endswith(".reset") for symbol in found)


def test_keeps_what_was_passed() -> None:
    found = seen("""
        from sklearn.svm import SVC
        C = 2
        SVC(C, "rbf", gamma=None, shrinking=not_known, weights=-1.5, **rest)
    """)
    use = found["sklearn.svm.SVC"]
    assert use.arguments == (2, "rbf")
    assert use.positional == 2
    assert use.keywords == {"gamma": {"name": "None"}, "shrinking": None, "weights": -1.5}
    assert use.spread


def test_a_variable_that_changes_is_no_constant() -> None:
    source = """
        import xgboost
        p = {"eta": 1}
        xgboost.train(p, d)
        p["base_score"] = 0.5
        xgboost.cv(p, d)
    """
    found = seen(source)
    assert found["xgboost.train"].arguments == ({"dict": {"eta": 1}}, None)
    assert found["xgboost.cv"].arguments == (None, None)


def test_names_of_libraries_are_constants() -> None:
    use = seen("import numpy as np\nnp.zeros(3, dtype=np.float32)")["numpy.zeros"]
    assert use.keywords == {"dtype": {"name": "numpy.float32"}}


def test_sees_flags_that_are_set_and_read() -> None:
    found = seen("""
        import torch
        torch.backends.cuda.matmul.allow_tf32 = True
        print(torch.backends.cudnn.benchmark)
    """)
    assert found["torch.backends.cuda.matmul.allow_tf32"].kind == WRITE
    assert found["torch.backends.cuda.matmul.allow_tf32"].arguments == (True,)
    assert found["torch.backends.cudnn.benchmark"].kind == READ


def test_sees_chained_assignment_and_scalar_arithmetic() -> None:
    found = seen("""
        import numpy as np, pandas as pd
        df = pd.DataFrame(x)
        df["a"][df["b"] > 1] = 5
        y = np.float32(1) * 1.1
    """)
    assert found["pandas.DataFrame.__getitem__.__setitem__"].line == 4
    assert found["numpy.float32.__mul__"].line == 5


def test_both_branches_count() -> None:
    found = seen("""
        from sklearn.svm import SVC, SVR
        if classify:
            m = SVC()
        else:
            m = SVR()
        m.fit(X, y)
    """)
    assert {"sklearn.svm.SVC.fit", "sklearn.svm.SVR.fit"} <= set(found)


def test_unresolved_methods_only_where_asked_for() -> None:
    source = "x.groupby(1)\nx.stack()\nx.append(2)"
    assert {use.symbol for use in uses(source, "a.py")} == {"?.groupby", "?.stack"}
    assert [use.symbol for use in uses(source, "a.py", {"stack"})] == ["?.stack"]


def test_a_name_that_is_bound_anew_is_forgotten() -> None:
    found = seen("import numpy as np\nnp = fake()\nnp.zeros(3)\n")
    assert "numpy.zeros" not in found


def test_the_users_own_modules_are_no_libraries_when_relative() -> None:
    assert seen("from .models import Net\nNet()") == {}


def test_partial_is_a_call_with_more_to_come() -> None:
    found = seen("from functools import partial\nimport torch\npartial(torch.save, f=1)()")
    assert found["torch.save"].spread


def test_multi_line_chains_point_at_the_method() -> None:
    found = seen("import pandas as pd\nx = (pd.read_csv(f)\n     .dropna()\n     .groupby('a'))\n")
    assert found["pandas.DataFrame.groupby"].line == 4


@pytest.mark.parametrize("source", ["print 'python 2'", "def f(:", "x = '\0'"])
def test_what_is_not_python_3_gives_a_note(source: str) -> None:
    found = read(source, "old.py")
    assert found.uses == ()
    assert "old.py" in found.note


def notebook(*cells: str) -> str:
    code = [{"cell_type": "code", "source": c.splitlines(keepends=True)} for c in cells]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": "# x"}, *code]})


def test_notebooks_are_read_cell_by_cell() -> None:
    text = notebook(
        "%matplotlib inline\nimport numpy as np", "!ls\n\nnp.zeros(3)", "print 'no'", "np.ones(1)"
    )
    found = read(text, "fit.ipynb")
    zeros, ones = (use for use in found.uses if use.kind == CALL)
    assert (zeros.symbol, zeros.cell, zeros.line, zeros.where) == (
        "numpy.zeros",
        2,
        3,
        "fit.ipynb:2:3",
    )
    assert ones.cell == 4
    assert "1 cells" in found.note


def test_a_broken_notebook_gives_a_note() -> None:
    assert "notebook" in read("{]", "x.ipynb").note


def test_json_keeps_a_use() -> None:
    for use in uses("import torch as t\nt.cat([1], *a, dim=None)\nt.x = 1\n", "a.py"):
        assert Use.from_json(json.loads(json.dumps(use.to_json()))) == use


@pytest.mark.parametrize("value", [None, 3, {}, {"symbol": "x"}, {"symbol": "x", "line": "y"}])
def test_foreign_json_is_a_value_error(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        Use.from_json(value)


_WORDS = st.sampled_from(
    ["import a.b as c", "c.d(1, x=2)", "for i in c:", "    c.e[i] = 1", "def f(x):", "    x.y()",
     "class K(c.B):", "    self.z = c.w()", "with c.o() as q:", "    q.r()", "lambda: c", "x: c.T"]
)  # fmt: skip


@given(st.lists(_WORDS, max_size=12))
def test_never_raises_and_lines_lie_in_the_source(lines: list[str]) -> None:
    for use in read("\n".join(lines), "a.py").uses:
        assert 1 <= use.line <= len(lines)


@given(st.text(max_size=200))
def test_never_raises_on_any_text(text: str) -> None:
    read(text, "a.py")
    read(text, "a.ipynb")
