"""What an expression in Python source may be, and its value where it is constant."""

from __future__ import annotations

import ast
from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Tuple

from provenance.core import _types

REF, MEMBER, OBJECT = "ref", "member", "object"
CLASS, INSTANCE, FUNCTION, LITERAL = "class", "instance", "function", "literal"
MODULE = "module"
MOST_ALTERNATIVES = 4
LONGEST_TEXT, MOST_ITEMS = 80, 16

LITERALS = ("Constant", "Num", "Str", "NameConstant", "UnaryOp", "Tuple", "List", "Dict")


class Value(NamedTuple):
    """What an expression may be.

    kind: "ref" (a library's module, class or function), "member" (of a library's object), "object"
    (instance of a library's class), "class", "instance", "function" or "module" (of the source
    itself) or "literal". name: dotted symbol, or name in the source. literal: of a literal.
    """

    kind: str
    name: str
    literal: Any = None


class Seen(NamedTuple):
    """One call, read or write of a symbol: kind, symbol, the node, and what was given to it."""

    kind: str
    symbol: str
    line: int
    arguments: Tuple[Any, ...] = ()
    keywords: Dict[str, Any] = {}
    spread: bool = False
    assigned: bool = False


Values = Tuple[Value, ...]
Scope = Dict[str, Values]


class Neighbours:
    """The user's own files that are read together, by dotted name, and what each holds."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._names = [tuple(name.split(".")) for name in names]
        self.held: Dict[str, Scope] = {}

    def module(self, dotted: str) -> str:
        """Return the name of the file that ``dotted`` imports, "" where it is none or not clear."""
        wanted = tuple(dotted.split("."))
        found = [name for name in self._names if name[-len(wanted) :] == wanted]
        exact = [name for name in found if name == wanted]
        found = exact or found
        return ".".join(found[0]) if len(found) == 1 else ""

    def relative(self, name: str, level: int, module: str) -> str:
        """Return the file that ``from ..module import`` means in the file ``name``."""
        parts = name.split(".")
        base = parts[: len(parts) - level]
        if len(parts) < level:
            return ""
        full = tuple(base + ([module] if module else []))
        dotted = ".".join(full)
        return dotted if tuple(dotted.split(".")) in self._names else ""


class Learned(NamedTuple):
    """What a first pass over the source found out about its own classes and functions.

    bases: symbols of the library classes that a class stands on. methods: names it defines itself.
    attributes: what its instances hold. results: what a function returns.
    """

    bases: Dict[str, Tuple[str, ...]]
    methods: Dict[str, List[str]]
    attributes: Dict[str, Scope]
    results: Dict[str, Values]


Lookup = Callable[[str], Values]


def either(*parts: Values) -> Values:
    """Return what a name may be that is one of ``parts``, each possibility once."""
    found: List[Value] = []
    for part in parts:
        found.extend(one for one in part if one not in found)
    return tuple(found[:MOST_ALTERNATIVES])


def constant(node: Any, lookup: Lookup) -> Any:
    """Return ``node`` as a plain JSON value, None where it is not constant.

    None itself and dotted names of libraries are ``{"name": ...}``, a dictionary is
    ``{"dict": {...}}`` with the keys that are text.
    """
    kind = type(node).__name__
    if kind in ("Name", "Attribute"):
        return _constant_name(node, lookup)
    if kind == "Dict":
        keys = [constant(k, lookup) if k is not None else None for k in node.keys]
        if not all(isinstance(k, str) for k in keys) or len(keys) > MOST_ITEMS:
            return None
        return {"dict": {k: constant(v, lookup) for k, v in zip(keys, node.values)}}
    if kind == "Call" and type(node.func).__name__ == "Name" and node.func.id == "dict":
        plain = not node.args and all(k.arg is not None for k in node.keywords)
        if not plain or lookup("dict") or len(node.keywords) > MOST_ITEMS:
            return None
        return {"dict": {k.arg: constant(k.value, lookup) for k in node.keywords}}
    if kind in ("Tuple", "List"):
        items = [constant(e, lookup) for e in node.elts[:MOST_ITEMS]]
        return items if len(node.elts) <= MOST_ITEMS and None not in items else None
    if kind not in LITERALS:
        return None
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None
    return _plain(value)


def _constant_name(node: Any, lookup: Lookup) -> Any:
    dotted: List[str] = []
    while isinstance(node, ast.Attribute):
        dotted.insert(0, node.attr)
        node = node.value
    values = lookup(node.id) if isinstance(node, ast.Name) else ()
    if len(values) != 1 or (values[0].kind == LITERAL and dotted):
        return None
    if values[0].kind == LITERAL:
        return values[0].literal
    if values[0].kind != REF:
        return None
    return {"name": _types.spelled(".".join([values[0].name, *dotted]))}


def _plain(value: Any) -> Any:
    if value is None:
        return {"name": "None"}
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else None
    if isinstance(value, (bool, int)):
        return value
    return value if isinstance(value, float) and value - value == 0 else None


def index_of(node: ast.Subscript) -> Any:
    """Return the index expression; before 3.9 it stood inside an ``Index`` node."""
    return getattr(node.slice, "value", node.slice) if _is_index(node) else node.slice


def _is_index(node: ast.Subscript) -> bool:
    return type(node.slice).__name__ == "Index"


def key_kind(index: Any) -> str:
    """Return the kind of an index expression: "text", "list", "test", "slice" or "other"."""
    kind = type(index).__name__
    if kind in ("Constant", "Str") and isinstance(getattr(index, "value", ""), str):
        return "text"
    if kind in ("List", "Tuple"):
        return "list"
    if kind in ("Compare", "BinOp", "UnaryOp", "BoolOp"):
        return "test"
    return "slice" if kind in ("Slice", "ExtSlice") else "other"
