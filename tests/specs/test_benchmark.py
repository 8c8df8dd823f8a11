"""The command that compares what is read of a corpus with what people counted in it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
REQUIREMENTS = "numpy==1.26.4\ntorch>=2\nsklearn\n???\n"
WRONG = {
    "a kind": {"package": {"exact": 2, "range": 1, "name only": 1}},
    "a missing kind": {"python": {"exact": 1}},
    "a fact": {"facts": ["1 numpy ==1.26.5"]},
    "a line": {"facts": ["2 numpy ==1.26.4"]},
    "unread": {"unread": []},
    "complete": {"complete": True},
}


def expected(**changed: Any) -> dict[str, Any]:
    right = {
        "package": {"exact": 1, "range": 1, "name only": 1},
        "facts": ["1 numpy ==1.26.4", "2 torch >=2", "3 sklearn"],
        "unread": [4],
        "complete": False,
    }
    return right | changed


def run(
    tmp_path: Path, truth: dict[str, Any], *words: str, odd: str = "deprecated-alias:sklearn"
) -> subprocess.CompletedProcess[str]:
    repository = tmp_path / "corpus" / "me__paper"
    repository.mkdir(parents=True, exist_ok=True)
    (repository / "requirements.txt").write_text(REQUIREMENTS)
    (repository / "train.py").write_text("import this_is_not_read\n")
    index = {"files": [{"file": "me__paper/requirements.txt", "odd": [odd]}]}
    (tmp_path / "corpus" / "index.open.yaml").write_text(json.dumps(index))
    told = tmp_path / "truth.json"
    told.write_text(json.dumps({"me__paper/requirements.txt": truth, "not__here/x": expected()}))
    return subprocess.run(
        [sys.executable, FOLDER / "specs.py", tmp_path / "corpus", "--truth", told, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_agreement_ends_with_zero(tmp_path: Path) -> None:
    done = run(tmp_path, expected())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "compared: 1 files counted by hand, 1 odd things" in done.stdout
    assert "0 disagreements" in done.stdout


@pytest.mark.parametrize("what", WRONG)
def test_each_disagreement_is_printed_and_ends_with_one(tmp_path: Path, what: str) -> None:
    done = run(tmp_path, expected(**WRONG[what]))
    assert done.returncode == 1, done.stderr
    assert "WRONG me__paper/requirements.txt: " in done.stdout


@pytest.mark.parametrize("odd", ["utf16", "exclusion(!=)", "something-new"])
def test_what_the_index_lists_must_show(tmp_path: Path, odd: str) -> None:
    done = run(tmp_path, expected(), odd=odd)
    assert done.returncode == 1
    assert "the index lists '%s'" % odd in done.stdout


def test_json_is_one_row_for_each_format_and_what_was_compared(tmp_path: Path) -> None:
    told = json.loads(run(tmp_path, expected(), "--json").stdout)
    assert [row["format"] for row in told["formats"]] == ["requirements", "all"]
    assert told["compared"] == {"files": 1, "odd": 1, "wrong": []}
