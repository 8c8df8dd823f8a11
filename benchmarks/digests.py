"""What taking digests costs: one large file, and many small ones, against b3sum, DVC and git-annex.

Budgets, as ratios of pairs that ran in turns:

first digest of the large file, and of the small files: at most 1.25 times b3sum (or, where that is
not installed, BLAKE3's own library over a mapped file);
two algorithms at once (MD5 is what DVC wants): at most 1.15 times the slower one alone;
finding the large file unchanged, start of Python included: at most 0.1 times `dvc status`;
the small files: at most 0.15 times. Of the 4 us a file that this takes, asking the system for its
status takes 2.5, and a file's status must be asked: a changed file leaves no trace in its folder.

For information: the first digest against `dvc add` and `git annex add`, which also copy, and the
unchanged check against `git annex fsck --fast`. What is not installed is left out, with a sentence.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import _paired

BUDGET_FIRST, BUDGET_BOTH = 1.25, 1.15
BUDGET_UNCHANGED = {"large file": 0.1, "small files": 0.15}
SIZE, FILES, PER_FOLDER = 1 << 30, 100_000, 1000
SETTLE_S = 2.5
"""A digest is kept only of a file that was left alone for two seconds."""

OURS = """\
import os, sys, time
from provenance.store.digestcache import DigestCache
cache, path, names = DigestCache(sys.argv[1]), sys.argv[2], tuple(sys.argv[3].split(","))
began, cpu = time.perf_counter(), time.process_time()
if os.path.isdir(path):
    cache.tree(path, names[0])
else:
    cache.digest(path, names)
print(time.perf_counter() - began, time.process_time() - cpu)
cache.save()
"""
LIBRARY = """\
import os, sys
from blake3 import blake3
path = sys.argv[1]
for folder, _, names in os.walk(path) if os.path.isdir(path) else [("", (), [path])]:
    for name in names:
        blake3(max_threads=blake3.AUTO).update_mmap(os.path.join(folder, name)).hexdigest()
"""


class Bench:
    """A folder with one large file and a tree of small ones, and the programs to compare."""

    def __init__(self, folder: Path, size: int, files: int) -> None:
        self.environ = _paired.clean_environment()
        beside = str(Path(sys.executable).parent)
        self.environ["PATH"] = os.pathsep.join([beside, self.environ.get("PATH", "")])
        self.environ.update(DVC_NO_ANALYTICS="1", GIT_CONFIG_GLOBAL=os.devnull)
        self.folder, self.cache = folder, folder / "digests"
        self.big, self.tree = folder / "work" / "big.bin", folder / "work" / "tree"
        self.tree.mkdir(parents=True)
        with open(self.big, "wb") as stream:
            for start in range(0, size, 1 << 24):
                stream.write(os.urandom(min(1 << 24, size - start)))
        for number in range(files):
            path = self.tree / f"{number // PER_FOLDER:04}" / f"{number:06}.bin"
            if not number % PER_FOLDER:
                path.parent.mkdir()
            path.write_bytes(b"%08d" % number * 128)
        time.sleep(SETTLE_S)

    def has(self, program: str) -> bool:
        """Return whether ``program`` is installed."""
        return shutil.which(program, path=self.environ["PATH"]) is not None

    def ours(self, path: Path, names: str = "blake3", forget: bool = True) -> _paired.Sample:
        """Digest ``path``; measured without the start of the interpreter."""
        if forget:
            self.cache.unlink(missing_ok=True)
        words = [sys.executable, "-c", OURS, str(self.cache), str(path), names]
        done = subprocess.run(words, env=self.environ, capture_output=True, text=True, check=True)
        return _paired.Sample(*map(float, done.stdout.split()))

    def unchanged(self, path: Path) -> _paired.Sample:
        """Look at ``path`` when all is known of it; the whole process is measured."""
        words = [sys.executable, "-c", OURS, str(self.cache), str(path), "blake3"]
        return self.run(*words)

    def b3sum(self, path: Path) -> _paired.Sample:
        """Digest ``path`` with b3sum, or with BLAKE3's library where there is none."""
        if not self.has("b3sum"):
            return self.run(sys.executable, "-c", LIBRARY, str(path))
        if path.is_dir():
            return self.run("bash", "-c", 'find "$0" -type f -print0 | xargs -0 b3sum', str(path))
        return self.run("b3sum", str(path))

    def run(self, *words: str, cwd: Path | None = None) -> _paired.Sample:
        """Run a program, its output thrown away."""
        return _paired.execute(words, cwd or self.folder, self.environ)


def against_b3sum(bench: Bench, n: int) -> list[_paired.Figure]:
    """Return the figures that need nothing but b3sum."""
    name = "b3sum" if bench.has("b3sum") else "blake3 library"
    figures = []
    for what, path in (("large file", bench.big), ("small files", bench.tree)):
        pairs = _paired.in_turns(lambda p=path: bench.b3sum(p), lambda p=path: bench.ours(p), n)
        figures += [
            _paired.Figure(f"{what}: {name}", tuple(a.wall_s for a, _ in pairs), "s"),
            _paired.Figure(f"{what}: first digest", tuple(b.wall_s for _, b in pairs), "s"),
            ratio(f"{what}: first digest / {name}", pairs, BUDGET_FIRST),
        ]
    pairs = _paired.in_turns(
        lambda: bench.ours(bench.big, "md5"), lambda: bench.ours(bench.big, "blake3,md5"), n
    )
    return [*figures, ratio("large file: BLAKE3 and MD5 / MD5 alone", pairs, BUDGET_BOTH)]


def against_dvc(bench: Bench, n: int) -> list[_paired.Figure]:
    """Return the figures that need DVC."""
    work = bench.folder / "work"
    bench.run("dvc", "init", "--no-scm", "-q", cwd=work)
    figures = []
    for what, path in (("large file", bench.big), ("small files", bench.tree)):
        added = bench.run("dvc", "add", "-q", path.name, cwd=work)
        time.sleep(SETTLE_S)  # DVC has put the files there anew
        first = bench.ours(path)
        pairs = _paired.in_turns(
            lambda p=path: bench.run("dvc", "status", "-q", f"{p.name}.dvc", cwd=work),
            lambda p=path: bench.unchanged(p),
            n,
        )
        figures += [
            _paired.Figure(f"{what}: dvc add", (added.wall_s,), "s"),
            _paired.Figure(f"{what}: first digest / dvc add", (first.wall_s / added.wall_s,), "x"),
            _paired.Figure(f"{what}: dvc status", tuple(a.wall_s for a, _ in pairs), "s"),
            _paired.Figure(f"{what}: unchanged", tuple(b.wall_s for _, b in pairs), "s"),
            ratio(f"{what}: unchanged / dvc status", pairs, BUDGET_UNCHANGED[what]),
        ]
    return figures


def against_annex(bench: Bench, n: int) -> list[_paired.Figure]:
    """Return the figures that need git-annex, of a hundredth of the files: it takes its time.

    It moves the files: to be called last.
    """
    work, tree = bench.folder / "work", bench.tree / "0000"
    first = bench.ours(tree)
    for words in (("git", "init", "-q"), ("git", "annex", "init", "-q", "bench")):
        bench.run(*words, cwd=work)
    added = bench.run("git", "annex", "add", "-q", "tree/0000", cwd=work)
    time.sleep(SETTLE_S)
    bench.ours(tree)
    pairs = _paired.in_turns(
        lambda: bench.run("git", "annex", "fsck", "--fast", "-q", "tree/0000", cwd=work),
        lambda: bench.unchanged(tree),
        n,
    )
    return [
        _paired.Figure("1,000 files: git annex add", (added.wall_s,), "s"),
        _paired.Figure(
            "1,000 files: first digest / annex add", (first.wall_s / added.wall_s,), "x"
        ),
        ratio("1,000 files: unchanged / annex fsck --fast", pairs),
    ]


def ratio(
    what: str, pairs: list[tuple[_paired.Sample, _paired.Sample]], budget: float | None = None
) -> _paired.Figure:
    """Return how much longer the second of each pair took."""
    return _paired.Figure(what, tuple(b.wall_s / a.wall_s for a, b in pairs), "x", budget)


PARTS: tuple[tuple[str, Callable[[Bench, int], list[_paired.Figure]]], ...] = (
    ("", against_b3sum),
    ("dvc", against_dvc),
    ("git-annex", against_annex),
)


def main() -> int:
    """Measure and report."""
    parser = _paired.options(str(__doc__).splitlines()[0], n=5)
    parser.add_argument("--size", type=int, default=SIZE, help="bytes of the large file")
    parser.add_argument("--files", type=int, default=FILES, help="how many small files")
    parser.add_argument("--without", default="", help="programs not to compare with, by comma")
    given = parser.parse_args()
    _paired.compile_bytecode(sys.executable, _paired.clean_environment())
    figures = []
    with tempfile.TemporaryDirectory(prefix="prov-bench-") as name:
        bench = Bench(Path(name), given.size, given.files)
        for program, measure in PARTS:
            if program in given.without.split(",") and program:
                continue
            if program and not bench.has(program):
                print(f"{program} is not installed: left out", file=sys.stderr)
                continue
            figures += measure(bench, given.n)
        subprocess.run(["chmod", "-R", "u+w", name], check=False)  # git-annex takes it away
    title = f"digests of {given.size / 1e9:.2g} GB, and of {given.files:,} small files"
    return _paired.report(title, figures, given.json)


if __name__ == "__main__":
    sys.exit(main())
