"""Signatures of a library's symbols, read from its installed sources; nothing is imported or run.

A signature is plain JSON, the same that the rehearsal reads from live objects:

``name``          dotted, where the thing is defined
``how``           "source", "stub" or "fields" here; "object", "text" or "docstring" there
``parameters``    in order, without ``self``: ``{"name", "kind", "default"}``, see `_parameters`
``wrapped``       true: a decorator stands between caller and function; it may accept more
``not_compared``  instead of ``parameters``: why there are none; with ``absent`` it is not there
"""

from __future__ import annotations

import ast
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from provenance.core._modulefiles import STUB, Modules
from provenance.core._parameters import dotted, merged, of_fields, of_function
from provenance.core._symbols import ABSENT, DEFINED, MODULE, Method, Place, Symbols

PLAIN_DECORATORS = frozenset(
    "abstractmethod array_function_dispatch cache classmethod contextmanager doc final "
    "finalize_array_function_like lru_cache no_grad overload override set_module staticmethod "
    "tf_export keras_export validate_params Substitution Appender add_dispatch_support "
    "deprecate_with_docstring _dispatchable docstring_filler for_subclass_implementors".split()
)
"""Decorators that leave what a caller may pass as it is."""
_PROPERTIES = frozenset("property setter cached_property deleter getter cache_readonly".split())
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DATA_CLASSES = frozenset("dataclass attrs define frozen attr".split())


class Library(NamedTuple):
    """The libraries on one ``sys.path``; made by `library`."""

    symbols: Symbols
    known: Dict[str, Dict[str, Any]]
    modules: Modules

    def signature(self, symbol: str) -> Dict[str, Any]:
        """Return the signature of calling ``symbol``, as far as its sources tell."""
        if symbol not in self.known:
            try:
                self.known[symbol] = _signature(self.symbols, symbol)
            except RecursionError:
                self.known[symbol] = dark("nested too deeply")
        return self.known[symbol]


def library(sys_path: Sequence[str]) -> Library:
    """Return the libraries below the folders of ``sys_path``; each module is read once."""
    modules = Modules(sys_path)
    return Library(Symbols(modules), {}, modules)


def dark(why: str) -> Dict[str, Any]:
    """Return the signature of what is not compared."""
    return {"not_compared": why}


def _signature(symbols: Symbols, symbol: str) -> Dict[str, Any]:
    place = symbols.find(symbol)
    if place.kind == ABSENT:
        return dict(dark(place.why or "not found"), absent=True)
    if place.kind == MODULE:
        return dark("a module")
    if place.kind != DEFINED:
        return dark(place.why or "made at run time")
    if place.is_class:
        return _of_class(symbols, place)
    if not isinstance(place.node, _FUNCTIONS):
        return dark("made at run time")
    owner = symbol.rpartition(".")[0]
    method = "." in owner and symbols.find(owner).is_class
    return _of_function(symbols, place, method)


def _of_function(symbols: Symbols, place: Place, method: bool) -> Dict[str, Any]:
    module = place.module
    if module is None:
        return dark("not found")
    names = [_decorator(one) for one in place.node.decorator_list]
    if any(name in _PROPERTIES for name in names):
        return dark("a property")
    several = [node for node in place.nodes if isinstance(node, _FUNCTIONS)]
    if module.how != STUB:
        several = several[-1:]
    bound = method and "staticmethod" not in names

    def named(node: ast.AST) -> Any:
        return symbols.default(module, node)

    parameters, agree = merged([of_function(node, named, bound) for node in several])
    how = "stub" if module.how == STUB else "source"
    found: Dict[str, Any] = {"name": place.name, "how": how, "parameters": parameters}
    if not agree or any(name not in PLAIN_DECORATORS for name in names):
        found["wrapped"] = True
    return found


def _of_class(symbols: Symbols, place: Place) -> Dict[str, Any]:
    maker = Method(None) if _is_transformed(symbols, place) else maker_of(symbols, place)
    if maker.place is not None:
        found = _of_function(symbols, maker.place, True)
        if "parameters" not in found:
            return found
        return dict(found, name=place.name)
    if maker.dark:
        return dark(maker.dark)
    fields = _fields(symbols, place)
    if fields is None:
        return {"name": place.name, "how": "source", "parameters": []}
    return {"name": place.name, "how": "fields", "parameters": fields}


def maker_of(symbols: Symbols, place: Place) -> Method:
    """Return the constructor of a class: ``__init__`` or ``__new__``, whichever is nearer."""
    for one in symbols.line(place):
        if not one.is_class:
            return Method(None, None, "its base %s cannot be read" % one.name)
        for name in ("__init__", "__new__"):
            found = symbols.method(one, name)
            if found.owner is not None and found.owner.name == one.name:
                return found
        if _is_data_class(one.node):
            break
    return Method(None)


def _is_data_class(node: ast.ClassDef) -> bool:
    names = [_decorator(one) for one in node.decorator_list]
    bases = [dotted(base).rpartition(".")[2] for base in node.bases]
    return any(name in _DATA_CLASSES for name in names) or "NamedTuple" in bases


def _is_transformed(symbols: Symbols, place: Place) -> bool:
    """Return whether a base makes data classes of what derives from it (flax modules)."""
    bases = [one for one in symbols.line(place) if one.is_class][1:]
    words = [_decorator(word) for one in bases for word in one.node.decorator_list]
    return "dataclass_transform" in words


def _fields(symbols: Symbols, place: Place) -> Optional[List[Dict[str, Any]]]:
    """Return the fields of a data class, those of its bases first; None where it is none."""
    every = _is_transformed(symbols, place)
    line = [
        one for one in symbols.line(place) if one.is_class and (every or _is_data_class(one.node))
    ]
    found: Dict[str, Dict[str, Any]] = {}
    for one in reversed(line):
        module = one.module
        if module is not None:
            for field in of_fields(one.node, _namer(symbols, module)):
                found[field["name"]] = field
    return list(found.values()) if line else None


def _namer(symbols: Symbols, module: Any) -> Any:
    return lambda node: symbols.default(module, node)


def _decorator(node: Any) -> str:
    """Return the last name of a decorator."""
    return dotted(node.func if isinstance(node, ast.Call) else node).rpartition(".")[2]
