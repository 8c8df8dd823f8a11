"""Records and locks of every released form stay readable for ever.

Each folder of ``tests/golden`` holds what that version wrote. Nothing in it is ever rewritten: a
change that breaks this test needs an ``upgrade`` in the facet, not a new golden file.
"""

import json
import shutil
from pathlib import Path

import pytest

from provenance import facets
from provenance.core import canonical, record
from provenance.core.record import CAPTURED
from provenance.operations import facts
from provenance.store import lockfile, records
from tests.conftest import Prov

GOLDEN = sorted((Path(__file__).parent / "golden").iterdir())


@pytest.fixture(params=GOLDEN, ids=lambda folder: folder.name)
def golden(request):
    return request.param


def test_the_record_is_read_and_survives_rewriting(golden):
    document = json.loads((golden / "record.json").read_text())
    run = records.read(str(golden))
    again = canonical.seal(canonical.plain(record.to_json(run)))
    assert again == document
    assert run.name == "golden"
    assert run.exit_code == 0


def test_every_facet_still_reads_its_payload(golden):
    run = records.read(str(golden))
    captured = [name for name, answer in run.facets.items() if answer.status == CAPTURED]
    assert len(captured) >= 11
    for name in captured:
        assert facets.load(name).of(run) is not None, name


def test_it_compares_with_itself_as_the_same(golden):
    run = records.read(str(golden))
    compared = facts.compare(run, run)
    assert compared.differences == ()
    assert all(one.equal == one.total for one in compared.facts.values())
    assert compared.facts["packages"].total > 10


def test_the_lock_is_read(golden):
    lock = lockfile.read(str(golden / "prov.lock"))
    assert [run.name for run in lock.runs] == ["golden"]
    assert "code.patch" in lock.blobs[lock.runs[0].id]


def test_the_commands_take_the_lock(golden, tmp_path):
    shutil.copy(golden / "prov.lock", tmp_path)
    prov = Prov(tmp_path)
    data = prov.json("verify", "prov.lock", code=1)
    assert data["verdict"] == "different"
    missing = {f["name"] for f in data["findings"] if f["kind"] == "missing"}
    assert {"train.py", "helper.py"} <= missing
    assert "train.py" in prov("show", "prov.lock").stdout
