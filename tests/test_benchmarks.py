"""The benchmarks run and report in the form they promise. What they measure is not judged here."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"
QUICK = {
    "startup": [],
    "checkpoints": ["safetensors", "hdf5", "--size", "32"],
    "overhead": ["--scale", "0.01"],
    "lineage": ["--records", "30", "--files", "6"],
    "live": ["--lines", "300", "--seconds", "0.3"],
    "many_files": ["--files", "300"],
    "hook": ["--files", "300"],
    "series": ["--steps", "5000"],
    "stated": [],
    "digests": ["--files", "300", "--size", "20000000", "--without", "dvc,git-annex"],
    "trace": ["--files", "300", "--programs", "20"],
}


def run(name, *words):
    """Run a benchmark once; 1 is a missed budget, which is not this test's business."""
    if name == "trace" and shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    done = subprocess.run(
        [sys.executable, FOLDER / ("%s.py" % name), "-n", "1", *QUICK[name], *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize("name", sorted(QUICK))
def test_json_says_what_was_measured_and_whether_it_passed(name):
    done = run(name, "--json")
    document = json.loads(done.stdout)
    judged = [one for one in document["figures"] if one["budget"] is not None]
    assert judged or name == "overhead"  # its budgets are for trainings, which need libraries
    for one in document["figures"]:
        assert one["min"] <= one["median"] <= one["max"]
        assert one["n"] == 1
        assert one["passed"] == (one["budget"] is None or one["median"] <= one["budget"])
    assert document["passed"] == all(one["passed"] for one in judged)
    assert done.returncode == (0 if document["passed"] else 1)


def test_the_table_names_budget_and_judgement():
    text = run("startup").stdout
    assert "budget" in text
    assert re.search(r"<= 8  (pass|MISSED)$", text, re.MULTILINE)


def test_a_command_that_fails_stops_the_benchmark():
    done = subprocess.run(
        [sys.executable, FOLDER / "startup.py", "-n", "1", "--python", "/bin/false"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ended with 1" in done.stderr


def test_the_table_of_specs_counts_what_was_read(tmp_path):
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "requirements.txt").write_text("numpy==1.19.5\nscipy>=1.5\ntorch\n")
    (tmp_path / "repo" / "notes.txt").write_text("nothing")
    done = subprocess.run(
        [sys.executable, FOLDER / "specs.py", tmp_path, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    one, whole = json.loads(done.stdout)["formats"]
    assert (one["format"], whole["format"]) == ("requirements", "all")
    assert (one["files"], one["exact"], one["range"], one["name only"]) == (1, 1, 1, 1)
    assert (one["unread"], one["errors"]) == (0, 0)
