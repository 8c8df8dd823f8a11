"""Signatures read from sources: real libraries, re-exports of every kind, and any text at all."""

from __future__ import annotations

import glob
import inspect
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.core.interfaces import library
from provenance.knowledge.documented import notes_at

SOURCE = Path(__file__).parents[2] / "src"


def written(folder: Path, **files: str) -> Path:
    """Write a package ``lib``; names have ``__`` for a dot and ``_slash_`` for a slash."""
    for name, text in files.items():
        path = folder / "lib" / (name.replace("_slash_", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def names(signature: dict[str, Any]) -> list[str]:
    return [one["name"] for one in signature["parameters"]]


def defaults(signature: dict[str, Any]) -> dict[str, Any]:
    return {p["name"]: p["default"] for p in signature["parameters"] if "default" in p}


def test_a_class_is_found_through_re_exports_and_its_bases(tmp_path: Path) -> None:
    written(
        tmp_path,
        __init__="from .cluster import KMeans as K\nfrom . import cluster\n",
        cluster_slash___init__="from ._k import *\n",
        cluster_slash__k=(
            "SEEDS = 10\n"
            "class Base:\n    def __init__(self, n, *, n_init=SEEDS, tol=1e-4 * 2): ...\n"
            "class KMeans(Base):\n    def fit(self, X, y=None): ...\n"
        ),
    )
    lib = library([str(tmp_path)])
    for symbol in ("lib.K", "lib.cluster.KMeans"):
        found = lib.signature(symbol)
        assert found["name"] == "lib.cluster._k.KMeans"
        assert found["parameters"] == [
            {"name": "n", "kind": "either"},
            {"name": "n_init", "kind": "keyword", "default": 10},
            {"name": "tol", "kind": "keyword", "default": 2e-4},
        ]
    assert names(lib.signature("lib.K.fit")) == ["X", "y"]


@pytest.mark.parametrize(
    "init",
    [
        "import lazy_loader as lazy\n__getattr__, __dir__, __all__ = lazy.attach(\n"
        "    __name__, submod_attrs={'_inner': ['f']})\n",
        "from typing import TYPE_CHECKING\n_import_structure = {'_inner': ['f']}\n"
        "if TYPE_CHECKING:\n    from ._inner import f\nelse:\n    import sys\n"
        "    sys.modules[__name__] = object()\n",
        "_where = {'f': '._inner'}\ndef __getattr__(name): ...\n",
        "try:\n    from ._inner import f\nexcept ImportError:\n    f = None\n",
        "from ._inner import f as _f\nf = _f\n",
    ],
    ids=["lazy_loader", "transformers", "table", "try", "assignment"],
)
def test_lazy_and_odd_re_exports(tmp_path: Path, init: str) -> None:
    written(tmp_path, __init__=init, _inner="def f(a, b=2): ...\n")
    assert defaults(library([str(tmp_path)]).signature("lib.f")) == {"b": 2}


def test_a_stub_stands_for_a_compiled_module(tmp_path: Path) -> None:
    written(tmp_path, __init__="from .fast import g, h\n")
    (tmp_path / "lib" / "fast.cpython-311-x86_64-linux-gnu.so").write_bytes(b"")
    assert library([str(tmp_path)]).signature("lib.g") == {"not_compared": "compiled"}
    (tmp_path / "lib" / "fast.pyi").write_text(
        "from typing import overload\n@overload\ndef g(a: int, b: int = 1) -> int: ...\n"
        "@overload\ndef g(a: str, b: int = 1, *, c: str = ...) -> str: ...\n"
    )
    found = library([str(tmp_path)]).signature("lib.g")
    assert found["how"] == "stub"
    assert defaults(found) == {"b": 1, "c": {"unknown": True}}


def test_fields_of_data_classes_and_what_is_dark(tmp_path: Path) -> None:
    written(
        tmp_path,
        __init__=(
            "from dataclasses import dataclass, field\nimport elsewhere\n"
            "@dataclass\nclass A:\n    x: int\n    y: float = 0.5\n"
            "@dataclass\nclass B(A):\n    z: list = field(default_factory=list)\n"
            "    w: int = field(default=0, init=False)\n"
            "class C(elsewhere.Base): ...\nmade = elsewhere.make()\n"
        ),
    )
    lib = library([str(tmp_path)])
    assert names(lib.signature("lib.B")) == ["x", "y", "z"]
    assert defaults(lib.signature("lib.B")) == {"y": 0.5, "z": {"name": "list"}}
    assert "elsewhere.Base" in lib.signature("lib.C")["not_compared"]
    assert lib.signature("lib.made") == {"not_compared": "made at run time"}
    assert lib.signature("lib.nowhere")["absent"]


def test_documented_changes_of_defaults_are_noted(tmp_path: Path) -> None:
    text = (
        'def f(a, n_init=10, solver="x"):\n    """Fit.\n\n    Parameters\n    ----------\n'
        "    n_init : int\n        How often.\n\n        .. versionchanged:: 1.4\n"
        "           Default value changed from 10 to 'auto'.\n\n"
        '    solver : str\n        .. versionchanged:: 1.2\n           Added "y".\n    """\n'
    )
    written(tmp_path, __init__=text)
    notes = notes_at(library([str(tmp_path)]), "lib.f")
    assert notes == {"n_init": [["1.4", "Default value changed from 10 to 'auto'."]]}


PLAIN = [
    "json.dumps",
    "argparse.ArgumentParser",
    "subprocess.run",
    "textwrap.wrap",
    "csv.DictReader",
]


@pytest.mark.parametrize("symbol", PLAIN)
def test_static_reading_agrees_with_the_live_object(symbol: str) -> None:
    module, _, name = symbol.rpartition(".")
    live = inspect.signature(getattr(__import__(module), name))
    found = library([os.path.dirname(os.__file__)]).signature(symbol)
    assert names(found) == list(live.parameters)
    for one in live.parameters.values():
        if isinstance(one.default, (bool, int, str)):
            assert defaults(found)[one.name] == one.default


@given(st.text(max_size=300))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_source_gives_a_signature_or_a_reason(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.py"
    path.write_bytes(b"def f(a=1): ...\n" + text.encode("utf-8", "surrogatepass"))
    found = library([str(tmp_path)]).signature("odd.f")
    assert "parameters" in found or found["not_compared"]
    json.dumps(found)


def test_modules_that_import_each_other_whole_end(tmp_path: Path) -> None:
    written(tmp_path, __init__="from .a import *\n", a="from .b import *\n", b="from .a import *\n")
    assert library([str(tmp_path)]).signature("lib.f")["absent"]


def test_the_reader_runs_under_python_3_7() -> None:
    found = sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.7.*/bin/python")))
    if not found:
        pytest.skip("no Python 3.7 here")
    code = (
        "import sys, json; sys.path.insert(0, %r)\n"
        "from provenance.core.interfaces import library\n"
        "print(json.dumps(library(sys.path).signature('json.dumps')))" % str(SOURCE)
    )
    done = subprocess.run([found[-1], "-c", code], capture_output=True, text=True, check=True)
    assert defaults(json.loads(done.stdout))["ensure_ascii"] is True
