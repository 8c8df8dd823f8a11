"""The steps of a GitHub workflow, run by bash as a runner would, with stand-ins for actions.

Not run here: what `uses:` names. What stands for it is in `STAND_INS`; an action, an expression
or a condition that is not known fails, so that a changed template is looked at.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

STAND_INS = {
    "actions/checkout": "the clone stands where the checkout would",
    "actions/setup-python": "a virtual environment with pip, first on PATH",
}
_ALWAYS = ("${{ !cancelled() }}", "${{ always() }}")
_CONDA = '''\
#!{python}
"""Stands for conda: makes the environment of an environment.yml from PyPI, with uv."""
import subprocess, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from scripts import _papers
words = sys.argv[1:]
assert words[:2] == ["env", "create"], words
prefix, file = words[words.index("--prefix") + 1], words[words.index("--file") + 1]
assert file == "environment.yml", words
subprocess.run(["uv", "venv", "-q", "-p", "{version}", prefix], check=True)
wanted = _papers.requirements(Path("."))
subprocess.run(["uv", "pip", "install", "-q", "-p", prefix + "/bin/python", *wanted], check=True)
'''


class Step(NamedTuple):
    """What came of a step: its name, exit code and what it printed (None, "": skipped)."""

    name: str
    code: int | None
    out: str


class Runner:
    """A machine that runs workflows, below ``folder``.

    python: what `setup-python` would bring. interpreters: by version, what uv would find or fetch.
    prov: what pip installs as `$PROV`, since no release of this source tree is on an index.
    """

    def __init__(
        self, folder: Path, python: str, interpreters: Mapping[str, str], prov: str, uv: str
    ) -> None:
        self.folder, self.prov = folder, prov
        bin_ = folder / "tools"
        bin_.mkdir(parents=True)
        for version, path in interpreters.items():
            (bin_ / ("python" + version)).symlink_to(path)
        self._tools = bin_
        self._setup = folder / "setup-python"
        subprocess.run([uv, "venv", "-q", "--seed", "-p", python, self._setup], check=True)
        conda = folder / "conda" / "bin" / "conda"
        conda.parent.mkdir(parents=True)
        root = str(Path(__file__).resolve().parent.parent)
        text = _CONDA.format(python=sys.executable, root=root, version=min(interpreters))
        conda.write_text(text)
        conda.chmod(0o755)

    def run(self, workflow: Path, checkout: Path) -> list[Step]:
        """Run the one job of ``workflow`` in ``checkout``; stop at a failure as GitHub does."""
        told = yaml.safe_load(workflow.read_text())
        (job,) = told["jobs"].values()
        files = {name: self.folder / name for name in ("GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
        for path in files.values():
            path.write_text("")
        done: list[Step] = []
        for step in job["steps"]:
            name = step.get("name") or step.get("uses") or step["run"].splitlines()[0]
            failed = any(one.code for one in done)
            if "if" in step:
                assert step["if"] in _ALWAYS, step["if"]
            if failed and "if" not in step:
                done.append(Step(name, None, ""))
            elif "uses" in step:
                assert step["uses"].partition("@")[0] in STAND_INS, step["uses"]
            else:
                done.append(self._step(name, step, {**told.get("env", {})}, checkout, files))
        return done

    def _step(
        self,
        name: str,
        step: dict[str, Any],
        env: dict[str, str],
        cwd: Path,
        files: dict[str, Path],
    ) -> Step:
        assert "${{" not in step["run"], "an expression: %s" % step["run"]
        added = [line for line in files["GITHUB_PATH"].read_text().splitlines() if line]
        here = [*reversed(added), str(self._setup / "bin"), str(self._tools)]
        kept = {k: v for k, v in os.environ.items() if re.match("HOME|TMPDIR|PIP_|UV_|SSL_", k)}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=cwd,
            env={
                **kept,
                **{key: str(value) for key, value in env.items()},
                **{key: str(path) for key, path in files.items()},
                "PROV": self.prov,
                "CONDA": str(self.folder / "conda"),
                "CI": "true",
                "GITHUB_ACTIONS": "true",
                "UV_PYTHON_DOWNLOADS": "never",
                "PATH": ":".join([*here, "/usr/local/bin:/usr/bin:/bin"]),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=600,
        )
        return Step(name, done.returncode, done.stdout)
