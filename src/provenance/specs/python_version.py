"""Files that name an interpreter: runtime.txt, .python-version, .tool-versions."""

from __future__ import annotations

import re

from provenance.specs._gathered import Gathered
from provenance.specs._gathered import python as python_fact
from provenance.specs._text import brief, decoded
from provenance.specs.model import NAMED, PYTHON, RANGE, Fact, Source, Spec, Unread

FORMATS = {
    "runtime.txt": "runtime.txt",
    ".python-version": ".python-version",
    ".tool-versions": ".tool-versions",
}
MOST_BYTES = 1 << 16

_VERSION = re.compile(r"(?:c?python-?)?v?(\d+(?:\.\d+){0,2}(?:(?:a|b|rc)\d+)?)(t|-dev)?$")
_RANGE = re.compile(r"(?:[<>~!=]=?|\^)\s*\d[\d.*]*(?:\s*,\s*(?:[<>~!=]=?)\s*\d[\d.*]*)*$")
_OTHER = "This names no version of CPython; it is not compared."


def read(source: Source) -> Spec:
    """Return the interpreter that the file names, the first one where there are several."""
    name = source.path.rpartition("/")[2]
    text = decoded(source.data, MOST_BYTES)
    number = 0
    into = Gathered(source.path)
    for number, line in enumerate(text.split("\n"), 1):
        bare = line[:1000].partition("#")[0].strip()
        if not bare:
            continue
        if name == ".tool-versions":
            tool, *versions = bare.split()
            if tool == "python":
                _several(versions, number, into)
        elif name == "runtime.txt" and into.facts:
            into.miss(number, bare, "Only the first line of runtime.txt counts.")
        elif re.fullmatch(r"r-\d.*|nodejs-.*|node-.*", bare):
            into.miss(number, bare, "This is no Python; it is not compared.")
        elif into.facts:
            into.note("%s: further versions are there for other programs." % into.where(number))
        else:
            _several(bare.split(), number, into)
    return into.spec(FORMATS.get(name, ".python-version"))


def _several(versions: list[str], line: int, into: Gathered) -> None:
    for number, version in enumerate(versions):
        if number:
            into.note("%s: further versions are there for other programs." % into.where(line))
            break
        into.take(_one(version, into.where(line)))


def _one(text: str, where: str) -> Fact | Unread:
    found = _VERSION.match(text)
    if found:
        return python_fact(found[1], where)
    if _RANGE.match(text):
        return Fact(PYTHON, "python", RANGE, where, specifier=text)
    if text in ("system", "latest", "3", "2"):
        return Fact(PYTHON, "python", NAMED, where)
    return Unread(where, brief(text), _OTHER)
