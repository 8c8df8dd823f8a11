"""The little paper repositories of examples/: how they are copied, built, adopted and shown.

`scripts/renew_examples` writes with it what `prov` makes for them; tests/test_paper_examples.py
tries the same as their authors and reviewers would.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
OWN, TODAY = ".venv", ".today"
"""Folders of the environment of the paper, and of one that a reader makes without its pins."""
_KEPT = ("HOME", "LANG", "TMPDIR", "TERM", "PIP_", "UV_", "XDG_", "SSL_", "REQUESTS_")
"""Variables (or beginnings of their names) that a paper's commands get from the caller."""
_LEFT = shutil.ignore_patterns("__pycache__", "results", ".prov", ".pytest_cache", OWN, TODAY)
_FENCE = re.compile(r"^```\n(?=\$ )(.*?)^```$", re.MULTILINE | re.DOTALL)
_WHO = {"NAME": "A. Author", "EMAIL": "author@example.org", "DATE": "2026-11-01T12:00:00+00:00"}
_NOT_FROM_PYPI = ("python", "pip", "cudatoolkit")


class Paper(NamedTuple):
    """A paper's repository.

    python: the version of Python of its environments. today: what a reader installs who takes no
    notice of the stated versions. adopt: the commands by which the authors adopted prov; made: the
    files that these write and the repository holds; drawn: those that the page's commands write.
    """

    name: str
    python: str
    today: tuple[str, ...]
    adopt: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()

    @property
    def page(self) -> Path:
        """What shows a reviewer's commands: the README, or a page beside the folder."""
        beside = EXAMPLES / (self.name + ".md")
        return beside if beside.exists() else EXAMPLES / self.name / "README.md"


PAPERS = (
    Paper(
        "paper-pip",
        "3.11",
        ("scikit-learn==1.6.1", "numpy==1.26.4", "scipy==1.15.3"),
        (
            "prov run --name table1 -- python train.py",
            "prov lock table1 --anonymous",
            "prov init test github",
        ),
        ("prov.lock", "test_provenance.py", ".github/workflows/provenance.yml"),
    ),
    Paper(
        "paper-conda",
        "3.10",
        ("category-encoders==2.6.3",),
        (
            "prov lock --from environment.yml --from data/listings.csv.md5",
            "prov init test github",
        ),
        ("prov.lock", "test_provenance.py", ".github/workflows/provenance.yml"),
    ),
    Paper("paper-never-adopted", "3.10", ("scikit-learn==1.5.2", "numpy==1.26.4")),
)

_SEEDS = ("1", "2", "3", "4", "5")
CLAIMS = Paper(
    "paper-claims",
    "3.11",
    (),
    (
        "prov run --name linear -- python train.py",
        *(
            "prov run --name products-%s -- python train.py --model products --seed %s" % (s, s)
            for s in _SEEDS
        ),
        "prov lock linear %s --anonymous" % " ".join("products-" + s for s in _SEEDS),
        "prov init test github",
    ),
    ("prov.lock", "test_provenance.py", ".github/workflows/provenance.yml"),
)
"""Checked by tests/test_paper_claims.py: nothing is known that would change it with an upgrade."""

PIPELINE = Paper("pipeline", "3.11", (), drawn=("trace.svg",))
"""No paper: three stages and a stray file. Checked by tests/test_pipeline_example.py."""


class Clone:
    """A paper's repository in a folder of its own, and its commands as somebody types them there.

    find_python: gives an interpreter by version ("3.11").
    """

    def __init__(self, paper: Paper, folder: Path, find_python: Callable[[str], str]) -> None:
        self.paper, self.folder = paper, folder
        self._find_python = find_python
        self._tools = folder.parent / ("tools-of-" + folder.name)
        self._tools.mkdir(parents=True)
        command = '#!/bin/sh\nexec "%s" -m provenance "$@"\n' % sys.executable
        for name, text in (("prov", command), ("uv", '#!/bin/sh\nexec "%s" "$@"\n' % _uv())):
            (self._tools / name).write_text(text)
            (self._tools / name).chmod(0o755)
        shutil.copytree(EXAMPLES / paper.name, folder, ignore=_LEFT)
        self.run("git init -q -b main && git add -A && git commit -q -m 'Code, data and pages'")

    def environ(self, own: str = OWN) -> dict[str, str]:
        """Return the variables of a shell in which the environment ``own`` is activated."""
        kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
        git = {
            "GIT_%s_%s" % (who, k): v for who in ("AUTHOR", "COMMITTER") for k, v in _WHO.items()
        }
        path = [str(self.folder / own / "bin"), str(self._tools), "/usr/local/bin:/usr/bin:/bin"]
        return {
            **kept,
            **git,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "UV_PYTHON_DOWNLOADS": "never",
            "VIRTUAL_ENV": str(self.folder / own),
            "PATH": ":".join(path),
        }

    def run(
        self, line: str, code: int | None = 0, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell line; require the exit code (None: any). Both streams are in ``stdout``."""
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", line],
            cwd=self.folder,
            env={**self.environ(), **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=600,
        )
        if code is not None and done.returncode != code:
            raise AssertionError("%s: exit %d\n%s" % (line, done.returncode, done.stdout))
        return done

    def build(self, own: str, *more: str) -> Path:
        """Make the environment that the paper's own files state, then install ``more``."""
        stated = requirements(self.folder)
        self.install(own, *stated)
        if more:
            self.install(own, *more)
        return self.folder / own / "bin" / "python"

    def install(self, own: str, *wanted: str) -> None:
        """Install ``wanted`` with uv into the folder ``own``, which is made if it is not there."""
        python = self.folder / own / "bin" / "python"
        if not python.exists():
            self.run("uv venv -q -p '%s' %s" % (self._find_python(self.paper.python), own))
        words = " ".join("'%s'" % one for one in wanted)
        self.run("uv pip install -q -p %s %s" % (python, words))

    def play(self, page: str) -> str:
        """Run what a page shows after "$ " again; return the page with what is printed now."""

        def played(match: re.Match[str]) -> str:
            commands = [line[2:] for line in match.group(1).splitlines() if line[:2] == "$ "]
            shown = ["$ %s\n%s" % (one, self.printed(one)) for one in commands]
            return "```\n%s```" % "\n".join(shown)

        return _FENCE.sub(played, page)

    def printed(self, line: str) -> str:
        """Return what a command prints, without the folder in which this clone stands."""
        text = self.run(line, code=None).stdout.replace(str(self.folder) + "/", "").rstrip("\n")
        text = text.replace(str(self.folder.parent) + "/", "../")
        return text + "\n" if text else ""


def requirements(folder: Path) -> list[str]:
    """Return what pip would be asked for by the environment file of the paper in ``folder``.

    Of an environment.yml it is what PyPI has under the same name; python, pip and CUDA are left.
    Of prose it is what the prose says, which only a person can read: it stands here.
    """
    if (folder / "requirements.txt").exists():
        return ["-rrequirements.txt"]
    if not (folder / "environment.yml").exists():
        return ["scikit-learn==1.1.3", "numpy==1.23.5", "scipy==1.9.3"]
    asked = yaml.safe_load((folder / "environment.yml").read_text())["dependencies"]
    conda = [one.rpartition("::")[2] for one in asked if isinstance(one, str)]
    names = [one for one in conda if re.split("[=<> ]", one)[0] not in _NOT_FROM_PYPI]
    pip = [one for part in asked if isinstance(part, dict) for one in part["pip"]]
    return [re.sub(r"(?<![=<>!])=(?!=)", "==", one) for one in names] + pip


def _uv() -> str:
    beside = os.path.dirname(sys.executable)
    found = shutil.which("uv", path=beside) or shutil.which("uv")
    if found is None:
        raise FileNotFoundError("uv is not installed")
    return found
