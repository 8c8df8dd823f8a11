"""Run a script as it is, and as a rehearsal."""

import json
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from provenance.compare import tape as tapes
from tests.agent import _hook

RUNNER = (
    Path(__file__).parents[3] / "src" / "provenance" / "agent" / "rehearsal" / "_prov_rehearse.py"
)


class Ran(NamedTuple):
    """A finished process, and the tape where it was a rehearsal."""

    code: int
    out: str
    err: str
    tape: tapes.Tape = tapes.Tape()


def plain(python, folder, argv, **environ):
    """Run ``python argv`` in ``folder``."""
    done = _hook.run([python, *argv], folder, _hook.plain_environment(**environ))
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def rehearsed(python, folder, script="s.py", environ=None, **settings):
    """Rehearse a script of ``folder``; ``settings`` as `_prov_rehearse` takes them."""
    kept = folder.parent / (folder.name + "-tape")
    kept.mkdir(exist_ok=True)
    path = kept / "tape"
    if path.exists():
        path.unlink()
    told = {
        "tape": str(path),
        "argv": [],
        "own": [str(folder)],
        "top": str(folder),
        "limit_s": 60,
        "loop_s": 60.0,
    }
    told["script"] = script
    told.update(settings)
    (kept / "settings.json").write_text(json.dumps(told))
    done = subprocess.run(
        [python, str(RUNNER), str(kept / "settings.json")],
        cwd=folder,
        env=_hook.plain_environment(**(environ or {})),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        check=False,
    )
    lines = path.read_text().splitlines() if path.exists() else []
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode(), tapes.read(lines))


def called(tape):
    """Return the callees on a tape."""
    return [one.callee for one in tape.operations if one.callee]


def write(folder, **files):
    """Write modules by name."""
    os.makedirs(folder, exist_ok=True)
    for name, text in files.items():
        (folder / (name + ".py")).write_text(text)
    return folder
