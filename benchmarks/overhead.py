"""What `prov run` costs real work: trainings, a shell pipeline of many processes, much output.

Each job is run bare and under ``prov run`` in turns. Judged is the added wall time less what a job
that does nothing has added (start-up has a benchmark of its own), against the bare job: a real
training may take 2 % longer. The pipeline and the output have no budget of their own: the first is
500 processes that do nothing, the second 1 GiB through a pipe, relayed and kept.

A training is left out, by name, where the interpreter lacks scikit-learn or torch.
"""

from __future__ import annotations

import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import _paired

BUDGET_TRAINING = 1.02
GIB = 1 << 30

SKLEARN = """\
import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import cross_val_score, train_test_split
X, y = make_classification(12000, 40, n_informative=20, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
for seed in range(%(turns)d):
    model = RandomForestClassifier(40, random_state=seed).fit(X_train, y_train)
    boosted = HistGradientBoostingClassifier(max_iter=30, random_state=seed).fit(X_train, y_train)
    print("accuracy", model.score(X_test, y_test), boosted.score(X_test, y_test))
"""

TORCH = """\
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

class Pictures(Dataset):
    def __len__(self):
        return 2048
    def __getitem__(self, i):
        generator = torch.Generator().manual_seed(i)
        return torch.rand(3, 32, 32, generator=generator), i %% 10

def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3),
                          nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    loader = DataLoader(Pictures(), batch_size=32, num_workers=2, shuffle=True)
    for epoch in range(%(turns)d):
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        print("epoch", epoch, "loss", float(loss))

if __name__ == "__main__":
    main()
"""

SHELL = "for i in $(seq %d); do echo $i | /bin/cat >/dev/null; done"
PRINT = "import sys\nfor _ in range(%d): sys.stdout.buffer.write(b'x' * 65535 + b'\\n')\n"


class Bench:
    """Jobs in a repository of 200 files."""

    def __init__(self, prov: str, python: str, folder: Path) -> None:
        self.prov, self.python = prov, python
        self.environ = _paired.clean_environment()
        self.folder = folder / "repository"
        self.folder.mkdir()
        _paired.git_repository(self.folder, 200, self.environ)
        _paired.compile_bytecode(python, self.environ)

    def pairs(self, argv: list[str], n: int) -> list[tuple[_paired.Sample, _paired.Sample]]:
        """Return pairs of samples, bare and recorded."""
        recorded = [self.prov, "run", "--quiet", "--", *argv]
        return _paired.in_turns(self._sampler(argv), self._sampler(recorded), n)

    def _sampler(self, argv: list[str]) -> Callable[[], _paired.Sample]:
        return lambda: _paired.execute(argv, self.folder, self.environ)

    def script(self, name: str, text: str) -> list[str]:
        """Write a script and return the command that runs it."""
        (self.folder / name).write_text(text)
        return [self.python, name]

    def has(self, *modules: str) -> bool:
        """Return whether the interpreter can import ``modules``."""
        code = "import %s" % ", ".join(modules)
        done = subprocess.run(
            [self.python, "-c", code], env=self.environ, stderr=subprocess.DEVNULL, check=False
        )
        return done.returncode == 0


def measure(prov: str, python: str, n: int, scale: float) -> list[_paired.Figure]:
    """Return the figures of ``n`` pairs; ``scale``: how much of the full work is done."""
    turns = max(1, round(6 * scale))
    with tempfile.TemporaryDirectory(prefix="prov-bench-") as name:
        bench = Bench(prov, python, Path(name))
        idle = [b.wall_s - a.wall_s for a, b in bench.pairs([python, "-c", "pass"], n)]
        fixed = statistics.median(idle)
        figures = [_paired.Figure("fixed cost", tuple(idle), "s")]
        for label, modules, text in (
            ("scikit-learn training", ("sklearn",), SKLEARN),
            ("torch training, 2 workers", ("torch",), TORCH),
        ):
            if not bench.has(*modules):
                print("left out: %s (no %s here)" % (label, modules[0]), file=sys.stderr)
                continue
            pairs = bench.pairs(bench.script(modules[0] + "_job.py", text % {"turns": turns}), n)
            figures += _ratios(label, pairs, fixed, BUDGET_TRAINING)
        pipeline = ["bash", "-c", SHELL % max(1, round(250 * scale))]
        figures += _ratios("pipeline, 500 processes", bench.pairs(pipeline, n), fixed)
        many = PRINT % max(1, round(GIB / 65536 * scale))
        command = "%s print_job.py | /bin/cat >/dev/null" % shlex.quote(python)
        bench.script("print_job.py", many)
        recorded = "%s run --quiet -- %s" % (shlex.quote(prov), command)
        printed = _paired.in_turns(
            bench._sampler(["bash", "-c", command]), bench._sampler(["bash", "-c", recorded]), n
        )
        figures += _ratios("1 GiB of output", printed, fixed)
    return figures


def _ratios(
    label: str,
    pairs: list[tuple[_paired.Sample, _paired.Sample]],
    fixed: float,
    budget: float | None = None,
) -> list[_paired.Figure]:
    """Return the bare wall time, and wall and CPU against it; of wall the fixed cost is taken."""
    return [
        _paired.Figure(label + ", bare", tuple(a.wall_s for a, _ in pairs), "s"),
        _paired.Figure(
            label + ", wall less fixed / bare",
            tuple((b.wall_s - fixed) / a.wall_s for a, b in pairs),
            "x",
            budget,
        ),
        _paired.Figure(label + ", CPU added", tuple(b.cpu_s - a.cpu_s for a, b in pairs), "s"),
    ]


def main() -> int:
    """Measure and report."""
    parser = _paired.options(str(__doc__).splitlines()[0], n=5)
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full work")
    given = parser.parse_args()
    figures = measure(given.prov, given.python, given.n, given.scale)
    return _paired.report("what recording costs real work", figures, given.json)


if __name__ == "__main__":
    sys.exit(main())
