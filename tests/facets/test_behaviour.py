"""The call sites of a run: which files are read, what is kept of them."""

from __future__ import annotations

from pathlib import Path

from provenance.core import context
from provenance.core.context import FileUse, Observations
from provenance.core.record import CAPTURED, SKIPPED, captured
from provenance.core.redact import Redactor
from provenance.facets import behaviour
from tests.facet_contract import a_context, a_record, interpreter

TRAIN = """\
import json
import helpers
import numpy as np
from sklearn.cluster import KMeans

x = np.zeros(3)
helpers.load()
json.dumps({})
KMeans(8, password="hunter2hunter2").fit(x)
"""


def sites(folder: Path, **rest: object) -> dict[str, str]:
    """Return the places of the uses by symbol, after a run in ``folder``."""
    answer = behaviour.capture(a_context(folder, context.AFTER, **rest))
    found = behaviour.of(a_record(folder, {behaviour.NAME: answer}))
    assert found is not None
    return {use.symbol: use.where for use in found.sites}


def project(folder: Path) -> None:
    (folder / "train.py").write_text(TRAIN)
    (folder / "helpers.py").write_text("import pandas as pd\ndef load():\n    pd.read_csv('x')\n")


def test_reads_the_script_of_the_command_line_and_what_was_imported(tmp_path: Path) -> None:
    import sys

    project(tmp_path)
    python = interpreter(sys.executable)
    python = python._replace(modules={"helpers": str(tmp_path / "helpers.py")})
    found = sites(tmp_path, interpreters=(python,))
    assert found["sklearn.cluster.KMeans"] == "train.py:9"
    assert found["pandas.read_csv"] == "helpers.py:3"


def test_keeps_libraries_only(tmp_path: Path) -> None:
    project(tmp_path)
    files = (FileUse(str(tmp_path / "helpers.py"), "r", True, False),)
    found = sites(tmp_path, observed=Observations(files=files))
    tops = {symbol.partition(".")[0] for symbol in found}
    assert tops == {"numpy", "sklearn", "pandas"}


def test_does_not_read_the_environments_own_files(tmp_path: Path) -> None:
    import sys

    import yaml

    project(tmp_path)
    python = interpreter(sys.executable)._replace(modules={"yaml": yaml.__file__})
    answer = behaviour.capture(a_context(tmp_path, context.AFTER, interpreters=(python,)))
    assert answer.subjects[0].payload["files"] == 1


def test_secrets_and_large_constants_stay_out(tmp_path: Path) -> None:
    project(tmp_path)
    rows = "np.array(%r)\n" % ([["x" * 60] * 10] * 9)
    (tmp_path / "train.py").write_text(TRAIN + rows)
    answer = behaviour.capture(a_context(tmp_path, context.AFTER, redact=Redactor()))
    text = str(answer)
    assert "hunter2" not in text
    assert "xxxxx" not in text


def test_unreadable_and_old_sources_are_noted(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print 'two'\n")
    answer = behaviour.capture(a_context(tmp_path, context.AFTER))
    assert answer.status == CAPTURED
    assert answer.notes == ("train.py: not Python 3 (line 1)",)


def test_the_cap_keeps_known_symbols(tmp_path: Path) -> None:
    lines = ["import numpy as np", *("x.frobnicate(%d)" % i for i in range(behaviour.MOST_SITES))]
    (tmp_path / "train.py").write_text("\n".join([*lines, "np.zeros(3)"]))
    answer = behaviour.capture(a_context(tmp_path, context.AFTER))
    payload = answer.subjects[0].payload
    assert len(payload["sites"]) == behaviour.MOST_SITES
    assert payload["left_out"] == 2
    assert payload["sites"][-1]["symbol"] == "numpy.zeros"


def test_the_present_is_read_from_the_recorded_files(tmp_path: Path) -> None:
    project(tmp_path)
    used = [
        {"path": {"root": "repo", "path": "train.py"}, "digests": {}},
        {"path": {"root": "repo", "path": "gone.py"}, "digests": {}},
        {"path": {"root": "repo", "path": "../../etc/passwd"}, "digests": {}},
        {"path": "nonsense"},
        {},
    ]
    reference = a_record(tmp_path, {"code": captured(1, {"used": used})})
    answer = behaviour.capture(a_context(tmp_path, reference=reference))
    assert answer.subjects[0].payload["files"] == 1


def test_without_source_there_is_nothing_to_say(tmp_path: Path) -> None:
    answer = behaviour.capture(a_context(tmp_path, context.AFTER, command=("ls",)))
    assert answer.status == SKIPPED
    assert answer.reason == behaviour.NO_SOURCE
