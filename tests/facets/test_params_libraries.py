"""Parameters as real libraries hand them over: one tiny script for each of them, run for real."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from provenance.agent import launch
from tests.conftest import Prov, git
from tests.facets._paramscripts import CASES, Case
from tests.facets._venvs import venv

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(600)]

REQUIREMENTS = (
    "click typer absl-py fire jsonargparse[signatures] hydra-core tyro simple-parsing "
    "ConfigArgParse docopt scikit-learn lightgbm statsmodels"
).split()

FAILING = frozenset("absl click jsonargparse tyro".split())
"""Those that are also run with a wrong word: the traceback or message must be the same."""


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    return venv(tmp_path_factory.mktemp("params") / "venv", *REQUIREMENTS)


@pytest.fixture(autouse=True)
def _bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)


def written(folder: Path, case: Case) -> Path:
    for name, text in {"t.py": case.text, **case.files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "init", "-q", "-b", "main")
    return folder


@pytest.mark.parametrize("name", sorted(CASES))
def test_what_a_library_was_given(name: str, python: str, tmp_path: Path) -> None:
    case = CASES[name]
    prov = Prov(written(tmp_path, case))
    prov("run", "--", python, "t.py", *case.words)
    values: dict[str, Any] = prov.payload("params")["values"]
    found = {
        key: tuple(
            values.get(key, {}).get(part) for part in ("value", "default", "given", "source")
        )
        for key in case.expected
    }
    assert found == case.expected
    assert not set(case.absent) & set(values)


@pytest.mark.parametrize("name", sorted(CASES))
def test_nothing_is_seen_of_the_hook(name: str, python: str, tmp_path: Path) -> None:
    case = CASES[name]
    folder = written(tmp_path, case)
    agent = tmp_path / "agent"
    agent.mkdir()
    # The text tells everything: random streams, warnings, tracebacks, the order of what is printed.
    tail = "\nimport random; print(random.getstate()[1][:3] if random.seed(1) is None else 0)\n"
    (folder / "t.py").write_text(case.text + tail)
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("PROV_", "PYTHONPATH"))}
    hooked = launch.hooked_environment(bare, str(agent))
    ran = [
        subprocess.run(
            [python, "t.py", *words],
            cwd=folder,
            env=environ,
            capture_output=True,
            check=False,
            timeout=120,
        )
        for environ in (bare, hooked)
        for words in ((case.words, ("--no-such-option",)) if name in FAILING else (case.words,))
    ]
    results = [(one.returncode, _steady(one.stdout), _steady(one.stderr)) for one in ran]
    half = len(results) // 2
    assert results[0][0] == 0, results[0][2]
    assert results[:half] == results[half:]
    assert list(agent.glob("*.log"))


def _steady(text: bytes) -> bytes:
    """Return what was printed without the time of day, which hydra's log lines have."""
    return re.sub(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+", b"TIME", text)
