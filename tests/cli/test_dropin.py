"""``prov init --test``: one file that a reader runs with pytest, unittest or plain python."""

import os
import subprocess

import pytest

from provenance import pack
from tests.conftest import PYTHON


@pytest.fixture
def published(prov, repo):
    """Return the command line of a project with prov.lock and the drop-in test."""
    prov("run", "--", PYTHON, "train.py")
    prov("lock", "@last")
    prov("init", "--test")
    return prov


def run(prov, *words, env=None):
    return subprocess.run(
        [PYTHON, *words],
        cwd=prov.folder,
        env=dict(prov.environ, **(env or {})),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_quiet_when_nothing_changed(published):
    done = run(published, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_provenance.py")
    assert done.returncode == 0, done.stdout
    assert " failed" not in done.stdout
    plain = run(published, "test_provenance.py")
    assert plain.returncode == 0, plain.stdout + plain.stderr
    assert "OK" in plain.stderr
    assert "Warning" not in plain.stderr


def test_changed_code_and_data_fail_with_the_place(published, repo):
    (repo / "helper.py").write_text("def scale(loss, lr):\n    return 0\n")
    (repo / "data.csv").write_text("x\n8\n")
    done = run(published, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_provenance.py")
    assert done.returncode == 1
    assert "helper.py" in done.stdout
    assert "data.csv" in done.stdout
    plain = run(published, "test_provenance.py")
    assert plain.returncode == 1
    assert "helper.py" in plain.stderr


def test_absent_data_is_skipped(published, repo):
    (repo / "data.csv").unlink()
    plain = run(published, "test_provenance.py")
    assert plain.returncode == 0, plain.stderr
    assert "data.csv: not here" in plain.stderr


def test_it_works_from_a_folder_below_and_in_a_clone(published, repo, tmp_path):
    (repo / "tests").mkdir()
    os.rename(repo / "test_provenance.py", repo / "tests" / "test_provenance.py")
    assert run(published, "tests/test_provenance.py").returncode == 0
    clone = tmp_path / "clone"
    os.rename(repo, clone)
    done = subprocess.run(
        [PYTHON, str(clone / "tests" / "test_provenance.py")], cwd=tmp_path, check=False
    )
    assert done.returncode == 0


def test_a_lock_that_lies_elsewhere_knows_the_way(published, repo):
    (repo / "paper").mkdir()
    published("lock", "@last", "--out", "paper/prov.lock")
    (repo / "prov.lock").unlink()
    done = run(published, "test_provenance.py", env={"PROV_LOCK": "paper/prov.lock"})
    assert done.returncode == 0, done.stderr
    (repo / "helper.py").write_text("changed = True\n")
    done = run(published, "test_provenance.py", env={"PROV_LOCK": "paper/prov.lock"})
    assert done.returncode == 1


def test_a_broken_lock_is_one_sentence(published, repo):
    (repo / "prov.lock").write_text("{")
    plain = run(published, "test_provenance.py")
    assert plain.returncode == 1
    assert "Traceback" not in plain.stderr
    assert "prov.lock cannot be read" in plain.stderr


def test_it_needs_nothing_but_the_standard_library(published):
    done = run(published, "-I", "-S", "test_provenance.py")
    assert "ModuleNotFoundError" not in done.stderr


def test_what_environment_files_state_is_compared_too(prov, repo):
    (repo / "environment.yml").write_text(
        "name: x\ndependencies:\n  - python=3\n  - libgcc=12\n  - pip:\n    - pytest\n"
        "    - nowhere==1.0\n    - numpy==0.0.1; python_version < '3'\n"
    )
    prov("lock", "--from", "environment.yml")
    prov("init", "--test")
    done = run(prov, "test_provenance.py")
    assert done.returncode == 0, done.stderr
    assert "nowhere is not installed; environment.yml:7 asks for 1.0" in done.stderr
    assert "libgcc" in done.stderr
    assert "numpy" not in done.stderr
    for name in ("python", "packages[pytest]"):
        assert "test_%s (" % name in done.stderr
    (repo / "train.py").write_text("import nowhere\n")
    prov("lock", "--from", "environment.yml")
    assert "BROKEN: nowhere is not installed" in run(prov, "test_provenance.py").stderr


def test_check_says_what_the_test_file_is(prov, repo):
    assert "is not here" in prov("init", "--test", "--check", code=1).stdout
    prov("init", "--test")
    path = repo / "test_provenance.py"
    assert path.read_text() == pack.drop_in()
    done = prov("init", "--test", "--check")
    assert "byte for byte" in done.stdout
    path.write_text(path.read_text().replace("unknown", "known", 1))
    assert "was changed since prov" in prov("init", "--test", "--check", code=1).stdout
    path.write_text("print('mine')\n")
    assert "does not name the prov" in prov("init", "--test", "--check", code=1).stdout
    path.write_bytes(b"\xff\xfe")
    assert "cannot be read" in prov("init", "--test", "--check", code=1).stdout
    assert prov.json("init", "--test", "--check", code=1)["state"] == "changed"
    assert "--test --check" in prov("init", "--check", code=2).stderr
