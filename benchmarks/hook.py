"""What the observing hook costs a Python process: at its start, and per file that it reads.

The hook alone, without `prov run` around it. Start-up is wall time added to `python -c pass`, in
bare starts; its budget is 0.6. Reading is CPU added per distinct small file, in microseconds; its
budget is 8. Re-opening is CPU added per file that the process has opened before, and the folder
figure is for files in a folder that is already kept as one entry: no budgets, for information.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import _paired

sys.path.insert(0, str(_paired.SOURCE))
from provenance.agent import launch  # of this checkout, installed or not

BUDGET_STARTS, BUDGET_US = 0.6, 8.0
FILES, PER_FOLDER = 20_000, 100

READ = """\
for turn in range(%d):
    for folder in range(%d):
        for number in range(%d):
            with open("%%03d/%%03d.bin" %% (folder, number), "rb") as stream:
                stream.read()
"""


class Bench:
    """Commands run with and without the hook, in a folder of small files."""

    def __init__(self, python: str, folder: Path) -> None:
        self.python = python
        self.folder = folder / "data"
        self.agent = folder / "agent"
        self.environ = _paired.clean_environment()
        self.hooked = launch.hooked_environment(self.environ, str(self.agent))
        self.folder.mkdir()
        _paired.compile_bytecode(python, self.environ)

    def make(self, folders: int, per_folder: int) -> None:
        """Write the files that are read."""
        for folder in range(folders):
            place = self.folder / f"{folder:03}"
            place.mkdir(exist_ok=True)
            for number in range(per_folder):
                (place / f"{number:03}.bin").write_bytes(b"x" * 200)

    def bare(self, code: str) -> _paired.Sample:
        """Run ``code`` as a user would."""
        return _paired.execute([self.python, "-c", code], self.folder, self.environ)

    def observed(self, code: str) -> _paired.Sample:
        """Run ``code`` with the hook, its logs thrown away before."""
        shutil.rmtree(self.agent, ignore_errors=True)
        self.agent.mkdir()
        return _paired.execute([self.python, "-c", code], self.folder, self.hooked)

    def pairs(self, code: str, n: int) -> list[tuple[_paired.Sample, _paired.Sample]]:
        """Return ``n`` pairs of samples, bare and observed."""
        return _paired.in_turns(lambda: self.bare(code), lambda: self.observed(code), n)

    def added_us(self, code: str, events: int, n: int) -> tuple[float, ...]:
        """Return the CPU that the hook adds to ``code``, in microseconds per event."""
        return tuple((b.cpu_s - a.cpu_s) / events * 1e6 for a, b in self.pairs(code, n))


def measure(python: str, n: int, files: int) -> list[_paired.Figure]:
    """Return the figures of ``n`` pairs; fewer for the long ones."""
    folders = max(1, files // PER_FOLDER)
    few = max(1, n // 3)
    with tempfile.TemporaryDirectory(prefix="prov-bench-") as name:
        bench = Bench(python, Path(name))
        starts = bench.pairs("pass", n)
        bench.make(folders, PER_FOLDER)
        once = bench.added_us(READ % (1, folders, PER_FOLDER), folders * PER_FOLDER, n)
        turns = 4
        often = bench.added_us(READ % (turns, folders, PER_FOLDER), folders * PER_FOLDER, few)
        again = tuple((all_ - statistics.median(once)) / (turns - 1) for all_ in often)
        bench.make(1, files)
        folder = bench.added_us(READ % (1, 1, files), files, few)
    bare = statistics.median(a.wall_s for a, _ in starts)
    added = tuple((b.wall_s - a.wall_s) / bare for a, b in starts)
    return [
        _paired.Figure("bare interpreter, wall", tuple(a.wall_s * 1e3 for a, _ in starts), "ms"),
        _paired.Figure("added at start-up, in bare starts", added, "x", BUDGET_STARTS),
        _paired.Figure("added per distinct file, CPU", once, "us", BUDGET_US),
        _paired.Figure("added per file opened again, CPU", again, "us"),
        _paired.Figure("added per file of one large folder, CPU", folder, "us"),
    ]


def main() -> int:
    """Measure and report."""
    parser = _paired.options(str(__doc__).splitlines()[0], n=15)
    parser.add_argument("--files", type=int, default=FILES, help="how many small files are read")
    given = parser.parse_args()
    figures = measure(given.python, given.n, given.files)
    return _paired.report("hook in a Python process", figures, given.json)


if __name__ == "__main__":
    sys.exit(main())
