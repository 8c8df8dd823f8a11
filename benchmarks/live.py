"""What `prov run --against` costs, against the same run recorded without it.

Two jobs: one that prints 100,000 lines as fast as it can, and one that prints as many over ten
seconds, which is what a training does at the most. Budget: wall of the second with `--against` 1.02
times that without, and the CPU of the job itself 1.05 times. What the process that follows takes is
told as a share of one CPU. On a machine whose cores are all busy the figures say nothing.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import _paired

LINES = 100_000
WALL, CPU = 1.02, 1.05

JOB = """\
import resource, sys, time
lines, seconds = %d, %f
began = time.monotonic()
for step in range(lines):
    print("step %%d train_loss %%.5f lr 0.001" %% (step, 0.1 + 2 / (1 + step / 1000)))
    if step %% 100 == 99 and seconds:
        sys.stdout.flush()
        ahead = seconds * step / lines - (time.monotonic() - began)
        if ahead > 0:
            time.sleep(ahead)
used = resource.getrusage(resource.RUSAGE_SELF)
with open("used", "w") as stream:
    stream.write(repr(used.ru_utime + used.ru_stime))
"""


class Bench:
    """One job, recorded with and without what it is held against."""

    def __init__(self, prov: str, python: str, folder: Path, seconds: float, lines: int) -> None:
        self.prov, self.folder = prov, folder
        self.environ = _paired.clean_environment()
        self.command = [python, "-c", JOB % (lines, seconds)]
        _paired.compile_bytecode(python, self.environ)
        rows = [f"{step},{0.1 + 2 / (1 + step / 1000):.5f}" for step in range(0, lines, 50)]
        (folder / "recorded.csv").write_text("\n".join(["step,train_loss", *rows, ""]))

    def sample(self, *options: str) -> tuple[_paired.Sample, float]:
        """Run the job through a pipe; return the sample and the CPU seconds of the job itself."""
        words = [self.prov, "run", "--quiet", *options, "--", *self.command]
        shell = ["sh", "-c", '"$@" | cat >/dev/null', "sh", *words]
        taken = _paired.execute(shell, self.folder, self.environ)
        return taken, float((self.folder / "used").read_text())

    def figures(self, what: str, n: int, judged: bool) -> list[_paired.Figure]:
        """Return the ratios of ``n`` pairs."""
        with_it = ("--against", "recorded.csv")
        own: list[tuple[float, float]] = []

        def plain() -> _paired.Sample:
            taken, job = self.sample()
            own.append((job, 0.0))
            return taken

        def held() -> _paired.Sample:
            taken, job = self.sample(*with_it)
            own.append((0.0, job))
            return taken

        pairs = _paired.in_turns(plain, held, n)
        alone = [one for one, _ in own if one][1:]
        beside = [one for _, one in own if one][1:]
        wall = tuple(second.wall_s / first.wall_s for first, second in pairs)
        cpu = tuple(late / early for early, late in zip(alone, beside, strict=True))
        share = tuple((late.cpu_s - early.cpu_s) / late.wall_s for early, late in pairs)
        return [
            _paired.Figure(f"{what}: wall", wall, "x", WALL if judged else None),
            _paired.Figure(f"{what}: CPU of the job", cpu, "x", CPU if judged else None),
            _paired.Figure(f"{what}: CPU added, of one", share, ""),
        ]


def main() -> int:
    """Measure and report."""
    parser = _paired.options(str(__doc__).splitlines()[0], n=5)
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--seconds", type=float, default=10.0)
    args = parser.parse_args()
    figures = []
    for what, seconds in (("at once", 0.0), (f"over {args.seconds:g} s", args.seconds)):
        with tempfile.TemporaryDirectory(prefix="prov-bench-") as name:
            bench = Bench(args.prov, args.python, Path(name), seconds, args.lines)
            figures += bench.figures(f"{args.lines} lines {what}", args.n, bool(seconds))
    return _paired.report("live", figures, args.json)


if __name__ == "__main__":
    sys.exit(main())
