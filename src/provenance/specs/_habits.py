"""What people write into lists for pip that pip itself refuses, and what they mean by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

SINGLE = "One = is taken as ==, which pip asks for"
TURNED = "=> and =< are taken as >= and <="
COMMA = "A comma between two conditions is missing"
SEVERAL = "Several packages stand on one line, which pip refuses; each was read"
WRAPPED = "Quotes, bullets, commas or semicolons around an entry were passed over"
LEGACY = "The version is not of the form that PEP 440 asks for: today's pip refuses the entry"
LOOSE = "A bound of a form that PEP 440 refuses was read without its wildcard or local part"
STARRED = "An x in a version is taken as the wildcard *"
TABLE = "Name and version stand side by side, as in a table of `pip list`: pip cannot install it"
JOINED = "Name and version are joined by a dash, which pip takes for one name"
LATER = "The words `or later`, or a + behind the version, are taken as >="
BAD_MARKER = "The condition after ; cannot be read: the entry is taken as if there were none."
UNNAMED = "%s is installed from its own folder or address; no name and version are stated"

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_ENTRY = re.compile(r"(%s(?:\s*\[[^\[\]]*\])?)\s*([=<>!~(].*)\Z" % _NAME, re.S)
_BARE = re.compile(_NAME + r"\Z")
_CLAUSE = re.compile(r"\s*,?\s*(===|==|~=|!=|<=|>=|=>|=<|=|<|>)\s*([^\s<>=!~,;()#]+)")
_ROW = re.compile(
    r"(%s)(?:[ \t]+(?:-[ \t]+)?|[ \t]*[:,][ \t]*)\(?v?(\d[\w.!+-]*)(?:,\s[^()]*)?\)?\Z" % _NAME,
    re.A,
)
_OLD = re.compile(r"[\w.+!-]*\d[\w.+!-]*\Z", re.A)
_AROUND = ",;\\ \t"
_LATER = re.compile(r"(.*\S)\s+(?:or|and)\s+(?:higher|newer|above|later|greater|up)\.?\Z", re.I)
_LOOSE_END = re.compile(r"(?:\.[*xX]|\+[\w.]*)\Z")
_JOINED = re.compile(r"([A-Za-z][A-Za-z0-9._-]*?)-(\d+(?:\.\d+)+(?:\+\w+)?)\Z", re.A)
_NOT_NAMES = frozenset(
    "version step chapter release section part phase figure table note day year of at in on by to "
    "with for about above least line page python2 using tested requires run is are and or".split()
)
"""Words that stand before a number in sentences."""


class Meaning(NamedTuple):
    """What a line may mean. entries: of PEP 508. note: on the habit.

    left: part of the line that stays unread, and why.
    """

    entries: tuple[str, ...]
    note: str = ""
    left: str = ""
    why: str = ""


def joined(name: str) -> tuple[str, str] | None:
    """Return name and version of ``torch-1.7.1``, None for an ordinary name."""
    found = _JOINED.match(name)
    return (found.group(1), found.group(2)) if found else None


def meanings(text: str) -> Iterator[Meaning]:
    """Yield what ``text``, no requirement of PEP 508, may mean, the likeliest first."""
    unwrapped = _unwrapped(text)
    if unwrapped != text and unwrapped:
        note = WRAPPED
        yield Meaning((unwrapped,), note)
        for inner in _plain(unwrapped):
            yield inner._replace(note=inner.note or note)
    yield from _plain(text)


def _unwrapped(text: str) -> str:
    """Return ``text`` without the bullet, quotes and punctuation that may stand around it."""
    bare = text[1:] if text[:1] in "-*\u2022" and text[1:2].isspace() else text
    bare = bare.strip(_AROUND)
    for quote in "\"'`":
        # One at the end alone may belong to a condition.
        if bare.startswith(quote) or bare.count(quote) % 2:
            bare = bare.strip(quote + _AROUND)
    for opening, closing in ("[]", "()"):
        if bare.startswith(opening) or (bare.endswith(closing) and opening not in bare):
            bare = bare.lstrip(opening).rstrip(closing)
    return bare.strip(_AROUND)


def _plain(text: str) -> Iterator[Meaning]:
    bare, sign, condition = text.partition(";")
    end = "; " + condition.strip() if sign else ""
    found = _ENTRY.match(bare.strip())
    if found is not None:
        yield from _versions(found.group(1), found.group(2).strip(), end)
    if sign:
        # The rest is sound where only the condition is at fault.
        yield Meaning((bare.strip(),), left=condition.strip() or ";", why=BAD_MARKER)
    row = _ROW.match(bare.strip())
    if row is not None:
        yield from _row(row, end)
    later = _LATER.match(text)
    if later is not None:
        bare = later.group(1)
        yield Meaning((re.sub("={2,3}", ">=", bare) if "=" in bare else _at_least(bare),), LATER)
    yield from _several(text)
    if found is not None:
        clauses, rest = _clauses(found.group(2))
        if clauses and rest:
            why = "These words follow an entry: pip refuses the line, the entry before was read."
            yield Meaning((_entry(found.group(1), clauses, ""),), "", rest, why)
        why = "The version cannot be read as PEP 440 asks for; only the name is taken."
        if "${" in found.group(2):
            why = "The version comes from an environment variable; only the name is taken."
        yield Meaning((found.group(1),), "", found.group(2), why)


def _row(row: re.Match[str], end: str) -> Iterator[Meaning]:
    """Yield what a name and a version side by side mean; "3.6+" is 3.6 or later."""
    name, version = row.groups()
    if name.lower() in _NOT_NAMES:
        return
    if version.endswith("+"):
        yield Meaning(("%s>=%s%s" % (name, version.rstrip("+"), end),), LATER)
        return
    yield Meaning(("%s==%s%s" % (name, version, end),), TABLE)
    yield Meaning(("%s===%s%s" % (name, version, end),), TABLE)


def _at_least(bare: str) -> str:
    row = _ROW.match(bare)
    return "%s>=%s" % row.groups() if row else bare


def _several(text: str) -> Iterator[Meaning]:
    words = [word for word in re.split(r"[,\s]+", text) if word]
    if len(words) > 1 and all(re.search("[=<>~!]=", word) for word in words):
        yield Meaning(tuple(words), SEVERAL)
    listed = [word.strip() for word in text.split(",") if word.strip()]
    names = [re.split("[=<>~!]", one)[0].strip() for one in listed]
    if len(listed) > 1 and all(_BARE.match(one) and not one[0].isdigit() for one in names):
        yield Meaning(tuple(listed), SEVERAL)


def _clauses(written: str) -> tuple[list[tuple[str, str]], str]:
    """Return the conditions that ``written`` begins with, and the rest."""
    clauses, at = [], 0
    while found := _CLAUSE.match(written, at):
        clauses.append((found.group(1), found.group(2)))
        at = found.end()
    return clauses, written[at:].strip()


def _versions(name: str, written: str, end: str) -> Iterator[Meaning]:
    """Yield what a name with conditions on its version, as written by hand, may mean."""
    clauses, rest = _clauses(written.strip("()"))
    if not clauses or rest.strip(" ,"):
        return
    notes = []
    if any(sign == "=" for sign, _ in clauses):
        notes.append(SINGLE)
    if any(sign in ("=>", "=<") for sign, _ in clauses):
        notes.append(TURNED)
    if written.count(",") < len(clauses) - 1:
        notes.append(COMMA)
    signs = {"=": "==", "=>": ">=", "=<": "<="}
    sound = [(signs.get(sign, sign), version) for sign, version in clauses]
    note = "; ".join(notes)
    yield Meaning((_entry(name, sound, end),), note)
    plus = [(">=" if "=" in sign else sign, version.rstrip("+")) for sign, version in sound]
    if any(version.endswith("+") for _, version in sound):
        yield Meaning((_entry(name, plus, end),), note or LATER)
        return
    starred = [
        (sign, re.sub(r"\.[xX]\Z", ".*", version) if sign in ("==", "!=") else version)
        for sign, version in sound
    ]
    yield Meaning((_entry(name, starred, end),), note or STARRED)
    bounds = [
        (sign, version if sign in ("==", "!=", "===") else _LOOSE_END.sub("", version))
        for sign, version in starred
    ]
    yield Meaning((_entry(name, bounds, end),), note or LOOSE)
    if len(sound) == 1 and sound[0][0] == "==" and _OLD.match(sound[0][1]):
        yield Meaning((_entry(name, [("===", sound[0][1])], end),), note or LEGACY)


def _entry(name: str, clauses: list[tuple[str, str]], end: str) -> str:
    return name + ",".join(sign + version for sign, version in clauses) + end


def why_not(text: str) -> str:
    """Return why no meaning was found in ``text``, and what to do."""
    if text.startswith(("<<<<<<<", ">>>>>>>", "=======", "|||||||")):
        return "Git left a merge conflict in the file: settle it."
    if "${" in text:
        return "It depends on environment variables whose values are not stated."
    return "This is not an entry that pip knows: if it is meant for people, begin it with #."
