"""How long `prov trace` takes among thousands of records: first, afterwards, with one more.

    python benchmarks/lineage.py --records 5000 --files 50

Records are made up, of the size of real ones, in chains of three runs. CPU time of whole
processes. The file asked about is a copy under another name.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path

import _paired

from provenance.core import canonical
from provenance.core.digest import best_algorithm, bytes_digest

RECORDS, FILES = 5_000, 50
BUDGET_S = 0.8
"""Seconds of CPU of the process where the index is there, also with one more record since."""

_PACKAGES = 80


def _entry(path: str, value: str, kind: str) -> dict[str, object]:
    return {
        "path": {"root": "repo", "path": path},
        "kind": kind,
        "size": 1000,
        "digests": {best_algorithm(): value},
        "how": ["observed"],
        "state": "digested",
    }


def _record(place: int, files: int, numbers: random.Random) -> dict[str, object]:
    """Return the record of one run: every third begins a chain, others read what the last wrote."""

    def value(run: int, number: int) -> str:
        return bytes_digest(content(run, number), best_algorithm())

    half = files // 2
    read = [
        _entry("data/%d.bin" % n, value(place - 1, n), "data") if place % 3
        else _entry("raw/%d-%d.bin" % (place, n), value(-place - 1, n), "data")
        for n in range(half)
    ]  # fmt: skip
    wrote = [
        _entry("out/%d/%d.bin" % (place, n), value(place, n), "output") for n in range(files - half)
    ]
    packages = [
        {"name": "package-%d" % n, "version": "1.%d" % numbers.randrange(99), "files": "x" * 200}
        for n in range(_PACKAGES)
    ]
    second = "2026-01-%02dT%02d:%02d:%02d" % (
        place // 86400 + 1, place // 3600 % 24, place // 60 % 60, place % 60,
    )  # fmt: skip
    facets = {"data": {"files": read, "remotes": []}, "outputs": {"files": wrote}}
    facets["packages"] = {"distributions": packages}
    return {
        "schema": "prov/record/1",
        "id": "%sZ-%08x" % (second.replace("-", "").replace(":", ""), place),
        "command": ["python", "stage.py"],
        "cwd": {"root": "repo", "path": "."},
        "status": "done",
        "exit_code": 0,
        "started": second + ".000+00:00",
        "ended": second + ".900+00:00",
        "facets": {
            name: {
                "status": "captured", "version": 1, "reason": "", "notes": [],
                "subjects": [{"id": "run", "interpreter": None, "rank": None, "payload": payload}],
            }
            for name, payload in facets.items()
        },
    }  # fmt: skip


def content(run: int, number: int) -> bytes:
    """Return what a made-up file holds."""
    return b"run %d file %d" % (run, number)


def write(folder: Path, place: int, files: int, numbers: random.Random) -> None:
    """Write the record of one run below ``folder``."""
    document = canonical.seal(canonical.plain(_record(place, files, numbers)))
    run = folder / ".prov" / "runs" / str(document["id"])
    run.mkdir(parents=True)
    (run / "record.json").write_text(canonical.dumps(document))


def measure(prov: str, n: int, records: int, files: int) -> list[_paired.Figure]:
    """Return the figures of the three situations."""
    environ = _paired.clean_environment()
    numbers = random.Random(0)
    first: list[float] = []
    again: list[float] = []
    grown: list[float] = []
    size: list[float] = []
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        for place in range(records):
            write(folder, place, files, numbers)
        wild = folder / "found.bin"
        wild.write_bytes(content(records // 2, 0))
        words = [prov, "trace", "found.bin", "--json"]
        for turn in range(n):
            shutil.rmtree(folder / ".prov" / "trace", ignore_errors=True)
            first.append(_paired.execute(words, folder, environ).cpu_s)
            again.append(_paired.execute(words, folder, environ).cpu_s)
            write(folder, records + turn, files, numbers)
            grown.append(_paired.execute(words, folder, environ).cpu_s)
            index = folder / ".prov" / "trace" / "own.sqlite"
            size.append(index.stat().st_size / 1e6)
    return [
        _paired.Figure("first time, all records read", tuple(first), "s CPU"),
        _paired.Figure("index there", tuple(again), "s CPU", BUDGET_S),
        _paired.Figure("one more record", tuple(grown), "s CPU", BUDGET_S),
        _paired.Figure("index", tuple(size), "MB"),
    ]


def main() -> int:
    """Measure and report."""
    parser: argparse.ArgumentParser = _paired.options(str(__doc__).splitlines()[0], n=3)
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--files", type=int, default=FILES, help="of each run")
    given = parser.parse_args()
    title = f"{given.records:,} records of {given.files} files"
    return _paired.report(
        title, measure(given.prov, given.n, given.records, given.files), given.json
    )


if __name__ == "__main__":
    sys.exit(main())
