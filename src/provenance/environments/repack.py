"""A wheel made again from what was installed from it: the files that its RECORD lists, zipped.

For packages that no index has (a local build, a folder, a release that was withdrawn). Bytecode and
what the installer added are left out, scripts that the installer makes from entry points too; the
RECORD is written anew and times are fixed, so that the same files give the same wheel.
"""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import io
import os
import posixpath
import re
import stat
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

TIME = (1980, 1, 1, 0, 0, 0)
"""Of all members: the earliest that a zip file can hold."""
_ADDED = frozenset(("INSTALLER", "REQUESTED", "direct_url.json", "RECORD", "uv_cache.json"))
"""Files in the metadata folder that are the installer's; of the wheel RECORD is made anew."""
_SHEBANG = re.compile(rb"^#!.*python[^\n]*\n")
_SIGNATURES = (".jws", ".p7s")


class Wheel(NamedTuple):
    """A wheel. name: of the file. edited: files whose content is not what RECORD says."""

    name: str
    content: bytes
    edited: tuple[str, ...]


class _Member(NamedTuple):
    """A file of a wheel: its name there, its content, whether it may be executed."""

    name: str
    content: bytes
    executable: bool


def repack(site: str, metadata: str, prefix: str) -> Wheel:
    """Return the wheel of the distribution whose metadata folder in ``site`` is ``metadata``.

    site: the site-packages folder. prefix: of the environment, for scripts and data. Raises
    `ValueError` with the reason where there can be no wheel, `OSError` where a file is gone.
    """
    info = os.path.join(site, metadata)
    if not metadata.endswith(".dist-info") or not os.path.isfile(os.path.join(info, "RECORD")):
        raise ValueError("it has no RECORD of its files")
    if not os.path.isfile(os.path.join(info, "WHEEL")):
        raise ValueError("it was not installed from a wheel")
    stem = metadata[: -len(".dist-info")]
    made = _scripts(info)
    members, edited = [], []
    for path, digest in _recorded(os.path.join(info, "RECORD")):
        if _installers_own(path, metadata):
            continue
        place = os.path.normpath(os.path.join(site, path))
        name = _inside(path, place, stem, prefix)
        if posixpath.dirname(name).endswith(".data/scripts") and posixpath.basename(name) in made:
            continue
        with open(place, "rb") as stream:
            content = stream.read()
            runs = bool(os.fstat(stream.fileno()).st_mode & stat.S_IXUSR)
        if digest and digest != _digest(content):
            edited.append(path)
        if name.startswith(stem + ".data/scripts/"):
            content = _SHEBANG.sub(b"#!python\n", content, count=1)
        members.append(_Member(name, content, runs))
    with open(os.path.join(info, "WHEEL"), encoding="utf-8") as text:
        file = _file_name(stem, text.read())
    return Wheel(file, _zipped(members, metadata), tuple(edited))


def _recorded(path: str) -> Iterator[tuple[str, str]]:
    """Yield path and digest ("sha256=...", "" where there is none) of the lines of a RECORD."""
    with open(path, encoding="utf-8", newline="") as stream:
        for row in csv.reader(stream):
            if row and row[0]:
                yield row[0], row[1] if len(row) > 1 and row[1].startswith("sha256=") else ""


def _installers_own(path: str, metadata: str) -> bool:
    folder, name = posixpath.split(path)
    if folder == metadata and (name in _ADDED or name.endswith(_SIGNATURES)):
        return True
    return "__pycache__" in folder.split("/") and name.endswith(".pyc")


def _inside(path: str, place: str, stem: str, prefix: str) -> str:
    """Return the name in the wheel of what RECORD calls ``path``. Raises ValueError."""
    if not path.startswith(("../", "/")):
        return path
    below = os.path.relpath(place, prefix).replace(os.sep, "/")
    if below.startswith("../"):
        raise ValueError("it has files outside the environment (%s)" % path)
    kind, _, rest = below.partition("/")
    if kind in ("bin", "Scripts") and rest:
        return "%s.data/scripts/%s" % (stem, rest)
    return "%s.data/data/%s" % (stem, below)


def _scripts(info: str) -> frozenset[str]:
    """Return the names of the scripts that an installer makes from entry points."""
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their case
    try:
        parser.read(os.path.join(info, "entry_points.txt"), encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return frozenset()
    groups = ("console_scripts", "gui_scripts")
    names = [n.strip() for one in groups if parser.has_section(one) for n in parser.options(one)]
    return frozenset(name + tail for name in names for tail in ("", ".exe", "-script.py"))


def _file_name(stem: str, text: str) -> str:
    """Return the name of the wheel file, from the tags that its WHEEL states. Raises ValueError."""
    fields = [line.partition(":") for line in text.splitlines()]
    tags = [value.strip().split("-") for name, _, value in fields if name.lower() == "tag"]
    build = [value.strip() for name, _, value in fields if name.lower() == "build"]
    if not tags or any(len(tag) != 3 for tag in tags):
        raise ValueError("its WHEEL states no tag")
    parts = [".".join(dict.fromkeys(tag[at] for tag in tags)) for at in range(3)]
    return "-".join([stem, *build[:1], *parts]) + ".whl"


def _digest(content: bytes) -> str:
    digest = hashlib.sha256(content).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def _zipped(members: list[_Member], metadata: str) -> bytes:
    """Return the zip file of ``members`` with their RECORD as the last one, metadata at the end."""
    members = sorted(members, key=lambda one: (one.name.startswith(metadata + "/"), one.name))
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    for one in members:
        writer.writerow((one.name, _digest(one.content), len(one.content)))
    record = metadata + "/RECORD"
    writer.writerow((record, "", ""))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in [*members, _Member(record, lines.getvalue().encode("utf-8"), False)]:
            entry = zipfile.ZipInfo(one.name, TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = (0o100755 if one.executable else 0o100644) << 16
            archive.writestr(entry, one.content)
    return target.getvalue()
