"""Environments restored from a file by the tool that owns it, and what ``prov verify`` says then.

Every test asks two things of a format. Right after the restore: nothing at all is told. With one
package in another version, one gone and one more: exactly these, each with its line in the file.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import Prov, git
from tests.facets._venvs import UV

OLD_IDNA = "3.4"
"""A version of idna that no file of these tests asks for; the one that it is changed to."""
SCRIPT = "import six\n\nprint(six.PY3)\n"
HIDDEN = ("PROV_", "PYTHONPATH", "GIT_", "PIP_", "UV_", "VIRTUAL_ENV", "CONDA_", "PYTHONDONT")


def clean(**more: str) -> dict[str, str]:
    """Return this environment without what would steer an installer."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(HIDDEN) or name == "PIP_CERT"
    }
    kept.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_CONFIG_FILE=os.devnull)
    return {**kept, **more}


def run(folder: Path, *words: str, code: int | None = 0, **more: Any) -> str:
    """Run a tool in ``folder``; return what it printed. code: that it must end with."""
    more.setdefault("env", clean())
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, check=False, timeout=240, **more
    )
    assert code is None or done.returncode == code, "%s\n%s" % (done.stdout, done.stderr)
    return done.stdout


def uv(folder: Path, *words: str, **more: Any) -> str:
    """Run uv in ``folder``, or skip the test where there is none."""
    if UV is None:
        pytest.skip("uv is not installed")
    return run(folder, UV, *words, **more)


class Said(NamedTuple):
    """What verify said: its JSON, one reference. code: the exit code."""

    data: dict[str, Any]
    code: int

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """The packages by normal name; none comes twice."""
        rows = self.data["references"][0]["packages"]
        found = {re.sub(r"[-_.]+", "-", row["name"]).lower(): row for row in rows}
        assert len(found) == len(rows), "a package is listed twice"
        return found

    @property
    def findings(self) -> set[tuple[str, str, str, Any, Any]]:
        """What differs: kind, name, effect, old, new."""
        return {
            (one["kind"], one["name"].lower(), one["effect"], one["old"], one["new"])
            for one in self.data["findings"]
        }

    @property
    def left(self) -> set[tuple[str, str]]:
        """What was not compared, and why."""
        return {(one["what"].lower(), one["reason"]) for one in self.data["not_compared"]}

    def status(self, name: str) -> str:
        """Return what is said of one package, "" where it is not listed."""
        return str(self.rows.get(name, {}).get("status", ""))


class Place:
    """A repository with one script, and the environment that stands beside it."""

    def __init__(self, folder: Path, **files: str) -> None:
        self.folder = folder / "repo"
        self.env = folder / "env"
        self.folder.mkdir(parents=True)
        git(self.folder, "init", "-q", "-b", "main")
        self.write("train.py", SCRIPT)
        for name, text in files.items():
            self.write(name, text)

    @property
    def python(self) -> str:
        """The interpreter of the environment."""
        return str(self.env / "bin" / "python")

    def write(self, name: str, text: str) -> Path:
        """Write a file of the repository."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def venv(self, *words: str, python: str = sys.executable) -> None:
        """Make the environment, empty."""
        uv(self.folder, "venv", "-q", "-p", python, *words, str(self.env))

    def install(self, *words: str) -> None:
        """Install with ``uv pip install``."""
        uv(self.folder, "pip", "install", "-q", "-p", self.python, *words)

    def pip(self, *words: str) -> str:
        """Run the environment's own pip."""
        return run(self.folder, self.python, "-m", "pip", *words)

    def prov(self, **environ: str) -> Prov:
        """Return the command line in the repository."""
        prov = Prov(self.folder)
        prov.environ = clean(**environ)
        return prov

    def verify(self, *words: str, code: int | None = 0, python: str = "", **more: Any) -> Said:
        """Run ``prov verify --offline --json`` with the environment, from outside of it."""
        chosen = ("--python", python or self.python) if python != "-" else ()
        prov = self.prov(**more.pop("env", {}))
        done = prov("verify", *words, "--offline", *chosen, "--json", code=None, **more)
        assert code is None or done.returncode == code, done.stdout + done.stderr
        import json

        return Said(json.loads(done.stdout)["data"], done.returncode)

    def change(self, *extra: str) -> None:
        """Put idna in another version, take six away, add toolz."""
        self.install("--no-deps", "idna==" + OLD_IDNA, "toolz==1.0.0", *extra)
        uv(self.folder, "pip", "uninstall", "-q", "-p", self.python, "six")

    def lines(self, name: str, text: str) -> tuple[str, ...]:
        """Return the place of the one line of a file that matches ``text``.

        Of TOML also that of the table which it begins.
        """
        lines = (self.folder / name).read_text().splitlines()
        found = [number for number, line in enumerate(lines, 1) if re.search(text, line)]
        assert len(found) == 1, "%s: %s" % (text, found)
        head = lines[found[0] - 2].startswith("[[")
        return tuple("%s:%d" % (name, number) for number in (found[0], found[0] - head))


def quiet(said: Said, *left: tuple[str, str]) -> None:
    """Require that nothing is told, and nothing is left out but ``left``."""
    assert {one for one in said.findings if one[2] != "none"} == set()
    assert said.left == set(left)
    assert said.data["verdict"] == "same"
    assert said.data["references"][0]["notes"] == []
    assert said.data["compared"]["packages"]["total"] > 0


def three(
    said: Said, place: Place, file: str, idna: str, six: str, complete: bool,
    lines: tuple[str, str] = (r"\bidna\b", r"\bsix\b"), effect: str = "unknown",
    also: Iterable[Any] = (),
) -> None:  # fmt: skip
    """Require that the three changes are told and nothing else.

    idna, six: what the file states of them. lines: what only their lines match. effect: of idna's
    change, "possible" where it left a range. also: other findings.
    """
    expected = {
        ("version", "idna", effect, idna, OLD_IDNA),
        ("removed", "six", "broken", six, None),
    }
    expected.update(also)
    if complete:
        expected.add(("added", "toolz", "none", None, "1.0.0"))
    assert said.findings == expected
    rows = said.rows
    assert rows["idna"]["status"] == "differs"
    assert rows["idna"]["stated"] == idna
    assert rows["idna"]["installed"] == OLD_IDNA
    assert rows["idna"]["where"] in place.lines(file, lines[0])
    assert rows["six"]["status"] == "not installed"
    assert rows["six"]["where"] in place.lines(file, lines[1])
    assert said.status("toolz") == ("extra" if complete else "")
    gone = [one for one in said.data["findings"] if one["name"] == "six"]
    assert gone[0]["where"] == ["train.py:1"]
    assert said.code == 1


def tool(folder: Path, name: str, *more: str) -> Path:
    """Return the folder of programs of ``name`` from the index, in an environment of its own.

    more: what is installed, where that is not just ``name``.
    """
    made = folder / name
    if not made.exists():
        uv(folder, "venv", "-q", "-p", sys.executable, str(made))
        python = str(made / "bin" / "python")
        try:
            uv(folder, "pip", "install", "-q", "-p", python, *(more or (name,)))
        except AssertionError as error:
            shutil.rmtree(made)
            pytest.skip("%s cannot be installed: %s" % (name, str(error).strip()[-200:]))
    return made / "bin"
