"""What ``prov verify`` costs in a repository that never ran prov.

Two repositories are made, each with a freeze of 150 packages and an environment that has them
(their metadata only; two differ, one is gone): one with a script, one with 500 source files that
import them. Beside the wall time: how often that is ``python -c pass``, and ``pip check`` of the
same environment.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import _paired

PACKAGES, FILES = 150, 500
BUDGET_S = 1.0
"""Seconds of wall time: a person who verifies waits for it."""
SOURCE = '''\
"""Module {n} of an experiment."""

import json
import os

import package_{a}
from package_{b} import thing


class Model{n}:
    """A model of a kind."""

    def __init__(self, size=3, rate=0.1):
        self.size, self.rate = size, rate
        self.layers = [package_{a}.Layer(size, bias=False) for _ in range(3)]

    def forward(self, values):
        """Return what the layers make of the values."""
        for layer in self.layers:
            values = layer(values)
        return thing(values, axis=0, keepdims=True)


def train(path, epochs=10):
    """Train and write what came out."""
    model = Model{n}()
    losses = []
    for epoch in range(epochs):
        loss = model.forward([epoch, epoch + 1])
        losses.append(float(package_{a}.mean(loss)))
    with open(os.path.join(path, "out.json"), "w") as stream:
        json.dump({{"losses": losses}}, stream)
    return losses
'''


def environment(folder: Path) -> str:
    """Make an environment with the metadata of the packages; return its interpreter."""
    venv.create(folder, with_pip=True)
    site = next((folder / "lib").glob("python*")) / "site-packages"
    for number in range(1, PACKAGES + 1):
        version = "2.0" if number in (7, 70) else "1.%d" % number
        info = site / ("package_%d-%s.dist-info" % (number, version))
        info.mkdir()
        name = "package-%d" % number
        text = "Metadata-Version: 2.1\nName: %s\nVersion: %s\n\n%s\n"
        (info / "METADATA").write_text(text % (name, version, "About it.\n" * 100))
        (info / "INSTALLER").write_text("pip\n")
        lines = ["package_%d/module_%d.py,sha256=x,100" % (number, m) for m in range(80)]
        (info / "RECORD").write_text("\n".join([*lines, info.name + "/METADATA,,", ""]))
    return str(folder / "bin" / "python")


def repository(folder: Path, files: int) -> Path:
    """Make a repository with a freeze and ``files`` modules."""
    folder.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    pins = ["package-%d==1.%d" % (number, number) for number in range(1, PACKAGES)]
    (folder / "requirements.txt").write_text("\n".join([*pins, "gone==1.0", ""]))
    for number in range(files):
        below = folder / ("part_%d" % (number % 20))
        below.mkdir(exist_ok=True)
        a, b = 1 + number % PACKAGES, 1 + (number * 7) % PACKAGES
        (below / ("module_%d.py" % number)).write_text(SOURCE.format(n=number, a=a, b=b))
    return folder


def measure(prov: str, python: str, n: int) -> list[_paired.Figure]:
    """Return the figures of ``n`` rounds for each repository."""
    environ = _paired.clean_environment()
    _paired.compile_bytecode(python, environ)
    figures = []
    with tempfile.TemporaryDirectory(prefix="prov-bench-") as made:
        here = environment(Path(made) / "env")
        verify = [prov, "verify", "--offline", "--python", here]
        for files in (1, FILES):
            place = repository(Path(made) / ("repo%d" % files), files)
            runs = [
                _paired.in_turns(
                    lambda bare=bare, place=place: _paired.execute(bare, place, environ),
                    lambda place=place: _paired.execute(verify, place, environ),
                    n,
                )
                for bare in ([python, "-c", "pass"], [here, "-m", "pip", "check"])
            ]
            what = "%d packages, %d source files: " % (PACKAGES, files)
            walls = tuple(own.wall_s for _, own in runs[0])
            cpu = tuple(own.cpu_s for _, own in runs[0])
            figures.append(_paired.Figure(what + "prov verify", walls, "s", BUDGET_S))
            figures.append(_paired.Figure(what + "its CPU time", cpu, "s"))
            for name, pairs in zip(("python -c pass", "pip check"), runs, strict=True):
                ratios = tuple(own.wall_s / bare.wall_s for bare, own in pairs)
                figures.append(_paired.Figure(what + "times " + name, ratios, "x"))
    return figures


def main() -> int:
    """Measure and report."""
    given = _paired.options(str(__doc__).splitlines()[0], n=5).parse_args()
    figures = measure(given.prov, given.python, given.n)
    return _paired.report("prov verify without adoption", figures, given.json)


if __name__ == "__main__":
    sys.exit(main())
