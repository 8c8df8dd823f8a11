"""Two real environments that hold a small library of our own, in two versions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BEFORE = '''\
"""A library that smooths and scales lists of numbers."""
import random
import warnings


class Smoother:
    def __init__(self, width=3, mode="warn"):
        self.width, self.mode = width, mode

    def fit(self, values):
        self._mode = self.mode
        if self.mode == "warn":
            text = "The default of mode will change from 'mean' to 'median' in 2.0."
            warnings.warn(text, FutureWarning)
            self._mode = "mean"
        ordered = sorted(values)
        middle = ordered[len(ordered) // 2]
        self.level_ = middle if self._mode == "median" else sum(values) / len(values)
        return self

    def smooth(self, values):
        return [value - self.level_ for value in values]


def power(values, exponent=2):
    return [value ** exponent for value in values]


def scale(values, by=2, shift=0):
    return [value * by + (shift or 0) for value in values]


def pick(values):
    return random.choice(values)


def rows(path):
    with open(path) as stream:
        return [float(line) for line in stream]
'''
AFTER = (
    BEFORE.replace('mode="warn"', 'mode="median"')
    .replace("exponent=2", "exponent=3")
    .replace("shift=0", "shift=None")
    .replace("random.choice(values)", "sorted(values)[int(random.random() * len(values))]")
    .replace("def rows(path):", "def rows(path, *, unit):")
)
"""2.0 changed two defaults that matter, one that does not, what is drawn, what is required."""


def environment(folder: Path, version: str, source: str) -> str:
    """Make a virtual environment with ``widgets`` in ``version``; return its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    [site] = (folder / "lib").glob("python*/site-packages")
    (site / "widgets.py").write_text(source)
    about = site / ("widgets-%s.dist-info" % version)
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: widgets\nVersion: %s\n" % version)
    (about / "INSTALLER").write_text("tests\n")
    (about / "top_level.txt").write_text("widgets\n")
    files = ["widgets.py", about.name + "/METADATA", about.name + "/top_level.txt"]
    (about / "RECORD").write_text("".join("%s,,\n" % one for one in files))
    return str(folder / "bin" / "python")


def both(folder: Path) -> tuple[str, str]:
    """Return the interpreters of an environment with widgets 1.0 and of one with 2.0."""
    folder.mkdir(parents=True, exist_ok=True)
    old = environment(folder / "old", "1.0", BEFORE)
    return old, environment(folder / "new", "2.0", AFTER)
