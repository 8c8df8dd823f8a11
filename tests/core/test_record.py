"""A record survives being written and read, with what this version does not know."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.core import canonical, record
from provenance.core.paths import PathRef
from provenance.core.record import Payload, Process, Record, Subject

BASE = Record("20260101T000000Z-00000001", ("python", "t.py"), PathRef("repo", "."), "done", "2026")
LEAF = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
JSON = st.dictionaries(st.text(max_size=6), LEAF | st.lists(LEAF, max_size=3), max_size=4)
SUBJECT = st.builds(Subject, st.text(max_size=6), JSON, st.none() | st.text(max_size=6))
PAYLOAD = st.builds(
    Payload,
    st.sampled_from([record.CAPTURED, record.SKIPPED, record.FAILED]),
    st.integers(0, 9),
    st.lists(SUBJECT, max_size=2).map(tuple),
    st.text(max_size=8),
)


def again(one: Record) -> Record:
    return record.from_json(json.loads(canonical.dumps(record.to_json(one))))


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=8), PAYLOAD, max_size=3), st.lists(st.text(), max_size=3))
def test_round_trip(facets: dict[str, Payload], command: list[str]) -> None:
    one = BASE._replace(
        facets=facets, command=tuple(command), process=Process(1, "h"), roots={"repo": "/r"}
    )
    assert again(one) == one


def test_unknown_facets_and_members_survive() -> None:
    document = record.to_json(BASE)
    document["facets"] = {"future": {"status": "captured", "version": 7, "subjects": []}}
    document["weather"] = {"rain": True}
    read = record.from_json(document)
    assert read.extra == {"weather": {"rain": True}}
    assert record.to_json(read)["weather"] == {"rain": True}
    assert again(read).facets["future"].version == 7


def test_the_seal_is_no_member() -> None:
    sealed = canonical.seal(record.to_json(BASE))
    assert record.from_json(sealed) == BASE


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "prov/record/2"},
        {"schema": None},
        {"command": "python t.py"},
        {"facets": []},
        {"facets": {"code": {"status": "captured"}}},
        {"cwd": {"root": "repo"}},
        {"exit_code": "0"},
        {"started": None},
    ],
)
def test_what_is_no_record_is_a_value_error(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        record.from_json(dict(record.to_json(BASE), **change))


def test_answers() -> None:
    good = record.captured(2, {"x": (1, 2)}, "host", ("a note",))
    assert good.subjects == (Subject("host", {"x": [1, 2]}),)
    run = record.with_facets(
        BASE, {"a": good, "b": record.skipped(1, "why"), "c": record.failed(1, "how")}
    )
    assert run.payloads("a") == good.subjects
    assert run.payloads("b") == run.payloads("none") == ()
    assert record.missing_facets(run) == [("b", "skipped", "why"), ("c", "failed", "how")]


@pytest.mark.parametrize(("code", "status"), [(None, "interrupted"), (0, "done"), (3, "failed")])
def test_status(code: int | None, status: str) -> None:
    assert record.status_of(code) == status
