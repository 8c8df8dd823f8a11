"""Run real interpreters with and without the hook, and read what it saw."""

import glob
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from provenance.agent import launch
from provenance.agent.read import Reader
from provenance.core.redact import Redactor

VERSIONS = ["3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13"]
AUDITED = VERSIONS[1:]


def python_of(version):
    """Return an interpreter of this version; skips where there is none."""
    found = sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/%s.*/bin/python" % version)))
    python = found[-1] if found else shutil.which("python" + version)
    if python is None:
        pytest.skip("no Python %s here" % version)
    return python


class Seen(NamedTuple):
    """A finished process and what the hook saw. names: of files, relative to the folder."""

    code: int
    out: bytes
    err: bytes
    observed: object
    interpreters: tuple
    folder: Path

    def uses(self):
        """Return how files below the folder were used: {name: "r", "w", "rw" or "wr"}."""
        found = {}
        for use in self.observed.files:
            if use.path.startswith(str(self.folder) + "/"):
                both = {"r": "rw", "w": "wr"}[use.first] if use.read and use.written else use.first
                found[use.path[len(str(self.folder)) + 1 :]] = both
        return found


def plain_environment(**more):
    """Return this environment without what would reach the interpreter under test."""
    dropped = ("PYTHONPATH", "PROV_", "PYTHONHASHSEED", "PYTHONWARNINGS", "COV_", "COVERAGE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
    return dict(kept, **more)


def run(argv, folder, environ):
    """Run a command to its end; bytes out."""
    return subprocess.run(
        argv,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )


def observe(argv, folder, redact=None, agent=None, **environ):
    """Run ``argv`` in ``folder`` with the hook."""
    agent = agent or folder.parent / ("agent of " + folder.name)
    agent.mkdir(exist_ok=True)
    reader = Reader(str(agent), redact or Redactor())
    hooked = launch.hooked_environment(plain_environment(**environ), str(agent))
    done = run(argv, folder, hooked)
    reader.poll()
    interpreters, observed = reader.interpreters(), reader.observations()
    return Seen(done.returncode, done.stdout, done.stderr, observed, interpreters, folder)


def script(folder, text, name="script.py"):
    """Write a script that finds ``in.txt`` in its folder; return its name."""
    (folder / name).write_text(text)
    (folder / "in.txt").write_text("1\n")
    return name
