"""A devcontainer.json, for editors and code spaces: the image, and what is installed into it."""

from __future__ import annotations

import json

from provenance.exports import _environment, _image
from provenance.exports._environment import Environment

REQUIREMENTS, EXPLICIT = "requirements.lock", "explicit.lock"
"""Files of the repository that it installs from."""


def render(one: Environment) -> str:
    """Return the file, in JSON with comments, which its readers take."""
    commands = [
        command.replace(_image.REQUIREMENTS, REQUIREMENTS).replace(_image.EXPLICIT, EXPLICIT)
        for command in (*_image.commands(one), *_image.project_commands(one))
    ]
    lines = ["// " + line for line in _environment.heading(one)]
    lines += [
        "// It installs from %s: prov env export --format %s -o %s" % each for each in _files(one)
    ]
    python = (_image.path(one) or "/usr/local/bin") + "/python"
    content = {
        "name": one.title,
        "image": _image.base(one),
        "postCreateCommand": " && ".join(commands),
        "customizations": {"vscode": {"settings": {"python.defaultInterpreterPath": python}}},
    }
    return "\n".join([*lines, json.dumps(content, indent=2)]) + "\n"


def _files(one: Environment) -> list[tuple[str, str, str]]:
    """Return the files that are needed beside it, with the format in which they are exported."""
    found = []
    if one.conda:
        found.append((EXPLICIT, "explicit", EXPLICIT))
    if one.releases:
        found.append((REQUIREMENTS, "requirements", REQUIREMENTS))
    return found
