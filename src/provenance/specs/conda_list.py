"""``conda list``: its table, and ``conda list --export`` (name=version=build), of mamba too."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provenance.specs import _conda, conda_explicit
from provenance.specs._gathered import NO_PACKAGE, Gathered
from provenance.specs._text import decoded
from provenance.specs.model import Source, Spec, Unreadable

FORMAT = "conda list"
_PLATFORM = re.compile(r"#\s*platform:\s*(\S+)")
_EXPORTED = re.compile(r"([A-Za-z0-9_][\w.+-]*)=([A-Za-z0-9_][\w.+!-]*)(?:=([\w.<>+-]+))?\Z")
_NAME = re.compile(r"[A-Za-z0-9_][\w.+-]*\Z")
_VERSION = re.compile(r"[A-Za-z0-9_][\w.+!-]*\Z")
_LONGEST = 1000


def is_export(text: str) -> bool:
    """Return whether most lines of ``text`` are name=version=build: conda's, whatever its name."""
    lines = [line.strip() for line in text.split("\n", 2000)[:2000]]
    lines = [line for line in lines if line and not line.startswith("#")]
    own = sum(1 for line in lines if len(line) < _LONGEST and _whole(line))
    return own * 2 > len(lines) and own > 0


def is_table(text: str) -> bool:
    """Return whether the head of ``text`` is that of conda's table."""
    return any(_is_head(line) for line in text.split("\n", 20)[:20])


def read(source: Source) -> Spec:
    """Return what a list of conda's states: all that is installed, by pip too."""
    text = decoded(source.data)
    if conda_explicit.is_explicit(text):
        return conda_explicit.read(source)
    told = Gathered(source.path)
    table = is_table(text)
    if not table and not is_export(text):
        raise Unreadable("No list of conda's: neither its table nor name=version=build lines.", 1)
    for number, line in _rows(text, told):
        found = _row(line) if table else _exported(line)
        if found is None:
            told.miss(number, line, "No package with a version, as conda lists them.")
            continue
        told.take(_conda.listed(*found, told.where(number)))
    return told.spec(
        FORMAT if table else FORMAT + " --export", bool(told.facts), nothing=NO_PACKAGE
    )


def _rows(text: str, told: Gathered) -> Iterator[tuple[int, str]]:
    """Yield the lines that name packages; note the platform."""
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip()
        platform = _PLATFORM.match(bare) if len(bare) < _LONGEST else None
        if platform:
            _conda.platforms([(platform[1], number)], told)
        if not bare or bare.startswith("#") or _is_head(bare):
            continue
        if bare.startswith("List of packages in environment") or not bare.strip("─-━ "):
            continue
        yield number, bare


def _is_head(line: str) -> bool:
    words = line[:200].strip("# ").split()
    return words[:3] == ["Name", "Version", "Build"]


def _whole(line: str) -> bool:
    found = _EXPORTED.match(line)
    return found is not None and found[3] is not None


def _exported(line: str) -> tuple[str, str, str, str] | None:
    found = _EXPORTED.match(line) if len(line) < _LONGEST else None
    return (found[1], found[2], found[3] or "", "") if found else None


def _row(line: str) -> tuple[str, str, str, str] | None:
    words = line.split() if len(line) < _LONGEST else []
    if not 2 <= len(words) <= 4 or not _NAME.match(words[0]) or not _VERSION.match(words[1]):
        return None
    name, version, build, channel = (*words, "", "")[:4]
    return name, version, build, channel
