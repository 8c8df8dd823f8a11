"""Paired measurements: two commands in turns, so that what disturbs one disturbs the other.

Figures are ratios of neighbouring samples, after a warm-up, with bytecode compiled. A budget is
judged by the median; minimum and maximum are printed beside it, so that a noisy machine shows.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).resolve().parent.parent / "src"


class Sample(NamedTuple):
    """One execution: wall and CPU seconds (user and system, waited-for descendants included)."""

    wall_s: float
    cpu_s: float


class Figure(NamedTuple):
    """Something measured. budget: the largest allowed median, None where there is none."""

    what: str
    values: tuple[float, ...]
    unit: str
    budget: float | None = None

    @property
    def median(self) -> float:
        """Return the middle value."""
        return statistics.median(self.values)

    @property
    def passed(self) -> bool:
        """Return whether the median is within the budget."""
        return self.budget is None or self.median <= self.budget


def options(description: str, n: int) -> argparse.ArgumentParser:
    """Return a parser with what every benchmark understands."""
    parser = argparse.ArgumentParser(description=description)
    beside = Path(sys.executable).parent / "prov"
    parser.add_argument("--prov", default=str(beside), help="the prov to measure")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that is recorded")
    parser.add_argument("-n", type=int, default=n, help="number of pairs after the warm-up")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def clean_environment() -> dict[str, str]:
    """Return the environment without what would distort a measurement."""
    distorting = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONSTARTUP", "PROV_HOOK")
    return {name: value for name, value in os.environ.items() if name not in distorting}


def compile_bytecode(python: str, environ: dict[str, str]) -> None:
    """Compile this checkout and what is installed beside it, so that no sample pays for it."""
    folders = [str(SOURCE), sysconfig.get_path("purelib")]
    subprocess.run(
        [python, "-m", "compileall", "-q", "-j0", *folders],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


def execute(argv: Sequence[str], cwd: Path, environ: dict[str, str]) -> Sample:
    """Run ``argv`` with its output thrown away; stops the benchmark where it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(
        argv,
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"this command ended with {process.returncode}: {' '.join(argv)}")
    return Sample(wall, usage.ru_utime + usage.ru_stime)


def in_turns(
    first: Callable[[], Sample], second: Callable[[], Sample], n: int
) -> list[tuple[Sample, Sample]]:
    """Return ``n`` pairs after one warm-up pair; who goes first changes from pair to pair."""
    first(), second()
    pairs = []
    for turn in range(n):
        if turn % 2:
            late = second()
            pairs.append((first(), late))
        else:
            pairs.append((first(), second()))
    return pairs


def git_repository(folder: Path, files: int, environ: dict[str, str]) -> None:
    """Make ``folder`` a git repository with ``files`` small committed source files."""
    for number in range(files):
        path = folder / f"package_{number % 10}" / f"module_{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"""Module {number}."""\n\nVALUE = {number}\n')
    (folder / ".gitignore").write_text("data/\n")
    identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "Files"]):
        subprocess.run(
            ["git", "-c", "commit.gpgsign=false", *words], cwd=folder, env=environ, check=True
        )


def report(title: str, figures: Sequence[Figure], as_json: bool) -> int:
    """Print ``figures``; return 1 where a budget is missed."""
    passed = all(figure.passed for figure in figures)
    print(_as_json(title, figures, passed) if as_json else _as_table(title, figures))
    return 0 if passed else 1


def _as_json(title: str, figures: Sequence[Figure], passed: bool) -> str:
    rows = [
        {
            "what": figure.what,
            "unit": figure.unit,
            "n": len(figure.values),
            "min": min(figure.values),
            "median": figure.median,
            "max": max(figure.values),
            "budget": figure.budget,
            "passed": figure.passed,
        }
        for figure in figures
    ]
    machine = {
        "cores": os.cpu_count(),
        "load": list(os.getloadavg()),
        "python": sys.version.split()[0],
    }
    document = {"benchmark": title, "machine": machine, "figures": rows, "passed": passed}
    return json.dumps(document, indent=2)


def _as_table(title: str, figures: Sequence[Figure]) -> str:
    width = max(len(figure.what) for figure in figures)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    lines = [
        f"{title}   ({os.cpu_count()} cores, load {load})",
        f"{'':{width}}      min   median      max          budget",
    ]
    for figure in figures:
        low, high = min(figure.values), max(figure.values)
        budget = ""
        if figure.budget is not None:
            budget = f"<= {figure.budget:g}  {'pass' if figure.passed else 'MISSED'}"
        numbers = f"{low:8.3f} {figure.median:8.3f} {high:8.3f}"
        lines.append(f"{figure.what:{width}} {numbers} {figure.unit:3} {budget:>14}".rstrip())
    return "\n".join(lines)
