"""The settings that stand as plain values in the cells of notebooks, read as scripts are."""

from __future__ import annotations

import ast
import re
from typing import Iterable, List

from provenance.core import notebooks
from provenance.facets._scripts import Settings, settings


def of(paths: Iterable[str]) -> List[Settings]:
    """Return the settings of notebooks; nothing of one that cannot be read."""
    found = []
    for path in paths:
        try:
            cells = [_python(cell.source) for cell in notebooks.read(path)]
        except (OSError, ValueError):
            continue
        one = settings("\n".join(cells).encode("utf-8", "replace"))
        if one is not None:
            found.append(one)
    return found


def _python(source: str) -> str:
    """Return a cell without its magics; "" where the rest is no Python."""
    lines = ["pass" if re.match(r"[%!?]", line) else line for line in source.split("\n")]
    text = "\n".join(lines)
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    return text
