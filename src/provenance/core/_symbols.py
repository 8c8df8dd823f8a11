"""From a symbol as the user reaches it to its definition in the sources of a library.

Follows re-exports, star imports, tables of lazy loaders, plain assignments and base classes; stubs
stand for compiled modules. Nothing is imported.
"""

from __future__ import annotations

import ast
from typing import Any, Dict, FrozenSet, Iterator, List, NamedTuple, Optional, Tuple

from provenance.core._modulefiles import COMPILED, NAMESPACE, Binding, Module, Modules
from provenance.core._parameters import dotted, form_of

DEFINED, MODULE, VALUE, DARK, ABSENT = "defined", "module", "value", "dark", "absent"

Seen = FrozenSet[Tuple[str, str]]

_DEEPEST = 40
_MOST_STARS = 60
"""A package that takes more modules whole is a catalogue: all of them would take seconds."""
_ALSO: Tuple[Tuple[str, str], ...] = (
    ("keras.", "tensorflow.keras."),
    ("keras.", "tf_keras."),
    ("keras.", "keras.api."),
    ("keras.", "keras.src."),
    ("tensorflow.keras.", "keras."),
    ("tensorflow.keras.", "keras.api._v2.keras."),
    ("keras.", "keras.api._v2.keras."),
    ("keras.", "tensorflow.python.keras."),
    ("tensorflow.", "tensorflow._api.v2."),
    ("pytorch_lightning.", "lightning.pytorch."),
    ("pandas.", "pandas.core.groupby.generic."),
    ("pandas.", "pandas.core.groupby.groupby."),
)
"""Where else a symbol may stand: `_types.spelled` writes several places of one thing as one."""

_PLAIN_BASES = frozenset("object ABC Generic Protocol type Mapping Iterable Hashable".split())
"""Bases that have no constructor of their own."""


class Place(NamedTuple):
    """What a name means. kind: `DEFINED`, `MODULE`, `VALUE`, `DARK` (cannot be read) or `ABSENT`.

    name: dotted, where it is defined. module: in which it stands. nodes: its syntax, several of an
    overloaded function. why: what keeps a dark one from being read.
    """

    kind: str
    name: str = ""
    module: Optional[Module] = None
    nodes: Tuple[Any, ...] = ()
    why: str = ""

    @property
    def node(self) -> Any:
        """The last of its syntax nodes."""
        return self.nodes[-1]

    @property
    def is_class(self) -> bool:
        """Whether it is the definition of a class."""
        return self.kind == DEFINED and isinstance(self.node, ast.ClassDef)


class Method(NamedTuple):
    """A function found in a class or one of its bases; owner: that class.

    dark: why a base before it could not be read.
    """

    place: Optional[Place]
    owner: Optional[Place] = None
    dark: str = ""


class Symbols:
    """Finds definitions below the folders of one ``sys.path``."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self._found: Dict[Tuple[str, str], Place] = {}

    def find(self, symbol: str) -> Place:
        """Return what ``symbol`` means, under the names that stand for the same thing too."""
        first = self.walk(symbol)
        if first.kind == DEFINED:
            return first
        for prefix, other in _ALSO:
            if symbol.startswith(prefix) and not symbol.startswith(other):
                found = self.walk(other + symbol[len(prefix) :])
                if found.kind == DEFINED:
                    return found
        return first

    def walk(self, symbol: str) -> Place:
        """Return what ``symbol`` means, taken name by name."""
        parts = symbol.split(".")
        top = self._modules.get(parts[0])
        if top is None:
            return Place(ABSENT, symbol, why="%s is not installed" % parts[0])
        place = Place(MODULE, top.name, top)
        for index, part in enumerate(parts[1:]):
            before, place = place, self.member(place, part, frozenset())
            if place.kind == ABSENT and before.kind == MODULE:
                return self._as_modules(parts[: index + 1], parts[index + 1 :]) or place
            if place.kind in (DARK, ABSENT):
                return place
        return place

    def _as_modules(self, head: List[str], rest: List[str]) -> Optional[Place]:
        """Return the meaning where a package does not bind what is a module all the same."""
        name = ".".join(head)
        while len(rest) > 1:
            name, rest = name + "." + rest[0], rest[1:]
            module = self._modules.get(name)
            if module is not None:
                place = Place(MODULE, name, module)
                for part in rest:
                    place = self.member(place, part, frozenset())
                return place if place.kind == DEFINED else None
        return None

    def member(self, place: Place, name: str, seen: Seen) -> Place:
        """Return what ``name`` means in a module or class."""
        if place.kind == MODULE and place.module is not None:
            return self.bound(place.module, name, seen)
        whole = place.name + "." + name
        if not place.is_class:
            return Place(DARK, whole, why=place.why or "made at run time")
        found = self.method(place, name)
        if found.place is not None:
            return found.place
        return Place(DARK if found.dark else ABSENT, whole, why=found.dark)

    def bound(self, module: Module, name: str, seen: Seen) -> Place:
        """Return what ``name`` means in ``module``."""
        key = (module.name, name)
        if key in seen or len(seen) > _DEEPEST:
            return Place(ABSENT, module.name + "." + name)
        if key in self._found:
            return self._found[key]
        found = self._bound(module, name, seen | {key})
        if found.kind != ABSENT or not seen:  # absent may be only for this way of coming here
            self._found[key] = found
        return found

    def _bound(self, module: Module, name: str, seen: Seen) -> Place:
        whole = module.name + "." + name
        if module.how == COMPILED:
            return Place(DARK, whole, module, why="compiled")
        binding = module.bindings.get(name)
        if binding is not None:
            found = self._of_binding(module, name, binding, seen)
            if found.kind != ABSENT:
                return found
        starred = self._from_stars(module, name, seen)
        if starred is not None and starred.kind != DARK:
            return starred
        below = self._modules.get(whole)
        if below is not None and below.how != NAMESPACE:
            return Place(MODULE, whole, below)
        for source in module.lazy.get(name, ()):
            found = self._taken(source, name, seen)
            if found.kind in (DEFINED, MODULE):
                return found
        if below is not None:
            return Place(MODULE, whole, below)
        if starred is not None:
            return starred
        if module.dynamic:
            return Place(DARK, whole, module, why="loaded at its first use")
        return Place(ABSENT, whole, module, why="not in %s" % module.name)

    def _from_stars(self, module: Module, name: str, seen: Seen) -> Optional[Place]:
        dark = None
        for source in _likely(module.stars, name):
            other = self._modules.get(source) if self._modules.may_bind(source, name) else None
            if other is None:
                continue
            found = self.bound(other, name, seen)
            if found.kind == DARK:
                dark = found
            elif found.kind != ABSENT:
                return found
        return dark

    def _of_binding(self, module: Module, name: str, one: Binding, seen: Seen) -> Place:
        whole = module.name + "." + name
        if one.kind == "definition":
            return Place(DEFINED, whole, module, one.nodes)
        if one.kind == "import":
            other = self._modules.get(one.module)
            return Place(MODULE, one.module, other) if other else Place(ABSENT, whole)
        if one.kind == "from":
            return self._taken(one.module, one.name, seen)
        path = "" if isinstance(one.node, ast.Subscript) else dotted(one.node)
        if path:
            found = self.meaning(module, path, seen)
            if found.kind in (DEFINED, MODULE):
                return found
        return Place(VALUE, whole, module, (one.node,), "made at run time")

    def _taken(self, source: str, name: str, seen: Seen) -> Place:
        other = self._modules.get(source)
        if other is None:
            return Place(ABSENT, source + "." + name, why="%s is not there" % source)
        return self.bound(other, name, seen)

    def meaning(self, module: Module, path: str, seen: Seen) -> Place:
        """Return what the dotted name ``path`` means inside ``module``."""
        parts = path.split(".")
        place = self.bound(module, parts[0], seen)
        for part in parts[1:]:
            if place.kind not in (DEFINED, MODULE):
                break
            place = self.member(place, part, seen)
        return place

    def default(self, module: Module, node: ast.AST) -> Any:
        """Return the default form of a name that ``module`` uses: its value where it is plain."""
        path = dotted(node)
        place = self.meaning(module, path, frozenset()) if path else Place(ABSENT)
        name = {"name": (place.name if place.kind != ABSENT else "") or path or "?"}
        if place.kind != VALUE or isinstance(place.node, (ast.Call, ast.Name, ast.Attribute)):
            return name
        value = form_of(place.node, lambda one: {"name": dotted(one)})
        hidden = isinstance(value, dict) and ("code" in value or "name" in value)
        return name if hidden else value

    def method(self, place: Place, name: str) -> Method:
        """Return the function ``name`` of a class, looked for in its bases as Python would."""
        for one in self.line(place):
            if not one.is_class:
                return Method(None, None, "its base %s cannot be read" % one.name)
            found = tuple(n for n in _members(one.node) if getattr(n, "name", "") == name)
            if found:
                return Method(Place(DEFINED, one.name + "." + name, one.module, found), one)
        return Method(None)

    def line(self, place: Place) -> Iterator[Place]:
        """Yield a class and its bases, nearest first; one that cannot be read as a dark place."""
        return self._line(place, {place.name}, 0)

    def _line(self, place: Place, seen: Any, depth: int) -> Iterator[Place]:
        yield place
        if place.module is None or not place.is_class or depth > _DEEPEST:
            return
        for base in place.node.bases:
            path = dotted(base)
            if path.rpartition(".")[2] in _PLAIN_BASES:
                continue
            found = self.meaning(place.module, path, frozenset()) if path else Place(DARK)
            if found.kind != DEFINED:
                yield found._replace(kind=DARK, name=path or "?")
            elif found.name not in seen:
                seen.add(found.name)
                for one in self._line(found, seen, depth + 1):
                    yield one


def _likely(stars: Tuple[str, ...], name: str) -> List[str]:
    """Return the modules taken whole, later ones first; of very many those that sound alike."""
    if len(stars) <= _MOST_STARS:
        return list(reversed(stars))
    small = name.lower()
    alike = [one for one in stars if one.rpartition(".")[2].replace("_", "") in small]
    return sorted(alike, key=len, reverse=True)[:_MOST_STARS]


def _members(node: ast.ClassDef) -> Iterator[Any]:
    """Yield the statements of a class body, branches included."""
    for statement in node.body:
        if isinstance(statement, (ast.If, ast.Try)):
            for one in [*statement.body, *statement.orelse]:
                yield one
        else:
            yield statement
