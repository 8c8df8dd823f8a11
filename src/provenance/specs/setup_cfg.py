"""What a ``setup.cfg`` states: the requirements that setuptools takes from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from provenance.specs._locked import Found, spec
from provenance.specs._pep508 import python, stated
from provenance.specs._text import decoded
from provenance.specs.model import Source, Spec
from provenance.specs.pyproject import beside

FORMAT = "setup.cfg"

MOST_BYTES = 1 << 20

_SECTION = re.compile(r"\[([^\]\n]*)\]")
_OPTION = re.compile(r"([^\s=:#;\[][^=:\n]*)[=:](.*)")

_MARKER = re.compile(r"\s*\(*\s*(python_|platform_|sys_platform|os_name|implementation_|extra\b)")


class _Entry(NamedTuple):
    """One setting. lines: those of its value, each with its number, without comments."""

    section: str
    name: str
    lines: list[tuple[str, int]]


def read(source: Source) -> Spec:
    """Return what a setup.cfg states. Raises `Unreadable`."""
    text = decoded(source.data, MOST_BYTES)
    found: Found = []
    included: list[str] = []
    sections: dict[str, None] = {}  # in order, each once
    for entry in _entries(text):
        sections[entry.section] = None
        found += _stated(entry, source, included)
    held = ", ".join("[%s]" % name[:40] for name in list(sections)[:6])
    where = "%s:1" % source.path
    notes = (
        () if found else ("%s states no dependencies: it holds %s." % (where, held or "nothing"),)
    )
    return spec(source, FORMAT, found, False, tuple(included), notes)


def _stated(entry: _Entry, source: Source, included: list[str]) -> Found:
    found: Found = []
    name = entry.name.replace("-", "_").lower()
    if entry.section == "options" and name == "python_requires":
        found += [python(t, "%s:%d" % (source.path, n)) for t, n in entry.lines[:1]]
    elif entry.section == "options" and name in ("install_requires", "tests_require"):
        found += _list(entry, source, included, "group:tests" if name[0] == "t" else "")
    elif entry.section == "options.extras_require":
        found += _list(entry, source, included, "extra:" + entry.name.strip())
    elif entry.section == "metadata" and name in ("requires_dist", "requires_python"):
        for text, number in entry.lines:  # of distutils2 and pbr, long ago
            where = "%s:%d" % (source.path, number)
            found.append((python if name.endswith("n") else stated)(text, where))
    return found


def _list(entry: _Entry, source: Source, included: list[str], group: str) -> Found:
    found: Found = []
    lines = entry.lines
    first = lines[0][0].strip() if lines else ""
    if first.startswith("file:"):
        for text, number in lines:
            for path in text.removeprefix("file:").split(","):
                if path.strip():
                    where = "%s:%d" % (source.path, number)
                    found += beside(source, path.strip(), where, group, included)
        return found
    if len(lines) == 1:
        lines = [(part, lines[0][1]) for part in _parts(first)]
    for text, number in lines:
        bare = text.split(" #")[0].strip()
        if bare:
            found.append(stated(bare, "%s:%d" % (source.path, number), group))
    return found


def _parts(line: str) -> list[str]:
    """Return the requirements of a list on one line, which semicolons part.

    What begins with the name of a marker belongs to the requirement before it.
    """
    found: list[str] = []
    for part in line.split(";"):
        if found and _MARKER.match(part):
            found[-1] += ";" + part
        else:
            found.append(part)
    return found


def _entries(text: str) -> Iterator[_Entry]:
    """Yield all settings, as configparser reads them without interpolation."""
    section, entry = "", _Entry("", "", [])
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip()
        if not bare or bare[0] in "#;":
            continue
        if line[0] in " \t" and entry.name:
            entry.lines.append((bare, number))
            continue
        if entry.name:
            yield entry
        entry = _Entry("", "", [])
        header, option = _SECTION.match(bare), _OPTION.match(line)
        if header:
            section = header[1].strip()
        elif option:
            value = option[2].strip()
            entry = _Entry(section, option[1].strip(), [(value, number)] if value else [])
    if entry.name:
        yield entry
