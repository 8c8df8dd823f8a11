"""Lists of checksums: the output of sha256sum and its kin, of BSD's, lone ``x.sha256`` files."""

from __future__ import annotations

import re

from provenance.specs._gathered import Gathered
from provenance.specs._text import decoded
from provenance.specs.model import DATA, EXACT, Fact, Source, Spec

FORMAT = "checksums"

MOST_BYTES = 16 << 20
"""Some 200000 lines."""

_LINE = re.compile(r"\\?([0-9A-Fa-f]{8,128})(?:\s+\*?|\s*:\s*|\s*,\s*)(\S.*?)\s*$")
_BSD = re.compile(
    r"\\?([A-Za-z0-9/-]{2,14}?)(?:-(\d{3}))?\s*\((.+)\)\s*=\s*([0-9A-Fa-f]{8,128})\s*$"
)
_TURNED = re.compile(r"(?:\./)?(\S.*?)(?:\s*[:=,]\s*|\s+)([0-9A-Fa-f]{32,128})\s*$")
_LONE = re.compile(r"([0-9A-Fa-f]{32,128})\s*$")
_BY_LENGTH = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
_NAMES = (
    "sha512",
    "sha384",
    "sha256",
    "sha224",
    "sha1",
    "md5",
    "blake3",
    "b3",
    "blake2",
    "b2",
    "sha",
)
_LONGEST = 8192
"""Characters of a line: of a digest and the longest path that systems take, escaped."""


def read(source: Source) -> Spec:
    """Return the files and digests that are listed.

    Which kind of digest is told by the name of the file, or else by its length; the paths are
    relative to the folder of the list, as `sha256sum -c` takes them.
    """
    text = decoded(source.data, MOST_BYTES)
    into = Gathered(source.path)
    name = source.path.rpartition("/")[2]
    told = next((one for one in _NAMES if one in name.lower()), "")
    missed = 0
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip() if len(line) <= _LONGEST else line[:100]
        if not bare or bare.startswith(("#", "//", ";", "-----")):
            continue
        fact = None if len(line) > _LONGEST else _fact(bare, told, name, into.where(number))
        if fact is not None:
            into.take(fact)
        else:
            missed += 1
            if missed <= 20:
                into.miss(number, bare, "This line is no checksum with a file name.")
    if missed > 20:
        into.note("%d lines are no checksums; the first 20 are listed." % missed)
    return into.spec(FORMAT)


def _fact(line: str, told: str, own: str, where: str) -> Fact | None:
    bsd = _BSD.match(line)
    if bsd:
        named = bsd[1].lower().replace("/", "").replace("sha2", "sha" if bsd[2] else "sha2")
        kind = _kind(named + (bsd[2] or ""), len(bsd[4]))
        return _of(bsd[3], kind, bsd[4], line, where)
    found = _LINE.match(line)
    if found:
        return _of(found[2], _kind(told, len(found[1])), found[1], line, where)
    lone = _LONE.match(line)
    if lone:
        stem, _, ending = own.rpartition(".")
        if not stem or not any(one in ending.lower() for one in _NAMES):
            return None
        return _of(stem, _kind(told, len(lone[1])), lone[1], line, where)
    turned = _TURNED.match(line)
    if turned:
        return _of(turned[1], _kind(told, len(turned[2])), turned[2], line, where)
    return None


def _kind(told: str, length: int) -> str:
    """Return the name of a digest; "" where neither its name nor its length tells."""
    by_length = _BY_LENGTH.get(length, "")
    if told in ("b3", "blake3", "b3sum"):
        return "blake3"
    if told in ("b2", "blake2", "blake2b", "blake2b512"):
        return "blake2b" if length == 128 else ""
    if told in ("crc32", "ck", "sha"):
        return "" if told != "sha" else by_length
    named = {name: size for size, name in _BY_LENGTH.items()}
    if told in named:
        return told if named[told] == length else by_length
    return "" if told else by_length


def _of(path: str, kind: str, digest: str, line: str, where: str) -> Fact | None:
    if not kind or "\0" in path:
        return None
    if line.startswith("\\"):
        path = path.replace("\\n", "\n").replace("\\r", "\r").replace("\\\\", "\\")
    return Fact(DATA, path, EXACT, where, ecosystem="", digest="%s:%s" % (kind, digest.lower()))
