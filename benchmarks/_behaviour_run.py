"""Runs one case: its environments, a repository of its own, `prov run`, `prov verify`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from _behaviour_score import Case

STEADY = {
    "PYTHONWARNINGS": "ignore",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "JAX_PLATFORMS": "cpu",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}
"""What the outputs of the cases were seen with; set for the run and for verify."""

_BUILDING: dict[str, threading.Lock] = {}
_GUARD = threading.Lock()


class Failed(Exception):
    """A case could not be run; the message says why."""


class Answer(NamedTuple):
    """What ``prov verify --json`` said. seconds: wall time, of the first call and of a second."""

    findings: list[dict[str, Any]]
    not_compared: list[dict[str, Any]]
    calls: dict[str, Any] | None
    seconds: float
    again: float | None


def environment(side: Mapping[str, Any], folder: Path, uv: str) -> Path:
    """Return the interpreter of a side of a case below ``folder``, built where it is missing."""
    installer = side.get("installer", "uv")
    told = repr((side["python"], sorted(side["requirements"]), installer))
    place = folder / hashlib.sha256(told.encode()).hexdigest()[:12]
    with _GUARD:
        lock = _BUILDING.setdefault(str(place), threading.Lock())
    with lock:
        if not (place / ".complete").exists():
            _build(side, place, uv)
    return place / "bin" / "python"


def _build(side: Mapping[str, Any], place: Path, uv: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    python = str(place / "bin" / "python")
    by_pip = side.get("installer") == "pip"
    steps = [[uv, "venv", "-q", "--clear", "--python", interpreter(side["python"]), str(place)]]
    if by_pip:
        steps[0].insert(2, "--seed")
    if side["requirements"] and by_pip:
        steps.append([python, "-m", "pip", "install", "-q", "--no-deps", *side["requirements"]])
    elif side["requirements"]:
        steps.append(
            [uv, "pip", "install", "-q", "--python", python, "--no-deps", *side["requirements"]]
        )
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(place, ignore_errors=True)
            raise Failed("its environment could not be built: %s" % done.stderr.strip()[-300:])
    (place / ".complete").touch()


def interpreter(version: str) -> str:
    """Return the newest interpreter of pyenv for ``version`` ("3.8"), else what uv finds by it."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    names = os.listdir(root) if root.is_dir() else []
    fitting = sorted(n for n in names if n == version or n.startswith(version + "."))
    return str(root / fitting[-1] / "bin" / "python") if fitting else version


def environ(folder: Path) -> dict[str, str]:
    """Return the environment of a case: ours, made steady, with a cache of its own."""
    dropped = ("PYTHONPATH", "PROV_LEVELS", "PROV_KNOWLEDGE_WITHOUT", "PROV_HOOK")
    own = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**own, **STEADY, "XDG_CACHE_HOME": str(folder / "cache")}


def repository(case: Case, script: Path, folder: Path) -> Path:
    """Make ``folder``/work a git repository that holds the script alone, and return it."""
    work = folder / "work"
    work.mkdir(parents=True)
    shutil.copy(script, work / case.script)
    identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org"]
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        [*identity, "-c", "commit.gpgsign=false", "commit", "-q", "-m", "The script"],
    ):
        subprocess.run(["git", *words], cwd=work, check=True, capture_output=True)
    return work


def record(prov: str, python: Path, case: Case, work: Path, limit_s: float) -> float:
    """Record the script under the old interpreter and return the seconds; raises `Failed`.

    A run whose output is not the one that was seen for the case cannot be judged.
    """
    start = time.perf_counter()
    words = [prov, "run", "--quiet", "--", str(python), case.script]
    done = _execute(words, work, environ(work.parent), limit_s)
    taken = time.perf_counter() - start
    got = done.stdout.decode("utf-8", "replace").strip()
    wanted = case.old_output.strip().split("\n[exit ")[0].strip()
    if got != wanted:
        tail = done.stderr.decode("utf-8", "replace").strip()[-300:]
        raise Failed("its recorded output was %r, not %r %s" % (got[:200], wanted[:200], tail))
    return taken


def verify(
    prov: str,
    python: Path,
    work: Path,
    words: Sequence[str],
    more: Mapping[str, str],
    twice: bool,
    limit_s: float,
) -> Answer:
    """Verify the last run against ``python``; a second time where ``twice``. Raises `Failed`."""
    argv = [prov, "verify", "--python", str(python), "--json", *words]
    taken = []
    for _ in range(2 if twice else 1):
        start = time.perf_counter()
        done = _execute(argv, work, {**environ(work.parent), **more}, limit_s)
        taken.append(time.perf_counter() - start)
        if len(taken) == 1:
            first = done
    try:
        data = json.loads(first.stdout)["data"]
    except (ValueError, KeyError, TypeError):
        tail = (first.stderr or first.stdout).decode("utf-8", "replace").strip()[-400:]
        raise Failed("verify ended with %d: %s" % (first.returncode, tail)) from None
    calls = next((one["calls"] for one in data["references"] if one.get("calls")), None)
    return Answer(
        data["findings"], data["not_compared"], calls, taken[0], taken[1] if twice else None
    )


def _execute(
    argv: Sequence[str], cwd: Path, environ: Mapping[str, str], limit_s: float
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            argv,
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=limit_s,
        )
    except subprocess.TimeoutExpired:
        raise Failed("`prov %s` took more than %g s" % (argv[1], limit_s)) from None
