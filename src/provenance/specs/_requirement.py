"""One entry of pip's syntax as a fact: a name with its versions (PEP 508), an address or a path.

People write entries that pip refuses, and each such habit has one plain meaning. Those are read all
the same, with a sentence that says so. What has no plain meaning stays unread.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from provenance.specs import _habits, _places
from provenance.specs._text import brief
from provenance.specs.model import (
    CUDA,
    EXACT,
    NAMED,
    PACKAGE,
    PLACED,
    PYTHON,
    RANGE,
    Fact,
    Unread,
)

LONGEST = 4096
"""Characters of an entry without its options; more is no entry that anyone wrote."""

MOST_SIGNS = 150
"""Of one kind, ``=`` or ``(``, in an entry: markers of exported locks hold some dozens."""

NOT_PIP = "This is not an entry that pip knows: if it is meant for people, begin it with #."
_PYTHON = "pip cannot install Python: the entry is taken as the interpreter's version"
_CUDA = "pip cannot install CUDA's toolkit under this name: taken as the version of CUDA"
_PAGE = "This address leads to no file to install: a repository's begins with git+https://."
_SERIES = re.compile(r"\d+(?:\.\d+)?\Z", re.A)
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")
_HEAD = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\[\]]*)\])?\s*(.*)\Z", re.S)
_AT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\[\]]*)\])?\s*@\s*(\S.*)\Z", re.S)
_MARKER = re.compile(r"(?<=\s);|;(?:\s|(?=[^;\s]*(?:python|sys|os|platform|implementation|extra)))")


class Taken(NamedTuple):
    """What one entry gave. notes: sentences without places, the same for the same habit."""

    facts: tuple[Fact, ...] = ()
    unread: tuple[Unread, ...] = ()
    notes: tuple[str, ...] = ()


def take(text: str, where: str, group: str = "") -> Taken:
    """Return what the entry ``text``, without options and comment, states. Never raises.

    group: of the facts.
    """
    if _too_long(text):
        return Taken(unread=(Unread(where, brief(text), "The line is too long for an entry."),))
    named = _AT.match(text)
    if named is not None and not _places.is_short_ssh(text):
        return _at(named, where, group)
    if _places.is_place(text.split(None, 1)[0] if text else ""):
        return take_place(text, where, group)
    whole = requirement(text)
    if whole is not None:
        return _stated(whole, text, where, group)
    return _by_habit(text, where, group)


def _too_long(text: str) -> bool:
    return len(text) > LONGEST or text.count("=") > MOST_SIGNS or text.count("(") > MOST_SIGNS


def requirement(text: str) -> Requirement | None:
    """Return ``text`` as PEP 508 reads it, None where it is no requirement."""
    try:
        one = Requirement(text)
    # Nested conditions exhaust the stack, numbers of thousands of digits int().
    except (ValueError, RecursionError):
        return None
    return one if all(clause.version for clause in one.specifier) else None


def specifiers(text: str) -> SpecifierSet | None:
    """Return version clauses (PEP 440), None where they are none."""
    try:
        clauses = SpecifierSet(text)
    except ValueError:
        return None
    # "===" alone is taken by the library.
    return clauses if all(one.version for one in clauses) else None


def exactness(clauses: SpecifierSet) -> tuple[str, str]:
    """Return how exactly ``clauses`` state a version, and the version where it is exact.

    Conditions that no version meets are a range.
    """
    pinned = {
        clause.version.removeprefix("v") if clause.operator == "==" else clause.version
        for clause in clauses
        if clause.operator in ("==", "===") and not clause.version.endswith(".*")
    }
    if len(pinned) == 1:
        version = next(iter(pinned))
        if len(clauses) == 1 or clauses.contains(version, prereleases=True):
            return EXACT, version
    return (RANGE if len(clauses) else NAMED), ""


def fact(
    name: str,
    specifier: str,
    where: str,
    marker: str = "",
    extras: tuple[str, ...] = (),
    group: str = "",
) -> Fact:
    """Return the fact that a name with its version clauses states. Raises ValueError on others.

    Python and CUDA are what they are, not packages, also where they stand among packages.
    """
    clauses = SpecifierSet(specifier)
    how, version = exactness(clauses)
    key = canonicalize_name(name)
    kind = {"python": PYTHON, "cudatoolkit": CUDA, "cuda": CUDA}.get(key, PACKAGE)
    if kind != PACKAGE and how == EXACT and _SERIES.match(version):
        # "python 3.7" means any 3.7.x, and so does "cuda 10.1".
        how, version, specifier = RANGE, "", "==%s.*" % version
    return Fact(
        kind, key, how, where, version, specifier, marker=marker, extras=extras, group=group
    )


def _stated(whole: Requirement, text: str, where: str, group: str) -> Taken:
    if whole.url is not None:
        return Taken(unread=(Unread(where, brief(text), NOT_PIP),))
    if not re.search("[A-Za-z]", whole.name):
        why = "Only a number stands here, and not what it is a version of."
        return Taken(unread=(Unread(where, brief(text), why),))
    head = _HEAD.match(text)
    written = head.group(3).partition(";")[0] if head else ""
    specifier = "".join(written.split()).strip("(),")
    if specifiers(specifier) != whole.specifier:
        specifier = str(whole.specifier)
    extras = tuple(sorted(whole.extras))
    found = fact(whole.name, specifier, where, str(whole.marker or ""), extras, group)
    notes = {PYTHON: (_PYTHON,), CUDA: (_CUDA,)}.get(found.kind, ())
    joined = _habits.joined(whole.name) if not specifier else None
    if joined is not None:
        renamed = fact(joined[0], "==" + joined[1], where, found.marker, extras, group)
        return Taken((renamed,), notes=(_habits.JOINED,))
    return Taken((found,), notes=notes)


def _at(named: re.Match[str], where: str, group: str) -> Taken:
    """Return what ``name [extras] @ address ; marker`` states."""
    name, extras, rest = named.groups()
    address, marker, problem = _marked(rest, where)
    if " " in address or not address:
        return Taken(unread=(Unread(where, brief(named.string), NOT_PIP),))
    known = _cleaned(extras or "")
    return _placed_fact(_places.placed(address, name), where, marker, known, group, problem)


def take_place(text: str, where: str, group: str = "") -> Taken:
    """Return what an address or path, or ``name @ address``, states, also of an editable install.

    A marker may follow after ``;``.
    """
    if _too_long(text):
        return Taken(unread=(Unread(where, brief(text), "The line is too long for an entry."),))
    named = _AT.match(text)
    if named is not None and not _places.is_short_ssh(text):
        return _at(named, where, group)
    address, marker, problem = _marked(text, where)
    if address.endswith("]"):
        folder, _, extras = address.rpartition("[")
        address = "%s[%s" % (folder.rstrip(), "".join(extras.split()))
    if " " in address and not _places.is_place(address.rpartition(" ")[2]):
        lower = address.lower()
        if not lower.endswith(_places.ARCHIVES) or lower.startswith(("http:", "https:")):
            return Taken(unread=(Unread(where, brief(text), NOT_PIP),))
    if _places.leads_to_a_page(address):
        return Taken(unread=(Unread(where, brief(text), _PAGE),))
    return _placed_fact(_places.placed(address), where, marker, (), group, problem)


def _placed_fact(
    place: _places.Place,
    where: str,
    marker: str,
    extras: tuple[str, ...],
    group: str,
    problem: tuple[Unread, ...],
) -> Taken:
    notes = list(place.notes)
    notes += ["The value of %s is not stated" % one for one in set(_VARIABLE.findall(place.url))]
    if not place.name:
        return Taken(unread=problem, notes=(*notes, _habits.UNNAMED % brief(place.url)))
    found = Fact(
        PACKAGE,
        place.name,
        EXACT if place.version else PLACED,
        where,
        place.version,
        "==" + place.version if place.version else "",
        marker=marker,
        extras=extras or place.extras,
        url=place.url,
        digest=place.digest,
        group=group,
    )
    return Taken((found,), problem, tuple(notes))


def _marked(text: str, where: str) -> tuple[str, str, tuple[Unread, ...]]:
    """Return an address, its marker as PEP 508 writes it, and what of that is unread."""
    sign = _MARKER.search(text)
    if sign is None:
        return text.strip(), "", ()
    address, condition = text[: sign.start()].strip(), text[sign.end() :].strip()
    whole = requirement("x ; " + condition)
    if whole is not None:
        return address, str(whole.marker or ""), ()
    return address, "", (Unread(where, brief(condition), _habits.BAD_MARKER),)


def _cleaned(extras: str) -> tuple[str, ...]:
    names = {one.strip() for one in extras.split(",")}
    return tuple(sorted(names - {""}))


def _by_habit(text: str, where: str, group: str) -> Taken:
    """Return what an entry that PEP 508 refuses means all the same."""
    for meant in _habits.meanings(text):
        read = [requirement(one) for one in meant.entries]
        if read and all(one is not None and one.url is None for one in read):
            taken = [
                _stated(one, entry, where, group)
                for one, entry in zip(read, meant.entries, strict=True)
                if one is not None
            ]
            facts = tuple(fact for one in taken for fact in one.facts)
            notes = tuple(note for one in taken for note in one.notes)
            left = (Unread(where, brief(meant.left), meant.why),) if meant.left else ()
            if facts:
                return Taken(facts, left, (*notes, *((meant.note,) if meant.note else ())))
    return Taken(unread=(Unread(where, brief(text), _habits.why_not(text)),))
