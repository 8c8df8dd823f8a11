"""Two series of 1,000,000 steps held against each other. Budget: 1 s for the comparison.

Reading the points is told apart: from a table, and from the `metrics.jsonl` beside a record. The
last figure is `prov diff a.csv b.csv --plot out.svg` as a whole, start of Python included.
"""

from __future__ import annotations

import math
import random
import sys
import tempfile
import time
from array import array
from pathlib import Path

import _paired

from provenance.compare import curve, curve_files, curves
from provenance.facets._series import Collected, Full

BUDGET_S = 1.0
STEPS = 1_000_000


def values(tau: float, seed: int, steps: int) -> array[float]:
    """Return a loss that falls with the time constant ``tau``, with noise."""
    chance = random.Random(seed)
    return array("d", (math.exp(-n / tau) + chance.gauss(0, 0.01) for n in range(steps)))


def measure(prov: str, n: int, steps: int) -> list[_paired.Figure]:
    """Return the figures of ``n`` rounds."""
    count = array("d", range(steps))
    old, new = values(steps / 5, 1, steps), values(steps / 4, 2, steps)
    compared, table, kept, whole = [], [], [], []
    with tempfile.TemporaryDirectory(prefix="prov-bench-") as name:
        folder = Path(name)
        for file, one in (("a.csv", old), ("b.csv", new)):
            with (folder / file).open("w") as stream:
                stream.write("step,loss\n")
                stream.writelines("%d,%r\n" % point for point in enumerate(one))
        full = Full(str(folder / "metrics.jsonl"))
        collected = Collected(full, "sdk")
        for step, value in enumerate(old):
            collected.add("loss", step, value)
        full.close()
        for _ in range(n):
            start = time.perf_counter()
            sides = curve.of("loss", count, old), curve.of("loss", count, new)
            curves.compare_curve(*sides)
            compared.append(time.perf_counter() - start)
            start = time.perf_counter()
            curve_files.curves_of(str(folder / "a.csv"))
            table.append(time.perf_counter() - start)
            start = time.perf_counter()
            curve_files.kept_points(str(folder / "metrics.jsonl"))
            kept.append(time.perf_counter() - start)
            words = [prov, "diff", "a.csv", "b.csv", "--plot", "out.svg", "--atol", "9"]
            environ = _paired.clean_environment()
            whole.append(_paired.execute(words, folder, environ).wall_s)
    return [
        _paired.Figure("comparing two series", tuple(compared), "s", BUDGET_S),
        _paired.Figure("reading one from a table", tuple(table), "s"),
        _paired.Figure("reading one from metrics.jsonl (64 MiB)", tuple(kept), "s"),
        _paired.Figure("prov diff a.csv b.csv --plot out.svg", tuple(whole), "s"),
    ]


def main() -> int:
    """Measure and report."""
    parser = _paired.options(str(__doc__).splitlines()[0], n=5)
    parser.add_argument("--steps", type=int, default=STEPS, help="of a series")
    given = parser.parse_args()
    title = f"two series of {given.steps:,} steps"
    return _paired.report(title, measure(given.prov, given.n, given.steps), given.json)


if __name__ == "__main__":
    sys.exit(main())
