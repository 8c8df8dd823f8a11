"""A pylock.toml (PEP 751), as uv wrote it, with what it lacks in comments."""

from __future__ import annotations

from provenance.exports import _environment
from provenance.exports._environment import Environment


def render(one: Environment) -> str:
    """Return the file, whose name must be pylock.toml or pylock.NAME.toml."""
    lines = ["# " + line for line in _environment.heading(one)]
    lines.append("# Install with Python %s: uv pip sync pylock.toml" % one.python)
    return "\n".join(lines) + "\n" + one.pylock
