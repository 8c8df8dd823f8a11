"""What `prov push` and `prov pull` cost to a local folder, against `dvc push` and `dvc fetch`.

Two loads: 10,000 small files, and one large file. Both tools start with the data in place and its
digests taken (`prov run` and a first push here, `dvc add` there), and end with every blob at the
remote (push) or in the cache of another clone (pull, fetch). Unlike DVC, `prov` forces every blob
to the disk before it gets its name, and holds what comes against its digest.
Budget: none; ratios below 1 mean that prov is faster.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import _paired

FILES, LARGE_MB = 10_000, 1000


def make(folder: Path, files: int, megabytes: int) -> None:
    """Write the data that both tools send."""
    for number in range(files):
        path = folder / "data" / ("part_%02d" % (number % 50)) / ("%06d.bin" % number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%06d" % number * (17 + number % 67))
    if megabytes:
        (folder / "data").mkdir(exist_ok=True)
        with open(folder / "data" / "large.bin", "wb") as stream:
            for _ in range(megabytes):
                stream.write(os.urandom(1 << 20))


class Bench:
    """One repository that both tools know, its remotes, and clones that pull from them."""

    def __init__(self, prov: str, python: str, top: Path, files: int, megabytes: int) -> None:
        self.environ = dict(_paired.clean_environment(), DVC_NO_ANALYTICS="1")
        self.environ["DVC_SITE_CACHE_DIR"] = str(top / "site")
        self.top, self.prov = top, prov
        self.dvc = [python, "-m", "dvc"]
        self.ours, self.theirs = top / "ours", top / "theirs"
        for one in (self.ours, self.theirs):
            one.mkdir()
            make(one, files, megabytes)
            _paired.git_repository(one, 1, self.environ)
        (self.ours / "prov.yaml").write_text("data: [data]\nremotes: {team: ../remote-ours}\n")
        self._do([prov, "run", "--name", "load", "--", "true"], self.ours)
        self._do([*self.dvc, "init", "-q"], self.theirs)
        remote = str(top / "remote-theirs")
        self._do([*self.dvc, "remote", "add", "-q", "-d", "team", remote], self.theirs)
        self._do([*self.dvc, "add", "-q", "data"], self.theirs)
        for name in ("ours", "theirs"):
            self._do([prov, "push", "--remote", str(top / "digests")], self.ours)
            shutil.rmtree(top / "digests")
            (top / ("clone-" + name)).mkdir()
        shutil.copytree(self.theirs / ".dvc", top / "clone-theirs" / ".dvc", symlinks=True)
        shutil.copy(self.theirs / "data.dvc", top / "clone-theirs")
        shutil.copy(self.ours / "prov.yaml", top / "clone-ours")
        for name in ("ours", "theirs"):
            self._do(["git", "init", "-q"], top / ("clone-" + name))

    def push(self, mine: bool) -> _paired.Sample:
        """Send everything to an empty remote."""
        shutil.rmtree(self.top / ("remote-ours" if mine else "remote-theirs"), ignore_errors=True)
        if mine:
            return _paired.execute([self.prov, "push", "load"], self.ours, self.environ)
        return _paired.execute([*self.dvc, "push", "-q"], self.theirs, self.environ)

    def pull(self, mine: bool) -> _paired.Sample:
        """Fetch everything into an empty cache."""
        if mine:
            clone = self.top / "clone-ours"
            shutil.rmtree(clone / ".prov", ignore_errors=True)
            return _paired.execute([self.prov, "pull", "load"], clone, self.environ)
        clone = self.top / "clone-theirs"
        shutil.rmtree(clone / ".dvc" / "cache", ignore_errors=True)
        return _paired.execute([*self.dvc, "fetch", "-q"], clone, self.environ)

    def _do(self, words: list[str], cwd: Path) -> None:
        subprocess.run(
            words, cwd=cwd, env=self.environ, check=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip


def measure(prov: str, python: str, n: int, files: int, megabytes: int) -> list[_paired.Figure]:
    """Return the figures of one load."""
    what = "%d small files" % files if files else "one file of %d MB" % megabytes
    figures = []
    with tempfile.TemporaryDirectory() as top:
        bench = Bench(prov, python, Path(top), files, megabytes)
        for verb, action in (("push", bench.push), ("pull", bench.pull)):
            pairs = _paired.in_turns(lambda a=action: a(True), lambda a=action: a(False), n)
            ratios = tuple(one.wall_s / other.wall_s for one, other in pairs)
            figures.append(_paired.Figure("%s of %s, wall" % (verb, what), ratios, "x dvc"))
            walls = tuple(one.wall_s for one, _ in pairs)
            figures.append(_paired.Figure("  the same, prov alone", walls, "s"))
    return figures


def main() -> int:
    """Measure and print; 0 where all budgets are kept."""
    parser = _paired.options(str(__doc__).splitlines()[0], 3)
    parser.add_argument("--files", type=int, default=FILES, help="number of small files")
    parser.add_argument("--large", type=int, default=LARGE_MB, help="MB of the large file")
    asked = parser.parse_args()
    _paired.compile_bytecode(asked.python, _paired.clean_environment())
    figures = measure(asked.prov, asked.python, asked.n, asked.files, 0)
    figures += measure(asked.prov, asked.python, asked.n, 0, asked.large)
    return _paired.report("transfers to a local folder", figures, asked.json)


if __name__ == "__main__":
    sys.exit(main())
