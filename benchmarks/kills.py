"""Kills `prov push`, `pull`, `checkout` and `gc` with SIGKILL at random points; looks for damage.

After each kill every blob in the remote and in the store is read and held against its name, and
the user's files against what they were. In the end the command must carry on and give every file.
Prints how many kills hit a running command and how many blobs were damaged; exits 1 for any damage.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import _paired

VERBS = ("push", "pull", "checkout", "gc --pushed --yes")
FILES, SIZE = 500, 20_000_000
_MAKE = f"""\
import os
os.makedirs("parts", exist_ok=True)
for n in range({FILES}):
    open("parts/%04d.bin" % n, "wb").write(os.urandom(3000))
open("model.bin", "wb").write(os.urandom({SIZE}))
"""


def damaged(top: Path) -> list[Path]:
    """Return the blobs below ``top`` that are not what their name says."""
    found = []
    for path in (top / "files").rglob("*"):
        if path.is_file():
            name = (path.parent.name + path.name).removesuffix(".dir")
            if hashlib.md5(path.read_bytes()).hexdigest() != name:
                found.append(path)
    return found


def files_of(folder: Path) -> dict[str, str]:
    """Return the digests of the user's files."""
    names = ["model.bin", *("parts/%04d.bin" % n for n in range(FILES))]
    return {name: hashlib.md5((folder / name).read_bytes()).hexdigest() for name in names}


def old(top: Path) -> None:
    """Let everything below ``top`` look as if nobody had touched it in years."""
    for path in (*top.rglob("*"), top):
        os.utime(path, (0, 0), follow_symlinks=False)


class Place:
    """An author who pushes, a reader who pulls, checks out and cleans up, and their remote."""

    def __init__(self, top: Path, prov: str) -> None:
        self.prov, self.environ = prov, _paired.clean_environment()
        self.environ["PROV_CACHE"] = str(top / "cache")
        self.author, self.reader, self.remote = top / "author", top / "reader", top / "remote"
        for one in (self.author, self.reader):
            one.mkdir()
            subprocess.run(["git", "init", "-q", one], check=True)
            (one / "prov.yaml").write_text("remotes: {team: ../remote}\n")
        (self.author / "make.py").write_text(_MAKE)
        self.do(self.author, "run", "--name", "x", "--", sys.executable, "make.py")
        self.before = files_of(self.author)
        (self.reader / "mine.txt").write_text("mine")

    def do(self, where: Path, *words: str, check: bool = True) -> int:
        """Run ``prov`` to its end."""
        argv = [self.prov, *words]
        done = subprocess.run(argv, cwd=where, env=self.environ, capture_output=True, check=check)
        return done.returncode

    def prepare(self, verb: str, rng: random.Random) -> None:
        """Bring about what ``verb`` works on, where the last one has done all there was."""
        if verb == "push" and rng.random() < 0.3:
            shutil.rmtree(self.remote, ignore_errors=True)
        elif verb == "pull" and rng.random() < 0.3:
            shutil.rmtree(self.reader / ".prov", ignore_errors=True)
        elif verb == "checkout":
            self.do(self.reader, "pull", "x")
            shutil.rmtree(self.reader / "parts", ignore_errors=True)
            (self.reader / "model.bin").unlink(missing_ok=True)
        elif verb.startswith("gc"):
            self.do(self.reader, "pull", "x")
            old(self.reader / ".prov" / "objects")

    def kill(self, verb: str, rng: random.Random) -> tuple[bool, int]:
        """Kill ``verb`` somewhere on its way; return whether it still ran, and count damage."""
        where = self.author if verb == "push" else self.reader
        words = verb.split() if verb.startswith("gc") else [verb, "x"]
        quiet = subprocess.DEVNULL
        started = subprocess.Popen(
            [self.prov, *words], cwd=where, env=self.environ, stdout=quiet, stderr=quiet
        )
        time.sleep(rng.uniform(0.15, 1.2))
        running = started.poll() is None
        started.kill()
        started.wait()
        bad = damaged(self.remote) + damaged(self.reader / ".prov" / "objects")
        for path in bad:
            print("damaged: %s" % path)
        lost = files_of(self.author) != self.before
        lost |= (self.reader / "mine.txt").read_text() != "mine"
        return running, len(bad) + lost + self.half_checked_out()

    def half_checked_out(self) -> int:
        """Return how many files of the reader's are there, but not what they should be."""
        found = 0
        for name, value in self.before.items():
            path = self.reader / name
            if path.exists() and hashlib.md5(path.read_bytes()).hexdigest() != value:
                print("half written: %s" % path)
                found += 1
        return found


def main() -> int:
    """Kill, look, and report."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--prov", default=str(Path(sys.executable).parent / "prov"))
    parser.add_argument("-n", type=int, default=200, help="number of kills")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng, bad = random.Random(asked.seed), 0
    hits = dict.fromkeys(VERBS, 0)
    with tempfile.TemporaryDirectory() as temporary:
        place = Place(Path(temporary), asked.prov)
        for number in range(asked.n):
            verb = VERBS[number * len(VERBS) // asked.n]
            if verb != "push" and not number * len(VERBS) % asked.n:
                place.do(place.author, "push", "x")
            place.prepare(verb, rng)
            running, found = place.kill(verb, rng)
            hits[verb] += running
            bad += found
        place.do(place.author, "push", "x")
        place.do(place.reader, *VERBS[-1].split())
        place.do(place.reader, "pull", "x")
        place.do(place.reader, "checkout", "x", check=False)
        whole = files_of(place.reader) == place.before
    told = ", ".join("%d of %s" % (count, verb) for verb, count in hits.items())
    print("%d kills, of a running command %s; %d damaged" % (asked.n, told, bad))
    print("the last pull and checkout gave %s" % ("every file" if whole else "OTHER FILES"))
    return int(bool(bad) or not whole)


if __name__ == "__main__":
    sys.exit(main())
