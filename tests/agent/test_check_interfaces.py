"""What the drop-in test says of interfaces, settings and cards, and that every Python says so."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.agent._dropin import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def signature(name: str, **defaults: Any) -> dict[str, Any]:
    """Return a signature as a lock carries it."""
    kept = [{"name": n, "kind": "either", "default": v} for n, v in defaults.items()]
    return {"name": name, "how": "source", "parameters": kept}


def test_a_changed_interface_is_told_from_installed_sources(project: Project) -> None:
    project.install("numpy", "2.0.0", "numpy")
    (project.folder / "site" / "numpy").mkdir()
    source = "raise SystemExit('imported')\ndef loadtxt(fname, dtype=None, delimiter=None): ...\n"
    (project.folder / "site" / "numpy" / "__init__.py").write_text(source)
    document = project.lock()
    document["knowledge"] = []
    old = signature("numpy.loadtxt", fname=None, dtype=float.__name__, delimiter=None)
    document["interfaces"] = {"r": {"signatures": {"numpy.loadtxt": old}}}
    project.write(document)
    done = project.plain()
    assert done.returncode == 0, done.stderr
    assert "POSSIBLE  numpy 2.0.0 installed; the recorded run used 1.26.4." in done.stdout
    assert (
        "loadtxt(dtype) default 'float' -> None; you don't pass it at fit.py:4.\n"
        "    fix: add dtype='float'   or   pip install numpy==1.26.4" in done.stdout
    )
    assert project.plain(PROV_FAIL_ON="possible").returncode == 1


def test_what_cannot_be_compared_is_said(project: Project) -> None:
    from importlib.machinery import EXTENSION_SUFFIXES

    project.install("numpy", "2.0.0", "numpy")
    project.write()
    unsigned = "interfaces not compared: the lock was written without signatures"
    assert unsigned in project.pytest().stdout
    (project.folder / "site" / ("numpy" + EXTENSION_SUFFIXES[0])).write_bytes(b"")
    document = project.lock()
    old = {"numpy.loadtxt": signature("numpy.loadtxt", fname=None)}
    document["interfaces"] = {"r": {"signatures": old}}
    project.write(document)
    assert "interfaces not compared (now: compiled): numpy.loadtxt" in project.pytest().stdout


def test_settings_that_concern_the_runs_are_told(project: Project) -> None:
    about = {"facet": "environment", "name": ["JAX_ENABLE_*"], "asks": []}
    about.update(text="float64 is on or off; at fit.py:3", remedy="JAX_ENABLE_X64={old}")
    project.facets["environment"] = {"values": {"JAX_ENABLE_X64": "1"}}
    document = dict(project.lock(), surroundings=[about])
    project.write(document)
    done = project.plain()
    assert done.returncode == 0, done.stderr
    assert "POSSIBLE  JAX_ENABLE_X64 is unset; the recorded run had 1." in done.stdout
    assert "float64 is on or off; at fit.py:3.\n    fix: JAX_ENABLE_X64=1" in done.stdout
    assert project.plain(JAX_ENABLE_X64="1").stdout.splitlines()[-1] == "SAME (exit 0)"


def test_a_lost_card_is_told_where_it_concerns_the_runs(project: Project) -> None:
    if os.path.exists("/proc/driver/nvidia"):
        pytest.skip("there is a GPU here")
    about = {"facet": "hardware", "name": ["GPUs"], "asks": ["one side has none"]}
    about.update(text="sums run in another order", remedy="a card")
    project.facets["hardware"] = {"gpus": [{"name": "NVIDIA A100"}]}
    project.write(dict(project.lock(), surroundings=[about]))
    done = project.plain()
    assert "POSSIBLE  No GPU here; the recorded run used NVIDIA A100." in done.stdout
    assert "sums run in another order." in done.stdout


def test_a_package_that_only_others_needed_is_possibly_no_matter(project: Project) -> None:
    project.recorded["six"] = project.package("six", "1.17.0", "six_of_the_run")
    project.install("numpy", "1.26.9", "numpy")
    project.write()
    assert "POSSIBLE  six is not installed" in project.plain().stdout


@pytest.mark.parametrize("version", ["3.7", "3.8", "3.9", "3.10", "3.12", "3.13"])
def test_every_python_says_the_same(project: Project, version: str) -> None:
    found = sorted(Path(os.path.expanduser("~/.pyenv/versions")).glob(version + ".*/bin/python"))
    if not found:
        pytest.skip("no Python %s here" % version)
    project.install("numpy", "2.0.0", "numpy")
    (project.folder / "site" / "numpy").mkdir()
    source = "def loadtxt(fname, dtype=None, delimiter=None): ...\n"
    (project.folder / "site" / "numpy" / "__init__.py").write_text(source)
    document = project.lock()
    old = signature("numpy.loadtxt", fname=None, dtype="float", delimiter=None)
    document["interfaces"] = {"r": {"signatures": {"numpy.loadtxt": old}}}
    project.write(document)
    here = project.plain().stdout.split("\n")
    done = subprocess.run(
        [str(found[-1]), "test_provenance.py"],
        cwd=project.folder,
        env={"PYTHONPATH": str(project.folder / "site"), "HOME": str(project.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    told = [line for line in done.stdout.split("\n") if "loadtxt" in line or "fix:" in line]
    assert told == [line for line in here if "loadtxt" in line or "fix:" in line] != []
