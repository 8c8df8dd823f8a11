"""Coverage-guided fuzzing of the readers of environment files, format by format, with atheris.

    python benchmarks/specs_fuzz.py --seconds 60 Dockerfile README.md

atheris is asked for only here; Python must be one that it has wheels for. Each format is fuzzed in
a process of its own, from the small files of the tests on, and every answer must hold what the
tests ask of it (`tests/specs/soundness.py`). A file that breaks a reader is kept, and named.
"""

from __future__ import annotations

import argparse
import importlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUDGET_S = 5.0
"""Of one file: what is instrumented is some times slower than the reader itself."""
LONGEST = 4096


def seeds() -> dict[str, tuple[str, ...]]:
    """Return the small files of the tests."""
    found: dict[str, tuple[str, ...]] = importlib.import_module("tests.specs.seeds").SEEDS
    return found


def fuzz(path: str, folder: str, seconds: int) -> None:
    """Fuzz one reader; does not return."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["provenance.specs"]):
        soundness = importlib.import_module("tests.specs.soundness")

    def one(data: bytes) -> None:
        soundness.sound(path, data, BUDGET_S)

    one(b"")
    arguments = [sys.argv[0], "-max_total_time=%d" % seconds, "-max_len=%d" % LONGEST]
    arguments += ["-print_final_stats=1", "-timeout=20", "-verbosity=0"]
    arguments += ["-artifact_prefix=%s/bad-" % folder, folder]
    atheris.Setup(arguments, one)
    atheris.Fuzz()


def run(path: str, seconds: int) -> tuple[int, str]:
    """Fuzz one reader in a process of its own; return how often it ran, and what broke it."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    for number, text in enumerate(seeds()[path]):
        (folder / ("seed-%d" % number)).write_text(text, "utf-8")
    command = [sys.executable, __file__, "--child", str(folder), "--seconds", str(seconds), path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    times = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    bad = sorted(folder.glob("bad-*"))
    if done.returncode and not bad:
        return 0, done.stderr[-2000:]
    error = "\n".join(done.stderr.split("\n")[:25]) if bad else ""
    return int(times[1]) if times else 0, "%s\n%s" % (bad[0], error) if bad else ""


def main() -> int:
    """Fuzz the formats that are named, or all; 1 if a file broke a reader."""
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("paths", nargs="*", help="file names as in tests/specs/seeds.py")
    parser.add_argument("--seconds", type=int, default=60, help="for each")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        fuzz(given.paths[0], given.child, given.seconds)
    broken = 0
    for path in given.paths or seeds():
        times, bad = run(path, given.seconds)
        print("%-22s %9d executions  %s" % (path, times, bad or "held"), flush=True)
        broken += bool(bad)
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
