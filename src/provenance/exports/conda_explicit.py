"""An @EXPLICIT list of conda packages: exact files by address and MD5 digest."""

from __future__ import annotations

from provenance.exports import _environment
from provenance.exports._environment import Environment


def render(one: Environment) -> str:
    """Return the list; what pip put into the environment stands in comments, as conda cannot."""
    lines = ["# " + line for line in _environment.heading(one)]
    lines.append("# Install with: conda create --prefix DIR --file THIS-FILE")
    if one.releases:
        lines.append("# pip had installed the following; conda does not know them:")
        lines += ["#   " + release.pin for release in one.releases]
    lines += ["# Then: " + line for line in _environment.layer_commands(one, "pip")]
    lines += ["@EXPLICIT", *(_line(package) for package in one.conda)]
    return "\n".join(lines) + "\n"


def _line(package: _environment.CondaFile) -> str:
    return package.url + ("#" + package.md5 if package.md5 else "")
