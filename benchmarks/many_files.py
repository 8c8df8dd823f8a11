"""What `prov run` costs a job that reads 20,000 small files.

Three figures, all against the same job run bare:

wall of the whole `prov run`, nothing known of the files (the project's cache of digests is removed
before every sample; the files themselves are not touched, since a digest taken within two seconds
of a change is never kept, and data sets are older than that): budget 2 times;
CPU of the job's own processes under `prov run`, which is what the hook costs: budget 1.25 times;
wall of `prov run` when the files are unchanged since the last run: no budget, for information.
"""

from __future__ import annotations

import shlex
import sys
import tempfile
from pathlib import Path

import _paired

BUDGET_WALL, BUDGET_CPU = 2.0, 1.25
FILES, FOLDERS = 20_000, 100

JOB = """\
import pathlib
total = 0
for folder in sorted(pathlib.Path("data").iterdir()):
    for path in sorted(folder.iterdir()):
        with open(path, "rb") as stream:
            total += sum(stream.read())
print(total)
"""


def make_data(folder: Path, files: int) -> None:
    """Write ``files`` small files, 100 to 500 bytes each, and the job that reads them."""
    for number in range(files):
        path = folder / "data" / f"part_{number % FOLDERS:03}" / f"{number:06}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%06d" % number * (17 + number % 67))
    (folder / "job.py").write_text(JOB)


class Bench:
    """The job in its repository; ``job_cpu`` holds the CPU seconds of the last job alone."""

    def __init__(self, prov: str, python: str, folder: Path, files: int) -> None:
        self.environ = _paired.clean_environment()
        self.folder = folder / "repository"
        self.folder.mkdir()
        self.times = folder / "times"
        make_data(self.folder, files)
        _paired.git_repository(self.folder, 200, self.environ)
        # bash's `time` sees the job's processes only, from their start to their end.
        timed = f"TIMEFORMAT='%3U %3S'; {{ time {shlex.quote(python)} job.py 2>&3; }} 3>&2 2>"
        self.bare = ["bash", "-c", timed + shlex.quote(str(self.times))]
        self.recorded = [prov, "run", "--", *self.bare]
        self.job_cpu: dict[str, list[float]] = {"bare": [], "recorded": []}

    def run(self, which: str, forget: bool) -> _paired.Sample:
        """Run the job one way; ``forget`` removes all that is known of the files."""
        if forget:
            (self.folder / ".prov" / "digests").unlink(missing_ok=True)
        argv = self.bare if which == "bare" else self.recorded
        taken = _paired.execute(argv, self.folder, self.environ)
        self.job_cpu[which].append(sum(float(word) for word in self.times.read_text().split()))
        return taken


def measure(prov: str, python: str, n: int, files: int) -> list[_paired.Figure]:
    """Return the figures of ``n`` pairs."""
    _paired.compile_bytecode(python, _paired.clean_environment())
    with tempfile.TemporaryDirectory(prefix="prov-bench-") as name:
        bench = Bench(prov, python, Path(name), files)
        cold = _paired.in_turns(
            lambda: bench.run("bare", True), lambda: bench.run("recorded", True), n
        )
        job = list(zip(bench.job_cpu["bare"], bench.job_cpu["recorded"], strict=True))[1:]
        warm = _paired.in_turns(
            lambda: bench.run("bare", False), lambda: bench.run("recorded", False), n
        )
    return [
        _paired.Figure("bare job, wall", tuple(a.wall_s for a, _ in cold), "s"),
        _paired.Figure("prov run, cold, wall", tuple(b.wall_s for _, b in cold), "s"),
        _paired.Figure(
            "wall, cold / bare", tuple(b.wall_s / a.wall_s for a, b in cold), "x", BUDGET_WALL
        ),
        _paired.Figure(
            "CPU of the job, hook / bare", tuple(b / a for a, b in job), "x", BUDGET_CPU
        ),
        _paired.Figure("wall, unchanged / bare", tuple(b.wall_s / a.wall_s for a, b in warm), "x"),
    ]


def main() -> int:
    """Measure and report."""
    parser = _paired.options(str(__doc__).splitlines()[0], n=7)
    parser.add_argument("--files", type=int, default=FILES, help="how many files the job reads")
    given = parser.parse_args()
    figures = measure(given.prov, given.python, given.n, given.files)
    return _paired.report(f"a job that reads {given.files:,} files", figures, given.json)


if __name__ == "__main__":
    sys.exit(main())
