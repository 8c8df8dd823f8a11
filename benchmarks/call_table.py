"""What the call table costs: `prov run --calls` against `prov run`; both must print the same.

    python benchmarks/call_table.py --python A/bin/python --also B/bin/python

CPU time of the whole of `prov run`, in turns, so that the figure is the table's own cost. A job
whose library an interpreter lacks is left out.
"""

from __future__ import annotations

import subprocess
import tempfile
from functools import partial
from pathlib import Path

import _paired

SKLEARN = """\
import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
X, y = make_classification(4000, 30, n_informative=15, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
for seed in range(4):
    model = RandomForestClassifier(40, random_state=seed).fit(X_train, y_train)
    print("accuracy", model.score(X_test, y_test))
"""
TORCH = """\
import torch
from torch import nn
def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = torch.randn(4096, 64), torch.randint(0, 10, (4096,))
    for epoch in range(12):
        for part in range(0, 4096, 32):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[part:part + 32]), y[part:part + 32])
            loss.backward()
            optimizer.step()
        print(epoch, loss.item())
if __name__ == "__main__":
    main()
"""
HEAVY = """\
import math
def one(n):
    total = 0.0
    for i in range(n):
        total += math.sqrt(i) + math.floor(i / 3)
    return total
def two(n):
    return math.sqrt(n) * math.cos(n)
print(one(2_000_000), sum(two(i) for i in range(1_000_000)))
total = 0.0
for i in range(1_000_000):
    total += math.hypot(i, 1) + math.gcd(i, 12)
print(total)
"""
NONE = """\
total = 0
for i in range(20_000_000):
    total += i
print(total)
"""
JOBS = (
    ("no calls", "sys", NONE, 1.02),
    ("call-heavy script", "math", HEAVY, 1.10),
    ("scikit-learn training", "sklearn", SKLEARN, 1.02),
    ("torch loop", "torch", TORCH, 1.02),
)
"""Of each: its name, what it imports, its text, and the largest ratio that it may have."""


def measure(
    prov: str, python: str, n: int, folder: Path, environ: dict[str, str]
) -> list[_paired.Figure]:
    """Return the ratios of CPU time of the jobs that this interpreter can run."""
    figures = []
    asked = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    version = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    for label, module, text, budget in JOBS:
        has = [python, "-c", "import %s" % module]
        if subprocess.run(has, stderr=subprocess.DEVNULL, check=False).returncode:
            continue
        (folder / "job.py").write_text(text)
        run = [prov, "run", "--quiet"]
        ways = [[*run, *more, "--", python, "job.py"] for more in ([], ["--calls"])]
        said = [
            subprocess.run(way, cwd=folder, env=environ, capture_output=True, check=True).stdout
            for way in ways
        ]
        if said[0] != said[1]:
            raise SystemExit("%s on Python %s prints something else" % (label, version))
        one, other = (partial(_paired.execute, way, folder, environ) for way in ways)
        pairs = _paired.in_turns(one, other, n)
        ratios = tuple(late.cpu_s / early.cpu_s for early, late in pairs)
        figures.append(_paired.Figure("%s, Python %s" % (label, version), ratios, "x", budget))
    return figures


if __name__ == "__main__":
    parser = _paired.options("The cost of the call table.", 5)
    parser.add_argument("--also", action="append", default=[], help="another interpreter")
    parsed = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory(prefix="prov-bench-") as name:
        for one in (parsed.python, *parsed.also):
            found += measure(parsed.prov, one, parsed.n, Path(name), _paired.clean_environment())
    raise SystemExit(_paired.report("call table", found, parsed.json))
