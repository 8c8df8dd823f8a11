"""The package's own shape: layers, cycles, who may print, sizes, portability, a light ``run``."""

from __future__ import annotations

import ast
import glob
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "provenance"
TABLE: dict[str, list[str]] = json.loads((Path(__file__).parent / "layers.json").read_text())
PORTABLE = ("core", "facets", "knowledge", "agent")
LONGEST_FILE, LONGEST_FUNCTION = 400, 60

HEAVY = frozenset(
    "typer click rich pygments pydantic yaml git gitdb psutil dataclasses packaging jinja2 "
    "dvc uv piptools rattler conda_lock requests asyncio importlib.metadata numpy h5py pyarrow "
    "PIL".split()
)
"""What must not be imported on the way of ``prov run``: each costs more than the run may add."""

PACKED = "_prov_sdk.py"
"""Made by pack from files that are looked at here; ``tests/test_pack.py`` holds it to that."""

FILES = sorted(p for p in SOURCE.rglob("*.py") if "__pycache__" not in p.parts and p.name != PACKED)
NAMES = [str(p.relative_to(SOURCE)) for p in FILES]


class Import(NamedTuple):
    """One import. target: dotted, absolute. line: of the statement. deferred: inside a function."""

    target: str
    line: int
    deferred: bool


def room(module: str) -> str:
    """Return the room of ``provenance.room.x``; "" for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def module_of(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path) for path in FILES}


def imports(path: Path) -> list[Import]:
    """Return the imports of our own package in ``path``; those for type checkers are left out."""
    package = module_of(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    found: list[Import] = []
    for node, deferred in _nodes(ast.parse(path.read_text(encoding="utf-8")), False):
        if isinstance(node, ast.Import):
            found += [Import(a.name, node.lineno, deferred) for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            base = ".".join(part for part in (base, node.module or "") if part)
            for alias in node.names:
                whole = base + "." + alias.name
                found.append(Import(whole if whole in MODULES else base, node.lineno, deferred))
    return [one for one in found if one.target.partition(".")[0] == "provenance"]


def _nodes(node: ast.AST, deferred: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for part in child.orelse:
                yield from _nodes(part, deferred)
            continue
        function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield child, deferred
        yield from _nodes(child, deferred or function)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_imports_keep_to_the_layers(path: Path) -> None:
    mine = room(module_of(path))
    if mine in ("", "__main__"):
        return
    assert mine in TABLE, "%s is in no layer of tests/layers.json" % mine
    allowed = {mine, "", *TABLE[mine]}
    wrong = [i for i in imports(path) if room(i.target) not in allowed]
    assert not wrong, "\n".join("%s:%d imports %s" % (path, i.line, i.target) for i in wrong)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_facets_and_exports_do_not_know_their_siblings(path: Path) -> None:
    module = module_of(path)
    mine = room(module)
    if mine not in ("facets", "exports") or path.name == "__init__.py":
        return
    own = {module, "provenance." + mine}
    siblings = [
        i
        for i in imports(path)
        if room(i.target) == mine
        and i.target not in own
        and not i.target.rpartition(".")[2].startswith("_")
    ]
    assert not siblings


def test_every_layer_of_the_table_may_only_name_layers() -> None:
    for name, allowed in TABLE.items():
        assert name not in allowed
        assert set(allowed) <= set(TABLE), name


def test_there_are_no_import_cycles() -> None:
    graph = {
        module_of(p): {i.target for i in imports(p) if not i.deferred} & MODULES for p in FILES
    }
    done: set[str] = set()

    def visit(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, " -> ".join((*above[above.index(module) :], module))
        if module in done:
            return
        for target in sorted(graph[module] - {module}):
            visit(target, (*above, module))
        done.add(module)

    for module in sorted(graph):
        visit(module, ())


def _prints(path: Path) -> list[int]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called == "print" or called.startswith(("sys.stdout.", "sys.stderr.")):
                found.append(node.lineno)
    return found


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_only_the_command_line_prints(path: Path) -> None:
    parts = path.relative_to(SOURCE).parts
    allowed = parts[0] in ("cli", "templates", "__main__.py")
    # What runs as a program in the target interpreter answers on its standard output.
    programs = ("inventory", "signatures", "check")
    allowed = allowed or (parts[0] == "agent" and path.stem.startswith(programs))
    if not allowed:
        assert _prints(path) == []


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, "%s: %d lines" % (node.name, length)


def test_test_files_are_short() -> None:
    long = [
        str(p.relative_to(ROOT))
        for p in (ROOT / "tests").rglob("*.py")
        if len(p.read_text(encoding="utf-8").splitlines()) > LONGEST_FILE
    ]
    assert long == []


def test_type_information_is_shipped() -> None:
    assert (SOURCE / "py.typed").is_file()


def _portable_modules() -> list[str]:
    return sorted(
        module
        for module, path in ((module_of(p), p) for p in FILES)
        if room(module) in PORTABLE
        and "entries" not in path.parts
        and not {"site", "templates", "children"} & set(path.relative_to(SOURCE).parts)
    )


@pytest.mark.parametrize("version", ["3.7", "3.8", "3.13"])
def test_portable_rooms_import_in_old_and_new_interpreters(version: str) -> None:
    found = sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/%s.*/bin/python" % version)))
    python = found[-1] if found else shutil.which("python" + version)
    if python is None:
        pytest.skip("no Python %s here" % version)
    code = (
        "import importlib, os, sys\n"
        "before = set(sys.modules)\n"
        "for name in %r: importlib.import_module(name)\n"
        "tops = {n.partition('.')[0] for n in set(sys.modules) - before} - {'provenance'}\n"
        "std = os.path.dirname(os.__file__)\n"
        "for n in sorted(tops):\n"
        "    place = getattr(sys.modules.get(n), '__file__', None) or std\n"
        "    assert place.startswith(std) and 'site-packages' not in place, (n, place)\n"
    ) % (_portable_modules(),)
    done = subprocess.run(
        [python, "-S", "-c", code],
        env={"PYTHONPATH": str(SOURCE.parent), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_run_loads_nothing_heavy(tmp_path: Path) -> None:
    written = tmp_path / "modules.txt"
    done = subprocess.run(
        [sys.executable, "-m", "provenance", "run", "--", sys.executable, "-c", "pass"],
        cwd=tmp_path,
        env=dict(os.environ, PROV_DEBUG_MODULES=str(written), HOME=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(written.read_text().split())
    assert "provenance.operations.run" in loaded
    assert "provenance.facets.packages" in loaded, "the facets were not captured: %s" % done.stderr
    assert sorted(HEAVY & loaded) == []


def test_the_entry_point_itself_loads_next_to_nothing() -> None:
    code = (
        "import sys; before = set(sys.modules); import provenance.cli.entry\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert sorted(HEAVY & loaded) == []
    own = {n for n in loaded if n.startswith("provenance")}
    assert own <= {"provenance", "provenance.cli", "provenance.cli.entry"}


@pytest.mark.parametrize("verb", ["ls", "show", "diff", "verify", "du", "trace"])
def test_numpy_is_loaded_only_where_arrays_are_compared(verb: str) -> None:
    code = "import sys; from provenance.cli import app; app._assemble([%r]); %s; print(%s)" % (
        verb,
        "import provenance.operations.curve_diff, provenance.operations.verify",
        "'numpy' in sys.modules",
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
