"""Apptainer's (Singularity's) definition files: the last stage, its header and ``%post``."""

from __future__ import annotations

import bisect
import re
from typing import NamedTuple

from provenance.specs import _images, _installs
from provenance.specs._gathered import Gathered, platform
from provenance.specs._lines import ends_of
from provenance.specs._text import decoded
from provenance.specs.model import NAMED, PLACED, PLATFORM, Fact, Source, Spec, Unreadable

FORMAT = "Apptainer definition"
MOST_BYTES = 2 << 20

_HEADER = re.compile(
    r"\s*(bootstrap|from|stage|osversion|mirrorurl|include|library|namespace)\s*:\s*(.*?)\s*$", re.I
)
_SECTION = re.compile(r"\s*%([A-Za-z]+)(.*)$")
_TEMPLATE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_TAKEN = ("post", "appinstall", "setup", "pre")
_IMAGES = ("docker", "docker-daemon", "oci", "library", "shub", "oras", "docker-archive")


class Stage(NamedTuple):
    """One part.

    header: lower-case words with value and offset. scripts: text and offset of what
    is run while it is built. copied: names of stages that files are taken from.
    """

    header: dict[str, tuple[str, int]]
    scripts: list[tuple[str, int]]
    copied: list[str]
    arguments: dict[str, str]


def read(source: Source) -> Spec:
    """Return what the file states of its last stage and of those it copies from."""
    text = decoded(source.data, MOST_BYTES)
    ends = ends_of(text)

    def where(offset: int) -> str:
        return "%s:%d" % (source.path, bisect.bisect_left(ends, offset) + 1)

    into = Gathered(source.path, where)
    stages = _stages(text)
    if not stages:
        raise Unreadable("There is no line that begins with Bootstrap, which a definition needs.")
    arguments = {name: value for stage in stages for name, value in stage.arguments.items()}
    wanted = set(stages[-1].copied)
    for stage in stages[:-1]:
        if stage.header.get("stage", ("", 0))[0] in wanted:
            _scripts(stage, arguments, into)
    _header(stages[-1], arguments, into)
    _scripts(stages[-1], arguments, into)
    if len(stages) > 1:
        into.note("Of %d stages the last one is read, with what it copies from." % len(stages))
    return into.spec(FORMAT)


def _stages(text: str) -> list[Stage]:
    stages: list[Stage] = []
    section, parts, begin, offset = "", list[str](), 0, 0

    def close() -> None:
        if section in _TAKEN and stages and parts:
            stages[-1].scripts.append(("".join(parts), begin))

    for line in text.split("\n"):
        at, offset = offset, offset + len(line) + 1
        named = _SECTION.match(line)
        header = None if named else _HEADER.match(line[:2000])
        if header and header[1].lower() == "bootstrap" and not line[:1].isspace():
            close()
            section, parts = "", []
            stages.append(Stage({}, [], [], {}))
        if named and not line[:1].isspace():
            close()
            section, parts, begin = named[1].lower(), [], offset
            found = re.search(r"\bfrom\s+(\S+)", named[2][:400]) if section == "files" else None
            if found and stages:
                stages[-1].copied.append(found[1])
        elif section:
            parts.append(line + "\n")
            if section == "arguments" and stages and "=" in line and line.lstrip()[:1] != "#":
                name, _, value = line[:1000].partition("=")
                stages[-1].arguments[name.strip()] = value.strip().strip("'\"")
        elif header and stages:
            stages[-1].header.setdefault(header[1].lower(), (header[2], at))
    close()
    return stages


def _filled(text: str, arguments: dict[str, str]) -> str:
    """Put in ``{{ name }}`` where it has a default; an unknown one stays as an open variable."""
    return _TEMPLATE.sub(lambda m: arguments.get(m[1], "${%s}" % m[1]), text)


def _header(stage: Stage, arguments: dict[str, str], into: Gathered) -> None:
    kind, at = stage.header.get("bootstrap", ("", 0))
    kind = kind.lower()
    image, place = stage.header.get("from", ("", at))
    image = _filled(image, arguments).strip("'\"")
    where = into.where(place)
    if "${" in image:
        into.miss(place, image, "The image depends on an argument without a default.")
    elif kind in _IMAGES and image:
        into.take(*_images.stated(image, where))
    elif kind == "localimage" and image:
        into.take(Fact(PLATFORM, image, PLACED, where, ecosystem="", url=image))
    elif kind in ("debootstrap", "yum", "dnf", "zypper", "arch", "busybox"):
        version, line = stage.header.get("osversion", ("", at))
        known = list(_images.stated("system:" + version, into.where(line)))[1:]
        into.take(*known)
        if not known:
            into.take(
                platform(kind, version, into.where(line))
                if re.fullmatch(r"[\d.]+", version)
                else Fact(PLATFORM, kind, NAMED, into.where(line), specifier=version, ecosystem="")
            )
    else:
        into.miss(at, "%s %s" % (kind, image), "It is not known what this bootstrap stands on.")


def _scripts(stage: Stage, arguments: dict[str, str], into: Gathered) -> None:
    for text, offset in stage.scripts:
        if "{{" not in text:
            _installs.take(text, offset, {}, into)
            continue
        at = offset
        for line in re.split(r"(?<=[^\\\n])\n", text):
            _installs.take(_filled(line, arguments), at, {}, into)
            at += len(line) + 1
