"""The lines of a script at which a finding about a symbol points to the right place.

Read from the script alone, knowing nothing of `prov`: the lines that use the symbol, and those that
use what came of it, followed from name to name (scopes are not told apart, the scripts are short).
The lines of imports are no place. A symbol that the script does not name itself (a sampler inside a
loader) is looked for by its class, then by the longest module of it that the script uses; `by` says
how it was found, so that the weaker ways can be counted.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_ALIASES = {"tf": "tensorflow"}
_OPERATORS = {"__mul__": ast.Mult, "__add__": ast.Add, "__sub__": ast.Sub, "__truediv__": ast.Div}
_TEXTS = {"print", "repr", "str", "format"}


class Places(NamedTuple):
    """Where a finding would be right. by: "symbol", "class", "module", "package" or "nothing"."""

    lines: frozenset[int]
    by: str


class _Unit(NamedTuple):
    """A statement without the statements inside it: its lines, and the nodes that belong to it."""

    statement: ast.stmt
    lines: frozenset[int]
    nodes: tuple[ast.AST, ...]


def places(source: str, symbol: str) -> Places:
    """Return the right lines of ``source`` for ``symbol``, a dotted path."""
    tree = ast.parse(source)
    units = list(_units(tree))
    imported = _imports(tree)
    parts = [_ALIASES.get(part, part) if n == 0 else part for n, part in enumerate(_parts(symbol))]
    for by, seeds in _ways(units, imported, parts):
        if seeds:
            return Places(frozenset().union(*(unit.lines for unit in _flow(units, seeds))), by)
    return Places(frozenset(), "nothing")


def _parts(symbol: str) -> list[str]:
    return symbol.split(".") if all(p.isidentifier() for p in symbol.split(".")) else []


def _ways(
    units: list[_Unit], imported: dict[str, str], parts: list[str]
) -> Iterator[tuple[str, list[_Unit]]]:
    """Yield the ways to find the first users of a symbol, the surest first."""
    if not parts:
        return
    last = parts[-1]
    yield "symbol", [unit for unit in units if _names(unit, last, imported)]
    if len(parts) > 1 and parts[-2][:1].isupper():
        yield "class", [unit for unit in units if _names(unit, parts[-2], imported)]
    for length in range(len(parts) - 1, 0, -1):
        prefix = ".".join(parts[:length])
        by = "module" if length > 1 else "package"
        yield by, [unit for unit in units if _within(unit, prefix, imported)]


def _names(unit: _Unit, name: str, imported: dict[str, str]) -> bool:
    if name.startswith("__"):
        return _does(unit, name)
    for node in unit.nodes:
        if isinstance(node, ast.Attribute) and node.attr == name:
            return True
        if isinstance(node, ast.Name):
            path = imported.get(node.id, node.id).split(".")
            if path[-1] == name or (node.id in imported and name in path[1:]):
                return True
    return False


def _does(unit: _Unit, method: str) -> bool:
    """Return whether ``unit`` has the operator that the special ``method`` stands for."""
    for node in unit.nodes:
        if method == "__getitem__" and isinstance(node, ast.Subscript):
            return True
        if isinstance(node, (ast.BinOp, ast.AugAssign)) and method in _OPERATORS:
            if isinstance(node.op, _OPERATORS[method]):
                return True
        elif method in ("__repr__", "__str__", "__format__") and (
            isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Name) and node.id in _TEXTS)
        ):
            return True
    return False


def _within(unit: _Unit, prefix: str, imported: dict[str, str]) -> bool:
    """Return whether ``unit`` uses something that was imported from below ``prefix``."""
    for node in unit.nodes:
        path = _dotted(node, imported)
        if path is not None and (path + ".").startswith(prefix + "."):
            return True
    return False


def _dotted(node: ast.AST, imported: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return imported.get(node.id)
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value, imported)
        return base and "%s.%s" % (base, node.attr)
    return None


def _imports(tree: ast.AST) -> dict[str, str]:
    """Return what each imported name stands for, as a dotted path."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                top = one.name.split(".")[0]
                found[one.asname or top] = one.name if one.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            for one in node.names:
                found[one.asname or one.name] = "%s.%s" % (node.module, one.name)
    return found


# --- flow ----------------------------------------------------------------------------------------


def _units(tree: ast.AST) -> Iterator[_Unit]:
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and not isinstance(node, (ast.Import, ast.ImportFrom)):
            own = tuple(_own(node))
            lines = {n.lineno for n in own if hasattr(n, "lineno")} | {node.lineno}
            yield _Unit(node, frozenset(lines), own)


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below ``node`` that lie in no statement inside it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.stmt):
            yield child
            yield from _own(child)


def _flow(units: list[_Unit], seeds: Iterable[_Unit]) -> list[_Unit]:
    """Return the units that use a seed or what came of one."""
    functions = {
        unit.statement.name: unit
        for unit in units
        if isinstance(unit.statement, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef))
    }
    reached = {id(unit): unit for unit in seeds}
    names: set[str] = set()
    made = frozenset().union(*(_binds(unit) for unit in units if not _is_call(unit)))
    while True:
        before = len(names), len(reached)
        for unit in units:
            if isinstance(unit.statement, (ast.FunctionDef, ast.ClassDef)):
                continue
            if id(unit) in reached or _loads(unit) & names:
                reached[id(unit)] = unit
                names |= _binds(unit, made) | _handed(unit, functions, names)
        names |= {n for n, unit in functions.items() if _holds(unit.statement, reached)}
        if before == (len(names), len(reached)):
            return list(reached.values())


def _holds(function: ast.stmt, reached: dict[int, _Unit]) -> bool:
    inside = {id(node) for node in ast.walk(function) if node is not function}
    return any(id(unit.statement) in inside for unit in reached.values())


def _loads(unit: _Unit) -> set[str]:
    return {n.id for n in unit.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _binds(unit: _Unit, made: frozenset[str] = frozenset()) -> set[str]:
    """Return the names that ``unit`` gives a value to or may change by a call made for that."""
    found = {n.id for n in unit.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for node in unit.nodes:
        if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
            found |= _root(node)
    if _is_call(unit):
        statement = unit.statement
        if isinstance(statement.value.func, ast.Attribute):
            found |= _root(statement.value.func)
            for node in ast.walk(statement.value.func):  # Draw(image).ellipse(...) changes image
                if isinstance(node, ast.Call):
                    found |= {one.id for one in node.args if isinstance(one, ast.Name)}
        if _root(statement.value.func).isdisjoint(made):  # a library's function, or a call of ours
            found |= {one.id for one in statement.value.args if isinstance(one, ast.Name)}
    return found


def _is_call(unit: _Unit) -> bool:
    return isinstance(unit.statement, ast.Expr) and isinstance(unit.statement.value, ast.Call)


def _root(node: ast.AST) -> set[str]:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _handed(unit: _Unit, functions: dict[str, _Unit], names: set[str]) -> set[str]:
    """Return the parameters of the script's own functions to which ``unit`` hands what it has."""
    found = set()
    for node in unit.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called = functions.get(node.func.id)
            given = {n.id for arg in node.args for n in ast.walk(arg) if isinstance(n, ast.Name)}
            if called and isinstance(called.statement, ast.FunctionDef) and given & names:
                found |= {one.arg for one in called.statement.args.args}
    return found
