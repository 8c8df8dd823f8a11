"""What the drop-in test says of interfaces, settings and cards, and that every Python says so."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.agent._dropin import Project

OLD = "def loadtxt(fname, dtype=float, comments='#', delimiter=None, max_rows=None): ...\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def lock(project: Project, source: str = OLD) -> None:
    """Write the lock of a run with a numpy that has ``source``; no entry of the catalogue."""
    write(project, source)
    document = project.lock()
    document["checks"]["known"] = []
    project.write(document)


def write(project: Project, source: str) -> None:
    (project.folder / "site" / "numpy").mkdir(exist_ok=True)
    text = "raise SystemExit('imported')\n" + source
    (project.folder / "site" / "numpy" / "__init__.py").write_text(text)


def later(project: Project, source: str) -> str:
    """Return what is said where numpy 2.0.0 with ``source`` is installed."""
    project.install("numpy", "2.0.0", "numpy")
    write(project, source)
    return project.said(PROV_FAIL_ON="possible")


def test_a_changed_default_is_told_from_installed_sources(project: Project) -> None:
    lock(project)
    said = later(project, OLD.replace("comments='#'", "comments='%'"))
    assert "POSSIBLE: numpy 2.0.0 is installed; the recorded run used 1.26.4." in said
    assert (
        "loadtxt(comments) default '#' -> '%'; you don't pass it at fit.py:4.\n"
        "  fix: add comments='#'   or   pip install numpy==1.26.4" in said
    )
    assert project.plain().returncode == 0


@pytest.mark.parametrize(
    "new",
    [
        OLD,
        OLD.replace("delimiter=None", "delimiter=','"),
        OLD.replace("max_rows=None", "max_rows=''"),
        OLD.replace("comments='#'", 'comments="#", extra=3'),
        OLD.replace("max_rows=None", "max_rows='deprecated'"),
    ],
    ids=["the same", "passed", "both nothing", "an addition", "stands for the old one"],
)
def test_what_says_nothing_is_silent(project: Project, new: str) -> None:
    lock(project)
    said = later(project, new)
    assert "default" not in said
    assert "signatures not compared" not in said


def test_what_is_passed_and_gone_breaks(project: Project) -> None:
    lock(project)
    said = later(project, OLD.replace("delimiter=None, ", ""))
    assert "BROKEN: numpy 2.0.0" in said
    assert "loadtxt(delimiter) is gone; you pass it at fit.py:4." in said
    said = later(project, OLD.replace("delimiter=None, max_rows=None", "**rest"))
    assert "POSSIBLE: numpy 2.0.0" in said, "it may take it all the same"


@pytest.mark.parametrize(
    "new",
    [
        "from numpy.elsewhere import loadtxt\n",
        "class loadtxt: ...\n",
        "def loadtxt(:\n",
        OLD.replace("comments='#'", "comments=DEFAULT"),
    ],
    ids=["moved", "no function", "unreadable", "a name"],
)
def test_what_cannot_be_compared_is_said(project: Project, new: str) -> None:
    lock(project)
    assert "signatures not compared: loadtxt" in later(project, new)


def test_what_could_not_be_read_when_the_lock_was_written_is_said(project: Project) -> None:
    lock(project, "from ._compiled import loadtxt\n")
    assert "signatures not compared: loadtxt" in later(project, OLD)


def test_settings_that_concern_the_runs_are_told(project: Project) -> None:
    about = {"facet": "environment", "name": ["JAX_ENABLE_*"], "asks": []}
    about.update(text="float64 is on or off; at fit.py:3", remedy="JAX_ENABLE_X64={old}")
    project.facets["environment"] = {"values": {"JAX_ENABLE_X64": "1"}}
    project.around = [about]
    project.write()
    done = project.plain()
    assert done.returncode == 0, done.stderr
    assert "JAX_ENABLE_X64 is unset; the recorded run had 1." in done.stderr
    assert "float64 is on or off; at fit.py:3.\n  fix: JAX_ENABLE_X64=1" in done.stderr
    assert project.plain(PROV_FAIL_ON="possible").returncode == 1
    done = project.plain(JAX_ENABLE_X64="1", PROV_FAIL_ON="possible")
    assert done.returncode == 0
    assert "Warning" not in done.stderr
    assert "JAX_ENABLE_CUSTOM" in project.said(JAX_ENABLE_X64="1", JAX_ENABLE_CUSTOM="2")


@pytest.mark.parametrize("version", ["3.7", "3.8", "3.9", "3.10", "3.12", "3.13"])
def test_every_python_says_the_same(project: Project, version: str) -> None:
    found = sorted(Path(os.path.expanduser("~/.pyenv/versions")).glob(version + ".*/bin/python"))
    if not found:
        pytest.skip("no Python %s here" % version)
    lock(project)
    later(project, OLD.replace("comments='#'", "comments='%'").replace("delimiter=None, ", ""))
    done = subprocess.run(
        [str(found[-1]), "test_provenance.py"],
        cwd=project.folder,
        env={"PYTHONPATH": str(project.folder / "site"), "HOME": str(project.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "loadtxt(comments) default '#' -> '%'; you don't pass it at fit.py:4." in done.stderr
    assert "loadtxt(delimiter) is gone; you pass it at fit.py:4." in done.stderr


SOURCES = '''\
import a.b as c, d
from .. import e
"""A docstring in the middle."""
x: int = 1_000
y: "T"
z = u"ä\\n" if x or b"\\x00".decode() else f"{x!r:>{y}} {{}}" "tail"
class K(metaclass=M):
    """Doc."""
    def f(self, a, *b, c=-1.5e3, **d) -> None:
        """Doc."""
        return self[1:2, ..., None], self[a], self[a, b], self[::2]
    @staticmethod
    async def g():
        async with h as i: yield
        await j
lambda *a, k=...: (yield)
try: pass
except (A, B) as e: raise C from e
else: del x, y[0]
finally: assert not x, "no"
for i, (j, *k) in l: continue
while 1 < x <= 3 != None: break
[q for q in r if q if not q for s in t]; {1: 2, **v}; {1, 2}; (w for w in w)
global n
print(1j, 0xFF, True, *m, o=1, **p)
a @ b // c ** -d % ~e << 1 | f & g ^ h
a += 1; a @= b
'''


def test_the_digest_of_what_code_means_is_the_same_in_every_python(tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    path.write_text(SOURCES, encoding="utf-8")
    (tmp_path / "other.py").write_text("# c\n\n" + SOURCES.replace("    ", "\t"), encoding="utf-8")
    (tmp_path / "less.py").write_text(SOURCES.replace("0xFF", "0xFE"), encoding="utf-8")
    module = Path(__file__).parents[2] / "src" / "provenance" / "agent" / "check.py"
    code = (
        "import importlib.util as u, sys\n"
        "spec = u.spec_from_file_location('provenance.agent.check', %r)\n"
        "check = u.module_from_spec(spec); spec.loader.exec_module(check)\n"
        "print(*map(check.meaning, sys.argv[1:]))\n" % str(module)
    )
    files = [str(tmp_path / name) for name in ("odd.py", "other.py", "less.py")]
    told = set()
    for version in ("3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13"):
        for python in Path(os.path.expanduser("~/.pyenv/versions")).glob(version + ".*/bin/python"):
            done = subprocess.run(
                [str(python), "-c", code, *files], capture_output=True, text=True, check=True
            )
            told.add(done.stdout)
    assert len(told) == 1
    odd, other, less = told.pop().split()
    assert odd == other
    assert odd != less
