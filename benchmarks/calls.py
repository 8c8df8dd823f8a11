"""What comparing the calls costs: nothing while recording, and how much when verifying.

    python benchmarks/calls.py --python OLD/bin/python --against NEW/bin/python

Two jobs of the standard library alone, so that any two interpreters will do: a loop of training (a
perceptron, few calls that take long) and a call-heavy script (half a million short calls). Of each:

recording    `prov run` against the bare job, wall time, in turns: comparing calls adds nothing
with calls   `prov run --calls` against `prov run`: <= 1.02 for the loop of training, <= 1.10 for
             the call-heavy script
verify       without the calls, with them and nothing cached, and again
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from functools import partial
from pathlib import Path

from _paired import (
    Figure,
    clean_environment,
    execute,
    git_repository,
    in_turns,
    options,
    report,
)

TRAINING = """\
import random

random.seed(0)
rows = [[random.gauss(0, 1) for _ in range(60)] for _ in range(400)]
wanted = [1.0 if sum(row[:5]) > 0 else -1.0 for row in rows]
weights = [0.0] * 60


def predicted(row):
    return sum(map(float.__mul__, weights, row))


def step(row, target, rate=0.01):
    error = target - predicted(row)
    for number, value in enumerate(row):
        weights[number] += rate * error * value
    return error * error


for epoch in range(int({scale} * 20)):
    loss = sum(step(row, target) for row, target in zip(rows, wanted)) / len(rows)
    print("epoch %d loss %.6f" % (epoch, loss))
"""
CALLS = """\
import math

total = 0.0
for number in range(int({scale} * 500000)):
    total += math.sin(number) * math.hypot(number, 1.0)
print("%.6f" % total)
"""
JOBS = {"loop of training": (TRAINING, 1.02), "call-heavy script": (CALLS, 1.10)}
"""Each job, and the largest ratio that `prov run --calls` may have on it."""


def main() -> int:
    """Measure both jobs and print the figures."""
    parser = options(__doc__.split("\n")[0], 5)
    parser.add_argument("--against", help="the interpreter to verify; of another version")
    parser.add_argument("--scale", type=float, default=30.0, help="size of the jobs")
    parsed = parser.parse_args()
    environ = clean_environment()
    figures: list[Figure] = []
    for what, (text, budget) in JOBS.items():
        with tempfile.TemporaryDirectory(prefix="calls-") as name:
            folder = Path(name)
            (folder / "job.py").write_text(text.replace("{scale}", str(parsed.scale)))
            git_repository(folder, 20, environ)
            figures += _recording(what, budget, folder, parsed, environ)
            figures += _verifying(what, folder, parsed, environ)
    return report("comparing calls", figures, parsed.json)


def _recording(
    what: str, budget: float, folder: Path, parsed: Namespace, environ: dict[str, str]
) -> list[Figure]:
    bare = [parsed.python, "job.py"]
    run = [parsed.prov, "run", "--quiet"]
    recording, calls = [*run, "--", *bare], [*run, "--calls", "--", *bare]
    found = []
    for name, without, words, allowed in (
        ("recording / bare", bare, recording, None),
        ("recording with calls / recording", recording, calls, budget),
    ):
        pairs = in_turns(
            partial(execute, without, folder, environ),
            partial(execute, words, folder, environ),
            parsed.n,
        )
        ratios = tuple(late.wall_s / early.wall_s for early, late in pairs)
        added = tuple(late.wall_s - early.wall_s for early, late in pairs)
        found.append(Figure("%s: %s" % (what, name), ratios, "x", allowed))
        found.append(Figure("%s: added" % what, added, "s"))
    return found


def _verifying(what: str, folder: Path, parsed: Namespace, environ: dict[str, str]) -> list[Figure]:
    execute([parsed.prov, "run", "--quiet", "--", parsed.python, "job.py"], folder, environ)
    verify = [parsed.prov, "verify", "--python", parsed.against or parsed.python]

    def timed(*words: str) -> float:
        start = time.perf_counter()
        done = subprocess.run(
            [*verify, *words], cwd=folder, env=environ, capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, 1):  # 1: it has found something, which is not judged here
            raise SystemExit("verify ended with %d: %s" % (done.returncode, done.stderr))
        return time.perf_counter() - start

    times: dict[str, list[float]] = {}
    for _ in range(parsed.n):
        _forget(folder / ".prov")
        for name, words in (
            ("without calls", ("--calls", "off")),
            ("cold", ("--calls", "cut")),
            ("cached", ("--calls", "cut")),
        ):
            times.setdefault(name, []).append(timed(*words))
    return [
        Figure("%s: verify, %s" % (what, name), tuple(values), "s")
        for name, values in times.items()
    ]


def _forget(place: Path) -> None:
    """Remove all that `prov` keeps beside the records, so that the next verify is a first one."""
    for path in place.iterdir():
        if path.name in ("runs", "running", ".gitignore"):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


if __name__ == "__main__":
    sys.exit(main())
