"""A Dockerfile that holds the lists it installs from: one file, nothing beside it."""

from __future__ import annotations

import json

from provenance.exports import _environment, _image
from provenance.exports._environment import Environment

_END = "END-OF-FILE"


def render(one: Environment) -> str:
    """Return the Dockerfile; the code is copied from the folder in which it is built."""
    lines = ["# syntax=docker/dockerfile:1.4"]  # for the lists in it: "here documents"
    lines += ["# " + line for line in _environment.heading(one)]
    lines += ["FROM " + _image.base(one), ""]
    for path, content in _image.files(one).items():
        lines += ["COPY <<'%s' %s" % (_END, path), *content, _END, ""]
    lines += ["RUN " + command for command in _image.commands(one)]
    if _image.path(one):
        lines.append("ENV PATH=%s:$PATH" % _image.path(one))
    lines += ["", "WORKDIR /work", "COPY . ."]
    lines += ["RUN " + command for command in _image.project_commands(one)]
    if one.command:
        lines.append("CMD " + json.dumps(list(one.command)))
    return "\n".join(lines) + "\n"
