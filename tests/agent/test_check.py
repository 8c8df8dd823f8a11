"""The drop-in test, as the one file that people have, beside real locks and installs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.agent._dropin import FIT, NOW, Project

PYTHONS = Path(os.path.expanduser("~/.pyenv/versions"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_faithful_place_is_quiet(project: Project) -> None:
    project.write()
    done = project.plain()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stderr
    assert done.stderr.splitlines()[-1] == "OK (skipped=2)", done.stderr
    for name in ("python", "code", "data", "packages[numpy]", "packages[scikit-learn]"):
        assert "test_%s (__main__.Provenance" % name in done.stderr


def test_a_known_change_fails_with_the_place_and_the_remedy(project: Project) -> None:
    project.install("scikit_learn", "1.5.2", "sklearn")
    project.write()
    done = project.plain()
    assert done.returncode == 1
    wanted = (
        "AssertionError: KNOWN: scikit-learn 1.5.2 is installed; the recorded run used 1.1.3.\n"
        "KMeans(n_init) default 10 -> 'auto'; not passed at fit.py:8.\n"
    )
    assert wanted in done.stderr
    assert "  fix: add n_init=10   or   pip install scikit-learn==1.1.3\n" in done.stderr
    assert "Or accept it: PROV_ACCEPT=scikit-learn\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_going_back_is_told_the_other_way_round(project: Project) -> None:
    project.recorded["scikit-learn"]["version"] = "1.5.2"
    project.write()
    assert "KMeans(n_init) default 'auto' -> 10; not passed at fit.py:8" in project.said()


def test_pytest_has_one_test_per_package_and_no_traceback(project: Project) -> None:
    project.install("scikit_learn", "1.5.2", "sklearn")
    project.write()
    done = project.pytest()
    assert done.returncode == 1
    head = "test_provenance.py::Provenance::test_"
    assert "FAILED %spackages[scikit-learn]" % head in done.stdout
    for name in ("packages[numpy]", "packages[tqdm]", "python", "code", "data"):
        assert "PASSED %s%s\n" % (head, name) in done.stdout
    assert "KMeans(n_init) default 10 -> 'auto'" in done.stdout
    assert "PROV_ACCEPT=scikit-learn" in done.stdout
    assert "Traceback" not in done.stdout
    assert "def settle" not in done.stdout


def test_unittest_finds_the_same(project: Project) -> None:
    project.install("scikit_learn", "1.5.2", "sklearn")
    project.write()
    done = project.run("-m", "unittest", "test_provenance")
    assert done.returncode == 1
    assert "FAILED (failures=1, skipped=2)" in done.stderr
    assert project.run("-m", "unittest", "-k", "numpy", "test_provenance").returncode == 0


def test_an_accepted_change_passes(project: Project) -> None:
    project.install("scikit_learn", "1.5.2", "sklearn")
    project.write()
    assert project.plain(PROV_ACCEPT="numpy, scikit_learn").returncode == 0
    assert project.pytest(PROV_ACCEPT="scikit-learn").returncode == 0
    assert project.plain(PROV_ACCEPT="numpy").returncode == 1
    (project.folder / "fit.py").write_text("changed = True\n")
    assert project.plain(PROV_ACCEPT="scikit-learn").returncode == 1
    assert project.plain(PROV_ACCEPT="scikit-learn,code").returncode == 0


def test_a_change_without_known_effect_warns_and_passes(project: Project) -> None:
    project.install("numpy", "1.26.9", "numpy")
    project.write()
    done = project.plain()
    assert done.returncode == 0
    assert "numpy 1.26.9 is installed; the recorded run used 1.26.4." in done.stderr
    assert "numpy 1.26.9 is installed; the recorded run used 1.26.4" in project.pytest().stdout
    assert project.plain(PROV_FAIL_ON="unknown").returncode == 1
    assert "PROV_FAIL_ON is none of unknown, possible" in project.said(PROV_FAIL_ON="nonsense")


def test_what_was_not_imported_does_not_matter(project: Project) -> None:
    project.install("tqdm", "5.0.0", "tqdm")
    project.write()
    done = project.plain()
    assert done.returncode == 0
    assert "tqdm 5" not in done.stderr


def remove(project: Project, name: str) -> None:
    for path in (project.folder / "site").glob(name + "-*/*"):
        path.unlink()
    next((project.folder / "site").glob(name + "-*")).rmdir()


def test_an_imported_package_that_is_gone_is_broken(project: Project) -> None:
    remove(project, "numpy")
    project.write()
    done = project.run("-S", "test_provenance.py")
    assert done.returncode == 1
    assert "BROKEN: numpy is not installed; the recorded run used 1.26.4." in done.stderr
    (project.folder / "site" / "numpy.py").write_text("raise SystemExit('imported')\n")
    done = project.run("-S", "test_provenance.py")
    assert done.returncode == 0, "another distribution brings the module"


def test_a_package_that_only_others_needed_is_possibly_no_matter(project: Project) -> None:
    project.recorded["zsix"] = project.package("zsix", "1.17.0", "six_of_the_run")
    project.write()
    assert "BROKEN: zsix is not installed" in project.said()
    project.install("numpy", "1.26.9", "numpy")
    done = project.plain()
    assert done.returncode == 0, "another release of what imported it may need it no more"
    assert "where only libraries imported it" in done.stderr


def test_changed_code_fails_comments_do_not(project: Project) -> None:
    project.write()
    fit = project.folder / "fit.py"
    fit.write_text('"""New."""\n\n' + FIT.replace("# eight clusters", "# eight, not nine"))
    assert project.plain().returncode == 0
    fit.write_text(FIT.replace("KMeans(8", "KMeans(9"))
    done = project.plain()
    assert done.returncode == 1
    assert "fit.py: it has changed" in done.stderr
    fit.write_text("def broken(:\n")
    assert "fit.py: it has changed" in project.said()
    fit.unlink()
    assert "fit.py: not here" in project.said()


def test_outputs_of_a_notebook_are_no_code(project: Project) -> None:
    cell = '{"cells": [{"cell_type": "code", "source": ["x = 1\\n"], "outputs": [%s]}]}'
    notebook = project.folder / "a.ipynb"
    notebook.write_text(cell % "")
    project.facets["code"] = {"used": [project.file("a.ipynb")]}
    project.write()
    notebook.write_text(cell % '"a figure"')
    assert project.plain().returncode == 0
    notebook.write_text((cell % "").replace("x = 1", "x = 2"))
    assert project.plain().returncode == 1


def test_changed_data_fails_absent_data_does_not(project: Project) -> None:
    here = project.file("data.csv")
    gone = dict(here, path={"root": "repo", "path": "raw/huge.bin"})
    project.facets["data"] = {"files": [here, gone]}
    project.write()
    done = project.plain()
    assert done.returncode == 0
    assert "skipped 'raw/huge.bin: not here'" in done.stderr
    (project.folder / "data.csv").write_text("9,9\n")
    done = project.plain()
    assert done.returncode == 1
    assert "data.csv: it has changed" in done.stderr


def test_large_files_wait_for_being_asked(project: Project) -> None:
    project.write()
    with open(project.folder / "data.csv", "wb") as stream:
        stream.truncate((1 << 30) + 1)
    assert "more than 1 GiB (PROV_FULL=1 digests it)" in project.said()
    assert project.plain().returncode == 0
    assert project.plain(PROV_FULL="1").returncode == 1


def test_folders_of_data_are_compared_file_by_file(project: Project) -> None:
    from provenance.core.digest import SHA256, tree_digest

    folder = project.folder / "images"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.png").write_text("a")
    (folder / "deep" / "b.png").write_text("b")
    tree = tree_digest(str(folder), SHA256)
    path = {"root": "repo", "path": "images"}
    project.facets["data"] = {"files": [{"path": path, "digests": tree.digests}]}
    project.write()
    assert "test_data (__main__.Provenance) ... ok" in project.said().replace(".test_data)", ")")
    (folder / "deep" / "b.png").write_text("c")
    assert "images/deep/b.png: it has changed" in project.said()
    project.write()
    assert "images: the folder had changed when the lock was written" in project.said()


def test_data_that_may_not_be_read_is_skipped(project: Project) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    project.write()
    (project.folder / "data.csv").chmod(0)
    assert project.plain().returncode == 0


def test_a_file_that_the_run_overwrote_cannot_be_compared(project: Project) -> None:
    project.facets["data"] = {"files": [project.file("data.csv", state="overwritten")]}
    project.write()
    (project.folder / "data.csv").write_text("9,9\n")
    done = project.plain()
    assert done.returncode == 0
    assert "data.csv: overwritten when recorded" in done.stderr


def test_paths_that_lead_outside_are_not_followed(project: Project) -> None:
    outside = dict(project.file("data.csv"), path={"root": "repo", "path": "../../etc/passwd"})
    project.facets["data"] = {"files": [outside]}
    project.write()
    assert "passwd" not in project.said()


def test_another_python_is_said_and_passes(project: Project) -> None:
    project.facets["runtime"] = {"version": "3.4.1"}
    project.write()
    done = project.plain()
    assert done.returncode == 0
    assert "Python %s is installed; the recorded run used 3.4.1." % NOW in done.stderr


def test_a_gpu_that_is_not_here_is_skipped(project: Project) -> None:
    if os.path.exists("/proc/driver/nvidia"):
        pytest.skip("there is a GPU here")
    project.facets["hardware"] = {"gpus": [{"name": "NVIDIA A100"}]}
    project.write()
    assert project.plain(PROV_FAIL_ON="unknown").returncode == 0
    assert "none here; the recorded run had NVIDIA A100" in project.said()
    assert "none here; the recorded run had NVIDIA A100" in project.pytest().stdout


def test_a_lock_in_a_folder_above_or_named_is_found(project: Project) -> None:
    project.write()
    below = project.folder / "tests"
    below.mkdir()
    (project.folder / "test_provenance.py").rename(below / "test_provenance.py")
    assert project.run("tests/test_provenance.py").returncode == 0
    (project.folder / "prov.lock").rename(project.folder / "other.lock")
    assert project.run("tests/test_provenance.py").returncode == 1
    assert project.run("tests/test_provenance.py", PROV_LOCK="other.lock").returncode == 0


def test_nothing_above_the_repository_is_read(project: Project) -> None:
    project.write()
    below = project.folder / "sub"
    (below / ".git").mkdir(parents=True)
    (project.folder / "test_provenance.py").rename(below / "test_provenance.py")
    done = project.run("sub/test_provenance.py")
    assert done.returncode == 1
    assert "cannot be read" in done.stderr


def test_nothing_to_compare_is_not_success(project: Project) -> None:
    project.facets = {"code": {}, "data": {}}
    project.recorded = {}
    project.write()
    done = project.plain()
    assert done.returncode == 1
    assert "could be compared" in done.stderr
    assert "PROV_ACCEPT" not in done.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "cannot be read"),
        ("<<<<<<< HEAD\n", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"schema": "prov/lock/1", "runs": [], "sha256": "x"}', "its seal does not hold"),
    ],
)
def test_a_damaged_lock_gives_one_sentence(project: Project, text: str, sentence: str) -> None:
    (project.folder / "prov.lock").write_text(text)
    done = project.plain()
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    again = project.pytest()
    assert again.returncode == 1
    assert "FAILED test_provenance.py::Provenance::test_reference" in again.stdout
    assert "Traceback" not in again.stdout


def test_a_lock_of_an_earlier_prov_is_to_be_renewed(project: Project) -> None:
    document = project.lock()
    del document["checks"]
    project.write(document)
    assert "it is of another prov than this test: renew it with prov lock" in project.said()


@pytest.mark.parametrize("what", ["packages", "known", "calls", "code", "settings", "gpu"])
def test_a_foreign_shape_gives_one_sentence(project: Project, what: str) -> None:
    document = project.lock()
    document["checks"][what] = [{"id": 3}]
    project.write(document)
    done = project.plain()
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def interpreters() -> list[Any]:
    found = [next(iter(sorted(PYTHONS.glob("3.%d.*/bin/python" % n))), None) for n in range(7, 14)]
    return [
        pytest.param(one, id=one.parent.parent.name)
        for one in found
        if one is not None and one.resolve() != Path(sys.executable).resolve()
    ]


@pytest.mark.parametrize("python", interpreters())
def test_every_python_says_the_same(project: Project, python: Path) -> None:
    project.install("scikit_learn", "1.5.2", "sklearn")
    project.write()
    (project.folder / "fit.py").write_text("# x\n" + FIT)
    told = []
    for words in (["test_provenance.py"], ["-m", "unittest", "test_provenance"]):
        done = subprocess.run(
            [str(python), *words],
            cwd=project.folder,
            env={"PYTHONPATH": str(project.folder / "site"), "HOME": str(project.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        told.append(done.stderr)
        assert "FAILED (failures=1, skipped=2)" in done.stderr
    assert "not passed at fit.py:8" in told[0]


def test_it_costs_next_to_nothing(project: Project) -> None:
    for number in range(300):
        project.install("filler%d" % number, "1.0", "filler%d" % number)
    project.write()

    def least(*words: str) -> float:
        found = []
        for _ in range(5):
            begin = time.perf_counter()
            project.run(*words)
            found.append(time.perf_counter() - begin)
        return min(found)

    assert least("test_provenance.py") - least("-c", "pass") < 1.0
