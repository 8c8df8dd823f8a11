"""Explicit lists, exported lists and the table of conda list."""

from __future__ import annotations

import pytest

from provenance.specs import conda_explicit, conda_list
from provenance.specs.model import CONDA, CUDA, EXACT, PLACED, PYPI, PYTHON, Unreadable

from .spec_checks import fact, platforms, read, rows, unread

MD5, SHA = "d41d8cd98f00b204e9800998ecf8427e", "0f" * 32
EXPLICIT = """\
# This file may be used to create an environment using:
# $ conda create --name <env> --file <this file>
# platform: linux-64
@EXPLICIT
https://conda.example/conda-forge/linux-64/_libgcc_mutex-0.1-conda_forge.tar.bz2#%s
https://conda.example/pkgs/main/linux-64/cudatoolkit-11.0.221-h6bb024c_0.conda
https://conda.example/conda-forge/noarch/tzdata-2025b-h78e105d_0.conda#sha256:%s
https://conda.example/conda-forge/linux-64/python-3.8.5-h7579374_1.conda
file:///opt/own/my-tool-1.0.dev2-0.tar.bz2
numpy=1.2

# pip some_pkg @ https://files.example/packages/aa/some_pkg-3.0.0-py3-none-any.whl#sha256=%s
# pip other @ https://files.example/other-1.2.tar.gz --hash=sha256:%s
# pip own @ git+https://git.example/own.git@abc
""" % (MD5, SHA, SHA, SHA)  # fmt: skip

EXPORTED = """\
# This file may be used to create an environment using:
# $ conda create --name <env> --file <this file>
# platform: linux-64
_libgcc_mutex=0.1=main
python=3.7.10=h12debd9_4
cudatoolkit=11.1.74=h6bb024c_0
Torch_Thing=1.0.post2+cu111=pypi_0
old=0.5=<pip>
x264=1!152.20180717=h7b6447c_0
"""

TABLE = """\
# packages in environment at /home/me/env:
#
# Name                    Version                   Build  Channel
_libgcc_mutex             0.1                        main
python                    3.7.10               h12debd9_4    conda-forge
numpy                     1.20.2           py37h2d18471_0    https://conda.example/own/c
my_pkg                    1.0                      pypi_0    pypi
broken line that is none of conda's rows
"""

MAMBA = """\
List of packages in environment: "/home/me/env"

  Name           Version  Build        Channel
─────────────────────────────────────────────────
  bzip2          1.0.8    h4bc722e_7   conda-forge
  requests       2.32.3   pypi_0       pypi
"""


def test_explicit_lists() -> None:
    spec = read(conda_list.read, EXPLICIT, "spec-file.txt")
    assert spec.format == "conda explicit list"
    assert not spec.complete
    assert rows(spec) == [
        (5, "_libgcc_mutex", EXACT, "0.1"),
        (6, "cudatoolkit", EXACT, "11.0.221"),
        (7, "tzdata", EXACT, "2025b"),
        (8, "python", EXACT, "3.8.5"),
        (9, "my-tool", EXACT, "1.0.dev2"),
        (12, "some-pkg", EXACT, "3.0.0"),
        (13, "other", EXACT, "1.2"),
        (14, "own", PLACED, ""),
    ]
    assert unread(spec) == [("spec-file.txt:10", "numpy=1.2")]
    assert platforms(spec) == [("linux-64", "spec-file.txt:3")]
    mutex = fact(spec, "_libgcc_mutex")
    assert (mutex.build, mutex.channel) == ("conda_forge", "conda-forge")
    assert mutex.digest == "md5:" + MD5
    assert mutex.url.endswith("/linux-64/_libgcc_mutex-0.1-conda_forge.tar.bz2")
    assert fact(spec, "cudatoolkit", CUDA).channel == "pkgs/main"
    assert fact(spec, "tzdata").digest == "sha256:" + SHA
    assert fact(spec, "some-pkg").digest == "sha256:" + SHA == fact(spec, "other").digest
    assert (fact(spec, "some-pkg").url, fact(spec, "some-pkg").ecosystem) == ("", PYPI)
    assert fact(spec, "own").url == "git+https://git.example/own.git@abc"
    whole = read(conda_explicit.read, EXPLICIT.replace("numpy=1.2\n", ""))
    assert whole.complete


def test_the_platform_of_an_explicit_list_without_a_comment() -> None:
    text = "@EXPLICIT\nhttps://h.example/c/noarch/a-1-0.conda\nhttps://h.example/c/win-64/b-1-0.conda\n"
    assert platforms(read(conda_explicit.read, text)) == [("win-64", "f:3")]
    spec = read(conda_explicit.read, text + "https://h.example/c/osx-64/d-1-0.conda\n")
    assert any("several platforms (osx-64, win-64)" in note for note in spec.notes)


def test_exported_lists() -> None:
    spec = read(conda_list.read, EXPORTED)
    assert spec.format == "conda list --export"
    assert spec.complete
    assert rows(spec) == [
        (4, "_libgcc_mutex", EXACT, "0.1"),
        (5, "python", EXACT, "3.7.10"),
        (6, "cudatoolkit", EXACT, "11.1.74"),
        (7, "torch-thing", EXACT, "1.0.post2+cu111"),
        (8, "old", EXACT, "0.5"),
        (9, "x264", EXACT, "1!152.20180717"),
    ]
    assert platforms(spec) == [("linux-64", "f:3")]
    assert fact(spec, "python", PYTHON).build == "h12debd9_4"
    assert [one.ecosystem for one in spec.facts[1:]] == [CONDA] * 3 + [PYPI] * 2 + [CONDA]


def test_tables() -> None:
    spec = read(conda_list.read, TABLE)
    assert spec.format == "conda list"
    assert rows(spec) == [
        (4, "_libgcc_mutex", EXACT, "0.1"),
        (5, "python", EXACT, "3.7.10"),
        (6, "numpy", EXACT, "1.20.2"),
        (7, "my-pkg", EXACT, "1.0"),
    ]
    assert [one.channel for one in spec.facts] == [
        "", "conda-forge", "https://conda.example/own/c", "",
    ]  # fmt: skip
    assert spec.facts[3].ecosystem == PYPI
    assert unread(spec) == [("f:8", "broken line that is none of conda's rows")]
    spec = read(conda_list.read, MAMBA)
    assert rows(spec) == [(5, "bzip2", EXACT, "1.0.8"), (6, "requests", EXACT, "2.32.3")]
    assert spec.complete


def test_the_forms_are_told_apart() -> None:
    assert conda_explicit.is_explicit(EXPLICIT)
    assert not conda_explicit.is_explicit(EXPORTED + "# @EXPLICIT\n")
    assert conda_list.is_export(EXPORTED)
    assert not conda_list.is_export("numpy==1.2\ntorch\n")
    assert not conda_list.is_export("numpy=1.2\n")
    assert conda_list.is_table(TABLE)
    assert conda_list.is_table(MAMBA)
    assert not conda_list.is_table(EXPORTED)
    with pytest.raises(Unreadable):
        read(conda_list.read, "numpy==1.2\ntorch\n")
    with pytest.raises(Unreadable):
        read(conda_explicit.read, EXPORTED)


def test_windows_writes_them_too() -> None:
    spec = read(conda_list.read, EXPLICIT.replace("\n", "\r\n").encode("utf-16"))
    assert rows(spec) == rows(read(conda_list.read, EXPLICIT))
