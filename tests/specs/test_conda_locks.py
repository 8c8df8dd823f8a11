"""conda-lock.yml and pixi.lock: platforms, groups, pip entries, digests."""

from __future__ import annotations

import time

import pytest

from provenance.specs import conda_lock, pixi_lock
from provenance.specs.model import CONDA, EXACT, PLACED, PYPI, PYTHON, Unreadable

from .spec_checks import fact, platforms, read, rows, unread

SHA = "ab" * 32
LINUX = 'sys_platform == "linux" and platform_machine == "x86_64"'
MAC = 'sys_platform == "darwin" and platform_machine == "arm64"'
WINDOWS = 'sys_platform == "win32" and platform_machine == "AMD64"'

CONDA_LOCK = """\
version: 1
metadata:
  content_hash: {linux-64: x, osx-arm64: y}
  channels:
  - url: conda-forge
  platforms:
  - linux-64
  - osx-arm64
package:
- name: python
  version: 3.10.0
  manager: conda
  platform: linux-64
  dependencies: {libffi: '>=3'}
  url: https://conda.example/conda-forge/linux-64/python-3.10.0-h1_0_cpython.tar.bz2
  hash:
    md5: aa
    sha256: %s
  category: main
  optional: false
- name: python
  version: '3.10'
  manager: conda
  platform: osx-arm64
  url: https://conda.example/conda-forge/osx-arm64/python-3.10-h2_0.conda
- name: My_Wheel
  version: 1.0
  manager: pip
  platform: linux-64
  url: https://files.example/my_wheel-1.0-py3-none-any.whl
  hash: {sha256: %s}
  category: dev
- name: own
  version: 0.1.0
  manager: pip
  platform: linux-64
  url: git+https://git.example/own.git@abc
- version: 2
  url: https://h.example/x
- broken
""" % (SHA, SHA)  # fmt: skip


def test_conda_lock() -> None:
    spec = read(conda_lock.read, CONDA_LOCK, "conda-lock.yml")
    assert spec.format == "conda-lock.yml"
    assert rows(spec) == [
        (10, "python", EXACT, "3.10.0"),
        (21, "python", EXACT, "3.10"),
        (26, "my-wheel", EXACT, "1.0"),
        (33, "own", EXACT, "0.1.0"),
    ]
    assert platforms(spec) == [("linux-64", "conda-lock.yml:7"), ("osx-arm64", "conda-lock.yml:8")]
    python, mac, wheel, own = spec.facts[2:]
    assert (python.kind, python.ecosystem, python.marker) == (PYTHON, CONDA, LINUX)
    assert (python.build, python.channel) == ("h1_0_cpython", "conda-forge")
    assert python.digest == "sha256:" + SHA
    assert (mac.marker, mac.build, mac.digest) == (MAC, "h2_0", "")
    assert (wheel.ecosystem, wheel.url, wheel.group) == (PYPI, "", "group:dev")
    assert wheel.digest == "sha256:" + SHA
    assert (own.url, own.group) == ("git+https://git.example/own.git@abc", "")
    assert [one.marker for one in spec.facts[:2]] == [LINUX, MAC]
    assert [where for where, _ in unread(spec)] == ["conda-lock.yml:40", "conda-lock.yml:38"]
    assert not spec.complete


def test_a_lock_for_one_platform_has_no_markers() -> None:
    head = CONDA_LOCK.partition("- name: python\n  version: '3.10'")[0]
    spec = read(conda_lock.read, head.replace("  - osx-arm64\n", ""))
    assert spec.complete
    assert platforms(spec) == [("linux-64", "f:7")]
    assert {one.marker for one in spec.facts} == {""}


@pytest.mark.parametrize("text", ["", "a: 1\n", "- a\n", "version: 1\npackage\n"])
def test_other_files_are_no_lock(text: str) -> None:
    for reader in (conda_lock.read, pixi_lock.read):
        with pytest.raises(Unreadable):
            read(reader, text)


def test_locks_without_packages_say_so() -> None:
    spec = read(conda_lock.read, "version: 3\npackage: []\n")
    assert [one.why for one in spec.unread] == ["It lists no package."]
    assert "Version 3 of the format is newer than the known 1." in spec.notes
    spec = read(conda_lock.read, "package: x\n")
    assert spec.unread[0].why == "The packages are no list."


CONDA_URL = "https://conda.example/conda-forge"
PIXI_4 = f"""\
version: 4
environments:
  default:
    channels:
    - url: {CONDA_URL}/
    packages:
      linux-64:
      - conda: {CONDA_URL}/linux-64/python-3.12.2-hab_0_cpython.conda
      - pypi: https://files.example/some_pkg-1.0-py3-none-any.whl
      - pypi: ./mine
packages:
- kind: conda
  name: python
  version: 3.12.2
  build: hab_0_cpython
  subdir: linux-64
  url: {CONDA_URL}/linux-64/python-3.12.2-hab_0_cpython.conda
  sha256: {SHA}
- kind: pypi
  name: Some.Pkg
  version: '1.0'
  url: https://files.example/some_pkg-1.0-py3-none-any.whl
  sha256: {SHA}
- kind: pypi
  name: mine
  version: 0.1
  path: ./mine
  editable: true
"""

PIXI_7 = """\
version: 7
platforms:
- name: linux-64
- name: mac
  subdir: osx-arm64
- name: win-64
environments:
  default:
    channels:
    - url: {c}/
    packages:
      linux-64:
      - conda: {c}/noarch/tzdata-2024b-hc_0.conda
      - conda: {c}/linux-64/python-3.13.0-h_1.conda
      - pypi: git+https://git.example/x.git@abc
      mac:
      - conda: {c}/noarch/tzdata-2024b-hc_0.conda
      - conda: {c}/linux-64/python-3.13.0-h_1.conda
      win-64:
      - conda: {c}/noarch/tzdata-2024b-hc_0.conda
  test:
    packages:
      linux-64:
      - conda: {c}/noarch/tzdata-2024b-hc_0.conda
      - conda: {c}/noarch/pytest-8.0-py_0.conda
      - conda_source: own[87dc0b8a] @ sub/own
      - conda: {c}/noarch/gone-1-0.conda
  docs:
    packages:
      linux-64:
      - conda: {c}/noarch/pytest-8.0-py_0.conda
packages:
- conda: {c}/noarch/tzdata-2024b-hc_0.conda
  md5: {m}
- conda: {c}/linux-64/python-3.13.0-h_1.conda
  sha256: {s}
- conda: {c}/noarch/pytest-8.0-py_0.conda
- pypi: git+https://git.example/x.git@abc
  name: x
- conda_source: own[87dc0b8a] @ sub/own
- conda: {c}/noarch/unused-1-0.conda
- what: else
""".format(c=CONDA_URL, s=SHA, m="0" * 32)


def test_pixi_4() -> None:
    spec = read(pixi_lock.read, PIXI_4)
    assert spec.complete
    assert rows(spec) == [
        (12, "python", EXACT, "3.12.2"), (19, "some-pkg", EXACT, "1.0"), (24, "mine", EXACT, "0.1"),
    ]  # fmt: skip
    assert platforms(spec) == [("linux-64", "f:7")]
    python = fact(spec, "python", PYTHON)
    assert (python.build, python.channel) == ("hab_0_cpython", "conda-forge")
    assert python.digest == "sha256:" + SHA
    assert fact(spec, "some-pkg").url == ""
    assert fact(spec, "mine").url == "./mine"


def test_pixi_7() -> None:
    spec = read(pixi_lock.read, PIXI_7)
    assert rows(spec) == [
        (33, "tzdata", EXACT, "2024b"),
        (35, "python", EXACT, "3.13.0"),
        (37, "pytest", EXACT, "8.0"),
        (37, "pytest", EXACT, "8.0"),
        (38, "x", PLACED, ""),
        (40, "own", PLACED, ""),
    ]
    assert platforms(spec) == [("linux-64", "f:12"), ("osx-arm64", "f:16"), ("win-64", "f:19")]
    tz, python, test, docs, x, own = spec.facts[3:]
    assert (tz.marker, tz.group, tz.digest) == ("", "", "md5:" + "0" * 32)
    assert python.marker == "(%s) or (%s)" % (MAC, LINUX)
    assert [test.group, docs.group] == ["group:test", "group:docs"]
    assert test.marker == ""
    assert (x.marker, x.url, x.ecosystem) == (LINUX, "git+https://git.example/x.git@abc", PYPI)
    assert (own.url, own.group) == ("sub/own", "group:test")
    assert unread(spec) == [
        ("f:42", "- what: else"),
        ("f:27", "%s/noarch/gone-1-0.conda" % CONDA_URL),
    ]


def test_pixi_of_old_is_like_conda_lock() -> None:
    old = CONDA_LOCK.replace("version: 1\n", "version: 3\n", 1).replace(
        "manager: pip", "manager: pypi"
    )
    spec = read(pixi_lock.read, old)
    assert spec.format == "pixi.lock"
    assert rows(spec) == rows(read(conda_lock.read, CONDA_LOCK))


def test_pixi_without_a_default_environment_says_which_there_are() -> None:
    text = PIXI_4.replace("  default:", "  gpu:")
    spec = read(pixi_lock.read, text)
    assert {one.group for one in spec.facts if one.kind != "platform"} == {"group:gpu"}
    assert "The environment default is empty; there are: gpu." in spec.notes


def test_many_environments_take_no_time() -> None:
    names = "".join("  e%d: {packages: {linux-64: [*p]}}\n" % at for at in range(20_000))
    text = "x: &p {conda: a/linux-64/x-1-0.conda}\nenvironments:\n%spackages: [*p]\n" % names
    started = time.monotonic()
    spec = read(pixi_lock.read, text)
    assert len(spec.facts) == 20_001
    assert time.monotonic() - started < 20
