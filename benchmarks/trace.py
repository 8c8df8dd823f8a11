"""What `prov run --trace=strace` costs, against the same job recorded without it, and run bare.

Two jobs that are hard for it: one process that reads 20,000 small files, and a shell that starts
500 programs one after the other. A tracer stops each process for each open and each start. Budget:
wall of the whole `prov run` with it, 2.5 times the one without for both. Against the bare job: no
budget, for information.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import _paired

FILES, PROGRAMS, PER_FOLDER = 20_000, 500, 100
BUDGET = 2.5

READ = """\
for folder in range(%d):
    for number in range(%d):
        with open("data/%%03d/%%03d.bin" %% (folder, number), "rb") as stream:
            stream.read()
"""
START = "i=0; while [ $i -lt %d ]; do /bin/true; i=$((i+1)); done"


class Bench:
    """Commands run bare, recorded, and recorded under strace, in one project."""

    def __init__(self, prov: str, python: str, folder: Path, files: int) -> None:
        self.prov = prov
        self.folder = folder
        self.environ = _paired.clean_environment()
        _paired.compile_bytecode(python, self.environ)
        (folder / "prov.yaml").write_text("digest_seconds: 60\n")
        for number in range(files):
            path = folder / "data" / f"{number // PER_FOLDER:03}" / f"{number % PER_FOLDER:03}.bin"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x" * 200)

    def sample(self, command: list[str], options: tuple[str, ...]) -> _paired.Sample:
        """Run ``command`` with `prov run options`, bare where no option is given."""
        words = [self.prov, "run", "--quiet", *options, "--", *command] if options else command
        return _paired.execute(words, self.folder, self.environ)

    def ratios(self, command: list[str], n: int, against: tuple[str, ...]) -> tuple[float, ...]:
        """Return the wall time of ``command`` traced in that of ``command`` run the other way."""
        pairs = _paired.in_turns(
            lambda: self.sample(command, against),
            lambda: self.sample(command, ("--no-capture", "--trace=strace")),
            n,
        )
        return tuple(traced.wall_s / other.wall_s for other, traced in pairs)


def measure(prov: str, python: str, n: int, files: int, programs: int) -> list[_paired.Figure]:
    """Return the figures of ``n`` pairs."""
    figures = []
    with tempfile.TemporaryDirectory(prefix="prov-bench-") as name:
        bench = Bench(prov, python, Path(name), files)
        jobs = (
            (f"read {files} files", [python, "-c", READ % (files // PER_FOLDER, PER_FOLDER)]),
            (f"start {programs} programs", ["sh", "-c", START % programs]),
        )  # fmt: skip
        for what, command in jobs:
            bare = bench.ratios(command, n, ())
            plain = bench.ratios(command, n, ("--no-capture",))
            figures += [
                _paired.Figure(f"{what}: traced / recorded, wall", plain, "x", BUDGET),
                _paired.Figure(f"{what}: traced / bare, wall", bare, "x"),
            ]
    return figures


def main() -> int:
    """Measure and report."""
    parser = _paired.options(str(__doc__).splitlines()[0], n=5)
    parser.add_argument("--files", type=int, default=FILES, help="how many small files are read")
    parser.add_argument("--programs", type=int, default=PROGRAMS, help="how many are started")
    given = parser.parse_args()
    if shutil.which("strace") is None:
        print("strace is not installed: nothing to measure")
        return 0
    figures = measure(given.prov, given.python, given.n, given.files, given.programs)
    return _paired.report("every process under strace", figures, given.json)


if __name__ == "__main__":
    sys.exit(main())
