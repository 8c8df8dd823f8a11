"""``prov init --test``: one file that a reader runs with pytest or with plain python."""

import subprocess

import pytest

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
    assert "compared:" in plain.stdout


def test_changed_code_and_data_fail_with_the_place(published, repo):
    (repo / "helper.py").write_text("def scale(loss, lr):\n    return 0\n")
    (repo / "data.csv").write_text("x\n8\n")
    done = run(published, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_provenance.py")
    assert done.returncode == 1
    assert "helper.py" in done.stdout
    assert "data.csv" in done.stdout
    plain = run(published, "test_provenance.py")
    assert plain.returncode == 1
    assert "helper.py" in plain.stdout


def test_absent_data_is_skipped(published, repo):
    (repo / "data.csv").unlink()
    plain = run(published, "test_provenance.py")
    assert plain.returncode == 0, plain.stdout


def test_a_broken_lock_is_one_sentence(published, repo):
    (repo / "prov.lock").write_text("{")
    plain = run(published, "test_provenance.py")
    assert plain.returncode != 0
    assert "Traceback" not in plain.stderr
    assert "prov.lock" in plain.stdout + plain.stderr


def test_it_needs_nothing_but_the_standard_library(published):
    done = run(published, "-I", "-S", "test_provenance.py")
    assert "ModuleNotFoundError" not in done.stderr
