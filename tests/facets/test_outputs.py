"""What a run changed: found by change times and the hook, whatever language wrote it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import blake3
import pytest

from provenance.core.context import Interpreter
from provenance.core.digest import tree_digest
from provenance.core.paths import Roots
from provenance.facets import _scan, outputs
from tests.facets._runs import files, ran, read, read_then_wrote, wrote, wrote_then_read


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text("pass\n")
    (folder / "old.txt").write_text("old")
    time.sleep(0.02)
    return folder


def kinds(answer) -> dict[str, str]:  # type: ignore[no-untyped-def]
    return {name: one["kind"] for name, one in files(answer).items()}


def test_every_kind_is_found_without_any_hook(project: Path) -> None:
    names = {
        "metrics.json": "metrics",
        "history.csv": "metrics",
        "train_log.jsonl": "metrics",
        "best.pt": "checkpoint",
        "ckpt/step_1/data": "output",
        "checkpoint-500/weights": "checkpoint",
        "run.log": "log",
        "nohup.out": "log",
        "logs/events.out.tfevents.1": "log",
        "fig.png": "plot",
        "pred.csv": "output",
    }
    program = (
        "import os\nfor n in %r:\n"
        "    os.makedirs(os.path.dirname(n) or '.', exist_ok=True); open(n, 'w').write(n)"
        % list(names)
    )
    answer = outputs.capture(ran(project, program))
    assert kinds(answer) == names
    entry = files(answer)["best.pt"]
    assert entry["digests"] == {"blake3": blake3.blake3(b"best.pt").hexdigest()}
    assert entry["how"] == ["scanned"]
    assert entry["state"] == "digested"


def test_shell_children_and_copies_with_old_times_are_found(project: Path) -> None:
    program = "import os; os.system('cp -p old.txt copy.txt; echo x > shell.txt')"
    assert set(files(outputs.capture(ran(project, program)))) == {"copy.txt", "shell.txt"}


def test_read_files_linked_or_chmodded_are_no_outputs(project: Path) -> None:
    program = "import os; os.link('old.txt', 'hard.txt'); os.chmod('old.txt', 0o600)"
    answer = outputs.capture(ran(project, program, read(project / "old.txt")))
    assert set(files(answer)) == {"hard.txt"}


def test_the_part_a_file_played(project: Path) -> None:
    program = (
        "for n in ('old.txt', 'tmp.dat', 'out.dat', 'gone.dat'): open(n, 'w').write('new')\n"
        "import os; os.unlink('gone.dat'); open('untouched', 'a').close()"
    )
    uses = (
        read_then_wrote(project / "old.txt"),
        wrote_then_read(project / "tmp.dat"),
        wrote(project / "out.dat"),
        wrote(project / "gone.dat"),
    )
    answer = outputs.capture(ran(project, program, *uses))
    assert kinds(answer) == {
        "old.txt": "updated",
        "tmp.dat": "intermediate",
        "out.dat": "output",
        "untouched": "output",
    }
    assert files(answer)["out.dat"]["how"] == ["observed", "scanned"]
    assert answer.subjects[0].payload["temporary"] == 1


def test_removed_files_are_those_that_were_there_before(project: Path) -> None:
    program = "import os; os.unlink('old.txt'); open('t', 'w').close(); os.unlink('t')"
    removed = (str(project / "old.txt"), str(project / "t"))
    answer = outputs.capture(ran(project, program, wrote(project / "t"), removed=removed))
    assert answer.subjects[0].payload["removed"] == [{"root": "repo", "path": "old.txt"}]


def test_code_litter_caches_environments_and_our_own_folder_are_left_out(project: Path) -> None:
    program = (
        "import os\n"
        "for n in ('.git/x', '.prov/x', '__pycache__/x', 'venv/pyvenv.cfg', 'venv/lib/x', 'env2/x',"
        " 'train.py', '.train.py.swp', 'train.py~', 'deep/.prov/runs/x', 'kept/x'):\n"
        "    os.makedirs(os.path.dirname(n) or '.', exist_ok=True); open(n, 'w').write('x')"
    )
    python = Interpreter("python", "x", "3.11.1", prefix=str(project / "env2"))
    answer = outputs.capture(ran(project, program, interpreters=(python,)))
    assert set(files(answer)) == {"kept/x"}


def test_source_that_the_run_generates_is_an_output(project: Path) -> None:
    program = "open('query.sql', 'w').write('x'); open('edited.py', 'w').write('x')"
    answer = outputs.capture(ran(project, program, wrote(project / "query.sql")))
    assert set(files(answer)) == {"query.sql"}


def test_outside_the_project_only_the_folders_that_were_written_to(project: Path) -> None:
    other = project.parent / "scratch"
    other.mkdir()
    (other / "before").write_text("x")
    time.sleep(0.02)
    program = "[open(%r + n, 'w').write('x') for n in ('/seen', '/cplusplus')]" % str(other)
    answer = outputs.capture(ran(project, program, wrote(other / "seen")))
    assert {name.rsplit("/", 1)[1] for name in files(answer)} == {"seen", "cplusplus"}


def test_a_shared_folder_is_never_searched(project: Path) -> None:
    shared = project.parent / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    program = "[open(%r + n, 'w').write('x') for n in ('/mine', '/others')]" % str(shared)
    answer = outputs.capture(ran(project, program, wrote(shared / "mine")))
    assert {name.rsplit("/", 1)[1] for name in files(answer)} == {"mine"}
    assert _scan.is_shared("/", "/home/x")
    assert _scan.is_shared("/home", "/home/x")
    assert not _scan.is_shared(str(project), "/home/x")


def test_a_project_in_the_home_folder_itself_is_not_searched_deeply(project: Path) -> None:
    (project / "deep").mkdir()
    program = "open('top', 'w').write('x'); open('deep/x', 'w').write('x')"
    roots = Roots(None, str(project), str(project))
    found = files(outputs.capture(ran(project, program, roots=roots)))
    assert set(found) == {"top"}


def test_declared_outputs_missing_unchanged_and_in_folders(project: Path) -> None:
    elsewhere = project.parent / "elsewhere" / "deep"
    elsewhere.mkdir(parents=True)
    program = "open(%r, 'w').write('x')" % str(elsewhere / "x.csv")
    declared = tuple(str(p) for p in (project / "old.txt", project / "never.csv", elsewhere.parent))
    answer = outputs.capture(ran(project, program, declared_outputs=declared))
    found = {name.rsplit("/", 1)[-1]: one for name, one in files(answer).items()}
    assert {name: one["state"] for name, one in found.items()} == {
        "old.txt": "unchanged",
        "never.csv": "missing",
        "x.csv": "digested",
    }
    assert found["x.csv"]["how"] == ["scanned", "declared"]
    assert "declared output never.csv is not there" in answer.notes


def test_overlapping_runs_make_what_only_the_scan_found_ambiguous(project: Path) -> None:
    program = "open('seen', 'w').write('x'); open('found', 'w').write('x')"
    answer = outputs.capture(ran(project, program, wrote(project / "seen"), overlapping=("r2",)))
    assert {n: one["state"] for n, one in files(answer).items()} == {
        "seen": "digested",
        "found": "ambiguous",
    }
    assert "r2" in answer.notes[0]
    compared = outputs.compare(answer, answer)
    assert (compared.equal, compared.total, len(compared.not_compared)) == (1, 1, 1)


def test_links_and_special_files(project: Path) -> None:
    program = (
        "import os; os.makedirs('run1'); os.symlink('run1', 'latest'); os.symlink('no', 'broken');"
        "os.mkfifo('pipe')"
    )
    found = files(outputs.capture(ran(project, program)))
    assert {n: one["kind"] for n, one in found.items()} == {"latest": "link", "broken": "link"}
    assert found["latest"]["target"] == {"root": "repo", "path": "run1"}


def test_a_file_written_through_a_linked_folder_is_one_entry(project: Path) -> None:
    (project / "run1").mkdir()
    os.symlink("run1", project / "latest")
    time.sleep(0.02)
    program = "open('latest/x', 'w').write('x')"
    answer = outputs.capture(ran(project, program, wrote(project / "latest" / "x")))
    assert {n: one["how"] for n, one in files(answer).items()} == {
        "run1/x": ["observed", "scanned"]
    }


def test_five_thousand_outputs_are_a_few_entries(project: Path) -> None:
    program = (
        "import os\nos.makedirs('out/deep')\n"
        "for i in range(5000): open('out/%s%d.png' % ('deep/' if i % 9 else '', i), 'w')"
        ".write(str(i))\nopen('out/metrics.json', 'w').write('{}')"
    )
    answer = outputs.capture(ran(project, program))
    found = files(answer)
    assert {n: (one["kind"], one.get("files")) for n, one in found.items()} == {
        "out": ("folder", 556),
        "out/deep": ("folder", 4444),
        "out/metrics.json": ("metrics", None),
    }
    assert found["out/deep"]["digests"] == tree_digest(str(project / "out/deep"), "blake3").digests
    assert outputs.compare(answer, answer).equal == 3


def test_a_crowded_folder_in_which_nothing_was_made_is_named_not_searched(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_scan, "CROWDED", 20)
    (project / "images").mkdir()
    for i in range(30):
        (project / "images" / str(i)).write_text("x")
    time.sleep(0.02)
    answer = outputs.capture(ran(project, "open('images/3', 'w').write('y')"))
    assert files(answer) == {}
    assert answer.subjects[0].payload["crowded"] == [{"root": "repo", "path": "images"}]
    answer = outputs.capture(ran(project, "open('images/new', 'w').write('y')"))
    assert set(files(answer)) == {"images/new"}


def test_without_a_marker_only_what_the_hook_saw(project: Path) -> None:
    program = "open('seen', 'w').write('x'); open('found', 'w').write('x')"
    answer = outputs.capture(ran(project, program, wrote(project / "seen"), marker_ns=None))
    assert set(files(answer)) == {"seen"}


def test_pending_and_unlistable(project: Path) -> None:
    context = ran(project, "open('x', 'w').write('x')", wrote(project / "x"))
    answer = outputs.capture(context._replace(deadline=time.monotonic() - 1))
    assert files(answer)["x"]["state"] == "pending"
    assert any("stopped before its end" in note for note in answer.notes)


def test_comparing_two_runs(project: Path) -> None:
    first = outputs.capture(ran(project, "[open(n, 'w').write(n) for n in 'abc']"))
    subprocess.run([sys.executable, "-c", "open('b', 'w').write('B')"], cwd=project, check=True)
    program = "open('a', 'w').write('a'); open('b', 'w').write('B'); open('d', 'w').write('d')"
    second = outputs.capture(ran(project, program))
    compared = outputs.compare(first, second)
    assert [(d.kind, d.name, d.effect) for d in compared.differences] == [
        ("digest", "b", "unknown"),
        ("removed", "c", "unknown"),
        ("added", "d", "unknown"),
    ]
    assert (compared.equal, compared.total, compared.unit) == (1, 4, "output files")


def test_what_is_read_back_is_marked(tmp_path):
    program = "open('a.pt', 'w').write('x'); open('b.pt', 'w').write('x')"
    uses = (wrote_then_read(tmp_path / "a.pt"), wrote(tmp_path / "b.pt"))
    found = files(outputs.capture(ran(tmp_path, program, *uses)))
    assert {name: (one["kind"], one.get("read")) for name, one in found.items()} == {
        "a.pt": ("checkpoint", True),
        "b.pt": ("checkpoint", None),
    }
