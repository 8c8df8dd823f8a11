"""`operations.scratch`: trees to rehearse in, from real records, run in the real sandbox."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provenance.core.redact import MASK
from provenance.executors import sandbox
from provenance.operations import _scratch_environ, restore, scratch
from provenance.operations import references as refs
from provenance.operations.references import Reference
from provenance.operations.scratch import Tree
from provenance.store import project
from provenance.store.project import Project
from tests.conftest import HELPER, PYTHON, Prov, git

OFFERED = sandbox.probe()
sandboxed = pytest.mark.skipif(not OFFERED.writes, reason=" ".join(OFFERED.reasons[:1]))


def recorded(prov: Prov, *command: str) -> tuple[Reference, Project]:
    prov("run", "--", *(command or (PYTHON, "train.py", "--epochs", "2")))
    place = project.find(str(prov.folder))
    return refs.of_run(place, "@last"), place


def rehearse(made: Tree, *argv: str) -> sandbox.Ended:
    given = argv or made.command
    return sandbox.run(sandbox.Task(given, made.cwd, made.environ, made.writable))


def users(folder: Path) -> dict[str, Any]:
    """Return all of the user's files with their contents and times; not what is ours."""
    found = {}
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder).parts
        if below[0] != ".prov" and path.is_file():
            found[str(path)] = (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode)
    return found


@pytest.fixture(params=["git", "no git"])
def either(request: pytest.FixtureRequest) -> Prov:
    found: Prov = request.getfixturevalue("prov" if request.param == "git" else "loose")
    return found


@sandboxed
def test_a_recorded_run_runs_again_and_leaves_no_trace(either: Prov) -> None:
    reference, place = recorded(either)
    before = users(either.folder)
    with scratch.tree(reference, place, os.environ) as made:
        there = set(os.listdir(made.cwd))
        assert {"train.py", "helper.py", "data.csv"} <= there
        assert not {"metrics.json", "history.csv", "model.bin"} & there
        ended = rehearse(made)
        assert (ended.code, ended.stderr_tail) == (0, "")
        assert ended.stdout_tail.startswith("final loss")
        assert "metrics.json" in os.listdir(made.cwd)
    assert users(either.folder) == before
    assert os.listdir(os.path.join(place.folder, "rehearsals")) == ["code"]


@sandboxed
def test_uncommitted_code_and_a_folder_below_are_as_they_were(prov: Prov) -> None:
    (prov.folder / "sub").mkdir()
    (prov.folder / "sub" / "go.py").write_text("print('new', open('../helper.py').read()[:9])")
    (prov.folder / "helper.py").write_text("# changed\n")
    prov("run", "--", PYTHON, "go.py", cwd=prov.folder / "sub")
    place = project.find(str(prov.folder))
    (prov.folder / "sub" / "go.py").write_text("print('newer')")
    with scratch.tree(refs.of_run(place, "@last"), place, os.environ) as made:
        assert made.cwd == os.path.join(made.path, "sub")
        assert rehearse(made).stdout_tail == "new # changed\n"


@sandboxed
def test_big_data_is_linked_and_cannot_be_written_through_the_link(prov: Prov) -> None:
    (prov.folder / ".gitignore").write_text("*.bin\n")
    big = prov.folder / "big.bin"
    big.write_bytes(bytes(scratch.COPY_LIMIT + 1))
    (prov.folder / "small.bin").write_bytes(b"small")
    (prov.folder / "read.py").write_text("print(len(open('big.bin', 'rb').read()));"
                                         "open('small.bin', 'rb').read()")  # fmt: skip
    reference, place = recorded(prov, PYTHON, "read.py")
    before = users(prov.folder)
    with scratch.tree(reference, place, os.environ) as made:
        assert os.path.islink(os.path.join(made.cwd, "big.bin"))
        assert not os.path.islink(os.path.join(made.cwd, "small.bin"))
        assert rehearse(made).stdout_tail == "%d\n" % (scratch.COPY_LIMIT + 1)
        ended = rehearse(made, PYTHON, "-c", "open('big.bin', 'r+b').write(b'harm')")
        assert ended.code == 1
        assert "PermissionError" in ended.stderr_tail
        assert rehearse(made, PYTHON, "-c", "open('small.bin', 'r+b').write(b'harm')").code == 0
    assert users(prov.folder) == before


@sandboxed
def test_one_rehearsal_does_not_see_what_another_did(prov: Prov) -> None:
    reference, place = recorded(prov)
    harm = "open('helper.py', 'w').write('harm'); open('left', 'w')"
    with scratch.tree(reference, place, os.environ) as made:
        assert rehearse(made, PYTHON, "-c", harm).code == 0
        with scratch.tree(reference, place, os.environ) as other:
            assert other.path != made.path
            assert rehearse(other).code == 0
            assert "left" not in os.listdir(other.cwd)


def test_code_is_restored_once(prov: Prov, monkeypatch: pytest.MonkeyPatch) -> None:
    reference, place = recorded(prov)
    with scratch.tree(reference, place, os.environ) as made:
        first = made.notes

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(restore, "restore_code", never)
    with scratch.tree(reference, place, os.environ) as made:
        assert os.path.isfile(os.path.join(made.cwd, "train.py"))
        assert made.notes == first
    monkeypatch.undo()
    (prov.folder / "helper.py").write_text(HELPER + "# other\n")
    with scratch.tree(recorded(prov)[0], place, os.environ) as made:
        assert Path(made.cwd, "helper.py").read_text().endswith("# other\n")


def test_a_tree_that_cannot_be_made_leaves_nothing(prov: Prov) -> None:
    reference, place = recorded(prov)
    git(prov.folder, "checkout", "-q", "--orphan", "other")
    (prov.folder / "helper.py").write_text(HELPER + "# other\n")
    git(prov.folder, "commit", "-q", "-a", "-m", "other")
    git(prov.folder, "branch", "-D", "main")
    git(prov.folder, "reflog", "expire", "--expire=now", "--all")
    git(prov.folder, "gc", "-q", "--prune=now")
    with (
        pytest.raises(restore.NoSuchCommit),
        scratch.tree(reference, place, os.environ),
    ):
        pass
    top = os.path.join(place.folder, "rehearsals")
    assert (os.listdir(top), os.listdir(os.path.join(top, "code"))) == (["code"], [])


@pytest.fixture
def rehearsals(prov: Prov) -> Iterator[tuple[Project, Path]]:
    place = project.find(str(prov.folder))
    top = Path(place.folder, "rehearsals")
    (top / "code").mkdir(parents=True)
    return place, top


def _old(folder: Path, seconds: float) -> Path:
    folder.mkdir(parents=True)
    (folder / "alive").touch()
    os.utime(folder, (time.time() - seconds,) * 2)
    return folder


def test_what_killed_rehearsals_left_is_removed(rehearsals: tuple[Project, Path]) -> None:
    place, top = rehearsals
    left, new, used = (_old(top / n, s) for n, s in (("a-1", 300), ("b-2", 3), ("c-3", 300)))
    closed = left / "closed"
    closed.mkdir()
    (closed / "x").touch()
    closed.chmod(0)
    os.utime(left, (time.time() - 300,) * 2)
    with (used / "alive").open("r+") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        scratch.sweep(place)
    assert sorted(path.name for path in top.iterdir()) == [new.name, used.name, "code"]


def test_trees_of_code_are_kept_up_to_a_number(rehearsals: tuple[Project, Path]) -> None:
    place, top = rehearsals
    for nth in range(scratch.KEPT_TREES + 3):
        _old(top / "code" / ("t%d" % nth), 7200 + nth)
    _old(top / "code" / "just", 10)
    _old(top / "code" / "new-dead", 7200)
    _old(top / "code" / "new-busy", 10)
    scratch.sweep(place)
    kept = {path.name for path in (top / "code").iterdir()}
    assert {"just", "new-busy", "t0"} <= kept
    assert not {"new-dead", "t%d" % (scratch.KEPT_TREES + 2)} & kept
    assert len(kept) == scratch.KEPT_TREES + 1


def test_environment(prov: Prov, tmp_path: Path) -> None:
    prov("run", "--", PYTHON, "train.py", env={"PYTHONHASHSEED": "12", "OMP_NUM_THREADS": "4"})
    place = project.find(str(prov.folder))
    home = tmp_path / "home"
    for name in ("token", "hub/models--a/blobs/1", "hub/models--a/snapshots/x/.keep"):
        path = home / ".cache" / "huggingface" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    link = home / ".cache/huggingface/hub/models--a/snapshots/x/model"
    link.symlink_to("../../blobs/1")
    given = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "WANDB_API_KEY": "0123456789",
        "PROV_AGENT_DIR": "/x",
        "PYTHONPATH": os.pathsep.join((_scratch_environ.launch.SITE, "/mine")),
        "SSH_AUTH_SOCK": "/x",
    }
    with scratch.tree(refs.of_run(place, "@last"), place, given) as made:
        environ = made.environ
        assert environ["PYTHONHASHSEED"] == "12"
        assert {environ[n] for n in environ if n.endswith("_NUM_THREADS")} == {"1"}
        assert environ["WANDB_API_KEY"] == MASK
        assert "/mine" in environ["PYTHONPATH"].split(os.pathsep)
        assert _scratch_environ.launch.SITE not in environ["PYTHONPATH"]
        gone = {"PYTHONDONTWRITEBYTECODE", "PROV_AGENT_DIR", "SSH_AUTH_SOCK"}
        assert not gone & set(environ)
        assert environ["TMPDIR"] in made.writable
        assert len(environ["TMPDIR"]) < 60, "sockets below it must have paths of 107 bytes at most"
        for name in ("HOME", "MPLCONFIGDIR", "NUMBA_CACHE_DIR", "HF_HOME"):
            assert environ[name].startswith(made.writable[0] + os.sep)
            assert stat.S_ISDIR(os.stat(environ[name]).st_mode)
        hub = Path(environ["HF_HOME"])
        assert (hub / "hub/models--a/snapshots/x/model").read_text() == "hub/models--a/blobs/1"
        assert not (hub / "token").exists()
        assert not (hub / "hub" / "models--a").is_symlink()


def test_an_environment_without_a_recorded_hash_seed(prov: Prov) -> None:
    reference, place = recorded(prov)
    environ = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "random"}
    with scratch.tree(reference, place, environ) as made:
        assert made.environ["PYTHONHASHSEED"] == "0"


def test_a_cache_of_very_many_files_is_used_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_scratch_environ, "MOST_LINKS", 3)
    own = tmp_path / "hf"
    own.mkdir()
    for nth in range(5):
        (own / str(nth)).touch()
    settings = _scratch_environ.Settings(str(tmp_path / "rest"), str(tmp_path))
    assert settings.applied({"HF_HOME": str(own)})["HF_HOME"] == str(own)
    assert "too many files" in settings.notes[0]
