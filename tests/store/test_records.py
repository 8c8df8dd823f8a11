"""Run folders: made exclusively, written whole, found by any of their names."""

import json
import os
import threading

import pytest

from provenance.core import record
from provenance.core.paths import PathRef
from provenance.core.record import Record
from provenance.errors import AmbiguousRun, BadRecord, NoSuchRun, SystemRefused
from provenance.store import project, records


@pytest.fixture
def place(tmp_path):
    made = project.find(str(tmp_path))
    project.ensure(made)
    return made


def add(place, run_id, **more):
    folder = os.path.join(place.runs, run_id)
    os.mkdir(folder)
    made = Record(run_id, ("true",), PathRef("repo", "."), record.DONE, "2025-01-01", **more)
    records.write(folder, made)
    return made


def test_written_record_is_read_back_equal(place):
    facets = {"code": record.captured(1, {"commit": "abc"}), "data": record.failed(1, "no disk")}
    made = add(place, "20250101T000000Z-aaaaaaaa", facets=facets, labels={"a": "b"})
    assert records.find(place, "aaaa").record == made


def test_unknown_members_and_facets_survive_rewriting(place):
    folder = os.path.join(place.runs, "20250101T000000Z-aaaaaaaa")
    add(place, "20250101T000000Z-aaaaaaaa")
    read = records.read(folder)
    future = {"status": "captured", "version": 9, "subjects": [{"id": "run", "payload": {"x": 1}}]}
    document = dict(record.to_json(read), novelty={"from": "the future"})
    document["facets"]["novel"] = future
    made = record.from_json(document)
    records.write(folder, made)
    with open(os.path.join(folder, "record.json")) as stream:
        again = json.load(stream)
    assert again["novelty"] == {"from": "the future"}
    assert again["facets"]["novel"]["subjects"][0]["payload"] == {"x": 1}


@pytest.mark.parametrize(
    "name", ["20250101T000000Z-abcd1234", "20250101", "abcd", "1234", "@last", "@-1", "mine"]
)
def test_a_run_answers_to_all_its_names(place, name):
    made = add(place, "20250101T000000Z-abcd1234", name="mine")
    assert records.find(place, name).record == made


def test_of_runs_in_one_second_the_last_is_the_one_that_began_last(place):
    for digits, ms in (("cccccccc", "100"), ("aaaaaaaa", "300"), ("bbbbbbbb", "200")):
        run_id = "20250101T000000Z-" + digits
        folder = os.path.join(place.runs, run_id)
        os.mkdir(folder)
        began = "2025-01-01T00:00:00.%s+00:00" % ms
        records.write(folder, Record(run_id, ("true",), PathRef("repo", "."), record.DONE, began))
    found = [records.find(place, name).record.id[-1] for name in ("@last", "@-2", "@-3")]
    assert found == ["a", "b", "c"]
    assert [one.record.id[-1] for one in records.each(place)] == ["c", "b", "a"]


def test_a_short_name_comes_before_an_end_of_an_id(place):
    made = add(place, "20250101T000000Z-11111111", name="a")
    add(place, "20250101T000001Z-2222222a", name="b")
    assert records.find(place, "a").record == made
    assert records.find(place, "222a").record.name == "b"
    assert records.find(place, "2a").record.name == "b"


def test_a_name_given_twice_means_the_newest(place):
    add(place, "20250101T000000Z-aaaaaaaa", name="mine")
    newer = add(place, "20250102T000000Z-bbbbbbbb", name="mine")
    assert records.find(place, "mine").record == newer


def test_ambiguous_names_are_listed(place):
    add(place, "20250101T000000Z-aaaaaaaa")
    add(place, "20250101T000000Z-aaaabbbb")
    with pytest.raises(AmbiguousRun, match=r"2 runs.*aaaaaaaa.*aaaabbbb"):
        records.find(place, "aaaa")


@pytest.mark.parametrize("name", ["zzzz", "@-3", "@0", "@first", ""])
def test_no_such_run(place, name):
    add(place, "20250101T000000Z-aaaaaaaa")
    add(place, "20250101T000000Z-bbbbbbbb")
    with pytest.raises((NoSuchRun, AmbiguousRun)) as caught:
        records.find(place, name)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "record.json:1:1"),
        (b'{"id": 3', "record.json:1:9"),
        (b"[]", "expected a JSON object"),
        (b"\xff\xfe", "byte 0 is not UTF-8"),
        (b'{"schema": "prov/record/1"}', "seal"),
        (b"[" * 100_000, "corrupt"),
    ],
)
def test_corrupt_record_is_one_sentence_with_the_place(place, content, says):
    add(place, "20250101T000000Z-aaaaaaaa")
    path = os.path.join(place.runs, "20250101T000000Z-aaaaaaaa", "record.json")
    with open(path, "wb") as stream:
        stream.write(content)
    with pytest.raises(BadRecord) as caught:
        records.find(place, "aaaa")
    assert says in caught.value.message
    assert "\n" not in caught.value.message


def test_a_changed_value_breaks_the_seal(place):
    add(place, "20250101T000000Z-aaaaaaaa")
    path = os.path.join(place.runs, "20250101T000000Z-aaaaaaaa", "record.json")
    with open(path) as stream:
        text = stream.read()
    with open(path, "w") as stream:
        stream.write(text.replace('"true"', '"false"'))
    with pytest.raises(BadRecord, match="changed after it was closed"):
        records.find(place, "aaaa")


def test_a_corrupt_run_does_not_hide_the_others(place):
    add(place, "20250101T000000Z-aaaaaaaa")
    add(place, "20250101T000000Z-bbbbbbbb")
    with open(os.path.join(place.runs, "20250101T000000Z-aaaaaaaa", "record.json"), "w") as stream:
        stream.write("{")
    kinds = [type(one).__name__ for one in records.each(place)]
    assert kinds == ["Unreadable", "Stored"]


def test_folders_made_at_once_are_all_different(place):
    made = []
    threads = [
        threading.Thread(target=lambda: made.append(records.create(place, 1.7e9)[0]))
        for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 40
    assert sorted(made) == records.ids(place)


def test_a_full_disk_leaves_the_old_record_whole(place, monkeypatch):
    made = add(place, "20250101T000000Z-aaaaaaaa")
    folder = os.path.join(place.runs, made.id)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SystemRefused, match="No space left"):
        records.write(folder, made._replace(status=record.RUN_FAILED))
    monkeypatch.undo()
    assert records.read(folder) == made
    assert os.listdir(folder) == ["record.json"]
