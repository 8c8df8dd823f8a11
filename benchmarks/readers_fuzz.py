"""Damaged result files: every reader must answer with tensors or with one sentence.

    python benchmarks/readers_fuzz.py --seconds 60 a.npz torch-2.13.0.pt

Real files (tests/readers) are damaged by flipped bits, hurting numbers, other digits, cuts and
repeats, and every answer must hold what the tests ask of it (`tests/readers/soundness.py`). A file
that breaks a reader is kept, and named.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def fuzz(soundness: Any, name: str, content: bytes, seconds: float, folder: Path) -> list[str]:
    """Damage one file for so long; return the number of files, and what broke its reader."""
    path = folder / ("damaged-" + name)
    until = time.monotonic() + seconds
    tried = refused = 0
    while time.monotonic() < until:
        path.write_bytes(soundness.damaged(content, tried))
        try:
            refused += bool(soundness.sound(str(path), name))
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            kept = folder / ("bad-%d-%s" % (tried, name))
            kept.write_bytes(path.read_bytes())
            return [str(kept), traceback.format_exc(limit=-4)]
        tried += 1
    return ["", "%d files, %d of them refused" % (tried, refused)]


def main() -> int:
    """Fuzz the files that are named, or all; 1 if one broke a reader."""
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("names", nargs="*", help="names as in tests/readers/recipes.py")
    parser.add_argument("--seconds", type=float, default=30, help="for each")
    given = parser.parse_args()
    soundness = importlib.import_module("tests.readers.soundness")
    recipes = importlib.import_module("tests.readers.recipes")
    files = {**soundness.seeds(), **recipes.apart()}
    files.update({"a.parquet": recipes.parquet(), "a.feather": recipes.feather()})
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    broken = 0
    for name in given.names or files:
        bad, said = fuzz(soundness, name, files[name], given.seconds, folder)
        print("%-24s %s" % (name, "BROKEN %s\n%s" % (bad, said) if bad else said), flush=True)
        broken += bool(bad)
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
