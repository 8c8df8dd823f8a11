"""Parameters of a function as plain JSON, from its syntax tree; nothing is executed.

The form is that of `core.interfaces`: ``{"name", "kind", "default"}`` with the kinds below, in the
order of the signature, without ``self``. A default is a literal as it is; otherwise an object with
one member: ``name`` (a class, function or constant by dotted name), ``code`` (an expression),
``dict``, ``set``, ``float`` (one that JSON lacks), ``unknown`` (a stub says "...").
"""

from __future__ import annotations

import ast
import math
import operator
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

POSITIONAL, EITHER, KEYWORD, REST, OPTIONS = "positional", "either", "keyword", "*", "**"

UNKNOWN_DEFAULT: Dict[str, Any] = {"unknown": True}
MOST_TEXT = 200
_MOST_ITEMS = 50
_LARGEST = 1 << 64

Named = Callable[[ast.AST], Any]
"""Returns the default form of a name or attribute."""

_OPERATORS: Dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}


def of_function(node: Any, named: Named, bound: bool = False) -> List[Dict[str, Any]]:
    """Return the parameters of a function's syntax ``node``; bound: leave out the first one."""
    found: List[Dict[str, Any]] = []
    args = node.args
    before = list(getattr(args, "posonlyargs", ()))
    plain = before + list(args.args)
    defaults: List[Optional[ast.AST]] = [None] * (len(plain) - len(args.defaults))
    defaults += args.defaults
    for place, (one, default) in enumerate(zip(plain, defaults)):
        hidden = place < len(before) or (one.arg.startswith("__") and not one.arg.endswith("__"))
        found.append(_parameter(one.arg, POSITIONAL if hidden else EITHER, default, named))
    if bound and found:
        found.pop(0)
    if args.vararg is not None:
        found.append({"name": args.vararg.arg, "kind": REST})
    for one, default in zip(args.kwonlyargs, args.kw_defaults):
        found.append(_parameter(one.arg, KEYWORD, default, named))
    if args.kwarg is not None:
        found.append({"name": args.kwarg.arg, "kind": OPTIONS})
    return found


def _parameter(name: str, kind: str, default: Optional[ast.AST], named: Named) -> Dict[str, Any]:
    one: Dict[str, Any] = {"name": name, "kind": kind}
    if default is not None:
        one["default"] = form_of(default, named)
    return one


def of_fields(node: ast.ClassDef, named: Named) -> List[Dict[str, Any]]:
    """Return the fields that the body of a data class or typed named tuple declares."""
    found = []
    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if dotted(statement.annotation).rpartition(".")[2] == "ClassVar":
            continue
        default: Optional[ast.AST] = statement.value
        kind = EITHER
        if isinstance(default, ast.Call) and dotted(default.func).rpartition(".")[2] == "field":
            settings = {word.arg: word.value for word in default.keywords}
            if _is(settings.get("init"), False):
                continue
            kind = KEYWORD if _is(settings.get("kw_only"), True) else EITHER
            default = settings.get("default", settings.get("default_factory"))
        found.append(_parameter(statement.target.id, kind, default, named))
    return found


def _is(node: Optional[ast.AST], value: Any) -> bool:
    try:
        return node is not None and ast.literal_eval(node) is value
    except (ValueError, TypeError):
        return False


def form_of(node: ast.AST, named: Named) -> Any:
    """Return the default form of an expression."""
    if isinstance(node, (ast.Name, ast.Attribute)):
        return named(node)
    try:
        return form(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        pass
    number = _number(node)
    if number is not None:
        return form(number)
    if isinstance(node, (ast.Tuple, ast.List)) and len(node.elts) <= _MOST_ITEMS:
        return [form_of(item, named) for item in node.elts]
    if isinstance(node, ast.Call) and not node.args and not node.keywords:
        empty = {"dict": {"dict": {}}, "list": [], "tuple": [], "set": {"set": []}}
        if dotted(node.func) in empty:
            return empty[dotted(node.func)]
    return {"code": text_of(node, named)[:MOST_TEXT]}


def form(value: Any) -> Any:
    """Return the default form of a literal's value."""
    if value is Ellipsis:
        return dict(UNKNOWN_DEFAULT)
    if value is None or isinstance(value, (bool, str)):
        return value[:MOST_TEXT] if isinstance(value, str) else value
    if isinstance(value, int):
        return value if abs(value) < _LARGEST else {"code": hex(value)[:MOST_TEXT]}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, (list, tuple)) and len(value) <= _MOST_ITEMS:
        return [form(item) for item in value]
    if isinstance(value, (set, frozenset)) and len(value) <= _MOST_ITEMS:
        return {"set": sorted((form(item) for item in value), key=repr)}
    if isinstance(value, dict) and len(value) <= _MOST_ITEMS:
        return {"dict": {str(key): form(item) for key, item in value.items()}}
    return {"code": repr(value)[:MOST_TEXT]}


def _number(node: ast.AST) -> Any:
    """Return the value of arithmetic on numbers, None where it is not just that."""
    if isinstance(node, ast.BinOp):
        left, right = _number(node.left), _number(node.right)
        if left is None or right is None:
            return None
        try:
            if isinstance(node.op, ast.Pow):
                return left**right if abs(right) <= 64 and abs(left) <= 1000 else None
            if isinstance(node.op, ast.LShift):
                return left << right if right <= 64 else None
            apply = _OPERATORS.get(type(node.op))
            return apply(left, right) if apply else None
        except (ArithmeticError, TypeError, ValueError):
            return None
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        make = {"float": float, "int": int}.get(dotted(node.func))
        try:
            return make(ast.literal_eval(node.args[0])) if make else None
        except (ValueError, TypeError, OverflowError):
            return None
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError):
        return None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def dotted(node: Optional[ast.AST]) -> str:
    """Return the dotted name that ``node`` is, of a subscript what it is taken from; "" else."""
    parts: List[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Name):
            return ".".join([node.id, *parts[::-1]])
        else:
            return ""


def text_of(node: ast.AST, named: Named) -> str:
    """Return a stable text for an expression: names resolved, layout and quotes left out."""
    if isinstance(node, (ast.Name, ast.Attribute)):
        found = named(node)
        return str(found["name"]).rpartition(".")[2] if _has_name(found) else repr(found)
    if isinstance(node, ast.Call):
        words = [text_of(one, named) for one in node.args]
        words += ["%s=%s" % (one.arg, text_of(one.value, named)) for one in node.keywords]
        return "%s(%s)" % (text_of(node.func, named), ", ".join(words))
    try:
        return repr(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        parts = [text_of(child, named) for child in _expressions(node)]
        return "%s(%s)" % (type(node).__name__.lower(), ", ".join(parts))


def _has_name(found: Any) -> bool:
    return isinstance(found, dict) and "name" in found


def _expressions(node: ast.AST) -> Iterator[ast.AST]:
    return (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))


def merged(overloads: List[List[Dict[str, Any]]]) -> Tuple[List[Dict[str, Any]], bool]:
    """Return one list of parameters for several overloads, and whether they agree on the order.

    A parameter that only some have, or whose defaults differ, has an unknown default.
    """
    longest = max(overloads, key=len)
    agree = all([p["name"] for p in one] == [p["name"] for p in longest] for one in overloads)
    found = []
    for one_of in longest:
        parameter, name = one_of, one_of["name"]
        same = [p for one in overloads for p in one if p["name"] == name]
        given = [p["default"] for p in same if "default" in p]
        if given:
            known = [d for d in given if d != UNKNOWN_DEFAULT]
            equal = known and all(d == known[0] for d in known)
            parameter = dict(parameter, default=known[0] if equal else dict(UNKNOWN_DEFAULT))
        elif len(same) < len(overloads):
            parameter = dict(parameter, default=dict(UNKNOWN_DEFAULT))
        found.append(parameter)
    return found, agree
