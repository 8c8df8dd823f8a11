"""What documentation says of a default's changes, by release, read from a docstring.

Understands sections of the numpydoc kind with ``.. versionchanged:: 1.4`` notes. Only notes that
speak of a default are taken: most others tell of an option that was added, which changes nothing
for those who do not use it.
"""

from __future__ import annotations

import ast
import re
from typing import Any, Dict, List, Sequence

_NOTE = re.compile(r"\.\.\s+versionchanged::\s*([0-9][\w.]*)(.*)")
_TELLS = re.compile(
    r"(?i)\bdefault\b[^.]{0,80}\b(chang\w*|now|switch\w*|set to|from|became|is|value)\b"
    r"|\b(chang|switch)\w*\b[^.]{0,80}\bdefault|\bchanged? from\b|\bnow defaults?\b"
)
_MOST = 3
_LONGEST = 200


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
