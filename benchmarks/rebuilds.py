"""Recorded environments rebuilt: is ``prov verify`` silent afterwards, in what time, of what size?

Each stack is installed with uv, a script that imports it is recorded and locked, the environment is
deleted, ``prov env create`` builds it from the lock, and ``prov verify --fail-on unknown`` looks.
Pythons are those of pyenv or uv; what is not here is named and left out.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from _paired import clean_environment
from locking import PACKAGES

from provenance.environments import pythons
from provenance.errors import ProvError

TORCH = "https://download.pytorch.org/whl/cpu"
"""Where builds of PyTorch without CUDA are, unless pip's settings name a folder that has them."""


class Stack(NamedTuple):
    """An environment. what: in words. imports: what the script imports. packages: for uv."""

    what: str
    python: str
    imports: str
    packages: str


STACKS = (
    Stack(
        "scikit-learn of 2019",
        "3.7",
        "sklearn.ensemble, docopt",
        "scikit-learn==0.21.3 numpy==1.16.6 scipy==1.3.3 joblib==0.14.1 docopt==0.6.2",
    ),
    Stack(
        "TensorFlow of 2021, CPU",
        "3.8",
        "tensorflow",
        "tensorflow-cpu==2.4.1 protobuf==3.20.3 numpy==1.19.5",
    ),
    Stack("pandas of 2021", "3.9", "pandas", "pandas==1.3.5 numpy==1.21.6"),
    Stack(
        "statsmodels", "3.10", "statsmodels.api", "statsmodels==0.13.5 scipy==1.9.3 numpy==1.23.5"
    ),
    Stack("scikit-learn of 2023", "3.11", "sklearn", "scikit-learn==1.3.2 numpy==1.26.4"),
    Stack(
        "xgboost", "3.12", "xgboost", "xgboost==2.1.1 scikit-learn==1.5.1 nvidia-nccl-cu12==2.22.3"
    ),
    Stack("NumPy 2", "3.13", "numpy, pandas", "numpy==2.1.3 pandas==2.2.3"),
    Stack("PyTorch, CPU", "3.11", "torch", "torch==2.13.0+cpu"),
    Stack("JAX, CPU", "3.11", "jax", "jax==0.4.31 jaxlib==0.4.31 numpy==1.26.4"),
    Stack("a withdrawn release", "3.11", "attr", "attrs==21.1.0"),
    Stack(
        "extras and markers",
        "3.11",
        "urllib3, socks, IPython",
        "urllib3[socks]==2.2.3 click==8.1.7 ipython==8.26.0 uvicorn[standard]==0.30.6",
    ),
    Stack("157 distributions", "3.11", "sklearn, dask, matplotlib", PACKAGES),
)


class Rebuilt(NamedTuple):
    """What came of a stack. problem: why there is nothing else, else ""."""

    stack: Stack
    packages: int = 0
    lock_s: float = 0.0
    create_s: float = 0.0
    megabytes: float = 0.0
    verdict: str = ""
    problem: str = ""


class Tool:
    """The programs, and the folder in which they run."""

    def __init__(self, folder: Path, prov: str) -> None:
        self.folder = folder
        self.prov = prov
        self.environ = dict(clean_environment(), PROV_CACHE=str(folder / "cache"))
        beside = os.path.dirname(prov)
        self.uv = shutil.which("uv", path=beside) or shutil.which("uv") or "uv"

    def __call__(self, *words: str) -> str:
        """Run ``words``; return what they print. Raises RuntimeError with what they complain of."""
        done = subprocess.run(
            words, cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False
        )
        if done.returncode:
            last = (done.stderr or done.stdout).strip().splitlines()
            raise RuntimeError("%s: %s" % (" ".join(words[:3]), "; ".join(last[:3])))
        return done.stdout


def rebuilt(stack: Stack, tool: Tool) -> Rebuilt:
    """Record, lock, delete and rebuild one stack."""
    old, new = tool.folder / "old", tool.folder / "new"
    python = str(old / "bin" / "python")
    (tool.folder / "main.py").write_text("import %s\n" % stack.imports)
    base = pythons.find(stack.python, tool.environ, str(tool.folder)).path
    tool(tool.uv, "venv", "-q", "--python", base, str(old))
    words = (tool.uv, "pip", "install", "-q", "--python", python)
    found = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS")
    index: tuple[str, ...] = ()
    if "+cpu" in stack.packages:
        index = ("--find-links", found) if found else ("--index", TORCH)
    tool(*words, *index, *stack.packages.split())
    tool(tool.prov, "run", "--", python, "main.py")
    began = time.monotonic()
    tool(tool.prov, "lock", "@last")
    locked = time.monotonic() - began
    shutil.rmtree(old)
    began = time.monotonic()
    told = json.loads(tool(tool.prov, "env", "create", "--at", str(new), "--json"))["data"]
    created = time.monotonic() - began
    if told["missing"]:
        return Rebuilt(stack, problem="missing: %s" % told["missing"])
    words = (tool.prov, "verify", "prov.lock", "--python", str(new / "bin" / "python"), "--json")
    verdict = json.loads(tool(*words, "--fail-on", "unknown"))["data"]["verdict"]
    size = sum(path.lstat().st_size for path in new.rglob("*") if not path.is_dir()) / 1e6
    return Rebuilt(stack, told["packages"], locked, created, size, verdict)


def main() -> int:
    """Rebuild the stacks, print a table in Markdown, return 1 where one is not silent."""
    parser = argparse.ArgumentParser(description=__doc__)
    beside = Path(sys.executable).parent / "prov"
    parser.add_argument("--prov", default=str(beside), help="the prov to measure")
    parser.add_argument("--only", metavar="TEXT", default="", help="stacks whose words have this")
    asked = parser.parse_args()
    print("| environment | Python | packages | lock, s | create, s | MB | verify |")
    print("|---|---|--:|--:|--:|--:|---|")
    failed = 0
    for stack in STACKS:
        if asked.only not in stack.what:
            continue
        with tempfile.TemporaryDirectory(prefix="prov-rebuilds-") as name:
            tool = Tool(Path(name), asked.prov)
            tool("git", "init", "-q")
            try:
                one = rebuilt(stack, tool)
            except (RuntimeError, ProvError) as error:
                one = Rebuilt(stack, problem=str(error))
        failed += bool(one.problem) or one.verdict != "same"
        cells = [stack.what, stack.python, str(one.packages), "%.1f" % one.lock_s]
        cells += ["%.1f" % one.create_s, "%.0f" % one.megabytes, one.verdict or one.problem]
        print("| %s |" % " | ".join(cells), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
