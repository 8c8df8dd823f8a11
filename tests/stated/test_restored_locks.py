"""Lock files of uv, Poetry, PDM, Pipenv and PEP 751, restored by the tool that owns them."""

from __future__ import annotations

import os

import pytest

from tests.stated.restored import Place, clean, quiet, run, three, tool, uv

pytestmark = [pytest.mark.slow, pytest.mark.network]

PROJECT = """\
[project]
name = "paper-code"
version = "0.1"
requires-python = ">=3.10"
dependencies = [
    "six==1.16.0",
    "idna==3.10",
    "Typing_Extensions",
    "requests[socks]",
    "colorama; sys_platform == 'win32'",
    "tomli; python_version < '3.10'",
]

[project.optional-dependencies]
plot = ["click==8.1.7"]

[dependency-groups]
dev = ["iniconfig==2.0.0"]
"""
LINES = {
    "uv.lock": ('^name = "idna"', '^name = "six"'),
    "poetry.lock": ('^name = "idna"', '^name = "six"'),
    "pdm.lock": ('^name = "idna"', '^name = "six"'),
    "pylock.toml": ('^name = "idna"', '^name = "six"'),
    "Pipfile.lock": ('"idna": {', '"six": {'),
}
OPTIONAL = {"click", "iniconfig"}


@pytest.fixture(scope="session")
def tools(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tools")

    def found(name: str) -> str:
        return str(tool(folder, name, "pdm[locked]" if name == "pdm" else name) / name)

    return found


def _in(place: Place) -> dict[str, str]:
    """Return an environment in which the tools take the place's own virtual environment."""
    path = os.pathsep.join((str(place.env / "bin"), os.environ["PATH"]))
    return clean(VIRTUAL_ENV=str(place.env), PATH=path, UV_PROJECT_ENVIRONMENT=str(place.env))


def _installed(place: Place) -> set[str]:
    said = uv(place.folder, "pip", "list", "-p", place.python, "--format=freeze")
    return {line.partition("==")[0].lower() for line in said.splitlines()}


def _asked(place: Place, file: str, optional: set[str], *left: tuple[str, str]) -> None:
    """Require silence with ``optional`` here and the other optional parts absent; then changes."""
    assert _installed(place) & OPTIONAL == optional
    said = place.verify()
    quiet(said, *left)
    assert said.data["reference"]["file"] == file
    assert said.data["reference"]["complete"]
    stated = {name: row["status"] for name, row in said.rows.items()}
    assert {stated[one] for one in ("six", "idna", "typing-extensions", "pysocks")} == {"same"}
    elsewhere = {"colorama", "tomli"} - {what for what, _ in left}
    assert {stated.get(one, "not for here") for one in elsewhere} == {"not for here"}
    assert {stated[one] for one in optional} <= {"same"}
    place.change()
    said = place.verify(code=1)
    three(said, place, file, "3.10", "1.16.0", True, LINES[file])


UV_WAYS = {
    "all": (("--all-extras", "--all-groups"), OPTIONAL),
    "no groups": (("--no-dev",), set()),
    "editable": ((), {"iniconfig"}),
    "not editable": (("--no-editable", "--extra", "plot"), OPTIONAL),
    "without the project": (("--no-install-project",), {"iniconfig"}),
}


@pytest.mark.parametrize("way", UV_WAYS)
def test_uv_lock(tmp_path, way):
    place = Place(tmp_path, **{"pyproject.toml": PROJECT})
    if way != "all":
        system = '\n[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        place.write("pyproject.toml", PROJECT + system)
        place.write("paper_code/__init__.py", "")
    words, optional = UV_WAYS[way]
    uv(place.folder, "lock", "-q")
    place.venv()
    uv(place.folder, "sync", "-q", "--locked", *words, env=_in(place))
    _asked(place, "uv.lock", optional)


EXPORTS = ["", "--no-dev --no-hashes", "--all-extras --no-header", "--no-emit-project"]


@pytest.mark.parametrize("way", EXPORTS)
def test_uv_export(tmp_path, way):
    words = way.split()
    place = Place(tmp_path, **{"pyproject.toml": PROJECT})
    uv(place.folder, "export", "-q", "-o", "requirements.txt", *words)
    (place.folder / "uv.lock").unlink()
    place.venv()
    place.install("-r", "requirements.txt")
    said = place.verify()
    quiet(said)
    assert said.data["reference"]["file"] == "requirements.txt"
    complete = said.data["reference"]["complete"]
    assert complete or "--no-hashes" in way
    place.change()
    said = place.verify(code=1)
    three(said, place, "requirements.txt", "3.10", "1.16.0", complete, ("^idna==", "^six=="))


@pytest.mark.parametrize("by", ["uv", "pip"])
def test_pylock(tmp_path, by):
    place = Place(tmp_path, **{"pyproject.toml": PROJECT})
    uv(place.folder, "export", "-q", "--no-dev", "--no-emit-project", "-o", "pylock.toml")
    (place.folder / "uv.lock").unlink()
    place.venv()
    if by == "uv":
        uv(place.folder, "pip", "sync", "-q", "-p", place.python, "pylock.toml")
    else:
        place.install("pip>=26.1")
        place.pip("install", "-q", "-r", "pylock.toml")
    _asked(place, "pylock.toml", set())


POETRY = """
[tool.poetry.group.dev.dependencies]
iniconfig = "2.0.0"

[tool.poetry]
packages = [{include = "paper_code"}]

[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"""
INDEX = """
[[tool.poetry.source]]
name = "index"
url = "https://pypi.org/simple/"
priority = "primary"
"""


def test_poetry_lock(tmp_path, tools):
    text = PROJECT.partition("[dependency-groups]")[0] + POETRY
    place = Place(tmp_path, **{"pyproject.toml": text, "paper_code/__init__.py": ""})
    place.venv()
    run(place.folder, tools("poetry"), "lock", "-n", code=None, env=_in(place))
    if not (place.folder / "poetry.lock").exists():  # an index without PyPI's JSON
        place.write("pyproject.toml", text + INDEX)
        run(place.folder, tools("poetry"), "lock", "-n", env=_in(place))
    run(place.folder, tools("poetry"), "install", "-q", "--only", "main", env=_in(place))
    assert not _installed(place) & OPTIONAL
    quiet(place.verify())
    words = ("--all-extras", "--all-groups", "--no-root")
    run(place.folder, tools("poetry"), "install", "-q", *words, env=_in(place))
    _asked(place, "poetry.lock", OPTIONAL)


def test_pdm_lock(tmp_path, tools):
    system = '\n[build-system]\nrequires = ["pdm-backend"]\nbuild-backend = "pdm.backend"\n'
    place = Place(tmp_path, **{"pyproject.toml": PROJECT + system, "paper_code/__init__.py": ""})
    place.venv()
    run(place.folder, tools("pdm"), "lock", "-q", "-G", ":all", env=_in(place))
    run(place.folder, tools("pdm"), "sync", "-q", "--prod", env=_in(place))
    assert "iniconfig" not in _installed(place)
    quiet(place.verify())
    run(place.folder, tools("pdm"), "sync", "-q", "-G", ":all", "--no-self", env=_in(place))
    _asked(place, "pdm.lock", OPTIONAL)


PIPFILE = """\
[[source]]
url = "https://pypi.org/simple"
verify_ssl = true
name = "pypi"

[packages]
six = "==1.16.0"
idna = "==3.10"
Typing_Extensions = "*"
requests = {extras = ["socks"], version = "*"}
colorama = {version = "*", sys_platform = "== 'win32'"}
tomli = {version = "*", markers = "python_version < '3.10'"}

[dev-packages]
iniconfig = "==2.0.0"
"""
COLORAMA = [("colorama", "no version is stated")]
"""Pipenv locks what it cannot resolve here as ``*``, without its marker, and then installs it."""


def test_pipfile_lock(tmp_path, tools):
    place = Place(tmp_path, Pipfile=PIPFILE)
    place.venv()
    run(place.folder, tools("pipenv"), "lock", "-q", env=_in(place))
    run(place.folder, tools("pipenv"), "sync", "-q", env=_in(place))
    quiet(place.verify(), *COLORAMA)
    run(place.folder, tools("pipenv"), "sync", "-q", "--dev", env=_in(place))
    _asked(place, "Pipfile.lock", {"iniconfig"}, *COLORAMA)
