"""An Apptainer (Singularity) definition file that holds the lists it installs from."""

from __future__ import annotations

import shlex

from provenance.exports import _environment, _image
from provenance.exports._environment import Environment

_END = "END-OF-FILE"


def render(one: Environment) -> str:
    """Return the definition; the code is not in the image: it is where the container is run."""
    lines = ["# " + line for line in _environment.heading(one)]
    lines += ["Bootstrap: docker", "From: " + _image.base(one), "", "%post"]
    lines.append("    set -e")
    for path, content in _image.files(one).items():
        lines += ["    cat > %s <<'%s'" % (path, _END), *content, _END]
    lines += ["    " + command for command in _image.commands(one)]
    if _image.path(one):
        lines += ["", "%environment", "    export PATH=%s:$PATH" % _image.path(one)]
    if one.command:
        lines += ["", "%runscript", "    exec %s" % shlex.join(one.command)]
    return "\n".join(lines) + "\n"
