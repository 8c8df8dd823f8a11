"""Real installs of every kind, and what the facet says of them. Needs the package index."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from provenance.core import codec
from provenance.core.context import AFTER, DURING, Interpreter
from provenance.core.paths import Roots
from provenance.core.record import Payload
from provenance.facets import packages
from provenance.facets.packages import Installed, Packages
from tests.facet_contract import a_context, git, interpreter
from tests.facets._venvs import project, python_of, uv, venv

pytestmark = [pytest.mark.network, pytest.mark.slow]


def captured(folder: Path, *interpreters: Interpreter, **rest: object) -> Payload:
    return packages.capture(a_context(folder, AFTER, interpreters=interpreters, **rest))


def view(answer: Payload, subject: int = 0) -> Packages:
    return codec.decode(Packages, answer.subjects[subject].payload)


def one(folder: Path, python: str, name: str, before: str = "", **environ: str) -> Installed:
    found = view(captured(folder, interpreter(python, before, **environ)))
    return found.distributions[name]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An environment with two small packages of fixed versions."""
    return venv(tmp_path_factory.mktemp("plain") / "venv", "six==1.16.0", "attrs==23.2.0")


def test_packages_of_an_index_and_which_was_imported(tmp_path: Path, plain: str) -> None:
    found = view(captured(tmp_path, interpreter(plain, "import attr")))
    assert set(found.distributions) == {"six", "attrs"}
    assert found.complete
    attrs, six = found.distributions["attrs"], found.distributions["six"]
    assert (attrs.version, attrs.imported, attrs.how) == ("23.2.0", True, "observed")
    assert (six.version, six.imported, six.how) == ("1.16.0", False, "")
    assert (attrs.origin, attrs.installer, attrs.requested) == ("index", "uv", True)
    assert attrs.modules == ("attr", "attrs")
    assert attrs.direct_url == {}


@pytest.mark.parametrize("version", ["3.8", "3.13"])
def test_environments_of_older_and_newer_pythons(tmp_path: Path, version: str) -> None:
    python = venv(tmp_path / "venv", "six==1.16.0", python=python_of(version))
    six = one(tmp_path, python, "six", "import six")
    assert (six.version, six.imported) == ("1.16.0", True)


def test_pip_and_uv_give_one_digest_for_one_wheel(tmp_path: Path, plain: str) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "pip")], check=True)
    python = str(tmp_path / "pip" / "bin" / "python")
    words = ["-m", "pip", "install", "-q", "six==1.16.0", "attrs==23.2.0"]
    subprocess.run([python, *words], check=True, capture_output=True)
    by_pip = view(captured(tmp_path, interpreter(python))).distributions
    by_uv = view(captured(tmp_path, interpreter(plain))).distributions
    for name in ("six", "attrs"):
        assert by_pip[name].installer == "pip"
        assert by_pip[name].record_sha256 == by_uv[name].record_sha256 != ""


@pytest.mark.parametrize(
    ("backend", "layout"), [("setuptools", ""), ("setuptools", "src"), ("hatchling", "src")]
)
def test_editable_installs(tmp_path: Path, backend: str, layout: str) -> None:
    folder = project(tmp_path / "elsewhere" / "my-lib", "my-lib", backend, layout)
    git(folder, "init", "-q")
    (folder / ".gitignore").write_text("*.egg-info\n__pycache__\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    python = venv(tmp_path / "venv", editable=str(folder))
    lib = one(tmp_path / "work", python, "my-lib", "import my_lib")
    assert (lib.origin, lib.imported, lib.how) == ("editable", True, "observed")
    assert lib.editable is not None
    assert lib.editable.path == Roots(None, "/nowhere", os.path.expanduser("~")).refer(str(folder))
    assert lib.editable.commit == git(folder, "rev-parse", "HEAD").strip()
    assert lib.editable.dirty is False
    assert not one(tmp_path / "work", python, "my-lib").imported
    (next(folder.rglob("__init__.py"))).write_text("VALUE = 2\n")
    changed = one(tmp_path / "work", python, "my-lib").editable
    assert changed is not None
    assert changed.dirty is True


def test_an_editable_install_without_git(tmp_path: Path) -> None:
    folder = project(tmp_path / "lib", "loose-lib", "hatchling", "src")
    python = venv(tmp_path / "venv", editable=str(folder))
    lib = one(tmp_path, python, "loose-lib")
    assert lib.editable is not None
    assert (lib.editable.commit, lib.editable.dirty) == (None, None)


def test_an_install_from_a_repository_keeps_its_commit(tmp_path: Path) -> None:
    folder = project(tmp_path / "lib", "vcs-lib")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    head = git(folder, "rev-parse", "HEAD").strip()
    python = venv(tmp_path / "venv", "vcs-lib @ git+file://%s" % folder)
    lib = one(tmp_path, python, "vcs-lib", "import vcs_lib")
    assert (lib.origin, lib.imported) == ("vcs", True)
    assert lib.direct_url["vcs_info"]["commit_id"] == head
    assert lib.direct_url["path"] == {"root": "cwd", "path": "lib"} or (
        lib.direct_url["path"] == {"root": "repo", "path": "lib"}
    )
    assert "file:" not in json.dumps(lib.direct_url)


def test_a_wheel_from_a_folder_is_told_by_what_is_in_it(tmp_path: Path) -> None:
    folder = project(tmp_path / "lib", "built-lib", "hatchling", "src")
    uv(tmp_path, "build", "-q", "--wheel", str(folder), "-o", str(tmp_path / "dist"))
    wheel = str(next((tmp_path / "dist").glob("*.whl")))
    first = one(tmp_path, venv(tmp_path / "one", wheel), "built-lib")
    again = one(tmp_path, venv(tmp_path / "two", wheel), "built-lib")
    assert first.origin == "archive"
    assert first.record_sha256 == again.record_sha256 != ""
    next(folder.rglob("__init__.py")).write_text("VALUE = 2\n")
    uv(tmp_path, "build", "-q", "--wheel", str(folder), "-o", str(tmp_path / "other"))
    other = str(next((tmp_path / "other").glob("*.whl")))
    rebuilt = one(tmp_path, venv(tmp_path / "three", other), "built-lib")
    assert rebuilt.version == first.version
    assert rebuilt.record_sha256 != first.record_sha256


def test_a_package_on_pythonpath_and_one_of_the_user_site(tmp_path: Path, plain: str) -> None:
    uv(tmp_path, "pip", "install", "-q", "-p", plain, "--target", "extra", "iniconfig==2.0.0")
    lib = one(tmp_path, plain, "iniconfig", "import iniconfig", PYTHONPATH=str(tmp_path / "extra"))
    assert (lib.version, lib.imported, lib.how) == ("2.0.0", True, "observed")
    base = python_of("3.12")
    words = [base, "-m", "pip", "install", "-q", "--user", "six==1.15.0"]
    environ = dict(os.environ, PYTHONUSERBASE=str(tmp_path / "user"))
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
    if "externally-managed" in done.stderr:
        pytest.skip("this Python may not install for the user")
    assert done.returncode == 0, done.stderr
    user = one(tmp_path, base, "six", "import six", PYTHONUSERBASE=str(tmp_path / "user"))
    assert (user.version, user.imported, user.installer) == ("1.15.0", True, "pip")


def test_several_interpreters_have_a_subject_each(tmp_path: Path, plain: str) -> None:
    other = venv(tmp_path / "venv", "six==1.15.0")
    main, second = interpreter(plain), interpreter(other)._replace(id="python-2")
    answer = captured(tmp_path, main, second)
    assert [s.id for s in answer.subjects] == ["python", "python-2"]
    assert [s.interpreter for s in answer.subjects] == [main.executable, second.executable]
    assert view(answer, 0).distributions["six"].version == "1.16.0"
    assert view(answer, 1).distributions["six"].version == "1.15.0"


def test_an_earlier_answer_is_kept_unless_the_folders_changed(tmp_path: Path, plain: str) -> None:
    python = venv(tmp_path / "venv", "six==1.16.0")
    silent = interpreter(python)._replace(modules={}, complete=False)
    context = a_context(tmp_path, DURING, interpreters=(silent,))
    early = packages.capture(context)
    assert not view(early).complete
    loud = interpreter(python, "import six")
    later = context._replace(phase=AFTER, interpreters=(loud,), earlier=early)
    assert view(packages.capture(later)).distributions["six"].imported
    uv(tmp_path, "pip", "install", "-q", "-p", python, "iniconfig==2.0.0")
    assert set(view(packages.capture(later)).distributions) == {"six", "iniconfig"}


def test_a_clean_restore_is_silent(tmp_path: Path, plain: str) -> None:
    copy = venv(tmp_path / "venv", "six==1.16.0", "attrs==23.2.0")
    old = captured(tmp_path, interpreter(plain, "import six, attr"))
    new = captured(tmp_path, interpreter(copy))
    found = packages.compare(old, new)
    assert found.differences == ()
    assert (found.equal, found.total, found.not_compared) == (2, 2, ())
