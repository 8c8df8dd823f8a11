"""A known change that cannot be read is one sentence with its file and line."""

import json

import pytest

from provenance.errors import BadRecord
from provenance.knowledge import catalog
from provenance.operations import measuring

GOOD = {
    "id": "one",
    "packages": ["widgets"],
    "changed_in": "2.0",
    "symbols": ["widgets.Smoother"],
    "what": "default",
    "old": "1",
    "new": "2",
    "effect": "other numbers",
    "certainty": "known",
    "source": {"title": "notes"},
}


def written(folder, **changed):
    (folder / "one.json").write_text(json.dumps({**GOOD, **changed}, indent=1))
    return folder


def test_a_whole_entry_is_read(tmp_path):
    assert [one.id for one in catalog.load(str(written(tmp_path)))] == ["one"]


@pytest.mark.parametrize(
    ("changed", "line", "says"),
    [
        ({"certainty": "sure"}, 14, "certainty is 'sure'"),
        ({"changed_in": "two"}, 1, "not a version: two"),
        ({"colour": "red"}, 18, "unknown members ['colour']"),
        ({"symbols": "widgets"}, 7, "symbols"),
        ({"id": "two"}, 2, "the entry calls itself 'two'"),
    ],
    ids=["certainty", "version", "member", "shape", "id"],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, changed, line, says):
    with pytest.raises(catalog.BadEntry) as caught:
        catalog.load(str(written(tmp_path, **changed)))
    place, _, why = str(caught.value).partition(": ")
    assert place == "%s:%d" % (tmp_path / "one.json", line)
    assert says in why


def test_what_is_no_json(tmp_path):
    (tmp_path / "one.json").write_text('{\n "id": "one",\n oops\n}')
    with pytest.raises(catalog.BadEntry, match=r"one\.json:3: "):
        catalog.load(str(tmp_path))


def test_commands_say_it_in_one_sentence(tmp_path, monkeypatch):
    real, folder = catalog.load, str(written(tmp_path, certainty="sure"))
    monkeypatch.setattr(catalog, "load", lambda: real(folder))
    with pytest.raises(BadRecord) as caught:
        measuring.entries({})
    assert "one.json:14: " in caught.value.message
