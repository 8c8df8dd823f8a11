"""A changed interface is told by verify: from an environment at hand, from a lock, from docs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

SCRIPT = "from toy.inner import fit\nimport toy\nfit([1, 2], 3, mode='m')\ntoy.Model(2)\n"
OLD = (
    "class Model:\n    def __init__(self, k, n_init=10, n_jobs=1): ...\n"
    "def fit(x, y, mode=None, tol=0.1): ...\n"
)
NEW = (
    "class Model:\n"
    '    """A model.\n\n    Parameters\n    ----------\n    n_init : int\n'
    "        .. versionchanged:: 2.0\n           Default changed from 10 to 'auto'.\n"
    '    """\n'
    "    def __init__(self, k, n_init='auto', n_jobs=None): ...\n"
    "def fit(x, y, tol=0.1): ...\n"
)


def environment(folder: Path, version: str, source: str) -> str:
    """Make a virtual environment with the distribution ``toy``; return its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    site = next((folder / "lib").glob("python*/site-packages"))
    install(site, version, source)
    return str(folder / "bin" / "python")


def install(site: Path, version: str, source: str) -> None:
    for old in site.glob("toy*"):
        shutil.rmtree(old)
    (site / "toy").mkdir()
    (site / "toy" / "__init__.py").write_text("from .inner import *\n")
    (site / "toy" / "inner.py").write_text(source)
    meta = site / ("toy-%s.dist-info" % version)
    meta.mkdir()
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: %s\n" % version)
    (meta / "RECORD").write_text("toy/__init__.py,,\ntoy/inner.py,,\n")


def prov(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PROV_", "VIRTUAL_ENV"))}
    return subprocess.run(
        [sys.executable, "-m", "provenance", *words],
        cwd=folder,
        env=dict(environ, PROV_LEVELS="L1,L2"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def verified(folder: Path, *words: str) -> dict[str, Any]:
    done = prov(folder, "verify", "--json", *words)
    data: dict[str, Any] = json.loads(done.stdout)["data"]
    found = [one for one in data["findings"] if one["name"] == "toy"]
    return {"finding": found[0], "not_compared": data["not_compared"]}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "s.py").write_text(SCRIPT)
    old = environment(tmp_path / "old", "1.0", OLD)
    done = prov(folder, "run", "--", old, "s.py")
    assert done.returncode == 0, done.stderr
    return folder


def told(finding: dict[str, Any]) -> list[str]:
    return [one["text"] for one in finding["reasons"] if one["level"] == "L2"]


def test_another_environment_is_held_against_the_recorded_one(work: Path) -> None:
    new = environment(work.parent / "new", "2.0", NEW)
    finding = verified(work, "@last", "--python", new)["finding"]
    assert told(finding) == [
        "fit(mode) is gone; you pass it at s.py:3",
        "Model(n_init) default 10 -> 'auto'; you don't pass it at s.py:4",
    ]
    assert finding["effect"] == "broken"
    assert finding["reasons"][1]["remedy"] == "add n_init=10   or   pip install toy==1.0"


def test_a_lock_carries_the_signatures(work: Path) -> None:
    assert prov(work, "lock", "@last").returncode == 0
    carried = json.loads((work / "prov.lock").read_text())["interfaces"]
    assert sorted(next(iter(carried.values()))["signatures"]) == ["toy.Model", "toy.inner.fit"]
    site = next((work.parent / "old" / "lib").glob("python*/site-packages"))
    install(site, "2.0", NEW)
    assert len(told(verified(work)["finding"])) == 2


def test_without_the_old_side_the_new_documentation_speaks(work: Path) -> None:
    site = next((work.parent / "old" / "lib").glob("python*/site-packages"))
    install(site, "2.0", NEW)
    found = verified(work, "@last")
    assert told(found["finding"]) == [
        "Model(n_init) since 2.0: Default changed from 10 to 'auto'; you don't pass it at s.py:4"
    ]
    assert found["finding"]["effect"] == "possible"
    assert [one["what"] for one in found["not_compared"] if one["facet"] == "interfaces"] == [
        "the interface of toy 1.0"
    ]


def test_an_unchanged_interface_is_quiet(work: Path) -> None:
    new = environment(work.parent / "new", "1.1", OLD)
    finding = verified(work, "@last", "--python", new)["finding"]
    assert told(finding) == []
    assert finding["effect"] == "unknown"


@pytest.mark.parametrize("release", ["2.0", "1.1"])
def test_the_drop_in_test_says_what_verify_says(work: Path, release: str) -> None:
    assert prov(work, "lock", "@last").returncode == 0
    assert prov(work, "init", "--test").returncode == 0
    new = environment(work.parent / "new", release, NEW if release == "2.0" else OLD)
    finding = verified(work, "--python", new)["finding"]
    done = subprocess.run(
        [new, "test_provenance.py"],
        cwd=work,
        env=dict(os.environ, PROV_FAIL_ON="unknown"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "%s: toy %s is installed" % (finding["effect"].upper(), release) in done.stderr
    lines = [line.strip() for line in done.stderr.split("\n")]
    fixes = [index for index, line in enumerate(lines) if line.startswith("fix: ")]
    told = [(lines[i - 1], lines[i]) for i in fixes if "toy" not in lines[i - 1]]
    assert sorted(told) == sorted(
        (one["text"] + ".", "fix: " + one["remedy"]) for one in finding["reasons"]
    )


def test_what_was_read_is_kept_until_a_file_changes(work: Path) -> None:
    new = environment(work.parent / "new", "2.0", NEW)
    first = verified(work, "@last", "--python", new)
    kept = sorted((work / ".prov" / "interfaces").iterdir())
    assert len(kept) == 2, "one of each environment"
    stamps = [one.stat().st_mtime_ns for one in kept]
    assert verified(work, "@last", "--python", new) == first
    assert [one.stat().st_mtime_ns for one in kept] == stamps
    inner = next((work.parent / "new").glob("lib/python*/site-packages/toy/inner.py"))
    inner.write_text(NEW.replace("tol=0.1", "tol=0.1, mode=None"))
    again = verified(work, "@last", "--python", new)
    assert told(again["finding"]) == told(first["finding"])[1:]
    kept[0].write_bytes(b"{")
    assert verified(work, "@last", "--python", new) == again
