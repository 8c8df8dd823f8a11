"""Hashes by pip-tools, for those who trust pip alone: slower than uv by far, and just as exact.

pip-tools resolves for the Python that it runs in, so it can only lock what ran in the same minor
release. It runs as a process of its own: importing it takes seconds.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping

from provenance.environments.wanted import Wanted
from provenance.errors import SystemRefused, missing_extra

LIMIT_S = 1800.0
"""Seconds that pip-compile gets: 64 pins took 23 s of CPU time and minutes of waiting."""


def compile_pins(wanted: Wanted, environ: Mapping[str, str], cwd: str) -> tuple[str, str]:
    """Return name and version of pip-tools, and what pip-compile wrote for the pins of ``wanted``.

    Raises `MissingExtra` without pip-tools, `SystemRefused` where it fails.
    """
    if importlib.util.find_spec("piptools") is None:
        raise missing_extra("--locker pip-tools", "lock")
    minor = ".".join(wanted.python.split(".")[:2])
    own = "%d.%d" % sys.version_info[:2]
    if minor != own:
        text = "pip-tools locks for the Python that it runs in, which is %s here; the run had %s."
        raise SystemRefused(text % (own, minor), "--locker uv, or a prov that runs in that Python")
    with tempfile.TemporaryDirectory(prefix="prov-lock-") as folder:
        source = os.path.join(folder, "requirements.in")
        target = os.path.join(folder, "requirements.txt")
        with open(source, "w", encoding="utf-8") as stream:
            stream.write("".join("%s\n" % one for one in wanted.requirements))
        words = "compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header"
        words += " --no-annotate --no-emit-index-url --no-emit-trusted-host --no-config"
        done = _run([*words.split(), "--output-file", target, source], environ, cwd)
        if done.returncode:
            raise SystemRefused("pip-compile could not lock: %s." % _last_line(done.stderr))
        with open(target, encoding="utf-8") as stream:
            text = stream.read()
    said = _run(["compile", "--version"], environ, cwd).stdout.split()
    return "pip-tools %s" % (said[-1] if said else ""), text


def _run(
    words: list[str], environ: Mapping[str, str], cwd: str
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [sys.executable, "-m", "piptools", *words],
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SystemRefused("pip-compile did not run: %s." % error) from error


def _last_line(text: str) -> str:
    """Return the line of pip's complaints that says what is wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("ERROR:")]
    chosen = (told or lines or ["it did not say why"])[-1]
    return chosen.partition("ERROR: ")[2] or chosen
