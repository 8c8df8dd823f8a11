"""environment.yml: specs, pip sections, exports, selectors, templates, mistakes."""

from __future__ import annotations

import pytest

from provenance.specs.environment_yml import read as read_it
from provenance.specs.model import (
    CUDA,
    EXACT,
    NAMED,
    PACKAGE,
    PLACED,
    PYPI,
    PYTHON,
    RANGE,
    Spec,
    Unreadable,
)  # fmt: skip

from .spec_checks import fact, platforms, read, rows, unread

MIXED = """\
name: paper
channels:
  - pytorch
  - https://user:pw@conda.example/t/abc/own
  - nodefaults
dependencies:
  - python=3.8.5   # as on the cluster
  # - commented=1.0
  - pytorch::pytorch==1.7.0
  - cudatoolkit=11.0
  - NumPy >=1.14,<2
  - conda-forge/linux-64::hmmer
  - "blas=*=mkl"
  - pip
  - pip:
    - albumentations==0.4.3
    - test-tube>=0.7.5
    - Some_Thing[b,a]
    - pkg @ git+https://git.example/pkg.git@0123
"""


def test_conda_and_pip() -> None:
    spec = read(read_it, MIXED, "env/environment.yml")
    assert spec.format == "environment.yml"
    assert not spec.complete
    assert rows(spec) == [
        (7, "python", RANGE, "=3.8.5"),
        (9, "pytorch", EXACT, "1.7.0"),
        (10, "cudatoolkit", RANGE, "=11.0"),
        (11, "numpy", RANGE, ">=1.14,<2"),
        (12, "hmmer", NAMED, ""),
        (13, "blas", NAMED, "=*"),
        (14, "pip", NAMED, ""),
        (16, "albumentations", EXACT, "0.4.3"),
        (17, "test-tube", RANGE, ">=0.7.5"),
        (18, "some-thing", NAMED, ""),
        (19, "pkg", PLACED, ""),
    ]
    assert spec.unread == ()
    assert fact(spec, "pytorch").channel == "pytorch"
    assert fact(spec, "hmmer").channel == "conda-forge"
    assert "linux" in fact(spec, "hmmer").marker
    assert fact(spec, "python", PYTHON).where == "env/environment.yml:7"
    assert fact(spec, "cudatoolkit", CUDA)
    assert fact(spec, "blas").build == "mkl"
    assert fact(spec, "some-thing").ecosystem == PYPI
    assert fact(spec, "some-thing").extras == ("a", "b")
    assert fact(spec, "pkg").url == "git+https://git.example/pkg.git@0123"
    assert "The environment is named paper." in spec.notes
    assert any("pytorch, https://conda.example/own, nodefaults" in note for note in spec.notes)


def test_flow_lists_and_several_pip_lists() -> None:
    text = "dependencies: [python 3.9, pip, {pip: [a==1, b]}]\n"
    assert rows(read(read_it, text)) == [
        (1, "python", EXACT, "3.9"), (1, "pip", NAMED, ""), (1, "a", EXACT, "1"),
        (1, "b", NAMED, ""),
    ]  # fmt: skip
    text = "dependencies:\n- pip:\n  - a==1\n- x\n- pip:\n\n  - b==2\n- pip:\n- pip: c==3\n"
    assert [(line, name) for line, name, _, _ in rows(read(read_it, text))] == [
        (3, "a"), (4, "x"), (7, "b"), (9, "c"),
    ]  # fmt: skip


def test_names_that_look_like_numbers_stay_text() -> None:
    spec = read(read_it, "dependencies:\n- python=3.10\n- x 1.10\n- no\n")
    assert rows(spec)[:2] == [(2, "python", RANGE, "=3.10"), (3, "x", EXACT, "1.10")]
    assert rows(spec)[2][1] == "no"


def export(*more: str, build: bool) -> str:
    names = "_libgcc_mutex ca-certificates libffi ncurses openssl xz zlib sqlite numpy".split()
    lines = ["  - %s=1.%d%s" % (n, at, "=h_%d" % at if build else "") for at, n in enumerate(names)]
    return "\n".join(["name: x", "dependencies:", *lines, *more, "prefix: /home/me/env", ""])


@pytest.mark.parametrize("build", [True, False])
def test_exports_are_exact(build: bool) -> None:
    spec = read(read_it, export("  - pip:", "    - a==1.0", build=build))
    assert spec.complete
    assert {one.exactness for one in spec.facts} == {EXACT}
    assert rows(spec)[8] == (11, "numpy", EXACT, "1.8")
    assert fact(spec, "numpy").build == ("h_8" if build else "")
    assert any("prefix" in note for note in spec.notes)
    assert any("without builds" in note for note in spec.notes) != build


def test_what_was_added_by_hand_ends_an_export() -> None:
    spec = read(read_it, export("  - own>=2", build=False))
    assert not spec.complete
    assert rows(spec)[0] == (3, "_libgcc_mutex", RANGE, "=1.0")
    spec = read(read_it, export("  - pip:", "    - a", build=True))
    assert not spec.complete
    assert rows(spec)[0][2] == EXACT


def test_selectors_platforms_and_categories() -> None:
    text = """\
channels: [conda-forge]
category: dev
platforms:
- linux-64
- osx-arm64
dependencies:
- a=1  # [linux]
- b    # [ not win ]
- c    # [cuda]
- sel(osx): d
- if: win
  then: [e, f]
  else: g
"""
    spec = read(read_it, text)
    markers = {one.name: one.marker for one in spec.facts if one.kind == PACKAGE}
    assert markers == {
        "a": 'sys_platform == "linux"', "b": 'sys_platform != "win32"', "c": "",
        "d": 'sys_platform == "darwin"', "e": 'sys_platform == "win32"',
        "f": 'sys_platform == "win32"', "g": 'sys_platform != "win32"',
    }  # fmt: skip
    assert {one.group for one in spec.facts if one.kind == PACKAGE} == {"group:dev"}
    assert platforms(spec) == [("linux-64", "f:4"), ("osx-arm64", "f:5")]
    assert unread(spec) == [("f:9", "- c # [cuda]")]


def test_templates() -> None:
    text = """\
{% set v = "1.5" %}
{% set w = environ.get("W") %}
name: x
dependencies:
  - a={{ v }}
  - b=={{ w }}
  - {{ other }}
{% if cuda %}
  - c
{% endif %}
  - pip:
    - d=={{ v }}
    - e=={{ w }}
"""
    spec = read(read_it, text)
    assert rows(spec) == [(5, "a", RANGE, "=1.5"), (9, "c", NAMED, ""), (12, "d", EXACT, "1.5")]
    assert sorted(unread(spec)) == sorted([
        ("f:2", '{% set w = environ.get("W") %}'), ("f:6", "- b=={{ w }}"),
        ("f:7", "- {{ other }}"), ("f:8", "{% if cuda %}"), ("f:10", "{% endif %}"),
        ("f:13", "- e=={{ w }}"),
    ])  # fmt: skip


def test_mistakes_are_told_where_they_are() -> None:
    text = """\
name: x
dependencies:
- ok
- -e .
- git+https://git.example/x.git
- x y z w
- [a]
- conda: [b]
- pip:
  - {a: b}
pip:
- lost
own: 1
name: y
"""
    spec = read(read_it, text)
    assert rows(spec) == [(3, "ok", NAMED, "")]
    assert sorted(int(where[2:]) for where, _ in unread(spec)) == [4, 5, 6, 7, 8, 10, 11, 13, 14]
    spec = read(read_it, "dependencies:\n  python: 3.8\n")
    assert unread(spec) == [("f:2", "python: 3.8")]
    spec = read(read_it, "channels: [a]\n")
    assert "No dependencies" in spec.unread[0].why
    spec = read(read_it, "dependencies:\n")
    assert [one.why for one in spec.unread] == ["It lists no package."]


@pytest.mark.parametrize("text", ["", "- a\n", "a: 1\n", "just words\n", "dependencies: [\n"])
def test_other_files_are_none(text: str) -> None:
    with pytest.raises(Unreadable):
        read(read_it, text)


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16", "utf-32"])
def test_encodings_and_line_ends(coding: str) -> None:
    spec = read(read_it, MIXED.replace("\n", "\r\n").encode(coding))
    assert rows(spec) == rows(read(read_it, MIXED))


def test_a_package_file_by_its_address() -> None:
    text = "dependencies:\n- https://conda.example/c/linux-64/x-1.0-h_0.tar.bz2#%s\n" % ("0" * 32)
    one = fact(read(read_it, text), "x")
    assert (one.version, one.build, one.digest) == ("1.0", "h_0", "md5:" + "0" * 32)


def test_many_lines_take_no_time() -> None:
    lines = "".join("- p%d=1.0\n" % at for at in range(20_000))
    spec: Spec = read(read_it, "dependencies:\n" + lines)
    assert len(spec.facts) == 20_000
    bad = read(read_it, "dependencies:\n" + "- x y z w\n" * 5000)
    assert len(bad.unread) == 1000
    assert "4000 more things were not read." in bad.notes
