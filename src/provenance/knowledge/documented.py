"""What documentation says of a default's changes, by release, read from docstrings.

It is asked where the signatures of the old release are not at hand.
Understands sections of the numpydoc kind with ``.. versionchanged:: 1.4`` notes. Only notes that
speak of a default are taken: most others tell of an option that was added, which changes nothing
for those who do not use it.
"""

from __future__ import annotations

import ast
import re
from typing import Any, Dict, List, Sequence, Tuple

from provenance.core.difference import POSSIBLE
from provenance.core.interfaces import Library, maker_of
from provenance.core.use import Use
from provenance.core.verdict import Finding
from provenance.core.versions import is_version, key
from provenance.knowledge.changes import DEFAULT, Change, Hit, passed
from provenance.knowledge.interfaces import short

_NOTE = re.compile(r"\.\.\s+versionchanged::\s*([0-9][\w.]*)(.*)")
_TELLS = re.compile(
    r"(?i)\bdefault\b[^.]{0,80}\b(chang\w*|now|switch\w*|set to|from|became|is|value)\b"
    r"|\b(chang|switch)\w*\b[^.]{0,80}\bdefault|\bchanged? from\b|\bnow defaults?\b"
)
_MOST = 3
_LONGEST = 200


def documented(finding: Finding, use: Use, here: Library) -> List[Tuple[Hit, str]]:
    """Return the changes of defaults since the old version that the new docstring tells."""
    label, call, now = short(use.symbol), passed(use), here.signature(use.symbol)
    old, new = str(finding.old), str(finding.new)
    order = [p["name"] for p in now.get("parameters", ()) if p["kind"] != "keyword"]
    found = []
    for name, notes in notes_at(here, use.symbol).items():
        if name in call.keywords or (name in order and order.index(name) < call.positional):
            continue
        for release, said in notes:
            if not all(is_version(one) for one in (old, new, release)):
                continue
            if key(old)[:2] < key(release)[:2] <= key(new)[:2]:
                text = "%s(%s) since %s: %s; you don't pass it" % (
                    label,
                    name,
                    release,
                    said.rstrip("."),
                )
                change = Change(DEFAULT, name, {"unknown": True})
                source = "the docstring of %s %s" % (label, new)
                found.append((Hit(change, POSSIBLE, text), source))
    return found


def notes_at(new: Library, symbol: str) -> Dict[str, List[List[str]]]:
    """Return the [release, text] of changes that the documentation of ``symbol`` tells, by name.

    What the constructor of a class says comes before what the class says.
    """
    names = [one["name"] for one in new.signature(symbol).get("parameters", ())]
    place = new.symbols.find(symbol)
    if not names or not place.nodes:
        return {}
    found = notes_of(place.node, names)
    maker = maker_of(new.symbols, place).place if place.is_class else None
    if maker is not None:
        found.update(notes_of(maker.node, names))
    return found


def notes_of(node: Any, names: Sequence[str]) -> Dict[str, List[List[str]]]:
    """Return [release, text] of the changes of defaults that the docstring of ``node`` tells."""
    try:
        text = ast.get_docstring(node, clean=True)
    except TypeError:
        return {}
    if not text or "versionchanged::" not in text:
        return {}
    found: Dict[str, List[List[str]]] = {}
    current: List[str] = []
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if line[:1].strip():
            current = [name for name in _described(line) if name in names]
            continue
        match = _NOTE.search(line)
        if match is None or not current:
            continue
        said = _said(lines, index, match.group(2))
        if _TELLS.search(said):
            for name in current:
                found.setdefault(name, []).append([match.group(1).rstrip("."), said])
    return {name: notes[-_MOST:] for name, notes in found.items()}


def _described(line: str) -> List[str]:
    """Return the parameters that a line of a section begins to describe."""
    head = line.partition(":")[0]
    return [word.strip().lstrip("*") for word in head.split(",")]


def _said(lines: Sequence[str], index: int, first: str) -> str:
    """Return the text of the note that begins at ``index``."""
    depth = len(lines[index]) - len(lines[index].lstrip())
    words = [first.strip()]
    for line in lines[index + 1 : index + 8]:
        if not line.strip() or len(line) - len(line.lstrip()) <= depth:
            if any(words):
                break
            continue
        words.append(line.strip())
    return " ".join(word for word in words if word)[:_LONGEST]
