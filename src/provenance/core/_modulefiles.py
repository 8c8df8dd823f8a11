"""Modules on a ``sys.path`` as their source has them: what each binds, without importing it."""

from __future__ import annotations

import ast
import os
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

SOURCE, STUB, COMPILED, NAMESPACE = "source", "stub", "compiled", "namespace"

MOST_BYTES = 4 << 20
"""Bytes above which a module is not read: generated code."""
_ENDINGS = (".so", ".pyd")


class Binding(NamedTuple):
    """What a module binds a name to.

    kind: "definition" (a function or class), "from", "import" or "value". node: syntax of a
    definition or value. nodes: all of them, of an overloaded function. module, name: where an
    import takes it from; module is absolute.
    """

    kind: str
    node: Any = None
    nodes: Tuple[Any, ...] = ()
    module: str = ""
    name: str = ""


class Module(NamedTuple):
    """One module. how: `SOURCE`, `STUB`, `COMPILED`, `NAMESPACE`. stars: modules taken whole.

    lazy: names that are loaded at their first use, with the modules that may hold them.
    dynamic: whether names may appear that its source does not bind.
    """

    name: str
    path: str
    how: str
    bindings: Dict[str, Binding] = {}
    stars: Tuple[str, ...] = ()
    lazy: Dict[str, Tuple[str, ...]] = {}
    dynamic: bool = False


class Modules:
    """The modules below the folders of ``sys_path``, each read once."""

    def __init__(self, sys_path: Sequence[str]) -> None:
        self._path = [folder for folder in sys_path if folder]
        self._read: Dict[str, Optional[Module]] = {}
        self._listed: Dict[str, Tuple[str, ...]] = {}

    def get(self, name: str) -> Optional[Module]:
        """Return the module ``name``, None where there is none."""
        if name not in self._read:
            self._read[name] = None
            found = self._find(name)
            if found is not None:
                self._read[name] = _parsed(name, *found)
        return self._read[name]

    def files(self) -> List[str]:
        """Return the files and folders whose content decided what was read, and the path's own."""
        found = [one.path for one in self._read.values() if one is not None]
        return sorted({*found, *self._path, *self._listed})

    def may_bind(self, module: str, name: str) -> bool:
        """Return whether ``module`` may bind ``name``, by a look at its text where it is unread."""
        if module in self._read:
            return self._read[module] is not None
        found = self._find(module)
        if found is None or found[1] not in (SOURCE, STUB):
            return found is not None
        try:
            with open(found[0], "rb") as stream:
                raw = stream.read(MOST_BYTES)
        except OSError:
            return False
        return any(one in raw for one in (name.encode("utf-8"), b"import *", b"__getattr__"))

    def _find(self, name: str) -> Optional[Tuple[str, str]]:
        """Return path and kind of the file of module ``name``."""
        relative = os.path.join(*name.split(".")) if all(name.split(".")) else ""
        namespace = None
        for folder in self._path if relative else ():
            base = os.path.join(folder, relative)
            found = self._file(base)
            if found is not None:
                return found
            if namespace is None and os.path.isdir(base):
                namespace = base, NAMESPACE
        return namespace

    def _file(self, base: str) -> Optional[Tuple[str, str]]:
        package = os.path.join(base, "__init__.py")
        if os.path.isfile(package):
            return package, SOURCE
        if os.path.isfile(base + ".py"):
            return base + ".py", SOURCE
        compiled = self._compiled(base)
        if not compiled:
            return None
        return (base + ".pyi", STUB) if os.path.isfile(base + ".pyi") else (compiled, COMPILED)

    def _compiled(self, base: str) -> str:
        folder, stem = os.path.split(base)
        for name in self._names(folder):
            if name.startswith(stem + ".") and name.endswith(_ENDINGS):
                return os.path.join(folder, name)
        return ""

    def _names(self, folder: str) -> Tuple[str, ...]:
        if folder not in self._listed:
            try:
                names = tuple(n for n in os.listdir(folder) if n.endswith(_ENDINGS))
            except OSError:
                names = ()
            self._listed[folder] = names
        return self._listed[folder]


def _parsed(name: str, path: str, how: str) -> Module:
    if how in (COMPILED, NAMESPACE):
        return Module(name, path, how, dynamic=True)
    tree = _syntax(path)
    if tree is None:
        return Module(name, path, COMPILED, dynamic=True)
    reader = _Reader(name, os.path.basename(path).startswith("__init__."))
    reader.block(tree.body)
    stub = path + "i"
    if reader.dynamic and how == SOURCE and os.path.isfile(stub):
        # lazy_loader.attach_stub: the stub beside the package says what it loads
        other = _syntax(stub)
        if other is not None:
            reader.block(other.body, weak=True)
    if reader.dynamic:
        reader.look_for_tables(tree)
    return Module(
        name, path, how, reader.bindings, tuple(reader.stars), reader.lazy, reader.dynamic
    )


def _syntax(path: str) -> Optional[ast.Module]:
    try:
        if os.path.getsize(path) > MOST_BYTES:
            return None
        with open(path, "rb") as stream:
            return ast.parse(stream.read())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class _Reader:
    """Goes through the statements of one module; branches are all taken, the first one wins."""

    def __init__(self, module: str, package: bool) -> None:
        self._package = module if package else module.rpartition(".")[0]
        self._weak: Dict[str, bool] = {}
        self.bindings: Dict[str, Binding] = {}
        self.stars: List[str] = []
        self.lazy: Dict[str, Tuple[str, ...]] = {}
        self.dynamic = False

    def block(self, body: Iterable[ast.stmt], weak: bool = False) -> None:
        """Take the bindings of ``body``; weak: only of names that have none."""
        for statement in body:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self._define(statement, weak)
            elif isinstance(statement, ast.Import):
                for alias in statement.names:
                    top = alias.name.partition(".")[0]
                    target = alias.name if alias.asname else top
                    self._bind(alias.asname or top, Binding("import", module=target), weak)
            elif isinstance(statement, ast.ImportFrom):
                self._import_from(statement, weak)
            elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
                self._assign(statement, weak)
            else:
                self._inside(statement, weak)

    def _inside(self, statement: ast.stmt, weak: bool) -> None:
        body = getattr(statement, "body", None)
        if not isinstance(body, list):
            return
        checking = isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test)
        self.block(body, weak or checking)
        for handler in getattr(statement, "handlers", ()):
            self.block(handler.body, weak=True)
        self.block(getattr(statement, "orelse", ()), weak=not checking or weak)
        self.block(getattr(statement, "finalbody", ()), weak)

    def _define(self, node: Any, weak: bool) -> None:
        if node.name in ("__getattr__", "__dir__"):
            self.dynamic = True
        before = self.bindings.get(node.name)
        nodes: Tuple[Any, ...] = (node,)
        if before is not None and before.nodes and is_overload(before.nodes[-1]):
            nodes = before.nodes + nodes if is_overload(node) else nodes
        self._bind(node.name, Binding("definition", node, nodes), weak)

    def _import_from(self, node: ast.ImportFrom, weak: bool) -> None:
        source = absolute(self._package, node.level, node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self.stars.append(source)
            else:
                one = Binding("from", module=source, name=alias.name)
                self._bind(alias.asname or alias.name, one, weak)

    def _assign(self, node: Any, weak: bool) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and node.value is not None:
                self._bind(target.id, Binding("value", node.value), weak)
            elif isinstance(target, (ast.Tuple, ast.List)):
                names = [one.id for one in target.elts if isinstance(one, ast.Name)]
                self.dynamic = self.dynamic or "__getattr__" in names
            elif isinstance(target, ast.Subscript) and "modules" in ast.dump(target.value):
                self.dynamic = True

    def _bind(self, name: str, one: Binding, weak: bool) -> None:
        if weak and name in self.bindings:
            return
        if name in self.bindings and not weak and self._weak.get(name) is False:
            # `def f` and then `f = decorate(f)`: the definition says more
            known = self.bindings[name]
            if known.kind == "definition" and one.kind == "value" and _mentions(one.node, name):
                return
        self.bindings[name] = one
        self._weak[name] = weak

    def look_for_tables(self, tree: ast.Module) -> None:
        """Take the tables from which lazy loaders serve: {module: [names]}, {name: module}."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values):
                    if key is not None:
                        self._row(_literal(key), _literal(value))
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
                index: Any = node.targets[0].slice
                key_node = getattr(index, "value", index) if not _is_text(index) else index
                self._row(_literal(key_node), _literal(node.value))

    def _row(self, key: Any, value: Any) -> None:
        if not isinstance(key, str):
            return
        if isinstance(value, str) or (isinstance(value, tuple) and value):
            place = value if isinstance(value, str) else value[0]
            if isinstance(place, str) and place.replace(".", "").isidentifier():
                self._serve(key, place)
        if isinstance(value, (list, tuple, set)):
            for name in value:
                if isinstance(name, str):
                    self._serve(name, key)

    def _serve(self, name: str, place: str) -> None:
        inner = place.lstrip(".")
        places = (self._package + "." + inner, inner) if self._package else (inner,)
        known = self.lazy.get(name, ())
        if len(known) < 8:
            self.lazy[name] = known + tuple(one for one in places if one not in known)


def absolute(package: str, level: int, module: str) -> str:
    """Return the module that ``from ...module import`` in ``package`` names."""
    if not level:
        return module
    parts = package.split(".")
    base = parts[: len(parts) - level + 1]
    return ".".join([*base, module] if module else base)


def is_overload(node: Any) -> bool:
    """Return whether a definition is one of several ``@overload``."""
    for one in getattr(node, "decorator_list", ()):
        if getattr(one, "attr", getattr(one, "id", "")) == "overload":
            return True
    return False


def _literal(node: Any) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def _is_text(node: Any) -> bool:
    return isinstance(_literal(node), str)


def _mentions(node: Any, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(node))
