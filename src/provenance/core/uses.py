"""Where Python source uses the symbols of libraries: its calls, and the flags it reads and sets.

Pure: text in, values out; nothing is imported or run. Symbols are as the user reaches them
("sklearn.cluster.KMeans.fit"); a method of something unknown is "?.groupby".
"""

from __future__ import annotations

import ast
import json
import re
from typing import Collection, Dict, List, NamedTuple, Optional, Sequence, Tuple

from provenance.core._flow import follow, follow_all
from provenance.core._values import Seen
from provenance.core.use import CALL, READ, UNRESOLVED, WRITE, Use

__all__ = ["CALL", "READ", "UNRESOLVED", "WRITE", "Reading", "Use", "read", "read_all", "uses"]

_BUILTIN = frozenset(
    name for kind in (str, bytes, list, dict, set, int, float, type(open)) for name in dir(kind)
) | frozenset("write read readline readlines close flush writelines seek tell".split())
"""Names of methods of built-in types: unresolved, they say nothing."""


class Reading(NamedTuple):
    """What one source file gave: its uses, and a sentence where it could not be read."""

    uses: Tuple[Use, ...]
    note: str = ""


def uses(source: str, path: str, asked: Optional[Collection[str]] = None) -> Tuple[Use, ...]:
    """Return the uses in ``source``; of unresolved methods only the ``asked`` ones (None: all)."""
    return read(source, path, asked).uses


def read(source: str, path: str, asked: Optional[Collection[str]] = None) -> Reading:
    """Return the uses in ``source`` and why there are none where it is not Python 3."""
    if not path.endswith(".ipynb"):
        return _module(source, path, 0, asked)
    try:
        cells = _cells(source)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Reading((), "%s: not a readable notebook" % path)
    return _notebook(cells, path, asked)


def read_all(sources: Sequence[Tuple[str, str]]) -> Dict[str, Reading]:
    """Return by path what `read` gives for each (path, source), names followed from file to file.

    Notebooks and files that are not Python 3 are read alone.
    """
    trees: Dict[str, ast.Module] = {}
    places: Dict[str, str] = {}
    for path, source in sources:
        name = "" if path.endswith(".ipynb") else _dotted(path)
        if name and name not in trees:
            try:
                trees[name], places[name] = ast.parse(source), path
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue  # told by `read`
    together: Dict[str, Reading] = {}
    if len(trees) > 1:
        try:
            for name, seen in follow_all(trees).items():
                together[places[name]] = Reading(_found(seen, places[name], 0, None))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            together = {}  # then each is read alone
    return {path: together.get(path) or read(source, path) for path, source in sources}


def _dotted(path: str) -> str:
    """Return the name under which a file would be imported from the top of its tree."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    if parts and parts[-1].endswith(".py"):
        parts[-1] = parts[-1][: -len(".py")]
    if parts and parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


def _module(source: str, path: str, cell: int, asked: Optional[Collection[str]]) -> Reading:
    try:
        tree = ast.parse(source)
        seen = follow(tree)
    except SyntaxError as error:
        return Reading((), "%s: not Python 3 (line %s)" % (path, error.lineno))
    except (ValueError, RecursionError, MemoryError):
        return Reading((), "%s: cannot be read as Python" % path)
    return Reading(_found(seen, path, cell, asked))


def _found(
    seen: Sequence[Seen], path: str, cell: int, asked: Optional[Collection[str]]
) -> Tuple[Use, ...]:
    """Return what was ``seen`` as uses, in the order of lines."""
    found: List[Use] = []
    for one in seen:
        if one.symbol.startswith(UNRESOLVED):
            name = one.symbol[len(UNRESOLVED) :]
            if one.kind != CALL or name in _BUILTIN or (asked is not None and name not in asked):
                continue
        use = Use(one.symbol, path, one.line, one.kind, *one[3:], cell=cell)
        if use not in found[-20:]:
            found.append(use)
    found.sort(key=lambda use: use.line)
    return tuple(found)


def _notebook(cells: List[Tuple[int, str]], path: str, asked: Optional[Collection[str]]) -> Reading:
    """Return the uses of a notebook's cells, read as one module, with lines counted per cell."""
    lines: List[str] = []
    owner: List[Tuple[int, int]] = []
    skipped = 0
    for cell, source in cells:
        text = re.sub(r"(?m)^([ \t]*)[%!].*$", r"\1pass", source)
        try:
            ast.parse(text)
        except (SyntaxError, ValueError):
            skipped += 1
            continue
        for index, line in enumerate(text.split("\n")):
            lines.append(line)
            owner.append((cell, index + 1))
    whole = _module("\n".join(lines), path, 0, asked)
    placed = []
    for use in whole.uses:
        cell, line_in_cell = owner[use.line - 1]
        placed.append(use._replace(cell=cell, line=line_in_cell))
    note = "%s: %d cells are not Python 3" % (path, skipped) if skipped else whole.note
    return Reading(tuple(placed), note)


def _cells(source: str) -> List[Tuple[int, str]]:
    """Return number and source of the code cells of a notebook, from 1."""
    document = json.loads(source)
    sheets = document.get("worksheets") or [document]
    cells = [cell for sheet in sheets for cell in sheet["cells"]]
    found = []
    for cell in cells:
        if cell["cell_type"] == "code":
            text = cell["source"] if "source" in cell else cell["input"]
            found.append(text if isinstance(text, str) else "".join(text))
    return [(number + 1, text) for number, text in enumerate(found)]
