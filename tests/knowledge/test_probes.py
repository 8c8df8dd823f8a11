"""The probes of the entries: their form, and that their results are those of today's scripts.

Running them needs an environment for each release: ``scripts/check_knowledge`` does it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from provenance.core.versions import key
from provenance.knowledge import catalog

ROOT = Path(__file__).resolve().parents[2]


def load() -> Any:
    """Return the program that runs probes."""
    spec = importlib.util.spec_from_file_location("probing", ROOT / "benchmarks" / "knowledge.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["probing"] = module
    spec.loader.exec_module(module)
    return module


PROBING = load()
PROBES = {one.id: one for one in PROBING.probes()}
RESULTS = json.loads(PROBING.RESULTS.read_text(encoding="utf-8"))
ENTRIES = {one.id: one for one in catalog.load()}


def test_an_entry_says_that_it_was_probed_where_it_was() -> None:
    assert {name for name, one in ENTRIES.items() if one.probe} == set(RESULTS)


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_the_result_is_that_of_the_script_and_crosses_the_boundary(name: str) -> None:
    probe, result, entry = PROBES[name], RESULTS[name], ENTRIES[name]
    assert result["script"] == probe.digest
    assert result["old"] != result["new"]
    if entry.packages == ("python",):
        before, after = probe.python
    else:
        package = entry.packages[0]
        before, after = (version_of(package, side) for side in (probe.old, probe.new))
    boundary = key(entry.changed_in[entry.packages[0]])
    assert key(before) < boundary <= key(after), (before, after)


def version_of(package: str, requirements: tuple[str, ...]) -> str:
    pinned = dict(one.split("==") for one in requirements)
    return pinned[package]


def test_the_page_counts_todays_entries() -> None:
    text = PROBING.PAGE.read_text(encoding="utf-8")
    assert text == PROBING.page(text), "python benchmarks/knowledge.py --table"


def test_a_probe_without_its_head_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text("# python: 3.9\nprint(1)\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no new, old"):
        PROBING.read(path)


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed")
def test_a_claim_that_does_not_hold_is_seen(tmp_path: Path) -> None:
    version = "%d.%d" % sys.version_info[:2]
    script = "# python: %s\n# old: six==1.15.0\n# new: six==1.16.0\nimport six\nprint(%s)\n"
    os.environ.setdefault("UV", shutil.which("uv") or "uv")
    path = tmp_path / "x.py"
    path.write_text(script % (version, "six.__version__"), encoding="utf-8")
    assert PROBING.run(PROBING.read(path), tmp_path).problem == ""
    path.write_text(script % (version, "six.PY3"), encoding="utf-8")
    assert "print the same" in PROBING.run(PROBING.read(path), tmp_path).problem
    path.write_text(script % (version, "id(object())"), encoding="utf-8")
    assert "each time" in PROBING.run(PROBING.read(path), tmp_path).problem
