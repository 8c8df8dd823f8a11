"""Where recorded uses stand in a file that was edited since, and what they pass there now.

Calls are found again by the last name of what is called and by their order; that needs no more than
the file. What else was used moves with the call before it.
"""

from __future__ import annotations

import ast
from typing import Any, Dict, List, Sequence, Tuple

from provenance.core.use import CALL, Use


def moved(uses: Sequence[Use], source: str) -> Tuple[Use, ...]:
    """Return the ``uses`` of one file as they stand in ``source``; as they are if unreadable.

    Where a name is called more or less often than it was, and for several things, its uses are
    only moved; where it stood for one thing, each call of it counts as that, none as none.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return tuple(uses)
    calls = _calls(tree)
    before: Dict[str, List[Use]] = {}
    for use in uses:
        if use.kind == CALL and not use.symbol.endswith("__"):
            before.setdefault(_name_of(use), []).append(use)
    shifts: List[Tuple[int, int]] = []
    found: List[Use] = []
    for name, own in before.items():
        now = calls.get(name, [])
        if len(own) == len(now):
            shifts += [(use.line, call.lineno - use.line) for use, call in zip(own, now)]
            found += [_at(call, use) for use, call in zip(own, now)]
        elif len({use.symbol for use in own}) == 1 and (now or name not in source):
            found += [_at(call, own[0]._replace(arguments=(), keywords={})) for call in now]
        else:
            continue
        uses = [use for use in uses if use not in own]
    found += [use._replace(line=use.line + _shift(use.line, shifts)) for use in uses]
    return tuple(sorted(found, key=lambda use: use.line))


def _name_of(use: Use) -> str:
    return use.symbol.rpartition(".")[2]


def _calls(tree: ast.Module) -> Dict[str, List[ast.Call]]:
    """Return the calls of a file in their order, by the last name of what is called."""
    names = {
        alias.asname: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    found: Dict[str, List[ast.Call]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", "") or getattr(node.func, "id", "")
            found.setdefault(names.get(name, name), []).append(node)
    for calls in found.values():
        calls.sort(key=lambda call: call.lineno)
    return found


def _at(call: ast.Call, use: Use) -> Use:
    """Return ``use`` with place and arguments of ``call``; what is no literal stays as recorded."""
    stars = any(isinstance(one, ast.Starred) for one in call.args)
    plain = [one for one in call.args if not isinstance(one, ast.Starred)]
    known = list(use.arguments) + [None] * len(plain)
    return use._replace(
        line=call.lineno,
        arguments=tuple(_constant(node, old) for node, old in zip(plain, known)),
        keywords={
            word.arg: _constant(word.value, use.keywords.get(word.arg))
            for word in call.keywords
            if word.arg is not None
        },
        spread=stars or any(word.arg is None for word in call.keywords),
    )


def _constant(node: ast.AST, recorded: Any) -> Any:
    """Return a literal as a recorded use holds it; of anything else what was ``recorded``."""
    try:
        return _as_recorded(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return recorded


def _as_recorded(value: Any) -> Any:
    if value is None:
        return {"name": "None"}
    if isinstance(value, (list, tuple)):
        return [_as_recorded(one) for one in value]
    if isinstance(value, dict):
        return {"dict": {str(key): _as_recorded(one) for key, one in value.items()}}
    return value if isinstance(value, (bool, int, float, str)) else None


def _shift(line: int, shifts: Sequence[Tuple[int, int]]) -> int:
    """Return by how much the last call at or above ``line`` moved."""
    above = [one for one in sorted(shifts) if one[0] <= line]
    return above[-1][1] if above else 0
