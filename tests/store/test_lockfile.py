"""prov.lock: written whole, sealed, read by any later version."""

import json

import pytest

from provenance.core import record
from provenance.core.paths import PathRef
from provenance.core.record import Record
from provenance.errors import BadRecord
from provenance.store import lockfile

RUN = Record("20250101T000000Z-aaaaaaaa", ("true",), PathRef("repo", "."), record.DONE, "2025")


def test_round_trip(tmp_path):
    lock = lockfile.Lock((RUN,), ({"id": "x"},), {RUN.id: {"code.patch": "diff"}}, "1")
    path = str(tmp_path / "prov.lock")
    lockfile.write(path, lock)
    assert lockfile.read(path) == lock


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "prov.lock:1:2"),
        ('{"schema": "other/1"}', "schema 'other/1'"),
        ('{"schema": "prov/lock/1", "runs": []}', "seal"),
    ],
)
def test_a_broken_lock_is_one_sentence(tmp_path, content, says):
    path = tmp_path / "prov.lock"
    path.write_text(content)
    with pytest.raises(BadRecord) as caught:
        lockfile.read(str(path))
    assert says in caught.value.message


def test_an_edited_lock_is_noticed(tmp_path):
    path = tmp_path / "prov.lock"
    lockfile.write(str(path), lockfile.Lock((RUN,)))
    document = json.loads(path.read_text())
    document["runs"][0]["status"] = "failed"
    path.write_text(json.dumps(document))
    with pytest.raises(BadRecord, match="changed by hand"):
        lockfile.read(str(path))


def test_the_nearest_lock_above_is_found_but_not_beyond_the_root(tmp_path):
    below = tmp_path / "repo" / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "prov.lock").write_text("")
    root = str(tmp_path / "repo")
    assert lockfile.above(str(below), root) is None
    (tmp_path / "repo" / "prov.lock").write_text("")
    assert lockfile.above(str(below), root) == str(tmp_path / "repo" / "prov.lock")
