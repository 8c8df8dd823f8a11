from __future__ import annotations

import pytest

from tests.specs.recipes import facts, read, unread


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("runtime.txt", "python-3.6.8\n", ["1 python python 3.6.8"]),
        ("runtime.txt", "3.9", ["1 python python ==3.9.*"]),
        ("runtime.txt", "\n# x\npython-3.7\n", ["3 python python ==3.7.*"]),
        ("runtime.txt", "r-4.1-2021-06-01\n", []),
        (".python-version", "3.10.13\r\n", ["1 python python 3.10.13"]),
        (".python-version", "\ufeff3.8\n2.7.18\n", ["1 python python ==3.8.*"]),
        (".python-version", "3.8.1 2.7.18\n", ["1 python python 3.8.1"]),
        (".python-version", "cpython-3.12.1\n", ["1 python python 3.12.1"]),
        (".python-version", ">=3.8,<3.11", ["1 python python >=3.8,<3.11"]),
        (".python-version", "system", ["1 python python"]),
        (".python-version", "pypy3.9-7.3.9", []),
        (".python-version", "my-virtualenv", []),
        (".tool-versions", "nodejs 14.0.0\npython 3.8.1 2.7.1 # x\n", ["2 python python 3.8.1"]),
    ],
)
def test_interpreters(name: str, text: str, expected: list[str]) -> None:
    assert facts(name, text) == expected


def test_what_is_no_cpython_is_unread() -> None:
    assert unread(".python-version", "pypy3.9-7.3.9\n") == [(1, "pypy3.9-7.3.9")]
    assert unread("runtime.txt", "python-3.6\n3.7") == [(2, "3.7")]
    assert read("a/.python-version", "3.8\n3.7").notes[0].startswith("a/.python-version:2: ")


COG = """\
build:
  gpu: true
  cuda: "11.8"
  python_version: "3.10"
  python_requirements: req.txt
  python_packages:
    - "torch==2.0.1"
    - PyYAML
  run:
    - pip install a==1.0
    - command: |
        apt-get install -y x
        pip install b==2.0
predict: "predict.py:Predictor"
"""


def test_cog() -> None:
    assert facts("cog.yaml", COG) == [
        "3 cuda cuda ==11.8.*",
        "4 python python ==3.10.*",
        "7 package torch 2.0.1",
        "8 package pyyaml",
        "10 package a 1.0",
        "13 package b 2.0",
    ]
    assert facts("cog.yaml", "build:\n  gpu: true\n") == ["2 cuda cuda"]
    assert unread("cog.yaml", "build:\n  python_version: new\n") == [(2, "new")]
    assert unread("cog.yaml", "- x") == [(1, "")]


def test_mlproject() -> None:
    spec = read("MLproject", "name: x\nconda_env: conda.yaml\ndocker_env:\n  image: python:3.8\n")
    assert spec.notes == ('MLproject:2: the environment is what the file "conda.yaml" states.',)
    assert [fact.where for fact in spec.facts] == ["MLproject:4", "MLproject:4"]
    text = 'python: "3.8.15"\nbuild_dependencies:\n  - pip==21\n'
    text += "dependencies:\n  - -r req.txt\n  - a==1.0\n"
    assert facts("python_env.yaml", text) == [
        "1 python python 3.8.15",
        "3 package pip 21",
        "6 package a 1.0",
    ]
