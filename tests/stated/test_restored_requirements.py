"""requirements.txt in all shapes: quiet right after the restore, exact when something differs."""

from __future__ import annotations

import pytest

from tests.conftest import git
from tests.facets._venvs import project
from tests.stated.restored import Place, quiet, run, three, tool, uv

pytestmark = [pytest.mark.slow, pytest.mark.network]

HAND = """\
# what the experiments need
six>=1.16,<2
idna==3.10
packaging~=24.0   # not 25
click
Typing_Extensions==4.12.2
requests[socks]==2.32.3
colorama==0.4.6; sys_platform == 'win32'
pywin32>=300; platform_system == "Windows"
tomli==2.0.1; python_version < "3.0"
attrs!=22.2,>=22
iniconfig==2.*
"""


def test_a_list_by_hand_is_quiet_and_exact(tmp_path):
    place = Place(tmp_path, **{"requirements.txt": HAND})
    place.venv()
    place.install("-r", "requirements.txt")
    said = place.verify()
    quiet(said, ("click", "no version is stated"))
    assert said.status("click") == "not stated"
    assert {said.status(name) for name in ("colorama", "pywin32", "tomli")} == {"not for here"}
    assert said.rows["typing-extensions"]["status"] == "same"
    assert len(said.rows) == 11
    place.change()
    said = place.verify(code=1)
    three(said, place, "requirements.txt", "3.10", ">=1.16,<2", complete=False)


def test_files_that_name_others_are_one_list(tmp_path):
    place = Place(tmp_path, **{"requirements.txt": "-r requirements/base.txt\n-c pins.txt\nsix\n"})
    place.write("requirements/base.txt", "--index-url https://pypi.org/simple\nidna\n-r more.txt\n")
    place.write("requirements/more.txt", "packaging\n")
    place.write("pins.txt", "six==1.16.0\nidna==3.10\npackaging==24.1\nabsl-py==2.1.0\n")
    place.venv()
    place.install("-r", "requirements.txt")
    said = place.verify()
    quiet(said)
    assert set(said.rows) == {"six", "idna", "packaging"}
    assert said.rows["packaging"]["where"] == "pins.txt:3"
    place.change()
    said = place.verify(code=1)
    three(said, place, "pins.txt", "3.10", "1.16.0", complete=False)


MANY = """
six==1.16.0 idna==3.10 packaging==24.1 click==8.1.7 attrs==24.2.0 tomli==2.0.1 iniconfig==2.0.0
pluggy==1.5.0 certifi==2024.8.30 urllib3==2.2.3 charset-normalizer==3.4.0 requests==2.32.3
MarkupSafe==2.1.5 Jinja2==3.1.4 zipp==3.20.2 typing_extensions==4.12.2 colorama==0.4.6
filelock==3.16.1 fsspec==2024.9.0 networkx==3.3 mpmath==1.3.0 sympy==1.13.1 pytz==2024.2
python-dateutil==2.9.0.post0 tzdata==2024.2 PyYAML==6.0.2 ruamel.yaml==0.18.6 wcwidth==0.2.13
""".split()
"""As many as a freeze needs to be known as one, with names that metadata write in other ways."""


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    """Return what pip and uv print of one environment, by their words."""
    place = Place(tmp_path_factory.mktemp("frozen"))
    place.venv("--seed")
    place.install("--no-deps", *MANY)
    words = ("freeze", "freeze --all", "list", "list --format=freeze", "list --format=columns")
    said = {"pip " + one: place.pip(*one.split()) for one in words}
    said["uv pip freeze"] = uv(place.folder, "pip", "freeze", "-p", place.python)
    said["uv pip list"] = uv(place.folder, "pip", "list", "-p", place.python)
    return said


def _restored(tmp_path, text):
    """Return a place with requirements.txt and what it gives; a table is read by people."""
    place = Place(tmp_path, **{"requirements.txt": text})
    place.venv()
    lines = [line.split() for line in text.splitlines() if "---" not in line]
    pins = ["==".join(one[:2]) for one in lines if one and one[0] != "Package"]
    tools = ("pip==", "setuptools==", "wheel==")
    place.install("--no-deps", *(pin for pin in pins if not pin.startswith(tools)))
    return place


WAYS = ("pip freeze", "pip freeze --all", "pip list", "pip list --format=freeze",
        "pip list --format=columns", "uv pip freeze", "uv pip list")  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_what_was_printed_of_an_environment(tmp_path, frozen, way):
    place = _restored(tmp_path, frozen[way])
    said = place.verify()
    quiet(said)
    assert said.data["reference"]["complete"]
    assert "toolz" not in said.rows
    place.change()
    said = place.verify(code=1)
    tools = {one for one in said.findings if one[1] in ("pip", "setuptools", "wheel")}
    assert {one[2] for one in tools} <= {"none"}
    three(said, place, "requirements.txt", "3.10", "1.16.0", True, ("^idna", "^six"), also=tools)


def test_a_short_list_of_pins_says_nothing_of_more(tmp_path):
    place = Place(tmp_path, **{"requirements.txt": "six==1.16.0\nidna==3.10\n"})
    place.venv()
    place.install("-r", "requirements.txt")
    quiet(place.verify())
    place.change()
    three(place.verify(code=1), place, "requirements.txt", "3.10", "1.16.0", complete=False)


def test_a_freeze_of_debian_with_installers_restored_without_them_is_quiet(tmp_path):
    text = "idna==3.10\npip==20.0.2\npkg-resources==0.0.0\nsetuptools==44.0.0\nsix==1.16.0\n"
    place = Place(tmp_path, **{"requirements.txt": text + "wheel==0.34.2\n"})
    place.venv()
    place.install("six==1.16.0", "idna==3.10")
    said = place.verify()
    quiet(said)


@pytest.fixture(scope="session")
def pip_compile(tmp_path_factory):
    return str(tool(tmp_path_factory.mktemp("tools"), "pip-tools") / "pip-compile")


@pytest.mark.parametrize("by", ["uv", "pip-tools"])
def test_compiled_with_hashes(tmp_path, by, request):
    place = Place(tmp_path, **{"requirements.in": "six\nidna\nrequests\ncolorama\n"})
    words = ("--generate-hashes", "-o", "requirements.txt", "requirements.in")
    if by == "uv":
        uv(place.folder, "pip", "compile", "-q", "--universal", *words)
    else:
        run(place.folder, request.getfixturevalue("pip_compile"), "-q", *words)
    place.venv()
    place.install("--require-hashes", "-r", "requirements.txt")
    said = place.verify()
    quiet(said)
    assert said.data["reference"]["file"] == "requirements.txt"
    assert said.data["reference"]["complete"]
    stated = {name: row["stated"] for name, row in said.rows.items()}
    place.change()
    said = place.verify(code=1)
    lines = ("^idna==", "^six==")
    three(said, place, "requirements.txt", stated["idna"], stated["six"], True, lines)


@pytest.fixture
def places(tmp_path):
    """Return a place whose packages come from a repository, folders and a wheel."""
    place = Place(tmp_path)
    far = project(tmp_path / "far-away", "far-tool")
    git(far, "init", "-q", "-b", "main")
    git(far, "add", ".")
    git(far, "commit", "-q", "-m", "start")
    git(far, "tag", "v1")
    project(place.folder / "near", "near-tool")
    uv(
        place.folder,
        "build",
        "-q",
        "--wheel",
        "--out-dir",
        "wheels",
        str(project(tmp_path / "w", "whl-tool")),
    )
    text = "from setuptools import setup\nsetup(name='paper-code', version='0.1', py_modules=[])\n"
    place.write("setup.py", text)
    place.venv("--seed")
    return place


@pytest.mark.parametrize("form", ["-e %s#egg=far-tool", "%s"])
def test_a_repository_at_a_commit_at_a_tag_and_at_a_branch(tmp_path, places, form):
    far = tmp_path / "far-away"
    commit = git(far, "rev-parse", "HEAD").strip()

    def ask(revision):
        url = form % ("git+file://%s@%s" % (far, revision))
        places.write("requirements.txt", "six==1.16.0\n%s\n" % url)

    def install():
        places.pip("install", "-q", "--no-build-isolation", "--force-reinstall", "--no-deps",
                   "-r", "requirements.txt")  # fmt: skip

    tagged = "not compared" if form.startswith("-e") else "same"  # a clone does not say how
    for revision, status in ((commit, "same"), ("v1", tagged), ("main", "not compared")):
        ask(revision)
        install()
        said = places.verify()
        why = "stated by the branch or tag %s, whose commit is not known here" % revision
        quiet(said, *([("far-tool", why)] if status == "not compared" else []))
        assert said.status("far-tool") == status
    (far / "new.txt").write_text("x")
    git(far, "add", ".")
    git(far, "commit", "-q", "-m", "more")
    install()
    ask(commit)
    now = git(far, "rev-parse", "HEAD").strip()
    said = places.verify()
    assert said.findings == {("origin", "far-tool", "unknown", commit[:12], now[:12])}


def test_folders_and_wheels(places):
    lines = "-e .\n./near\n./wheels/whl_tool-0.1-py3-none-any.whl\nsix==1.16.0\nidna==3.10\n"
    places.write("requirements.txt", lines)
    places.install("-r", "requirements.txt")
    said = places.verify()
    quiet(said)
    assert {n: r["status"] for n, r in said.rows.items()} == dict.fromkeys(
        ("near-tool", "whl-tool", "six", "idna"), "same"
    )
    places.change()
    three(places.verify(code=1), places, "requirements.txt", "3.10", "1.16.0", complete=False)


def test_a_freeze_of_places(tmp_path, places):
    commit = git(tmp_path / "far-away", "rev-parse", "HEAD").strip()
    url = "git+file://%s@%s" % (tmp_path / "far-away", commit)
    wheel = "wheels/whl_tool-0.1-py3-none-any.whl"
    places.install("six==1.16.0", "idna==3.10", url, "-e", ".", "./near", wheel)
    places.write("requirements.txt", places.pip("freeze"))
    said = places.verify()
    quiet(said)
    assert said.rows["far-tool"]["status"] == "same"
    places.change()
    three(places.verify(code=1), places, "requirements.txt", "3.10", "1.16.0", complete=False)


def test_a_freeze_that_names_the_repository_itself_by_an_older_commit(places):
    git(places.folder, "remote", "add", "origin", "https://example.org/me/paper.git")
    git(places.folder, "add", "setup.py")
    git(places.folder, "commit", "-q", "-m", "start")
    places.pip("install", "-q", "--no-build-isolation", "-e", ".", "six==1.16.0")
    frozen = places.pip("freeze")
    assert "-e git+https://example.org/me/paper.git@" in frozen
    places.write("requirements.txt", frozen)
    git(places.folder, "add", "requirements.txt")
    git(places.folder, "commit", "-q", "-m", "freeze")
    said = places.verify()
    quiet(said)
    assert said.status("paper-code") == "same"
