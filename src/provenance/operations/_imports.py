"""Which libraries source files cannot do without: imports whose absence nothing catches."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator


def needed(sources: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return per importable name where a (path, source) imports it as soon as it is loaded.

    Imports within functions, conditions and ``try`` are left out: the program may go on without.
    """
    found: dict[str, list[str]] = {}
    for path, source in sources:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # Python 2, or a template
        for name, line in _imports(tree.body):
            found.setdefault(name, []).append("%s:%d" % (path, line))
    return {name: tuple(places) for name, places in found.items()}


def _imports(body: Iterable[ast.stmt]) -> Iterator[tuple[str, int]]:
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.partition(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom):
            if node.module and not node.level:
                yield node.module.partition(".")[0], node.lineno
        elif isinstance(node, (ast.With, ast.ClassDef)):
            yield from _imports(node.body)
