"""pixi.toml: workspace, targets, features, environments, pypi."""

from __future__ import annotations

import pytest

from provenance.specs.model import CUDA, EXACT, NAMED, PLACED, PYPI, PYTHON, RANGE, Unreadable
from provenance.specs.pixi_toml import read as read_it

from .spec_checks import fact, platforms, read, rows, unread

FILE = """\
[workspace]
name = "paper"
channels = ["conda-forge", "https://u:p@conda.example/own"]
platforms = ["linux-64", "osx-arm64"]

[dependencies]
python = "3.10.*"
numpy = "==1.26"
scipy = ">=1.10, <2"
PyTorch = { version = "2.1.0", channel = "pytorch", build = "*cuda*" }
any = "*"
local = { path = "../local" }
bad = 1
worse = ">=1 <2"

[build-dependencies]
cmake = "*"

[pypi-dependencies]
some_pkg = { version = ">=1.0", extras = ["b", "a"] }
exact = "==1.0"
mine = { path = ".", editable = true }
repo = { git = "https://git.example/r.git", rev = "abc" }

[system-requirements]
cuda = "12.1"

[target.linux-64.dependencies]
cupy = "13.0"
[target.unix.pypi-dependencies]
uvloop = "*"
[target.amiga.dependencies]
old = "*"

[feature.test.dependencies]
pytest = "8.*"
[feature.main.dependencies]
pandas = "*"
[environments]
default = ["main"]
test = { features = ["test"] }
"""


def test_all_tables() -> None:
    spec = read(read_it, FILE, "pixi.toml")
    assert spec.format == "pixi.toml"
    assert rows(spec) == [
        (7, "python", RANGE, "3.10.*"),
        (8, "numpy", EXACT, "1.26"),
        (9, "scipy", RANGE, ">=1.10,<2"),
        (10, "pytorch", EXACT, "2.1.0"),
        (11, "any", NAMED, ""),
        (12, "local", PLACED, ""),
        (17, "cmake", NAMED, ""),
        (20, "some-pkg", RANGE, ">=1.0"),
        (21, "exact", EXACT, "1.0"),
        (22, "mine", PLACED, ""),
        (23, "repo", PLACED, ""),
        (26, "cuda", RANGE, ">=12.1"),
        (29, "cupy", EXACT, "13.0"),
        (31, "uvloop", NAMED, ""),
        (33, "old", NAMED, ""),
        (36, "pytest", RANGE, "8.*"),
        (38, "pandas", NAMED, ""),
    ]
    assert unread(spec) == [
        ("pixi.toml:13", "1"), ("pixi.toml:14", "worse = >=1 <2"), ("pixi.toml:32", "amiga"),
    ]  # fmt: skip
    assert platforms(spec) == [("linux-64", "pixi.toml:4"), ("osx-arm64", "pixi.toml:4")]
    torch = fact(spec, "pytorch")
    assert (torch.channel, torch.build) == ("pytorch", "*cuda*")
    assert fact(spec, "python", PYTHON)
    assert fact(spec, "cuda", CUDA)
    assert fact(spec, "some-pkg").extras == ("a", "b")
    assert fact(spec, "uvloop").marker == 'sys_platform != "win32"'
    assert "x86_64" in fact(spec, "cupy").marker
    assert fact(spec, "repo").url == "git+https://git.example/r.git@abc"
    groups = {one.name: one.group for one in spec.facts if one.group}
    assert groups == {"cmake": "group:build", "pytest": "group:test"}
    assert {one.name for one in spec.facts if one.ecosystem == PYPI} == {
        "some-pkg", "exact", "mine", "repo", "uvloop",
    }  # fmt: skip
    assert spec.notes == ("Channels, the first one first: conda-forge, https://conda.example/own.",)


@pytest.mark.parametrize("text", ["", "a = 1\n", "[x\n", "- a\n"])
def test_other_files_are_none(text: str) -> None:
    with pytest.raises(Unreadable):
        read(read_it, text)
