"""Asking an interpreter what it is, from outside and without installing anything into it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from typing import Any, Dict, Mapping, NamedTuple

from provenance.agent import _processes, inventory_probe
from provenance.agent.launch import SITE, unhooked_environment
from provenance.core.context import Interpreter
from provenance.errors import SystemRefused

LIMIT_S = 30.0
"""Seconds that an interpreter gets to answer; a cold network file system may need several."""
_LAST = 300
"""Characters of its complaints that are shown."""


class _Answer(NamedTuple):
    code: int
    output: str
    complaints: str


def probe(
    python: str, environ: Mapping[str, str], cwd: str, limit_s: float = LIMIT_S
) -> Interpreter:
    """Return the interpreter ``python`` as a script in ``cwd`` would find it.

    PYTHONPATH and the user's site-packages count, as they would in a run. Raises `SystemRefused`
    where ``python`` is not there, no Python of 3.6 or later, crashes, or takes over ``limit_s``.
    """
    answer = _ask(python, environ, cwd, limit_s)
    told = _told(answer.output)
    if told is None:
        raise SystemRefused(
            "%s is not a Python interpreter, or it fails: %s" % (python, _why(answer))
        )
    if "prefix" not in told:
        version = str(told.get("version", "")).partition(" ")[0]
        raise SystemRefused("%s is Python %s; 3.6 or later is needed." % (python, version))
    return _processes.of_facts(told, SITE)


def _ask(python: str, environ: Mapping[str, str], cwd: str, limit_s: float) -> _Answer:
    script = os.path.abspath(inventory_probe.__file__)
    clean = unhooked_environment(environ)
    # Files rather than pipes: a grandchild that keeps a pipe open could make us wait for it.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaints:
        try:
            process = subprocess.Popen(
                [_found(python, clean, cwd), script],
                cwd=cwd,
                env=clean,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=complaints,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise SystemRefused("%s cannot be started: %s." % (python, why)) from error
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired as error:
            raise SystemRefused("%s did not answer in %g s." % (python, limit_s)) from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return _Answer(code, _text(out), _text(complaints))


def _found(python: str, environ: Mapping[str, str], cwd: str) -> str:
    """Return the program meant by ``python``: on the command's PATH, or relative to ``cwd``."""
    if os.sep in python:
        return os.path.join(cwd, python)
    return shutil.which(python, path=environ.get("PATH")) or python


def _text(stream: Any) -> str:
    stream.seek(0)
    text: str = stream.read(1 << 22).decode("utf-8", "replace")
    return text


def _told(output: str) -> Any:
    """Return what stands after the last mark: others may print as well while Python starts."""
    _, mark, rest = output.rpartition(inventory_probe.MARK)
    try:
        told: Dict[str, Any] = json.loads(rest.partition("\n")[0]) if mark else {}
    except ValueError:
        return None
    return told or None


def _why(answer: _Answer) -> str:
    lines = [line.strip() for line in answer.complaints.splitlines() if line.strip()]
    if lines:
        return lines[-1][:_LAST]
    if answer.code < 0:
        return "it was killed by signal %d." % -answer.code
    return "it ended with %d and did not answer." % answer.code
