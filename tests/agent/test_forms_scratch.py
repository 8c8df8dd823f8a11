"""A value that names the folder of its rehearsal is the same in every rehearsal."""

import json
import subprocess
import sys
from pathlib import Path

from provenance.compare import tape as tapes
from tests.agent import _hook

RUNNER = Path(__file__).parents[2] / "src/provenance/agent/rehearsal/_prov_rehearse.py"
SCRIPT = """\
import os, pathlib, tempfile
here = os.path.dirname(os.path.abspath(__file__))
found = pathlib.Path(here).resolve()
text = "saved to %s" % os.path.join(os.getcwd(), "out.csv")
"""


def _forms_in(folder: Path) -> list[str]:
    """Rehearse in ``folder``/tree as `operations.rehearse` does, and return the forms noted."""
    tree, wrote = folder / "tree", folder / "tmp" / "prov-1"
    tree.mkdir(parents=True)
    wrote.mkdir(parents=True)
    (tree / "s.py").write_text(SCRIPT)
    told = {"tape": str(wrote / "tape"), "argv": [], "own": [str(tree)], "top": str(tree)}
    told.update(limit_s=60, loop_s=60.0, script=str(tree / "s.py"))
    (wrote / "settings.json").write_text(json.dumps(told))
    words = [sys.executable, str(RUNNER), str(wrote / "settings.json")]
    environ = _hook.plain_environment()
    subprocess.run(words, cwd=tree, env=environ, capture_output=True, timeout=120, check=True)
    tape = tapes.read((wrote / "tape").read_text().splitlines())
    assert tape.operations
    return sorted(json.dumps(one) for one in tape.forms.values())


def test_the_folder_of_a_rehearsal_shows_in_no_form(tmp_path: Path) -> None:
    one, other = _forms_in(tmp_path / "a1-x"), _forms_in(tmp_path / "a1-yy")
    assert one == other
    assert any("<scratch>/tree" in text for text in one)
