"""Projects, recipes, notes and prose: quiet in an environment built from them, exact otherwise."""

from __future__ import annotations

import sys

import pytest

from tests.facets._venvs import UV, python_of
from tests.stated.restored import OLD_IDNA, Place, clean, quiet, run, three

pytestmark = [pytest.mark.slow, pytest.mark.network]

HERE = "%d.%d" % sys.version_info[:2]
PYPROJECT = """\
[build-system]
requires = ["setuptools>=64"]
build-backend = "setuptools.build_meta"

[project]
name = "Paper_Code"
version = "0.1"
requires-python = ">=3.8"
dependencies = [
    "six>=1.16,<2",
    "idna~=3.10",
    "Typing_Extensions==4.*",
    "colorama==0.4.6; sys_platform == 'win32'",
    "click",
]

[project.optional-dependencies]
test = ["iniconfig==2.0.0", "idna==3.10"]

[tool.setuptools]
py-modules = []
"""
SETUP_CFG = """\
[metadata]
name = paper-code
version = 0.1

[options]
python_requires = >=3.8
py_modules =
install_requires =
    six>=1.16,<2
    idna~=3.10
    Typing_Extensions==4.*
    colorama==0.4.6; sys_platform == 'win32'
    click

[options.extras_require]
test =
    iniconfig==2.0.0
"""
SETUP_PY = """\
from setuptools import setup

REQUIRED = [
    "six>=1.16,<2",
    "idna~=3.10",
    "Typing_Extensions==4.*",
    "colorama==0.4.6; sys_platform == 'win32'",
    "click",
]
setup(
    name="paper-code",
    version="0.1",
    python_requires=">=3.8",
    py_modules=[],
    install_requires=REQUIRED,
    extras_require={"test": ["iniconfig==2.0.0"]},
)
"""
PROJECTS = {"pyproject.toml": PYPROJECT, "setup.cfg": SETUP_CFG, "setup.py": SETUP_PY}
CLICK = ("click", "no version is stated")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pyproject.toml", ("-e", ".")),
        ("pyproject.toml", (".",)),
        ("pyproject.toml", ("-e", ".[test]")),
        ("setup.cfg", ("-e", ".[test]")),
        ("setup.py", ("-e", ".")),
    ],
)
def test_a_project(tmp_path, name, words):
    place = Place(tmp_path, **{name: PROJECTS[name]})
    if name == "setup.cfg":
        place.write("setup.py", "import setuptools\n\nsetuptools.setup()\n")
    place.venv("--seed")
    place.install(*words)
    said = place.verify()
    quiet(said, CLICK)
    assert said.data["reference"]["file"] == name
    assert said.status("colorama") == "not for here"
    assert said.status("iniconfig") == ("same" if "test" in words[-1] else "")
    assert said.data["compared"]["runtime"] == {"equal": 1, "total": 1, "unit": "Python versions"}
    place.change()
    said = place.verify(code=1)
    lines = ("idna~=", r"\bsix>=")
    three(said, place, name, "~=3.10", ">=1.16,<2", False, lines, effect="possible")


def test_an_extra_that_pins_what_the_project_leaves_open_was_not_asked_for(tmp_path):
    place = Place(tmp_path, **{"pyproject.toml": PYPROJECT})
    place.venv("--seed")
    place.install("-e", ".", "idna==3.11")
    quiet(place.verify(), CLICK)


DOCKERFILE = """\
FROM python:%s-slim
ARG IDNA=3.10
RUN apt-get update && apt-get install -y git
RUN pip install --no-cache-dir six==1.16.0 "idna==${IDNA}" \\
    Typing_Extensions==4.12.2 && rm -rf /root/.cache
RUN pip install click
COPY . /code
CMD ["python", "train.py"]
"""


def test_a_dockerfile(tmp_path):
    place = Place(tmp_path, Dockerfile=DOCKERFILE % HERE)
    place.venv()
    place.install("six==1.16.0", "idna==3.10", "Typing_Extensions==4.12.2", "click")
    said = place.verify()
    quiet(said, CLICK)
    assert said.data["compared"]["runtime"]["equal"] == 1
    place.change()
    said = place.verify(code=1)
    three(said, place, "Dockerfile", "3.10", "1.16.0", False, ("six==", "six=="))


def test_a_dockerfile_that_installs_the_list_beside_it(tmp_path):
    text = "FROM python:%s\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n" % HERE
    place = Place(tmp_path, Dockerfile=text)
    place.write("requirements.txt", "six==1.16.0\nidna==3.10\n")
    place.venv()
    place.install("-r", "requirements.txt")
    said = place.verify()
    quiet(said)
    assert said.data["reference"]["file"] == "requirements.txt"
    assert said.data["compared"]["runtime"]["equal"] == 1
    place.change()
    three(place.verify(code=1), place, "requirements.txt", "3.10", "1.16.0", complete=False)


README = """\
# A paper

The code was tested with tqdm 4.66.4, einops 0.8 and Python %s on Ubuntu 22.04.

## News

2021-03-01: we now need networkx 2.5.
"""


def test_prose(tmp_path):
    place = Place(tmp_path, **{"README.md": README % HERE})
    place.write("train.py", "import einops\nimport tqdm\n")
    place.venv()
    place.install("tqdm==4.66.4", "einops==0.8.1")
    said = place.verify()
    quiet(said)
    assert set(said.rows) == {"tqdm", "einops"}
    assert said.data["compared"]["runtime"]["equal"] == 1
    assert not said.data["reference"]["complete"]
    place.install("tqdm==4.60.0", "toolz==1.0.0")
    run(place.folder, str(UV), "pip", "uninstall", "-q", "-p", place.python, "einops")
    said = place.verify(code=1)
    changed = {one[:2] + one[4:] for one in said.findings}
    assert changed == {("version", "tqdm", "4.60.0"), ("removed", "einops", None)}
    assert {row["where"] for row in said.rows.values()} == {"README.md:3"}


NUMPY = "Tested with numpy 1.26, Python 3.11 and CUDA 11.8.\n"


def test_prose_that_gives_two_parts_of_a_version(tmp_path):
    place = Place(tmp_path, **{"README.md": "# Paper\n\n" + NUMPY})
    place.write("train.py", "import numpy\n\nprint(numpy.arange(3))\n")
    place.venv(python=python_of("3.11"))
    place.install("numpy==1.26.4")
    said = place.verify()
    assert said.findings == set()
    assert said.data["verdict"] == "same"
    assert said.rows["numpy"]["status"] == "same"
    assert {what for what, _ in said.left} <= {"cuda"}
    place.install("numpy==2.0.2")
    said = place.verify(code=None)
    changed = {(kind, name, new) for kind, name, _, _, new in said.findings}
    assert changed == {("version", "numpy", "2.0.2")}
    assert said.rows["numpy"]["where"] == "README.md:3"


@pytest.mark.parametrize("name", [".python-version", "runtime.txt"])
def test_a_file_that_names_an_interpreter(tmp_path, name):
    place = Place(tmp_path)
    place.venv()
    whole = "%d.%d.%d" % sys.version_info[:3]
    for text in (HERE, whole):
        place.write(name, ("python-" if name == "runtime.txt" else "") + text + "\n")
        said = place.verify()
        assert said.findings == set()
        assert said.left == set()
        assert said.data["verdict"] == "same"
    place.write("requirements.txt", "six\n")
    place.install("six")
    quiet(place.verify(), ("six", "no version is stated"))
    place.write(name, "3.6\n")
    said = place.verify(code=None)
    assert {one[:2] for one in said.findings} == {("version", "python")}


def test_an_mlproject_with_its_environment(tmp_path):
    place = Place(tmp_path, MLproject="name: paper\npython_env: python_env.yaml\n")
    place.write(
        "python_env.yaml",
        'python: "%s"\nbuild_dependencies:\n  - pip\ndependencies:\n  - six==1.16.0\n'
        "  - idna==3.10\n  - -r more.txt\n" % HERE,
    )
    place.write("more.txt", "packaging==24.1\n")
    place.venv()
    place.install("six==1.16.0", "idna==3.10", "packaging==24.1")
    said = place.verify()
    quiet(said)
    assert said.data["compared"]["runtime"]["equal"] == 1
    place.change()
    file = str(said.data["reference"]["file"])
    three(place.verify(code=1), place, "python_env.yaml", "3.10", "1.16.0", False)
    assert file in ("python_env.yaml", "MLproject")


COG = """\
build:
  gpu: false
  python_version: "%s"
  python_packages:
    - "six==1.16.0"
    - "idna==3.10"
predict: "predict.py:Predictor"
"""


def test_a_cog_file(tmp_path):
    place = Place(tmp_path, **{"cog.yaml": COG % HERE})
    place.venv()
    place.install("six==1.16.0", "idna==3.10")
    quiet(place.verify())
    place.change()
    three(place.verify(code=1), place, "cog.yaml", "3.10", "1.16.0", False)


def test_the_wrong_interpreter_raises_one_question(tmp_path):
    place = Place(tmp_path, **{"requirements.txt": "six==1.16.0\nidna==3.10\nclick==8.1.7\n"})
    place.venv()
    said = place.verify(code=1)
    assert len(said.findings) == 3
    assert said.data["references"][0]["notes"] == [
        "3 of 3 packages of requirements.txt are not installed: another interpreter? --python PATH"
    ]


def test_it_finds_the_interpreter(tmp_path):
    """Of --python (also relative, from below), an active environment and one in the repository."""
    place = Place(tmp_path, **{"requirements.txt": "six==1.16.0\nidna==3.10\n", "a/b.py": ""})
    place.env = place.folder / ".venv"
    place.venv()
    place.install("-r", "requirements.txt")
    below = place.folder / "a"
    for said in (
        place.verify(python="-"),
        place.verify(python="-", cwd=below),
        place.verify(python=".venv/bin/python"),
        place.verify(python="../.venv/bin/python", cwd=below),
    ):
        quiet(said)
        assert said.data["interpreter"]["executable"] == place.python
    other = Place(tmp_path / "other")
    other.venv()
    other.install("six==1.16.0", "idna==" + OLD_IDNA)
    said = place.verify(python="-", env={"VIRTUAL_ENV": str(other.env)})
    assert said.findings == {("version", "idna", "unknown", "3.10", OLD_IDNA)}
    path = "%s:%s" % (other.env / "bin", clean()["PATH"])
    said = place.verify(python="-", env={"VIRTUAL_ENV": str(other.env), "PATH": path}, cwd=below)
    assert said.findings == {("version", "idna", "unknown", "3.10", OLD_IDNA)}
    (place.env / "pyvenv.cfg").unlink()
    run(place.folder, "rm", "-r", str(place.env))
    said = place.verify(python="python3", env={"PATH": path})
    assert said.data["interpreter"]["executable"].startswith(str(other.env))
