"""Every facet keeps the contract of ``facets/_facet.py``."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from provenance import facets
from tests import facet_contract
from tests.facet_contract import SmallRun
from tests.facets._venvs import python_of


def _exists(name: str) -> bool:
    return importlib.util.find_spec("provenance.facets." + name) is not None


EVERY = [
    pytest.param(
        name, marks=() if _exists(name) else pytest.mark.skip(reason="no module for %s yet" % name)
    )
    for name in facets.NAMES
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    return facet_contract.small_run(tmp_path_factory.mktemp("contract") / "project")


@pytest.mark.parametrize("name", EVERY)
def test_has_the_attributes_of_a_facet(name: str) -> None:
    facet_contract.check_attributes(name)


@pytest.mark.parametrize("name", EVERY)
def test_captures_a_run_and_survives_json(name: str, run: SmallRun) -> None:
    facet_contract.check_capture(name, run)


@pytest.mark.parametrize("name", EVERY)
def test_captures_the_present_and_finds_no_alarm_in_it(name: str, run: SmallRun) -> None:
    facet_contract.check_present(name, run)


@pytest.mark.parametrize("name", EVERY)
def test_has_an_answer_when_there_is_nothing(name: str, tmp_path: Path) -> None:
    facet_contract.check_empty(name, tmp_path)


@pytest.mark.parametrize("name", EVERY)
def test_imports_nothing_but_the_standard_library(name: str) -> None:
    code = (
        "import sys; before = set(sys.modules); import provenance.facets.%s\n"
        "tops = {m.partition('.')[0] for m in set(sys.modules) - before}\n"
        "print(sorted(tops - set(sys.stdlib_module_names) - {'provenance'}))" % name
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


OLD = """
import json, sys
from provenance import facets
from provenance.core import canonical, context, digest, paths, record, redact
here = context.Interpreter("python", sys.executable, sys.version.split()[0],
    prefix=sys.prefix, base_prefix=sys.base_prefix, sys_path=tuple(p for p in sys.path if p),
    modules={"json": json.__file__})
facet = facets.load(%r)
for phase in tuple(facet.PHASES) + ("present",):
    roots = paths.Roots(None, %r, "/home/me")
    given = context.Context(phase, roots, ("python", "t.py", "--a", "1"), {"OMP_NUM_THREADS": "1"},
        redact.Redactor(), digest.file_digests, interpreters=(here,))
    try:
        answer = facet.capture(given)
    except (OSError, ValueError):
        continue
    if answer.status == record.CAPTURED:
        back = json.loads(canonical.dumps([s._asdict() for s in answer.subjects]))
        subjects = tuple(record.Subject(**s) for s in back)
        assert not facet.compare(answer, answer._replace(subjects=subjects)).differences
print("good")
"""


@pytest.mark.parametrize("name", EVERY)
def test_works_in_the_oldest_interpreter(name: str, tmp_path: Path) -> None:
    environ = {"PYTHONPATH": str(Path(facets.__file__).parent.parent.parent)}
    done = subprocess.run(
        [python_of("3.7"), "-c", OLD % (name, str(tmp_path))],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "good\n", done.stderr


def test_no_such_facet_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        facets.load("no_such_facet")


def test_every_registered_facet_exists() -> None:
    assert [name for name in facets.NAMES if not _exists(name)] == []


def test_the_facets_of_the_time_before_the_run_are_registered_as_early() -> None:
    found = tuple(name for name in facets.NAMES if "before" in facets.load(name).PHASES)
    assert found == facets.EARLY
