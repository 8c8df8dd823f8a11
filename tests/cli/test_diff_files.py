"""``prov diff`` of files, folders and outputs of runs, as people type it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest

from tests.conftest import Prov, git

OLD = {"acc": 0.9, "n": 3, "time": 1.5}


@pytest.fixture
def two(loose: Prov) -> Prov:
    (loose.folder / "a.json").write_text(json.dumps(OLD))
    (loose.folder / "b.json").write_text(json.dumps({**OLD, "acc": 0.8}))
    (loose.folder / "near.json").write_text(json.dumps({**OLD, "acc": 0.9 + 1e-9, "time": 7}))
    return loose


def test_the_verdict_comes_first_and_is_the_exit_code(two: Prov) -> None:
    said = two("diff", "a.json", "b.json", code=1).stdout.splitlines()
    assert said == [
        "DIFFERENT: 1 of 3 values differ, the first at acc (exit 1)  a.json  vs  b.json",
        "  acc  different: 0.9 -> 0.8",
        "compared: 3 values (values); tolerance: rtol 1e-06 (default)",
    ]
    said = two("diff", "a.json", "near.json").stdout
    assert said.startswith("WITHIN TOLERANCE: 1 value within tolerance; differs only in times")
    assert two("diff", "a.json", "a.json").stdout.startswith("SAME: the same bytes (exit 0)")
    said = two("diff", "a.json", "b.json", "--rtol", "0.2").stdout
    assert "tolerance: rtol 0.2 (command line)" in said
    assert two("diff", "a.json", "near.json", "--ulp", "0", code=1)


def test_json_and_markdown_say_the_same(two: Prov) -> None:
    data = two.json("diff", "a.json", "b.json", code=1)
    assert data["verdict"] == "different"
    assert data["parts"] == [
        {
            "name": "acc",
            "verdict": "different",
            "detail": "0.9 -> 0.8",
            "figures": {"abs": pytest.approx(0.1), "rel": pytest.approx(1 / 9)},
        }
    ]
    assert data["reference"] == {
        "kind": "file",
        "given": "a.json",
        "path": str(two.folder / "a.json"),
        "run": None,
    }
    said = two("diff", "a.json", "b.json", "--markdown", code=1).stdout
    assert "## prov diff: DIFFERENT" in said
    assert "| acc | different | 0.9 -\\> 0.8 |" in said


def test_twenty_parts_and_all_with_v(two: Prov) -> None:
    for name, shift in (("x.json", 0), ("y.json", 1)):
        (two.folder / name).write_text(json.dumps([n + shift for n in range(50)]))
    said = two("diff", "x.json", "y.json", code=1).stdout
    assert "... and 30 more (-v)" in said
    assert len(two("diff", "x.json", "y.json", "-v", code=1).stdout.splitlines()) == 52


def test_files_of_other_forms_hold_the_same(two: Prov) -> None:
    (two.folder / "a.yaml").write_text("acc: 0.9\nn: 3\ntime: 9\n")
    assert two("diff", "a.json", "a.yaml")
    numpy.save(two.folder / "w.npy", numpy.arange(4.0))
    said = two("diff", "a.json", "w.npy", code=1).stdout
    assert "one is of the kind values, the other tensors" in said


def test_what_cannot_be_compared_is_said_in_a_sentence(two: Prov) -> None:
    for words, code, part in (
        (["nope", "a.json"], 4, "there is no file and no run nope"),
        (["nope.json", "a.json"], 4, "there is no file and no run nope.json"),
        ([".", "a.json"], 2, "is a folder and a.json is a file"),
        (["a.json", "b.json", "--rtol", "-1"], 2, "rtol must be a number of at least 0"),
        (["/dev/null", "a.json"], 2, "neither a file nor a folder"),
    ):
        assert part in two("diff", *words, code=code).stderr
    (two.folder / "broken.json").write_text("{")
    said = two("diff", "a.json", "broken.json", code=1).stdout
    assert "the second is not readable as JSON" in said


def test_folders_by_name_then_by_content_and_series(two: Prov) -> None:
    for side, shift in (("A", 0), ("B", 1)):
        top = two.folder / side
        (top / "sub").mkdir(parents=True)
        for step in range(5):
            value = step + (shift if step >= 3 else 0)
            numpy.save(top / ("step_%d.npy" % step), numpy.full(3, value))
        (top / "sub" / ("old.txt" if side == "A" else "new.txt")).write_text("the same\n")
        (top / ("only%s.txt" % side)).write_text(side)
    said = two("diff", "A", "B", code=1).stdout
    assert said.startswith("DIFFERENT: 8 files: 4 same, 4 different (exit 1)")
    assert "sub/old.txt  same: now sub/new.txt" in said
    assert "onlyA.txt  different: only in A" in said
    assert "onlyB.txt  different: only in B" in said
    assert "series step_N.npy: apart from step_3.npy on, equal up to step_2.npy" in said
    data = two.json("diff", "A", "B", code=1)
    assert {one["path"]["path"]: one["verdict"] for one in data["files"]}["step_3.npy"] == (
        "different"
    )


def test_outputs_of_runs_against_files(prov: Prov) -> None:
    for lr in ("0.1", "0.2"):
        prov("run", "--name", "lr" + lr, "--", sys.executable, "train.py", "--lr", lr)
        (prov.folder / ("kept%s.json" % lr)).write_bytes(
            (prov.folder / "metrics.json").read_bytes()
        )
    said = prov("diff", "lr0.2:metrics.json", "kept0.1.json", code=1).stdout
    assert "loss  different" in said
    assert prov("diff", "lr0.2:metrics.json", "kept0.2.json").stdout.startswith("SAME")
    # The first run's metrics were overwritten: its digest is all that is left.
    said = prov("diff", "lr0.1:metrics.json", "kept0.1.json").stdout
    assert said.startswith("SAME: the same digest; the content of lr0.1:metrics.json")
    said = prov("diff", "lr0.1:metrics.json", "kept0.2.json", code=1).stdout
    assert "is not at hand" in said
    data = prov.json("diff", "lr0.2:metrics.json", "kept0.1.json", code=1)
    assert data["reference"]["kind"] == "output"
    (prov.folder / "kept.txt").write_text("x")
    failed = prov("diff", "lr0.2", "kept.txt", code=2).stderr
    assert "lr0.2 means a run and kept.txt a file" in failed
    failed = prov("diff", "lr0.2:none.txt", "kept0.1.json", code=4).stderr
    assert "has no file none.txt" in failed
    assert "metrics.json" in failed


def test_a_name_that_is_a_run_and_a_file(prov: Prov) -> None:
    for name in ("one", "two"):
        prov("run", "--name", name, "--", sys.executable, "train.py")
        (prov.folder / name).write_text("file %s\n" % name)
    said = prov("diff", "one", "two")
    assert "results: SAME" in said.stdout
    assert "one is a run and a file: the run is meant; write ./one for the file" in (
        said.stdout + said.stderr
    )
    said = prov("diff", "./one", "./two", code=1).stdout
    assert said.startswith("DIFFERENT: 1 of 1 lines differ")


def test_two_runs_exit_with_1_only_where_that_is_asked_for(prov: Prov) -> None:
    for lr in ("0.1", "0.2"):
        prov("run", "--name", "lr" + lr, "--", sys.executable, "train.py", "--lr", lr)
    assert prov("diff", "lr0.1", "lr0.2").returncode == 0
    assert prov("diff", "lr0.1", "lr0.2", "--exit-code", code=1)
    assert prov("diff", "lr0.1", "lr0.1", "--exit-code", code=0)


def _table(count: int) -> list[str]:
    return ["%d,%d.5,%s\n" % (n, n * 7 % 97, "abc"[n % 3]) for n in range(count)]


SCRIPT = "import csv\nprint('rows', len(list(csv.reader(open('train.csv')))))\n"


def test_data_that_differs_is_explained(prov: Prov) -> None:
    rows = _table(1280)
    table: Path = prov.folder / "train.csv"
    (prov.folder / "count.py").write_text(SCRIPT)
    table.write_text("id,x,label\n" + "".join(rows))
    git(prov.folder, "add", ".")
    git(prov.folder, "commit", "-q", "-m", "data")
    prov("run", "--name", "whole", "--", sys.executable, "count.py")
    table.write_text("id,x,label\n" + "".join(rows[:63] + rows[95:]))
    said = prov("verify", "whole", code=1).stdout
    wanted = "train.csv: 1,280 -> 1,248 rows: rows 64-95 are missing (by id)"
    assert wanted in said
    prov("run", "--name", "cut", "--", sys.executable, "count.py")
    assert wanted in prov("diff", "whole", "cut").stdout
    table.write_text("id,x,label\n")
    # The cut table is neither here nor in git any more: its size is what can be said.
    assert "bytes when recorded" in prov("diff", "whole", "cut").stdout


def test_parts_of_outputs_are_in_the_json_of_two_runs(prov: Prov) -> None:
    script: Any = "import json, sys; json.dump({'a': int(sys.argv[1])}, open(sys.argv[2], 'w'))"
    for value in ("1", "2"):
        name = "out%s.json" % value
        prov("run", "--name", "v" + value, "--", sys.executable, "-c", script, value, name)
    data = prov.json("diff", "v1", "v2")
    (one,) = data["results"]["outputs"]
    assert one["detail"].endswith("1 of 1 values differ, the first at a")
    assert one["content"] == "values"
    assert one["parts"][0]["detail"] == "1 -> 2"
    assert "a  different: 1 -> 2" in prov("diff", "v1", "v2").stdout
