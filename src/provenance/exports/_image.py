"""What an image that holds a recorded environment begins with, and how it is filled."""

from __future__ import annotations

from provenance.exports import _environment
from provenance.exports._environment import Environment

MINIFORGE = "condaforge/miniforge3:24.9.2-0"
"""Has conda and mamba; of conda-forge, whose packages most records name."""
CONDA_PREFIX = "/opt/environment"
REQUIREMENTS, EXPLICIT = "/opt/requirements.txt", "/opt/explicit.txt"


def base(one: Environment) -> str:
    """Return the name of the image to begin with: the recorded Python, or conda."""
    return MINIFORGE if one.conda else "python:%s" % one.python


def files(one: Environment) -> dict[str, list[str]]:
    """Return the files that the image needs, as lines by path."""
    found = {}
    if one.conda:
        lines = ["@EXPLICIT"]
        lines += [p.url + ("#" + p.md5 if p.md5 else "") for p in one.conda]
        found[EXPLICIT] = lines
    if one.releases:
        text = "\n".join(_environment.requirement_lines(one))
        found[REQUIREMENTS] = text.split("\n")
    return found


def commands(one: Environment) -> list[str]:
    """Return the commands that fill the image."""
    found, pip = [], _pip(one)
    if one.conda:
        found.append("conda create --yes --prefix %s --file %s" % (CONDA_PREFIX, EXPLICIT))
    if one.releases:
        require = " --require-hashes" if one.hashed else ""
        text = "%s install --no-cache-dir --no-deps%s -r %s"
        found.append(text % (pip, require, REQUIREMENTS))
    return found + _environment.layer_commands(one, pip)


def project_commands(one: Environment) -> list[str]:
    """Return the commands that need the code: given where it is, and last."""
    return _environment.project_commands(one, _pip(one))


def _pip(one: Environment) -> str:
    return CONDA_PREFIX + "/bin/python -m pip" if one.conda else "pip"


def path(one: Environment) -> str:
    """Return a folder to put first on PATH, "" for none."""
    return CONDA_PREFIX + "/bin" if one.conda else ""
