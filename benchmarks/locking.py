"""What locking and rebuilding an environment cost beside uv alone, with a warm cache.

The environment is made with uv from ``--packages``, in a temporary folder. Plain uv locks the same
pins to a pylock.toml, and builds with ``uv venv`` and ``uv pip sync --require-hashes``.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from _paired import (
    Figure,
    Sample,
    clean_environment,
    compile_bytecode,
    execute,
    git_repository,
    in_turns,
    options,
    report,
)

PACKAGES = (
    "jupyterlab==4.2.5 pandas==2.2.2 scikit-learn==1.5.1 dask==2024.8.0 distributed==2024.8.0 "
    "matplotlib==3.9.2 sphinx==7.4.7 black==24.8.0 pytest==8.3.2 mkdocs==1.6.1 flask==3.0.3 "
    "sqlalchemy==2.0.32 boto3==1.35.0 statsmodels==0.14.2 seaborn==0.13.2"
)
"""With what they require 157 distributions for Python 3.11."""
BUDGET_S = 5.0
"""Of one lock of 150 packages with a warm cache."""


class Bench:
    """The recorded environment, and each way to lock and to build it."""

    def __init__(self, folder: Path, prov: str, python: str, packages: list[str]) -> None:
        self.folder = folder
        self.prov = prov
        self.environ = dict(clean_environment(), PROV_CACHE=str(folder / "cache"))
        self.uv = shutil.which("uv", path=str(Path(prov).parent)) or shutil.which("uv") or "uv"
        self.recorded = str(folder / "recorded")
        self._run(self.uv, "venv", "-q", "--python", python, self.recorded)
        inside = self.recorded + "/bin/python"
        self._run(self.uv, "pip", "install", "-q", "--python", inside, *packages)
        self.repository = folder / "repository"
        self.repository.mkdir()
        (self.repository / "main.py").write_text("print(1)\n")
        git_repository(self.repository, 1, self.environ)
        self._run(prov, "run", "--", inside, "main.py")
        self._run(prov, "lock", "@last")
        words = [prov, "env", "export", "--format", "requirements"]
        self.requirements = folder / "requirements.txt"
        self._run(*words, "-o", str(self.requirements))
        self.pins = folder / "pins.txt"
        frozen = self._run(self.uv, "pip", "freeze", "--python", inside)
        self.pins.write_text(frozen)

    @property
    def packages(self) -> int:
        """The number of distributions of the environment."""
        return len(self.pins.read_text().split())

    def _run(self, *words: str) -> str:
        where = self.repository if hasattr(self, "repository") else self.folder
        done = subprocess.run(
            words, cwd=where, env=self.environ, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit("%s\n%s" % (" ".join(words[:4]), done.stderr))
        return done.stdout

    def lock(self) -> Sample:
        """Lock with prov."""
        return execute([self.prov, "lock", "@last"], self.repository, self.environ)

    def compile(self) -> Sample:
        """Lock with uv alone."""
        words = [self.uv, "pip", "compile", "-q", "--no-deps", "--format", "pylock.toml"]
        target = ["-o", str(self.folder / "pylock.toml"), str(self.pins)]
        return execute([*words, *target], self.folder, self.environ)

    def create(self) -> Sample:
        """Build with prov."""
        shutil.rmtree(self.folder / "one", ignore_errors=True)
        words = [self.prov, "env", "create", "prov.lock", "--at", str(self.folder / "one")]
        return execute(words, self.repository, self.environ)

    def sync(self) -> Sample:
        """Build with uv alone."""
        place = str(self.folder / "two")
        shutil.rmtree(place, ignore_errors=True)
        base = self.recorded + "/bin/python"
        venv = [self.uv, "venv", "-q", "--python", base, place]
        first = execute(venv, self.folder, self.environ)
        words = [self.uv, "pip", "sync", "-q", "--require-hashes", "--python", place]
        second = execute([*words, str(self.requirements)], self.folder, self.environ)
        return Sample(first.wall_s + second.wall_s, first.cpu_s + second.cpu_s)


def figures(name: str, pairs: list[tuple[Sample, Sample]], budget: float | None) -> list[Figure]:
    """Return what ``pairs`` of prov and uv say: seconds of prov, and the ratio."""
    return [
        Figure(name + ", prov", tuple(one.wall_s for one, _ in pairs), "s", budget),
        Figure(name + ", uv alone", tuple(two.wall_s for _, two in pairs), "s"),
        Figure(name + ", prov / uv", tuple(a.wall_s / b.wall_s for a, b in pairs), "x"),
        Figure(name + ", CPU of prov", tuple(one.cpu_s for one, _ in pairs), "s"),
    ]


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = options(__doc__ or "", 5)
    parser.add_argument("--packages", nargs="+", default=PACKAGES.split())
    asked = parser.parse_args()
    compile_bytecode(asked.python, clean_environment())
    with tempfile.TemporaryDirectory(prefix="prov-bench-") as name:
        bench = Bench(Path(name), asked.prov, asked.python, asked.packages)
        found = figures("lock", in_turns(bench.lock, bench.compile, asked.n), BUDGET_S)
        found += figures("build", in_turns(bench.create, bench.sync, asked.n), None)
        title = "locking and rebuilding %d packages" % bench.packages
    return report(title, found, asked.json)


if __name__ == "__main__":
    raise SystemExit(main())
