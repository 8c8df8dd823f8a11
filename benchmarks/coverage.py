"""Which reads and writes of real libraries end up in the record: the matrix of `_ways`.

Each way is run twice under `prov run`, in a git repository of its own: once writing, once reading.
A cell is seen when the record has all its files in the right part, known in any way. What it has
beyond them is false. How many of the files the hook itself saw stands beside. Exits with 1 where
less than ``--least`` of the cells are seen, or any is false.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import _paired
from _ways import WAYS, Way

LEAST = 0.95


class Cell(NamedTuple):
    """One way in one direction. missed, false: names of files. hooked: of those wanted."""

    way: str
    direction: str
    wanted: int = 0
    missed: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    hooked: int = 0
    error: str = ""

    @property
    def seen(self) -> bool:
        """Return whether the record has everything."""
        return bool(self.wanted) and not self.missed and not self.error


class Matrix:
    """Runs ways under `prov run` with one interpreter."""

    def __init__(self, prov: str, python: str, options: Sequence[str], folder: Path) -> None:
        self.prov, self.python, self.options, self.folder = prov, python, list(options), folder
        self.environ = _paired.clean_environment()
        self.environ["HOME"] = str(folder / "home")
        (folder / "home").mkdir(exist_ok=True)

    def can(self, way: Way) -> bool:
        """Return whether the interpreter has what the way needs, without importing it."""
        code = "import importlib.util as u, sys\nfor n in sys.argv[1:]: assert u.find_spec(n), n"
        done = subprocess.run(
            [self.python, "-c", code, *way.needs.split()],
            env=self.environ,
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    def cells(self, way: Way) -> Iterator[Cell]:
        """Yield the cell of writing, then that of reading."""
        place = self.folder / way.name.replace(" ", "-").replace("/", "-")
        place.mkdir()
        for name, code in (
            ("before.py", way.before),
            ("write.py", way.write),
            ("read.py", way.read),
        ):
            (place / name).write_text(code + "\n")
        subprocess.run(["git", "init", "-q"], cwd=place, env=self.environ, check=True)
        if way.before:
            subprocess.run([self.python, "before.py"], cwd=place, env=self.environ, check=True)
        there = _files(place)
        yield self.cell(way, "write", place, there)
        written = sorted(_files(place) - there)
        wanted = [f for f in written if _among(f, way.reads)] if way.reads else written
        yield self.cell(way, "read", place, _files(place), wanted)

    def cell(
        self, way: Way, direction: str, place: Path, there: set[str], wanted: Sequence[str] = ()
    ) -> Cell:
        """Run one script and judge its record."""
        command = [self.prov, "run", *self.options, "--", self.python, direction + ".py"]
        done = subprocess.run(
            command,
            cwd=place,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if done.returncode:
            return Cell(way.name, direction, error=done.stderr.strip().splitlines()[-1][:200])
        facets = self.record(place, re.findall(r"^prov: recorded (\w+)", done.stderr, re.M)[-1])
        data, outputs = (_entries(facets, name) for name in ("data", "outputs"))
        if direction == "write":
            wanted = sorted(_files(place) - there)
            part, other = outputs, {n: one for n, one in data.items() if n not in way.inputs}
            inputs = [name for name in way.inputs if not _has(data, name)]
        else:
            part, other, inputs = data, outputs, []
        missed = [name for name in wanted if not _has(part, name)] + inputs
        expected = (*wanted, *way.inputs)
        false = [n for n in part if not any(_among(one, (n,)) for one in expected)]
        hooked = sum(1 for name in wanted if "observed" in _ways_of(part, name))
        return Cell(
            way.name,
            direction,
            len(wanted),
            tuple(missed),
            tuple(sorted({*false, *other})),
            hooked,
        )

    def record(self, place: Path, run: str) -> dict[str, Any]:
        """Return the facets of the record of ``run``."""
        done = subprocess.run(
            [self.prov, "show", run, "--json"],
            cwd=place,
            env=self.environ,
            check=True,
            capture_output=True,
            text=True,
        )
        facets: dict[str, Any] = json.loads(done.stdout)["data"]["facets"]
        return facets


def _files(place: Path) -> set[str]:
    """Return the files below ``place`` that are the run's."""
    found = set()
    for folder, folders, names in os.walk(place):
        folders[:] = [one for one in folders if one not in (".git", ".prov", "__pycache__")]
        found |= {os.path.relpath(os.path.join(folder, name), place) for name in names}
    return found


def _entries(facets: dict[str, Any], facet: str) -> dict[str, Any]:
    files = [f for s in facets[facet]["subjects"] for f in s["payload"]["files"]]
    return {one["path"]["path"]: one for one in files if one["state"] != "missing"}


def _among(name: str, places: Sequence[str]) -> bool:
    return any(name == one or name.startswith(one + "/") for one in places)


def _has(part: dict[str, Any], name: str) -> bool:
    return any(_among(name, (one,)) for one in part)


def _ways_of(part: dict[str, Any], name: str) -> Sequence[str]:
    return next((e["how"] for n, e in part.items() if _among(name, (n,))), ())


def table(cells: Sequence[Cell]) -> str:
    """Return the matrix as text: a line for each way, then the totals."""
    width = max(len(cell.way) for cell in cells)
    lines = ["%-*s  %-22s  %s" % (width, "", "write", "read")]
    for way in dict.fromkeys(cell.way for cell in cells):
        both = {cell.direction: _said(cell) for cell in cells if cell.way == way}
        lines.append("%-*s  %-22s  %s" % (width, way, both["write"], both["read"]))
    return "\n".join([*lines, "", totals(cells)])


def _said(cell: Cell) -> str:
    if cell.error:
        return "failed: " + cell.error
    text = "seen" if cell.seen else "missed " + ", ".join(cell.missed)
    text += "" if cell.hooked == cell.wanted else " (hook %d/%d)" % (cell.hooked, cell.wanted)
    return text + (" FALSE " + ", ".join(cell.false) if cell.false else "")


def totals(cells: Sequence[Cell]) -> str:
    """Return how many cells were seen, by direction and in all, and how many are false."""
    said = []
    for direction in ("write", "read"):
        some = [cell for cell in cells if cell.direction == direction]
        said.append("%s %d of %d" % (direction, sum(c.seen for c in some), len(some)))
    hooked = sum(1 for cell in cells if cell.wanted and cell.hooked == cell.wanted)
    return "seen: %s, in all %.1f %%; by the hook itself %d of %d; false %d; failed %d" % (
        ", ".join(said),
        100 * share(cells),
        hooked,
        len(cells),
        sum(bool(cell.false) for cell in cells),
        sum(bool(cell.error) for cell in cells),
    )


def share(cells: Sequence[Cell]) -> float:
    """Return the share of cells that are seen."""
    return sum(cell.seen for cell in cells) / max(1, len(cells))


def main() -> int:
    """Run the matrix and report."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    beside = Path(sys.executable).parent / "prov"
    parser.add_argument("--prov", default=str(beside), help="the prov to measure")
    parser.add_argument("--python", default=sys.executable, help="has the libraries")
    parser.add_argument("--trace", help="passed on to prov run")
    parser.add_argument("--only", action="append", default=[], help="ways with this in their name")
    parser.add_argument("--least", type=float, default=LEAST, help="share of cells to be seen")
    parser.add_argument("--json", action="store_true", help="print the cells as JSON")
    given = parser.parse_args()
    options = ["--trace=" + given.trace] if given.trace else []
    python, prov = os.path.abspath(given.python), os.path.abspath(given.prov)
    cells: list[Cell] = []
    absent = []
    with tempfile.TemporaryDirectory(prefix="prov-coverage-") as name:
        matrix = Matrix(prov, python, options, Path(name))
        for way in WAYS:
            if given.only and not any(text in way.name for text in given.only):
                continue
            if not matrix.can(way):
                absent.append(way.name)
                continue
            for cell in matrix.cells(way):
                cells.append(cell)
                if sys.stderr.isatty():
                    print(cell.way, cell.direction, _said(cell), file=sys.stderr)
    passed = bool(cells) and share(cells) >= given.least and not any(c.false for c in cells)
    if given.json:
        rows = [dict(cell._asdict(), seen=cell.seen) for cell in cells]
        print(json.dumps({"cells": rows, "absent": absent, "passed": passed}, indent=2))
    elif cells:
        print(table(cells))
        if absent:
            print("not here: " + ", ".join(absent))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
