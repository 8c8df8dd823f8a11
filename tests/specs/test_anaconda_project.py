"""anaconda-project.yml, its lock file, and recipes of conda-build."""

from __future__ import annotations

import pytest

from provenance.specs import anaconda_project, meta_yaml
from provenance.specs.model import DATA, EXACT, NAMED, PLACED, RANGE, Unreadable

from .spec_checks import fact, platforms, read, rows, unread

PROJECT = """\
name: paper
channels: [conda-forge]
platforms: [linux-64]
packages:
- python=3.8
- pip:
  - a==1
env_specs:
  main:
    packages:
    - numpy
  gpu:
    inherit_from: main
    dependencies:
    - cupy=10
downloads:
  DATA:
    url: https://data.example/set.csv
    sha256: %s
    filename: data/set.csv
  MORE: https://data.example/more.zip?x=1
  NONE: {md5: ab}
""" % ("AB" * 32)  # fmt: skip

LOCKED = """\
locking_enabled: true
env_specs:
  default:
    locked: true
    platforms: [linux-64]
    packages:
      all:
      - tzdata=2020a=0
      unix:
      - ncurses=6.2=h_1
      linux-64:
      - python=3.8.5=h_1
      pip:
      - a==1.0
"""

RECIPE = """\
{% set name = "My-Pkg" %}
{% set version = "1.2" %}
{% set data = load() %}
package:
  name: {{ name|lower }}
  version: {{ version }}
requirements:
  build:
    - {{ compiler('c') }}
  host:
    - python
  run:
    - python >=3.6
    - numpy {{ version }}
    - scipy  # [win]
outputs:
  - name: part
    requirements: [only]
test:
  requires: [pytest]
"""


def test_project() -> None:
    spec = read(anaconda_project.read, PROJECT)
    assert not spec.complete
    assert rows(spec) == [
        (5, "python", RANGE, "=3.8"),
        (7, "a", EXACT, "1"),
        (11, "numpy", NAMED, ""),
        (15, "cupy", RANGE, "=10"),
        (17, "data/set.csv", EXACT, ""),
        (21, "more.zip", PLACED, ""),
    ]
    assert [one.group for one in spec.facts[1:5]] == ["", "", "", "group:gpu"]
    assert platforms(spec) == [("linux-64", "f:3")]
    data = fact(spec, "data/set.csv", DATA)
    assert (data.digest, data.url) == ("sha256:" + "ab" * 32, "https://data.example/set.csv")
    assert unread(spec) == [("f:22", "NONE: {md5: ab}")]


def test_locked_project() -> None:
    spec = read(anaconda_project.read, LOCKED)
    assert spec.complete
    assert rows(spec) == [
        (8, "tzdata", EXACT, "2020a"), (10, "ncurses", EXACT, "6.2"),
        (12, "python", EXACT, "3.8.5"), (14, "a", EXACT, "1.0"),
    ]  # fmt: skip
    assert [one.marker for one in spec.facts] == [
        "", 'sys_platform != "win32"',
        'sys_platform == "linux" and platform_machine == "x86_64"', "",
    ]  # fmt: skip
    spec = read(anaconda_project.read, LOCKED.replace("unix:", "amiga:"))
    assert unread(spec) == [("f:9", "amiga")]


def test_recipe() -> None:
    spec = read(meta_yaml.read, RECIPE)
    assert rows(spec) == [
        (13, "python", RANGE, ">=3.6"), (14, "numpy", EXACT, "1.2"), (15, "scipy", NAMED, ""),
        (11, "python", NAMED, ""), (20, "pytest", NAMED, ""), (18, "only", NAMED, ""),
    ]  # fmt: skip
    assert [one.group for one in spec.facts] == ["", "", "", "group:host", "group:test", ""]
    assert spec.facts[2].marker == 'sys_platform == "win32"'
    assert unread(spec) == [("f:3", "{% set data = load() %}"), ("f:9", "- {{ compiler('c') }}")]
    spec = read(meta_yaml.read, RECIPE.replace("|lower", ""))
    assert "The recipe of My-Pkg 1.2." in spec.notes


@pytest.mark.parametrize("text", ["", "a: 1\n", "- a\n", "requirements: [\n", "packages\n"])
def test_other_files_are_none(text: str) -> None:
    for reader in (meta_yaml.read, anaconda_project.read):
        with pytest.raises(Unreadable):
            read(reader, text)


def test_a_key_that_stands_twice_in_a_recipe_is_told() -> None:
    text = "package: {name: a}\nrequirements:\n  run:\n  - b\n  run:\n  - c\n"
    spec = read(meta_yaml.read, text, "meta.yaml")
    assert [one.name for one in spec.facts] == ["c"]
    assert unread(spec) == [("meta.yaml:5", "run")]
