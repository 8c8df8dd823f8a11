"""Reading two checkpoints side by side: how fast against reading their bytes, in how much memory.

    python benchmarks/checkpoints.py --size 1024

Every format is measured in a process of its own: it opens two files of ``--size`` MiB, goes through
all tensors of both in step and holds every chunk of one against that of the other. The yardstick
is ``cat`` of the same two files to /dev/null, from the page cache. What a process apart takes to
start (HDF5) is told by itself.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy
from _paired import Figure, report

SOURCE = str(Path(__file__).resolve().parents[1] / "src")
MOST_MIB = 500
"""Memory that comparing two checkpoints may take, whatever their size."""

HALF = 2.0
"""Times the yardstick: half of the speed at which the machine reads."""

FORMATS = ("safetensors", "npz", "torch", "torch-transposed", "hdf5", "hdf5-chunked")


def tensors(mib: int) -> dict[str, Any]:
    """Return the tensors of a model of ``mib`` MiB: large matrices and small vectors."""
    rng = numpy.random.default_rng(0)
    large = max(1, mib // 32)
    made: dict[str, Any] = {}
    for number in range(large):
        made["layer%d/weight" % number] = rng.random((2048, 4096), numpy.float32)
        made["layer%d/bias" % number] = rng.random(4096, numpy.float32)
    return made


def write(kind: str, path: Path, mib: int) -> None:
    """Write one checkpoint."""
    made = tensors(mib)
    if kind == "npz":
        numpy.savez(path, **made)
    elif kind == "safetensors":
        importlib.import_module("safetensors.numpy").save_file(made, path)
    elif kind.startswith("torch"):
        writer = importlib.import_module("_checkpoint_writer")
        writer.save(path, made, kind.endswith("transposed"))
    else:
        with importlib.import_module("h5py").File(path, "w") as file:
            for name, array in made.items():
                file.create_dataset(name, data=array, chunks=kind.endswith("chunked") or None)


def yardstick(paths: list[str]) -> float:
    """Return how many seconds reading the files takes."""
    begin = time.perf_counter()
    subprocess.run(["cat", *paths], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begin


def both(paths: list[str]) -> tuple[float, float, float]:
    """Return the seconds of opening and of holding all tensors against each other, and MiB."""
    archives = importlib.import_module("provenance.readers.archives")
    begin = time.perf_counter()
    old, new = (archives.open_archive(path) for path in paths)
    opened = time.perf_counter()
    for name, one in old.tensors.items():
        other = new.tensors[name]
        size = importlib.import_module("provenance.readers.model").CHUNK
        for first, second in zip(one.chunks(size), other.chunks(size), strict=True):
            if not numpy.array_equal(first.view(numpy.uint32), second.view(numpy.uint32)):
                raise SystemExit("%s differs" % name)
    return opened - begin, time.perf_counter() - opened, peak_mib()


def peak_mib() -> float:
    """Return the most memory that this process and those apart had at once, each by itself.

    Not ``ru_maxrss``: that begins with what the process had that started this one.
    """
    here = Path("/proc/self")
    children = (here / "task" / str(os.getpid()) / "children").read_text().split()
    total = 0
    for place in (here, *(Path("/proc") / one for one in children)):
        lines = (place / "status").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return total / 1024


def child(paths: list[str], n: int) -> None:
    """Measure in this process and print what was measured."""
    _, _, mib = both(paths)
    ratios, opening = [], []
    apart = "hdf5" in paths[0]
    for _ in range(n):
        least = yardstick(paths)
        opened, read, mib = both(paths)
        opening.append(opened)
        ratios.append((read if apart else opened + read) / least)
    print(json.dumps({"ratios": ratios, "opening": opening, "mib": mib}))


def measure(kind: str, folder: Path, mib: int, n: int) -> list[Figure]:
    """Return the figures of one format."""
    suffix = kind.partition("-")[0]
    path = folder / ("one." + ("pt" if suffix == "torch" else suffix))
    write(kind, path, mib)
    other = path.with_name("two" + path.suffix)
    shutil.copyfile(path, other)
    command = [sys.executable, __file__, "--child", str(path), str(other), "-n", str(n)]
    environ = dict(os.environ, PYTHONPATH=SOURCE)
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    said = json.loads(done.stdout)
    for one in (path, other):
        one.unlink()
    size = "%s, 2 x %d MiB" % (kind, mib)
    # A packed or reordered file is told without a budget: unpacking has a price of its own.
    budget = HALF if kind in ("safetensors", "npz", "torch", "hdf5") else None
    return [
        Figure(size + ": time / reading", tuple(said["ratios"]), "x", budget),
        Figure(size + ": opening", tuple(said["opening"]), "s"),
        Figure(size + ": memory", (said["mib"],), "MiB", MOST_MIB),
    ]


def main() -> int:
    """Measure the formats that are named, or all; 1 where a budget is missed."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("formats", nargs="*", default=FORMATS, help=", ".join(FORMATS))
    parser.add_argument("--size", type=int, default=1024, help="of one file, in MiB")
    parser.add_argument("-n", type=int, default=5, help="number of pairs after the warm-up")
    parser.add_argument("--folder", default=None, help="where the files are written")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--child", nargs=2, default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.n)
        return 0
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        for kind in given.formats:
            figures += measure(kind, Path(folder), given.size, given.n)
    return report("checkpoints", figures, given.json)


if __name__ == "__main__":
    sys.exit(main())
