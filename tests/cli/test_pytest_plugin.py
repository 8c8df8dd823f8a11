"""``pytest --prov``: what ``prov verify`` finds, as tests."""

import subprocess
import sys

import pytest

from tests.conftest import PYTHON

PLUGIN = ("-p", "provenance.pytest_plugin")


@pytest.fixture
def recorded(prov, repo):
    """Return the command line of a project with a lock of a run with the tests' own Python."""
    prov("run", "--", sys.executable, "train.py")
    prov("lock", "@last")
    (repo / "test_own.py").write_text("def test_own(): pass\n")
    return prov


def run(prov, *words, env=None):
    entry = [] if _is_installed() else PLUGIN
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", *entry, *words],
        cwd=prov.folder,
        env=dict(prov.environ, **(env or {})),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def _is_installed():
    """Return whether the entry point is there: of an install made before it existed it is not."""
    from importlib.metadata import entry_points

    return any(one.value == PLUGIN[1] for one in entry_points(group="pytest11"))


def test_it_adds_one_test_per_question(recorded):
    done = run(recorded, "--prov")
    assert done.returncode == 0, done.stdout
    for name in ("provenance::code", "provenance::packages", "provenance::python"):
        assert "PASSED %s\n" % name in done.stdout
    assert "PASSED test_own.py::test_own" in done.stdout
    assert run(recorded, "--prov", "-k", "packages").stdout.count("PASSED") == 1


def test_without_the_option_nothing_is_added_or_imported(recorded):
    done = run(recorded)
    assert "provenance::" not in done.stdout
    code = (
        "import sys; before = set(sys.modules); import provenance.pytest_plugin\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    loaded = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=True)
    own = {name for name in loaded.stdout.split() if name.startswith("provenance")}
    assert own == {"provenance", "provenance.pytest_plugin"}
    assert "pytest" not in loaded.stdout.split()


def test_what_differs_fails_and_can_be_accepted(recorded, repo):
    (repo / "helper.py").write_text("def scale(loss, lr):\n    return 0\n")
    done = run(recorded, "--prov")
    assert done.returncode == 1
    assert "FAILED provenance::code[helper.py]" in done.stdout
    assert "Or accept it: PROV_ACCEPT=code" in done.stdout
    assert "Traceback" not in done.stdout
    assert "site-packages/provenance" not in done.stdout
    assert run(recorded, "--prov", env={"PROV_ACCEPT": "code"}).returncode == 0


def test_data_that_is_not_here_is_no_failure(recorded, repo):
    (repo / "data.csv").unlink()
    done = run(recorded, "--prov")
    assert done.returncode == 0, done.stdout


def test_a_reference_can_be_named(recorded, repo):
    done = run(recorded, "--prov=@last")
    assert done.returncode == 0, done.stdout
    assert "provenance: compared with @last" in done.stdout
    (repo / "requirements.txt").write_text("pytest<1\n")
    done = run(recorded, "--prov=requirements.txt", env={"PROV_FAIL_ON": "possible"})
    assert done.returncode == 1
    assert "FAILED provenance::packages[pytest]" in done.stdout


def test_without_a_reference_it_fails_with_the_sentence(prov, folder):
    (folder / "test_own.py").write_text("def test_own(): pass\n")
    done = run(prov, "--prov")
    assert done.returncode == 1
    assert "FAILED provenance::reference" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_project_without_tests_has_these(recorded, repo):
    (repo / "test_own.py").unlink()
    done = run(recorded, "--prov")
    assert done.returncode == 0, done.stdout
    assert "PASSED provenance::code" in done.stdout


def test_an_unknown_effect_to_fail_on_is_refused(recorded):
    done = run(recorded, "--prov", env={"PROV_FAIL_ON": "nonsense"})
    assert done.returncode == 1
    assert "PROV_FAIL_ON" in done.stdout
