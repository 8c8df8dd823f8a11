"""Receipts: how somebody's replay of a published run came out, counted where it is verified."""

import json
import os

import pytest

from tests.conftest import PYTHON


@pytest.fixture
def published(prov):
    """Return the command line where a run is published."""
    prov("run", "--", PYTHON, "train.py")
    prov("lock", "@last")
    return prov


def receipts(prov):
    folder = prov.folder / "prov-receipts"
    return sorted(folder.glob("*.json")) if folder.exists() else []


def notes(prov):
    return " ".join(prov.json("verify", code=None)["references"][0]["notes"])


def test_a_receipt_is_written_and_counted(published):
    assert "replayed" not in notes(published)
    done = published("replay", "prov.lock", "--yes", "--receipt")
    (path,) = receipts(published)
    assert "wrote prov-receipts" in done.stdout
    told = json.loads(path.read_text())
    assert told["schema"] == "prov/receipt/1"
    assert told["verdict"] == "same"
    assert {m["verdict"] for m in told["metrics"]} == {"same"}
    assert "replayed by others: 1, of which 1 came out the same" in notes(published)
    published("replay", "prov.lock", "--yes", "--receipt")
    assert "replayed by others: 2, of which 2" in notes(published)


def test_a_receipt_names_nobody(published):
    published("replay", "prov.lock", "--yes", "--receipt")
    text = receipts(published)[0].read_text()
    for word in (os.uname().nodename, os.path.expanduser("~"), str(published.folder)):
        assert word not in text


def test_a_forged_one_does_not_count(published):
    published("replay", "prov.lock", "--yes", "--receipt")
    (path,) = receipts(published)
    told = json.loads(path.read_text())
    path.write_text(json.dumps(dict(told, verdict="different")))
    assert "is no sound receipt" in notes(published)
    assert "replayed by others" not in notes(published)
    path.write_text("{")
    assert "replayed by others" not in notes(published)


def test_one_of_another_record_does_not_count(published):
    published("replay", "prov.lock", "--yes", "--receipt")
    published("run", "--", PYTHON, "train.py")
    published("lock", "@last")
    assert "replayed by others" not in notes(published)


def test_only_a_published_run_has_one(published):
    done = published("replay", "@last", "--yes", "--receipt", code=2)
    assert "only the replay of a published run" in done.stderr
    done = published(
        "replay", "prov.lock", "--yes", "--receipt", "--smoke", "python -c pass", code=2
    )
    assert "no result" in done.stderr
    assert receipts(published) == []
