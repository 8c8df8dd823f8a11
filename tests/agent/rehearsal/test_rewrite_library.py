"""Real modules, rewritten: those of the standard library, copied to where the user's own lie."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.agent import _hook
from tests.agent.rehearsal import _runs

SCRIPT = Path(__file__).parent / "same" / "library.txt"
COPIED = re.findall(r"^import own_(\w+)", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)


def standard_library(python):
    """Return the folder of an interpreter's standard library."""
    code = "import os; print(os.path.dirname(os.__file__))"
    return subprocess.check_output([python, "-c", code], text=True).strip()


ALSO = [pytest.param(one, marks=pytest.mark.slow) for one in ("3.8", "3.11", "3.12")]


@pytest.mark.parametrize("version", ["3.7", "3.13", *ALSO])
def test_modules_of_the_standard_library_work_the_same_rewritten(version, tmp_path):
    python = _hook.python_of(version)
    folder = tmp_path / "w"
    folder.mkdir()
    for name in COPIED:
        there = os.path.join(standard_library(python), name)
        if os.path.isdir(there):
            shutil.copytree(there, folder / ("own_" + name))
        else:
            shutil.copy(there + ".py", folder / ("own_%s.py" % name))
    shutil.copy(SCRIPT, folder / "s.py")
    seed = {"PYTHONHASHSEED": "0"}
    plain = _runs.plain(python, folder, ["s.py"], **seed)
    done = _runs.rehearsed(python, folder, environ=seed)
    assert (plain.code, plain.err) == (0, "")
    assert not done.tape.failed
    assert done.out.splitlines() == plain.out.splitlines()
    assert len({site.path for site in done.tape.sites.values()}) > len(COPIED)
