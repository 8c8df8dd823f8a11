"""Kills `prov push` and `prov pull` with SIGKILL at random points and looks for damage.

After each kill every blob in the remote and in the store is read and held against its name, and
the user's files against what they were. In the end the command must carry on and give every file.
Prints how many kills hit a running command and how many blobs were damaged; exits 1 for any damage.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import _paired

_MAKE = """\
import os
os.makedirs("parts", exist_ok=True)
for n in range(1500):
    open("parts/%04d.bin" % n, "wb").write(os.urandom(3000))
open("model.bin", "wb").write(os.urandom(30_000_000))
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
    names = ["model.bin", *("parts/%04d.bin" % n for n in range(1500))]
    return {name: hashlib.md5((folder / name).read_bytes()).hexdigest() for name in names}


def main() -> int:
    """Kill, look, and report."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--prov", default=str(Path(sys.executable).parent / "prov"))
    parser.add_argument("-n", type=int, default=200, help="number of kills")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng, environ = random.Random(asked.seed), _paired.clean_environment()
    bad = hits = 0
    with tempfile.TemporaryDirectory() as temporary:
        top = Path(temporary)
        author, reader, remote = top / "author", top / "reader", top / "remote"
        for one in (author, reader):
            one.mkdir()
            subprocess.run(["git", "init", "-q", one], check=True)
            (one / "prov.yaml").write_text("remotes: {team: ../remote}\n")
        (author / "make.py").write_text(_MAKE)
        subprocess.run(
            [asked.prov, "run", "--name", "x", "--", sys.executable, "make.py"],
            cwd=author, env=environ, check=True, capture_output=True,
        )  # fmt: skip
        before = files_of(author)
        for number in range(asked.n):
            verb = "push" if number < asked.n // 2 else "pull"
            where = author if verb == "push" else reader
            if number == asked.n // 2:
                subprocess.run([asked.prov, "push"], cwd=author, env=environ, check=True)
            started = subprocess.Popen(
                [asked.prov, verb, "x"], cwd=where, env=environ, stdout=subprocess.DEVNULL
            )
            time.sleep(rng.uniform(0.2, 1.8))
            hits += started.poll() is None
            started.kill()
            ended = started.wait() == 0
            found = damaged(remote) + damaged(reader / ".prov" / "objects")
            bad += len(found) + (files_of(author) != before)
            for path in found:
                print("damaged: %s" % path)
            if ended or rng.random() < 0.1:
                shutil.rmtree(remote if verb == "push" else reader / ".prov", ignore_errors=True)
        subprocess.run([asked.prov, "pull", "x"], cwd=reader, env=environ, check=True)
        subprocess.run([asked.prov, "checkout", "x"], cwd=reader, env=environ, check=True)
        whole = files_of(reader) == before
    print("%d kills, %d of a running command, %d damaged" % (asked.n, hits, bad))
    print("the last pull and checkout gave %s" % ("every file" if whole else "OTHER FILES"))
    return int(bool(bad) or not whole)


if __name__ == "__main__":
    sys.exit(main())
