"""One requirement in the words of PEP 508, as a fact; versions and markers in PEP 440's."""

from __future__ import annotations

import re

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from provenance.specs._text import brief
from provenance.specs.model import EXACT, NAMED, PACKAGE, PLACED, PYTHON, RANGE, Fact, Unread

MOST_CHARACTERS = 4096
"""Of one requirement; markers of large lock files reach some hundred."""

MOST_BRACKETS = 32
"""Opening ones in a requirement: the library follows them by recursion."""

_HEAD = re.compile(r"\s*[A-Za-z0-9][A-Za-z0-9._-]*\s*(\[[^\]]*\])?\s*")
_BARE_PLACE = re.compile(
    r"(?:-e\s+|--editable[ =]\s*)?((?:git|hg|svn|bzr)\+\S+|https?://\S+|file:\S+|\.\.?(?:/\S*)?$)"
)
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9][A-Za-z0-9._-]*)")
_ENDING = re.compile(r"(\.git)?(@[^/]*)?$|\.(zip|whl|tar\.gz|tar\.bz2|tgz)$")


def stated(text: str, where: str, group: str = "", marker: str = "") -> Fact | Unread:
    """Return what a requirement states. marker: a further condition, beside its own."""
    if len(text) > MOST_CHARACTERS or text.count("(") > MOST_BRACKETS:
        return Unread(where, brief(text), "This requirement is too long to be one.")
    try:
        one = Requirement(text)
    except InvalidRequirement as error:
        place = bare_place(text, where, group)
        if place is not None:
            return place
        why = (str(error).splitlines() or [""])[0].rstrip(".")
        return Unread(where, brief(text), "This is no requirement that pip takes: %s." % why)
    if one.marker is not None:
        marker = both(marker, str(one.marker))
    common = Fact(
        PACKAGE,
        str(canonicalize_name(one.name)),
        NAMED,
        where,
        marker=marker,
        extras=tuple(sorted(one.extras)),
        group=group,
    )
    if one.url is not None:
        return common._replace(exactness=PLACED, url=one.url)
    level, version = exactness(one.specifier)
    return common._replace(exactness=level, version=version, specifier=_as_written(text))


def _as_written(text: str) -> str:
    found = _HEAD.match(text)
    rest = text[found.end() if found else 0 :].partition(";")[0].strip()
    return rest[1:-1].strip() if rest[:1] == "(" and rest[-1:] == ")" else rest


def exactness(specifier: SpecifierSet) -> tuple[str, str]:
    """Return how exact a set of specifiers is, and the version where it allows one only."""
    for one in specifier:
        if one.operator == "===" or (one.operator == "==" and not one.version.endswith(".*")):
            return EXACT, one.version
    return (RANGE, "") if len(specifier) else (NAMED, "")


def bare_place(text: str, where: str, group: str = "") -> Fact | None:
    """Return the fact of a place without a name ("git+https://..."), None where it is none."""
    found = _BARE_PLACE.match(text.strip())
    if found is None:
        return None
    place = found[1]
    egg = _EGG.search(place)
    name = egg[1] if egg else place_name(place)
    return Fact(PACKAGE, str(canonicalize_name(name)), PLACED, where, url=place, group=group)


def place_name(place: str) -> str:
    """Return the name that the last part of an address suggests, "" where there is none."""
    last = place.partition("#")[0].partition("?")[0].rstrip("/").rpartition("/")[2]
    return _ENDING.sub("", _ENDING.sub("", last)).strip(".")


def of_version(
    name: str, specifier: str, where: str, group: str = "", kind: str = PACKAGE
) -> Fact | Unread:
    """Return the fact of a name with PEP 440 specifiers ("" and "*" for any version)."""
    bare = "" if specifier.strip() in ("", "*") else specifier.strip()
    try:
        if len(bare) > MOST_CHARACTERS:
            raise InvalidSpecifier("it is too long")
        level, version = exactness(SpecifierSet(bare))
    except InvalidSpecifier as error:
        why = "This is no range of versions as PEP 440 has it: %s." % str(error).rstrip(".")[:120]
        return Unread(where, brief("%s %s" % (name, specifier)), why)
    canonical = str(canonicalize_name(name[:MOST_CHARACTERS]))
    return Fact(kind, canonical, level, where, version, bare, group=group)


def python(specifier: str, where: str) -> Fact | Unread:
    """Return the fact that Python is required in these versions."""
    return of_version("python", specifier, where, kind=PYTHON)


def both(first: str, second: str) -> str:
    """Return the marker that says ``first`` and ``second``; "" is always true."""
    if not first or not second or first == second:
        return first or second
    return " and ".join("(%s)" % m if " or " in m else m for m in (first, second))


def either(markers: list[str]) -> str:
    """Return the marker that says one of ``markers``; "" is always true."""
    if not markers or "" in markers:
        return ""
    unique = list(dict.fromkeys(markers))
    if len(unique) == 1:
        return unique[0]
    return " or ".join("(%s)" % m if " or " in m or " and " in m else m for m in unique)


def is_marker(text: str) -> bool:
    """Return whether a text is a marker that can be evaluated."""
    if len(text) > MOST_CHARACTERS or text.count("(") > MOST_BRACKETS:
        return False
    try:
        Marker(text)
    except InvalidMarker:
        return False
    return True


def plain_lines(text: str, path: str, group: str = "") -> list[Fact | Unread]:
    """Return what a file of one requirement a line states, as setuptools reads such a file.

    Options and files of pip ("-r x") mean nothing to setuptools.
    """
    found: list[Fact | Unread] = []
    for number, line in enumerate(text.split("\n"), 1):
        bare = line[: 4 * MOST_CHARACTERS].split(" #")[0].strip()
        if not bare or bare.startswith("#"):
            continue
        where = "%s:%d" % (path, number)
        if bare.startswith("-") and not _BARE_PLACE.match(bare):
            found.append(Unread(where, brief(bare), "An option of pip: setuptools takes none."))
        else:
            found.append(stated(bare, where, group))
    return found
