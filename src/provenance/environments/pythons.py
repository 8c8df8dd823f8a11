"""Finding a Python of a given version: those of uv and pyenv, on PATH, and of conda."""

from __future__ import annotations

import glob
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from provenance.environments import uv
from provenance.errors import SystemRefused

LIMIT_S = 20.0
"""Seconds that a candidate gets to say its version."""
_ASK = (
    "import json, platform, sys; print(json.dumps([platform.python_version(), "
    "sys.implementation.name, sys.base_prefix]))"
)


class Python(NamedTuple):
    """An interpreter that was found. note: where it is not exactly the version asked for."""

    path: str
    version: str
    note: str = ""


def find(
    version: str,
    environ: Mapping[str, str],
    cwd: str,
    prefer: tuple[str, ...] = (),
    implementation: str = "cpython",
) -> Python:
    """Return an interpreter of ``version``, else of the same minor release. Raises `SystemRefused`.

    prefer: interpreters to try before all others.
    """
    minor = ".".join(version.split(".")[:2])
    second = None
    seen = set()
    for path in _candidates(minor, version, environ, cwd, prefer):
        real = os.path.realpath(path)
        if real in seen:
            continue
        seen.add(real)
        told = _ask(path, environ)
        if told is None or told[1] != implementation:
            continue
        if told[0] == version or version == minor == ".".join(told[0].split(".")[:2]):
            return Python(path, told[0])
        if second is None and told[0].split(".")[:2] == minor.split("."):
            second = Python(path, told[0], "Python %s stands in for %s" % (told[0], version))
    if second is not None:
        return second
    kind = "" if implementation == "cpython" else implementation + " "
    raise SystemRefused(
        "Python %s%s is not here: neither uv, pyenv, conda nor PATH has one." % (kind, version),
        "uv python install %s" % (minor if not kind else implementation + minor),
    )


def _candidates(
    minor: str, version: str, environ: Mapping[str, str], cwd: str, prefer: tuple[str, ...]
) -> Iterator[str]:
    """Yield interpreters that may be of ``version``, cheap and exact ones first."""
    yield from (path for path in prefer if os.path.isfile(path))
    root = environ.get("PYENV_ROOT") or os.path.join(environ.get("HOME", ""), ".pyenv")
    folders = sorted(glob.glob(os.path.join(root, "versions", minor + "*")), key=_age)
    exact = os.path.join(root, "versions", version)
    for folder in [exact, *reversed(folders)]:
        path = os.path.join(folder, "bin", "python")
        if os.path.isfile(path):
            yield path
    for asked in dict.fromkeys((version, minor)):
        words = ["python", "find", "--no-project", "--system", "--offline", asked]
        done = uv.run(words, environ, cwd)
        if done.code == 0 and done.output.strip():
            yield done.output.strip()
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        for name in ("python" + minor, "python3", "python"):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                yield path
    yield from _of_conda(minor, environ)


def _age(folder: str) -> tuple[int, ...]:
    numbers = os.path.basename(folder).split(".")
    return tuple(int(part) for part in numbers if part.isdigit())


def _of_conda(minor: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the interpreters of conda's environments that conda-meta says are of ``minor``."""
    home = environ.get("HOME", "")
    prefixes = [environ.get("CONDA_PREFIX", "")]
    try:
        with open(os.path.join(home, ".conda", "environments.txt"), encoding="utf-8") as stream:
            prefixes += stream.read().split("\n")
    except (OSError, UnicodeDecodeError):
        pass
    for prefix in filter(None, (one.strip() for one in prefixes)):
        path = os.path.join(prefix, "bin", "python")
        named = os.path.join(glob.escape(prefix), "conda-meta", "python-%s.*" % minor)
        if glob.glob(named) and os.path.isfile(path):
            yield path


def _ask(path: str, environ: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Return version, implementation and base prefix of the interpreter at ``path``."""
    try:
        done = subprocess.run(
            [path, "-I", "-S", "-c", _ASK],
            env=uv.environment(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=LIMIT_S,
        )
        version, implementation, prefix = json.loads(done.stdout)
        return str(version), str(implementation), str(prefix)
    except (OSError, ValueError, TypeError, subprocess.TimeoutExpired):
        return None
