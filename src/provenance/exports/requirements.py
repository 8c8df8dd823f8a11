"""A requirements file with hashes, for pip and uv."""

from __future__ import annotations

from provenance.exports import _environment
from provenance.exports._environment import Environment


def render(one: Environment) -> str:
    """Return the releases pinned and hashed.

    With hashes pip requires one of everything, which a repository has not: such commands stand in
    comments, to be given afterwards.
    """
    words = (
        "pip install --no-deps --require-hashes -r" if one.hashed else "pip install --no-deps -r"
    )
    lines = ["# " + line for line in _environment.heading(one)]
    lines.append("# Install with Python %s: %s THIS-FILE" % (one.python, words))
    if one.files:
        lines.append("# The hashes are of the files for %s." % one.files)
    later = _environment.layer_commands(one, "pip") + _environment.project_commands(one, "pip")
    lines += ["# Then: " + line for line in later]
    return "\n".join([*lines, *_environment.requirement_lines(one)]) + "\n"
