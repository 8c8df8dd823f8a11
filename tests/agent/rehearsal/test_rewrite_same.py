"""Rewritten modules do, print and raise what they do as they stand."""

import json
import shutil
from pathlib import Path

import pytest

from tests.agent import _hook
from tests.agent.rehearsal import _runs

SNIPPETS = Path(__file__).parent / "same"
FEWEST = {"3.7": 5, "3.8": 6, "3.10": 7, "3.11": 8, "3.12": 9, "3.13": 9}


@pytest.mark.parametrize("version", sorted(FEWEST))
def test_what_python_offers_works_the_same_rewritten(version, tmp_path):
    python = _hook.python_of(version)
    folder = tmp_path / "w"
    folder.mkdir()
    shutil.copy(SNIPPETS / "driver.py", folder / "s.py")
    for one in SNIPPETS.glob("at_*.txt"):
        shutil.copy(one, folder / (one.stem + ".py"))
    seed = {"PYTHONHASHSEED": "0"}
    as_it_is = json.loads(_runs.plain(python, folder, ["s.py"], **seed).out)
    done = _runs.rehearsed(python, folder, environ=seed)
    rewritten = json.loads(done.out)
    assert len(as_it_is) >= FEWEST[version]
    assert sorted(rewritten) == sorted(as_it_is)
    for name, (said, failed) in as_it_is.items():
        assert rewritten[name][0].splitlines() == said.splitlines(), name
        assert rewritten[name][1] == failed, name
        expected = ["LookupError", "the end"] if name.endswith("failures") else None
        assert (failed and failed[:2]) == expected, name
    assert len({site.path for site in done.tape.sites.values()}) == len(as_it_is) + 1
    assert done.tape.end == "done"
    assert not done.tape.failed
