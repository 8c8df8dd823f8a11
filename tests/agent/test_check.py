"""The drop-in test, as the one file that people have, beside real locks and installs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.agent._dropin import FIT, NOW, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_faithful_place_is_quiet(project: Project) -> None:
    project.write()
    done = project.plain()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "SAME (exit 0)"
    assert "compared: Python 1/1 equal, packages 3/3 equal, code 1/1 equal, data 1/1 equal" in (
        done.stdout
    )
    assert done.stderr == ""


def test_a_known_change_fails_with_the_place_and_the_remedy(project: Project) -> None:
    project.install("scikit_learn", "1.5.2", "sklearn")
    project.write()
    done = project.plain()
    assert done.returncode == 1
    assert "KNOWN  scikit-learn 1.5.2 installed; the recorded run used 1.1.3." in done.stdout
    assert "KMeans(n_init) default 10 -> 'auto'; not passed at fit.py:8" in done.stdout
    assert "fix: add n_init=10   or   pip install scikit-learn==1.1.3" in done.stdout
    assert done.stdout.splitlines()[-1] == "DIFFERENT: 1 known (exit 1)"


def test_pytest_has_one_test_per_package_and_no_traceback(project: Project) -> None:
    project.install("scikit_learn", "1.5.2", "sklearn")
    project.write()
    done = project.pytest()
    assert done.returncode == 1
    assert "FAILED test_provenance.py::test_packages[scikit-learn]" in done.stdout
    assert "PASSED test_provenance.py::test_packages[numpy]" in done.stdout
    assert "PASSED test_provenance.py::test_code" in done.stdout
    assert "KMeans(n_init) default 10 -> 'auto'" in done.stdout
    assert "PROV_ACCEPT=scikit-learn" in done.stdout
    assert "Traceback" not in done.stdout
    assert "def test_packages" not in done.stdout


def test_an_accepted_change_passes(project: Project) -> None:
    project.install("scikit_learn", "1.5.2", "sklearn")
    project.write()
    assert project.plain(PROV_ACCEPT="numpy, scikit_learn").returncode == 0
    assert project.pytest(PROV_ACCEPT="scikit-learn").returncode == 0


def test_a_change_without_known_effect_warns_and_passes(project: Project) -> None:
    project.install("numpy", "1.26.9", "numpy")
    project.write()
    done = project.plain()
    assert done.returncode == 0
    assert "unknown effect: numpy" in done.stdout
    assert "NO KNOWN EFFECT: 1 unknown (exit 0)" in done.stdout
    assert "numpy 1.26.9 installed; the recorded run used 1.26.4" in project.pytest().stdout
    assert project.plain(PROV_FAIL_ON="unknown").returncode == 1


def test_what_was_not_imported_does_not_matter(project: Project) -> None:
    project.install("tqdm", "5.0.0", "tqdm")
    project.write()
    done = project.plain()
    assert done.returncode == 0
    assert "tqdm" not in done.stdout


def test_an_imported_package_that_is_gone_is_broken(project: Project) -> None:
    for path in (project.folder / "site").glob("numpy-*/*"):
        path.unlink()
    next((project.folder / "site").glob("numpy-*")).rmdir()
    project.write()
    done = project.run("-S", "test_provenance.py")
    assert done.returncode == 1
    assert "BROKEN  numpy is not installed; the recorded run imported 1.26.4." in done.stdout


def test_changed_code_fails_comments_do_not(project: Project) -> None:
    project.write()
    source = FIT.replace("# eight clusters", "# eight, not nine")
    (project.folder / "fit.py").write_text(source)
    assert project.plain().returncode == 0
    (project.folder / "fit.py").write_text(FIT.replace("KMeans(8", "KMeans(9"))
    done = project.plain()
    assert done.returncode == 1
    assert "fit.py: it has changed." in done.stdout
    (project.folder / "fit.py").unlink()
    assert "fit.py: it is not here." in project.plain().stdout


def test_the_place_of_a_call_moves_with_the_file(project: Project) -> None:
    project.install("scikit_learn", "1.5.2", "sklearn")
    project.write()
    (project.folder / "fit.py").write_text("# one\n# two\n" + FIT)
    assert "not passed at fit.py:10" in project.plain().stdout
    (project.folder / "fit.py").write_text(FIT.replace("KMeans(8", "KMeans(8, n_init=10"))
    done = project.plain()
    assert "KMeans(n_init)" not in done.stdout
    (project.folder / "fit.py").write_text("def broken(:\n")
    assert "not passed at fit.py:8" in project.plain().stdout


def test_changed_data_fails_absent_data_does_not(project: Project) -> None:
    here = project.file("data.csv")
    gone = dict(here, path={"root": "repo", "path": "raw/huge.bin"})
    project.facets["data"] = {"files": [here, gone]}
    project.write()
    done = project.plain()
    assert done.returncode == 0
    assert "data (raw/huge.bin: not here)" in done.stdout
    (project.folder / "data.csv").write_text("9,9\n")
    done = project.plain()
    assert done.returncode == 1
    assert "data.csv: it has other content." in done.stdout


def test_large_files_wait_for_being_asked(project: Project) -> None:
    project.facets["data"] = {"files": [project.file("data.csv", size=5 << 30)]}
    project.write()
    (project.folder / "data.csv").write_text("9,9\n")
    assert project.plain().returncode == 0
    assert project.plain(PROV_FULL="1").returncode == 1


def test_folders_of_data_have_the_records_digest(project: Project) -> None:
    from provenance.core.digest import SHA256, tree_digest

    folder = project.folder / "images"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.png").write_text("a")
    (folder / "deep" / "b.png").write_text("b")
    (folder / "link").symlink_to("a.png")
    (folder / "deeper").symlink_to("deep")
    tree = tree_digest(str(folder), SHA256)
    path = {"root": "repo", "path": "images"}
    project.facets["data"] = {"files": [{"path": path, "digests": tree.digests}]}
    project.write()
    assert "data 1/1 equal" in project.plain().stdout
    (folder / "deep" / "b.png").write_text("c")
    assert project.plain().returncode == 1


def test_a_file_that_the_run_overwrote_cannot_be_compared(project: Project) -> None:
    project.facets["data"] = {"files": [project.file("data.csv", state="overwritten")]}
    project.write()
    (project.folder / "data.csv").write_text("9,9\n")
    done = project.plain()
    assert done.returncode == 0
    assert "data.csv: overwritten when recorded" in done.stdout


def test_paths_that_lead_outside_are_not_followed(project: Project) -> None:
    outside = dict(project.file("data.csv"), path={"root": "repo", "path": "../../etc/passwd"})
    project.facets["data"] = {"files": [outside]}
    project.write()
    assert "not here" in project.plain().stdout


def test_another_python_is_said_and_passes(project: Project) -> None:
    project.facets["runtime"] = {"version": "3.4.1"}
    project.write()
    done = project.plain()
    assert done.returncode == 0
    assert "Python %s" % NOW in done.stdout


def test_a_gpu_that_is_not_here_is_skipped(project: Project) -> None:
    if os.path.exists("/proc/driver/nvidia"):
        pytest.skip("there is a GPU here")
    project.facets["hardware"] = {"gpus": [{"name": "NVIDIA A100"}]}
    project.write()
    assert "SKIPPED [1] test_provenance.py" in project.pytest().stdout
    assert "GPU (none here; the recorded run had NVIDIA A100)" in project.plain().stdout


def test_a_lock_in_a_folder_above_or_named_is_found(project: Project) -> None:
    project.write()
    below = project.folder / "tests"
    below.mkdir()
    (project.folder / "test_provenance.py").rename(below / "test_provenance.py")
    assert project.run("tests/test_provenance.py").returncode == 0
    (project.folder / "prov.lock").rename(project.folder / "other.lock")
    assert project.run("tests/test_provenance.py").returncode == 4
    assert project.run("tests/test_provenance.py", PROV_LOCK="other.lock").returncode == 0


def test_nothing_to_compare_is_not_success(project: Project) -> None:
    document = project.lock()
    document["runs"][0]["facets"] = {}
    project.write(document)
    done = project.plain()
    assert done.returncode == 3
    assert "NOT COMPARED" in done.stdout


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is not JSON"),
        ("<<<<<<< HEAD\n", "is not JSON"),
        ("[]", "is not a lock"),
        ('{"schema": "prov/lock/9"}', "prov init --test"),
        ('{"schema": "prov/lock/1", "runs": [], "sha256": "x"}', "its seal does not hold"),
    ],
)
def test_a_damaged_lock_gives_one_sentence(project: Project, text: str, sentence: str) -> None:
    (project.folder / "prov.lock").write_text(text)
    done = project.plain()
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert sentence in done.stderr
    again = project.pytest()
    assert again.returncode == 1
    assert "FAILED test_provenance.py::test_packages[prov.lock]" in again.stdout
    assert "Traceback" not in again.stdout


def test_a_foreign_shape_gives_one_sentence(project: Project) -> None:
    document = project.lock()
    document["knowledge"] = [{"id": 3}]
    project.write(document)
    done = project.plain()
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1


def test_names_of_options(project: Project) -> None:
    project.write()
    done = project.run("test_provenance.py", "--help")
    assert done.returncode == 0
    for name in ("PROV_LOCK", "PROV_ACCEPT", "PROV_FAIL_ON", "PROV_FULL"):
        assert name in done.stdout


def test_the_oldest_python_runs_it(project: Project) -> None:
    old = Path(os.path.expanduser("~/.pyenv/versions/3.7.16/bin/python"))
    if not old.exists():
        pytest.skip("no Python 3.7 here")
    project.install("scikit_learn", "1.5.2", "sklearn")
    project.write()
    done = subprocess.run(
        [str(old), "test_provenance.py"],
        cwd=project.folder,
        env={"PYTHONPATH": str(project.folder / "site"), "HOME": str(project.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "not passed at fit.py:8" in done.stdout
    assert json.loads((project.folder / "prov.lock").read_text())["schema"] == "prov/lock/1"
