"""The operating system, from its own plain files."""

from __future__ import annotations

import os
from typing import Dict, NamedTuple


class System(NamedTuple):
    """An operating system.

    name: "linux", "darwin" ... release: the distribution ("debian 12"), "" where not told. libc:
    "glibc 2.36" or "musl". kernel: release of the kernel. machine: "x86_64". container: "docker",
    "podman", "singularity", a name of another kind, or "" where none is seen.
    """

    name: str
    release: str = ""
    libc: str = ""
    kernel: str = ""
    machine: str = ""
    container: str = ""


def look(environ: Dict[str, str], root: str = "/") -> System:
    """Return the system that runs here; ``root`` is where its files are."""
    import sys

    kernel, machine = "", ""
    if hasattr(os, "uname"):
        said = os.uname()
        kernel, machine = said.release, said.machine
    return System(
        sys.platform, release(root), _libc(root), kernel, machine, _container(environ, root)
    )


def release(root: str = "/") -> str:
    """Return name and version of the distribution by ``os-release``: "debian 12"."""
    for place in ("etc/os-release", "usr/lib/os-release"):
        try:
            with open(os.path.join(root, place), encoding="utf-8", errors="replace") as stream:
                text = stream.read(65536)
        except OSError:
            continue
        fields = {}
        for line in text.splitlines():
            name, equals, value = line.strip().partition("=")
            if equals and not name.startswith("#"):
                fields[name] = value.strip("\"'")
        words = (fields.get("ID", ""), fields.get("VERSION_ID", ""))
        return " ".join(word for word in words if word)
    return ""


def _libc(root: str) -> str:
    try:
        said = os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, ValueError, OSError):
        said = None
    if said:
        return said
    try:
        names = os.listdir(os.path.join(root, "lib"))
    except OSError:
        return ""
    return "musl" if any(name.startswith("ld-musl-") for name in names) else ""


def _container(environ: Dict[str, str], root: str) -> str:
    if os.path.exists(os.path.join(root, ".dockerenv")):
        return "docker"
    if os.path.exists(os.path.join(root, "run/.containerenv")):
        return "podman"
    if environ.get("SINGULARITY_NAME") or environ.get("APPTAINER_NAME"):
        return "singularity"
    return environ.get("container", "") if len(environ.get("container", "")) < 40 else ""
