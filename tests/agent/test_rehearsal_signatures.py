"""Signatures, options and effective defaults read from live objects, also under Python 3.7."""

from __future__ import annotations

import functools
import glob
import importlib.util
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

FOLDER = Path(__file__).parents[2] / "src" / "provenance" / "agent" / "rehearsal"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("_sig", FOLDER / "_prov_signatures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SIGNATURES = _load()
MISSING = object()


def plain(a, /, b=2.0, *rest, c=MISSING, d=int, **more):  # type: ignore[no-untyped-def]
    pass


class Estimator:
    """Has a constructor, a method and what it made of its defaults."""

    def __init__(self, gamma: Any = "scale", n_init: Any = "warn") -> None:
        self.gamma, self.n_init = gamma, n_init
        self._gamma = 0.25
        self.n_init_ = 10

    def fit(self, data: Any, y: Any = None) -> Estimator:
        return self


def test_kinds_and_stable_defaults() -> None:
    found = SIGNATURES.signature(plain)
    assert [(p["name"], p["kind"]) for p in found["parameters"]] == [
        ("a", "positional"),
        ("b", "either"),
        ("rest", "*"),
        ("c", "keyword"),
        ("d", "keyword"),
        ("more", "**"),
    ]
    defaults = {p["name"]: p["default"] for p in found["parameters"] if "default" in p}
    assert defaults == {"b": 2.0, "c": {"name": __name__ + ".MISSING"}, "d": {"name": "int"}}


def test_classes_bound_methods_and_wrapped_functions() -> None:
    for callee, names in ((Estimator, ["gamma", "n_init"]), (Estimator().fit, ["data", "y"])):
        assert [p["name"] for p in SIGNATURES.signature(callee)["parameters"]] == names

    @functools.wraps(plain)
    def outer(*args: Any, **kwargs: Any) -> None:
        pass

    assert SIGNATURES.signature(outer)["wrapped"] is True
    assert "wrapped" not in SIGNATURES.signature(plain)


def test_a_docstring_tells_what_a_compiled_function_takes() -> None:
    class Compiled:
        __name__ = "zeros"
        __doc__ = "zeros(shape, dtype=float, order='C', *, like=None) -> array\n\nMore."
        __signature__ = "none"

        def __call__(self) -> None: ...

    found = SIGNATURES.signature(Compiled())
    assert found["how"] == "docstring"
    assert found["parameters"][1:] == [
        {"name": "dtype", "kind": "either", "default": {"name": "float"}},
        {"name": "order", "kind": "either", "default": "C"},
        {"name": "like", "kind": "keyword", "default": None},
    ]


def test_nothing_raises_and_no_address_is_told() -> None:
    class Hostile:
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError(name)

    for thing in (Hostile(), 3, None, len, print, dict.get, type, object(), sys):
        text = json.dumps(SIGNATURES.signature(thing))
        assert "0x" not in text


def test_effective_values_of_defaults() -> None:
    made = Estimator()
    assert SIGNATURES.effective(made, "gamma") == [0.25]
    assert SIGNATURES.effective(made, "n_init") == [10]
    assert SIGNATURES.effective(made, "nothing") == []
    assert SIGNATURES.effective(3, "real") == []


def test_registries_leave_display_and_paths_out() -> None:
    options = {"image.interpolation": "auto", "savefig.dpi": 3, "datapath": "/usr/x", "a": "/y"}
    modules = {"matplotlib": SimpleNamespace(rcParams=options), "torch": None, "numpy": object()}
    assert SIGNATURES.registries(modules) == {"matplotlib.image.interpolation": "auto"}


@given(st.text(max_size=80))
def test_any_docstring_is_read_or_left(text: str) -> None:
    one = SimpleNamespace(__name__="f", __doc__="f(" + text)
    found = SIGNATURES._from_docstring(one)
    assert found is None or all(p["kind"] in SIGNATURES.KINDS for p in found)


def test_it_runs_under_python_3_7() -> None:
    found = sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.7.*/bin/python")))
    if not found:
        pytest.skip("no Python 3.7 here")
    code = (
        "import sys, json; sys.path.insert(0, %r); import _prov_signatures as s; import textwrap\n"
        "print(json.dumps([s.signature(textwrap.wrap), s.registries()]))" % str(FOLDER)
    )
    done = subprocess.run([found[-1], "-c", code], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)[0]
    here = inspect.signature(__import__("textwrap").wrap)
    assert [p["name"] for p in told["parameters"]] == list(here.parameters)
