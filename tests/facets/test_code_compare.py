"""The ``code`` facet's comparison: by the files used, with what each difference means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provenance.core import context
from provenance.core.difference import Comparison
from provenance.core.record import Payload, Record
from provenance.facets import code
from tests.operations.restore_helpers import a_context, capture, git, repository, write

COMMAND = ("python", "train.py", "helper.py", "nb.ipynb", "run.sh")
CELLS: dict[str, Any] = {"cells": [{"cell_type": "code", "source": "x = 1", "outputs": []}]}
FILES: dict[str, str | bytes] = {
    "train.py": "import helper\n",
    "helper.py": "def f():\n    return 1\n",
    "nb.ipynb": json.dumps(CELLS),
    "run.sh": "echo\n",
    "unused.py": "x\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", FILES)


@pytest.fixture
def reference(repo: Path, tmp_path: Path) -> Record:
    return capture(repo, tmp_path / "run", command=COMMAND)


def present(repo: Path, reference: Record, **more: Any) -> Payload:
    return code.capture(a_context(repo, None, phase=context.PRESENT, reference=reference, **more))


def compared(repo: Path, reference: Record, **more: Any) -> Comparison:
    return code.compare(reference.facets["code"], present(repo, reference, **more))


def found(comparison: Comparison) -> list[tuple[str, str, str]]:
    return [(d.kind, d.name, d.effect) for d in comparison.differences]


def test_the_same_is_the_same(repo: Path, reference: Record) -> None:
    result = compared(repo, reference)
    assert found(result) == []
    assert (result.equal, result.total, result.unit) == (4, 4, "used files")


def test_comments_and_outputs_have_no_effect(repo: Path, reference: Record) -> None:
    cells = [
        dict(CELLS["cells"][0], outputs=[{"text": "1"}]),
        {"cell_type": "markdown", "source": "t"},
    ]
    write(repo, {"helper.py": '"""Doc."""\ndef f():\n  # note\n  return 1\n',
                 "nb.ipynb": json.dumps({"cells": cells}), "unused.py": "y\n"})  # fmt: skip
    result = compared(repo, reference)
    differences = [d for d in found(result) if d[0] != "changed"]
    assert differences == [("comment", "helper.py", "none"), ("comment", "nb.ipynb", "none")]
    assert (result.equal, result.total) == (2, 4)


def test_content_and_missing_files_break(repo: Path, reference: Record) -> None:
    write(repo, {"helper.py": "def f():\n    return 2\n", "nb.ipynb": json.dumps({"cells": []})})
    (repo / "run.sh").unlink()
    result = compared(repo, reference)
    assert [d for d in found(result) if d[0] != "changed"] == [
        ("content", "helper.py", "broken"),
        ("content", "nb.ipynb", "broken"),
        ("missing", "run.sh", "broken"),
    ]
    assert all(d.where == (d.name,) for d in result.differences if d.kind != "changed")


def test_a_later_commit_is_information(repo: Path, reference: Record) -> None:
    write(repo, {"prov.lock": "{}", "unused.py": "y\n"})
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "publish")
    git(repo, "checkout", "-q", "-b", "other")
    result = compared(repo, reference)
    assert {(d.name, d.effect) for d in result.differences} == {
        ("commit", "none"),
        ("branch", "none"),
    }
    assert result.equal == result.total == 4


def test_nothing_is_written_in_the_present(repo: Path, reference: Record) -> None:
    write(repo, {"train.py": "x\n", "new.py": "x\n"})
    before = sorted(repo.rglob("*"))
    answer = present(repo, reference)
    assert sorted(repo.rglob("*")) == before
    assert answer.subjects[0].payload["dirty"] is True
    assert answer.subjects[0].payload["patch"] is None


def test_no_used_file_is_not_the_same(repo: Path, tmp_path: Path) -> None:
    bare = capture(repo, tmp_path / "run2", command=("true",))
    result = compared(repo, bare)
    assert (result.total, found(result)) == (0, [])
    assert "names no source file" in result.not_compared[0].reason


def test_two_runs_that_used_other_files(repo: Path, tmp_path: Path, reference: Record) -> None:
    other = capture(repo, tmp_path / "run2", command=("python", "train.py", "unused.py"))
    result = code.compare(reference.facets["code"], other.facets["code"])
    assert {(d.kind, d.name, d.effect) for d in result.differences} == {
        ("removed", "helper.py", "unknown"), ("removed", "nb.ipynb", "unknown"),
        ("removed", "run.sh", "unknown"), ("added", "unused.py", "unknown"),
    }  # fmt: skip


def test_a_file_outside_is_found_by_its_module_or_not_compared(repo: Path, tmp_path: Path) -> None:
    write(tmp_path / "a", {"mylib.py": "x = 1\n"})
    python = context.Interpreter(
        "python", "python", "3.11", sys_path=(str(tmp_path / "a"),),
        modules={"mylib": str(tmp_path / "a" / "mylib.py")},
    )  # fmt: skip
    kept = capture(repo, tmp_path / "run", interpreters=(python,))
    (tmp_path / "a").rename(tmp_path / "b")
    gone = compared(repo, kept)
    assert gone.total == 0
    assert "outside" in gone.not_compared[0].reason
    moved = python._replace(sys_path=(str(tmp_path / "b"),))
    assert compared(repo, kept, interpreters=(moved,)).equal == 1


def test_without_time_nothing_is_claimed(repo: Path, tmp_path: Path, reference: Record) -> None:
    late = capture(repo, tmp_path / "run2", command=COMMAND, deadline=0.0)
    assert any("no time" in note for note in late.facets["code"].notes)
    result = code.compare(late.facets["code"], reference.facets["code"])
    assert result.total == 0
    assert len(result.not_compared) == 4
