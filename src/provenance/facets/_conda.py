"""What conda says of a prefix: one small JSON file per package in ``conda-meta``.

These files also list every file of the package and may be megabytes long. Of the usual indented
form only the few lines that matter are taken, without parsing the rest.
"""

from __future__ import annotations

import json
import os
import re
from typing import Dict, List, NamedTuple, Optional, Tuple

MEMBERS = ("name", "version", "build", "channel", "url", "md5", "sha256")
_METADATA = (b".dist-info/METADATA", b".egg-info/PKG-INFO")
_TOKEN = re.compile(r"/t/[^/]+/")


class CondaPackage(NamedTuple):
    """One package of a conda prefix, Python or not; digests are of the package file."""

    version: str
    build: str
    channel: str = ""
    url: str = ""
    md5: str = ""
    sha256: str = ""


class Prefix(NamedTuple):
    """A conda prefix.

    packages: by name. owned: metadata folders of Python distributions that conda put there
    (``numpy-1.26.4.dist-info``), with the name of the conda package.
    """

    packages: Dict[str, CondaPackage]
    owned: Dict[str, str]
    notes: Tuple[str, ...] = ()


def read(prefix: str) -> Optional[Prefix]:
    """Return what conda installed in ``prefix``, None where it is no conda prefix."""
    folder = os.path.join(prefix, "conda-meta")
    try:
        names = sorted(n for n in os.listdir(folder) if n.endswith(".json"))
    except OSError:
        return None
    packages: Dict[str, CondaPackage] = {}
    owned: Dict[str, str] = {}
    notes: List[str] = []
    for name in names:
        try:
            with open(os.path.join(folder, name), "rb") as stream:
                raw = stream.read()
            found = _members(raw)
            packages[found["name"]] = _package(found)
        except (OSError, ValueError, KeyError):
            notes.append("conda-meta/%s cannot be read" % name)
            continue
        for metadata in _metadata_folders(raw):
            owned[metadata] = found["name"]
    return Prefix(packages, owned, tuple(notes))


def _package(found: Dict[str, str]) -> CondaPackage:
    # Channels of a private server carry their token in the path.
    rest = {n: _TOKEN.sub("/t/<redacted>/", found.get(n, "")) for n in ("channel", "url")}
    return CondaPackage(
        found["version"],
        found.get("build", ""),
        rest["channel"],
        rest["url"],
        found.get("md5", ""),
        found.get("sha256", ""),
    )


def _members(raw: bytes) -> Dict[str, str]:
    """Return the `MEMBERS` of a package's JSON text. Raises ValueError where it is not one."""
    indent = re.match(rb'\{\r?\n( +)"', raw)
    if indent is None or not raw.rstrip().endswith(b"\n}"):
        value = json.loads(raw.decode("utf-8"))
        if not isinstance(value, dict):
            raise ValueError("not an object")
        return {name: str(value[name]) for name in MEMBERS if isinstance(value.get(name), str)}
    found = {}
    for name in MEMBERS:
        start = raw.find(b"\n" + indent.group(1) + b'"' + name.encode("ascii") + b'":')
        if start < 0:
            continue
        line = raw[start + 1 : raw.find(b"\n", start + 1)].strip().rstrip(b",")
        value = json.loads(b"{%s}" % line)[name]
        if isinstance(value, str):
            found[name] = value
    return found


def _metadata_folders(raw: bytes) -> List[str]:
    """Return the metadata folders of Python distributions among the files of a package."""
    found = []
    for tail in _METADATA:
        end = raw.find(tail)
        while end >= 0:
            start = max(raw.rfind(b"/", 0, end), raw.rfind(b'"', 0, end)) + 1
            folder = raw[start:end] + tail.partition(b"/")[0]
            found.append(folder.decode("utf-8", "replace"))
            end = raw.find(tail, end + 1)
    return sorted(set(found))
