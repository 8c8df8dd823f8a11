"""What `prov run` adds to a command that does nothing, in a git repository of 200 files.

The unit is one start of the bare interpreter: the figure then says the same on a slow and on a
fast machine. Budget: 8 starts of added wall time; the aim is 5.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import _paired

BUDGET_STARTS = 8.0
FILES = 200


def measure(prov: str, python: str, n: int) -> list[_paired.Figure]:
    """Return the figures of ``n`` pairs."""
    environ = _paired.clean_environment()
    _paired.compile_bytecode(python, environ)
    with tempfile.TemporaryDirectory(prefix="prov-bench-") as name:
        folder = Path(name)
        _paired.git_repository(folder, FILES, environ)
        bare = [python, "-c", "pass"]
        recorded = [prov, "run", "--", *bare]
        pairs = _paired.in_turns(
            lambda: _paired.execute(bare, folder, environ),
            lambda: _paired.execute(recorded, folder, environ),
            n,
        )
    start = statistics.median(a.wall_s for a, _ in pairs)
    start_cpu = statistics.median(a.cpu_s for a, _ in pairs)
    return [
        _paired.Figure("bare interpreter, wall", tuple(a.wall_s for a, _ in pairs), "s"),
        _paired.Figure("prov run, wall", tuple(b.wall_s for _, b in pairs), "s"),
        _paired.Figure(
            "added wall, in bare starts",
            tuple((b.wall_s - a.wall_s) / start for a, b in pairs),
            "x",
            BUDGET_STARTS,
        ),
        _paired.Figure(
            "added CPU, in bare starts",
            tuple((b.cpu_s - a.cpu_s) / start_cpu for a, b in pairs),
            "x",
        ),
    ]


def main() -> int:
    """Measure and report."""
    given = _paired.options(str(__doc__).splitlines()[0], n=15).parse_args()
    figures = measure(given.prov, given.python, given.n)
    return _paired.report("prov run -- python -c pass", figures, given.json)


if __name__ == "__main__":
    sys.exit(main())
