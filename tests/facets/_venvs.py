"""Real environments and tiny real projects to install into them."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UV = shutil.which("uv", path=os.path.dirname(sys.executable)) or shutil.which("uv")


def python_of(version: str) -> str:
    """Return an interpreter of this version ("3.8"), or skip the test."""
    if sys.version.startswith(version + "."):
        return sys.executable
    found = sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/%s.*/bin/python" % version)))
    other = found[-1] if found else shutil.which("python" + version)
    if other is None:
        pytest.skip("no Python %s here" % version)
    return other


def venv(folder: Path, *requirements: str, python: str = "", editable: str = "") -> str:
    """Make a virtual environment with ``requirements``; return its interpreter."""
    uv(folder.parent, "venv", "-q", "-p", python or sys.executable, str(folder))
    made = str(folder / "bin" / "python")
    if requirements:
        uv(folder.parent, "pip", "install", "-q", "-p", made, *requirements)
    if editable:
        uv(folder.parent, "pip", "install", "-q", "-p", made, "-e", editable)
    return made


def uv(folder: Path, *words: str) -> None:
    """Run uv, or skip the test where there is none."""
    if UV is None:
        pytest.skip("uv is not installed")
    done = subprocess.run(
        [UV, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr


def project(folder: Path, name: str, backend: str = "setuptools", layout: str = "") -> Path:
    """Make a one-module project; ``layout`` "src" puts the package below src."""
    package = folder / layout / name.replace("-", "_")
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("VALUE = 1\n")
    build = {
        "setuptools": ("setuptools>=64", "setuptools.build_meta"),
        "hatchling": ("hatchling", "hatchling.build"),
    }[backend]
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["%s"]\nbuild-backend = "%s"\n'
        '[project]\nname = "%s"\nversion = "0.1"\n' % (*build, name)
    )
    return folder
