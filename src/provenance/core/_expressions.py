"""Following names through Python expressions; `_flow` does the statements around them."""

from __future__ import annotations

import ast
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from provenance.core import _types
from provenance.core._values import (
    CLASS,
    FUNCTION,
    INSTANCE,
    LITERAL,
    LITERALS,
    MEMBER,
    MODULE,
    OBJECT,
    REF,
    Learned,
    Neighbours,
    Scope,
    Seen,
    Value,
    Values,
    constant,
    either,
    index_of,
    key_kind,
)
from provenance.core.use import CALL, READ, UNRESOLVED, WRITE

_OPERATORS = {
    "Add": "add", "Sub": "sub", "Mult": "mul", "Div": "truediv", "FloorDiv": "floordiv",
    "Mod": "mod", "Pow": "pow", "MatMult": "matmul",
}  # fmt: skip


class Expressions:
    """What the expressions of a module are and use; ``seen`` is what was used."""

    def __init__(
        self, learned: Learned, neighbours: Optional[Neighbours] = None, name: str = ""
    ) -> None:
        self.seen: List[Seen] = []
        self._neighbours = neighbours or Neighbours()
        self._name = name
        self._prefix = name + ":" if name else ""
        self._learned = learned
        self._scopes: List[Scope] = [{}]
        self._owner = ""
        self._function = ""
        self._later: List[Callable[[], None]] = []

    def _block(self, body: Sequence[ast.stmt]) -> None:
        """Go through statements: in the class that knows them."""
        raise NotImplementedError

    def _const(self, node: Any) -> Any:
        return constant(node, self._lookup)

    # names ------------------------------------------------------------------------------------

    def _lookup(self, name: str) -> Values:
        for scope in self._scopes[::-1]:
            if name in scope:
                return scope[name]
        return (Value(REF, "builtins." + name),) if name in ("sum", "getattr") else ()

    def _bind(self, name: str, values: Values) -> None:
        self._scopes[-1][name] = values

    def _forget(self, name: str) -> None:
        """Unbind ``name`` in all scopes: what it held is changed from here on."""
        for scope in self._scopes:
            if name in scope:
                scope[name] = ()

    def _see(
        self,
        kind: str,
        symbol: str,
        node: ast.AST,
        call: Optional[ast.Call] = None,
        assigned: bool = False,
        arguments: Tuple[Any, ...] = (),
    ) -> None:
        if symbol.startswith("."):
            return
        symbol, line = _types.spelled(symbol), getattr(node, "lineno", 0)
        if call is None:
            self.seen.append(Seen(kind, symbol, line, arguments, assigned=assigned))
            return
        spread = any(isinstance(a, ast.Starred) for a in call.args)
        given = tuple(self._const(a) for a in call.args if not isinstance(a, ast.Starred))
        named, unfolded = self._keywords(call)
        spread = spread or unfolded
        if isinstance(call.func, ast.Attribute):  # the line of the name, not of a chain's start
            line = getattr(call.func, "end_lineno", None) or line
        self.seen.append(Seen(kind, symbol, line, given, named, spread, assigned))

    def _keywords(self, call: ast.Call) -> Tuple[Dict[str, Any], bool]:
        """Return the named arguments, those of a known ``**x`` too; whether more may be."""
        named: Dict[str, Any] = {}
        more = False
        for keyword in call.keywords:
            value = self._const(keyword.value)
            if keyword.arg is not None:
                named[keyword.arg] = value
            elif isinstance(value, dict) and isinstance(value.get("dict"), dict):
                named.update(value["dict"])
            else:
                more = True
        return named, more

    def _generic(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._eval(child)
            elif isinstance(child, ast.stmt):
                self._block([child])
            else:
                self._generic(child)

    # targets ----------------------------------------------------------------------------------

    def _assign(self, target: ast.expr, values: Values, source: Optional[ast.expr]) -> None:
        if isinstance(target, ast.Name):
            self._bind(target.id, values)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target.elts, source)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, (), None)
        elif isinstance(target, ast.Attribute):
            self._assign_attribute(target, values, source)
        elif isinstance(target, ast.Subscript):
            self._assign_item(target, source)

    def _unpack(self, targets: Sequence[ast.expr], source: Optional[ast.expr]) -> None:
        parts = source.elts if isinstance(source, (ast.Tuple, ast.List)) else []
        for index, target in enumerate(targets):
            part = parts[index] if len(parts) == len(targets) else None
            values = self._quietly(part) if part is not None else ()
            self._assign(target, values, part)

    def _quietly(self, node: ast.expr) -> Values:
        """Return what ``node`` is, without seeing its uses a second time."""
        kept, self.seen = self.seen, []
        values = self._eval(node)
        self.seen = kept
        return values

    def _assign_attribute(
        self, target: ast.Attribute, values: Values, source: Optional[ast.expr]
    ) -> None:
        for base in self._eval(target.value, read=False):
            if base.kind == INSTANCE:
                held = self._learned.attributes.setdefault(base.name, {})
                kept = held.get(target.attr, ())
                held[target.attr] = either(kept, values)
            elif base.kind in (REF, MEMBER, OBJECT):
                given = (self._const(source),) if source is not None else ()
                self._see(WRITE, base.name + "." + target.attr, target, arguments=given)

    def _assign_item(self, target: ast.Subscript, source: Optional[ast.expr]) -> None:
        chained = isinstance(target.value, ast.Subscript)
        inner = target.value.value if isinstance(target.value, ast.Subscript) else target.value
        bases = self._eval(inner, read=False)
        if isinstance(target.value, ast.Subscript):
            self._eval(index_of(target.value))
        self._eval(index_of(target))
        given = (self._const(index_of(target)), self._const(source) if source else None)
        for base in bases:
            if base.kind == LITERAL and isinstance(inner, ast.Name):
                self._forget(inner.id)
            elif base.kind in (OBJECT, MEMBER) and base.name not in (_types.ARRAY, _types.TENSOR):
                store = ".__getitem__.__setitem__" if chained else ".__setitem__"
                self._see(WRITE, base.name + store, target, arguments=given)

    # expressions ------------------------------------------------------------------------------

    def _eval(self, node: Any, read: bool = True, assigned: bool = False) -> Values:
        """Return what ``node`` may be; uses inside it are seen. read: whether naming counts."""
        handler = getattr(self, "_of_" + type(node).__name__.lower(), None)
        if handler is None:
            literal = self._const(node) if type(node).__name__ in LITERALS else None
            self._generic(node)
            return (Value(LITERAL, "", literal),) if literal is not None else ()
        values: Values = handler(node, read, assigned)
        return values

    def _of_name(self, node: ast.Name, read: bool, _: bool) -> Values:
        values = self._lookup(node.id)
        return self._named(node, values, read)

    def _named(self, node: ast.AST, values: Values, read: bool) -> Values:
        for value in values if read else ():
            if value.kind == REF and "." in value.name and not value.name.startswith("builtins."):
                self._see(READ, value.name, node)
        return values

    def _of_attribute(self, node: ast.Attribute, read: bool, _: bool) -> Values:
        bases = self._eval(node.value, read=False)
        if not bases:
            return (Value(MEMBER, UNRESOLVED + node.attr),)
        return self._named(node, self._attribute(bases, node.attr), read)

    def _attribute(self, bases: Values, name: str) -> Values:
        found: List[Values] = []
        for base in bases:
            if base.kind == REF:
                full = base.name + "." + name
                own = self._neighbours.module(full)
                found.append((Value(MODULE, own) if own else Value(REF, full),))
            elif base.kind == MODULE:
                found.append(self._of_module(base.name, name))
            elif base.kind == OBJECT:
                known = _types.member(base.name, name)
                value = Value(OBJECT, known) if known else Value(MEMBER, base.name + "." + name)
                found.append((value,))
            elif base.kind == MEMBER:
                found.append((Value(MEMBER, UNRESOLVED + name),))
            elif base.kind in (INSTANCE, CLASS):
                found.append(self._own_attribute(base.name, name))
        return either(*found)

    def _of_module(self, module: str, name: str) -> Values:
        """Return what ``name`` is in another file of the user's own."""
        held = self._neighbours.held.get(module, {})
        return held[name] if name in held else (Value(REF, module + "." + name),)

    def _own_attribute(self, owner: str, name: str) -> Values:
        """Return what ``name`` is on an instance of a class of the source."""
        inherited = owner.startswith("super ")
        owner = owner[6:] if inherited else owner
        if not inherited:
            held = self._learned.attributes.get(owner, {})
            if name in held:
                return held[name]
            if name in self._learned.methods.get(owner, ()):
                return (Value(FUNCTION, owner + "." + name),)
        bases = self._learned.bases.get(owner, ())
        if name == "__init__":
            return tuple(Value(REF, base) for base in bases)
        return tuple(Value(MEMBER, base + "." + name) for base in bases)

    def _of_call(self, node: ast.Call, _: bool, assigned: bool) -> Values:
        if isinstance(node.func, ast.Name) and node.func.id == "getattr":
            found = self._getattr(node)
            if found is not None:
                return found
        callees = self._eval(node.func, read=False)
        self._forget_changed(node.func)
        for argument in node.args:
            self._eval(argument.value if isinstance(argument, ast.Starred) else argument)
        for keyword in node.keywords:
            self._eval(keyword.value)
        results = []
        for callee in callees:
            if callee.kind in (REF, MEMBER):
                self._see(CALL, callee.name, node, node, assigned)
                if callee.name == "functools.partial":
                    self._partial(node)
            results.append(self._made(callee))
        literal = None if callees else self._const(node)
        return either(*results) if literal is None else (Value(LITERAL, "", literal),)

    def _getattr(self, node: ast.Call) -> Optional[Values]:
        """Return what ``getattr(x, "name", ...)`` is; None where the name is not constant."""
        name = self._const(node.args[1]) if len(node.args) > 1 else None
        if not isinstance(name, str):
            return None
        bases = self._eval(node.args[0], read=False)
        for argument in node.args[2:]:
            self._eval(argument)
        return self._attribute(bases, name)

    def _partial(self, node: ast.Call) -> None:
        """See ``functools.partial(f, ...)`` as a call of ``f`` with more to come."""
        for value in self._quietly(node.args[0]) if node.args else ():
            if value.kind == REF:
                given = tuple(self._const(a) for a in node.args[1:])
                named = {k.arg: self._const(k.value) for k in node.keywords if k.arg}
                symbol = _types.spelled(value.name)
                self.seen.append(Seen(CALL, symbol, node.lineno, given, named, True))

    def _forget_changed(self, callee: ast.expr) -> None:
        """Unbind a literal that a method of its own may change."""
        if isinstance(callee, ast.Attribute) and isinstance(callee.value, ast.Name):
            name = callee.value.id
            if any(v.kind == LITERAL for v in self._lookup(name)):
                self._forget(name)

    def _made(self, callee: Value) -> Values:
        """Return what calling ``callee`` gives."""
        if callee.kind in (REF, MEMBER):
            known = _types.returned(_types.spelled(callee.name))
            return (Value(OBJECT, known),) if known else ()
        if callee.kind == CLASS:
            if callee.name.startswith("super "):
                return (callee,)
            return (Value(INSTANCE, callee.name),)
        if callee.kind == FUNCTION:
            return self._learned.results.get(callee.name, ())
        if callee.kind in (OBJECT, INSTANCE):
            return ()
        return ()

    def _of_subscript(self, node: ast.Subscript, _: bool, __: bool) -> Values:
        bases = self._eval(node.value, read=False)
        index = index_of(node)
        self._eval(index)
        found = []
        for base in bases:
            if base.kind == OBJECT:
                if base.name not in _types.COMMON:
                    self._see(READ, base.name + ".__getitem__", node)
                known = _types.item(base.name, key_kind(index))
                found.append((Value(OBJECT, known),) if known else ())
        return either(*found)

    def _of_binop(self, node: ast.BinOp, _: bool, __: bool) -> Values:
        left, right = self._eval(node.left), self._eval(node.right)
        operator = _OPERATORS.get(type(node.op).__name__)
        for sides, prefix in ((left, "__"), (right, "__r")):
            for value in sides:
                if value.kind == OBJECT and value.name in _types.NUMPY_SCALARS and operator:
                    self._see(CALL, value.name + "." + prefix + operator + "__", node)
        made = [v for v in left + right if v.kind == OBJECT]
        return (made[0],) if made else ()

    def _of_boolop(self, node: ast.BoolOp, _: bool, __: bool) -> Values:
        return either(*(self._eval(value, read=False) for value in node.values))

    def _of_ifexp(self, node: ast.IfExp, read: bool, _: bool) -> Values:
        self._eval(node.test)
        return either(self._eval(node.body, read), self._eval(node.orelse, read))

    def _of_await(self, node: ast.Await, _: bool, __: bool) -> Values:
        return self._eval(node.value)

    def _of_namedexpr(self, node: Any, _: bool, __: bool) -> Values:
        values = self._eval(node.value, assigned=True)
        self._assign(node.target, values, node.value)
        return values

    def _of_lambda(self, node: ast.Lambda, _: bool, __: bool) -> Values:
        self._scopes.append({a.arg: () for a in node.args.args})
        self._eval(node.body)
        self._scopes.pop()
        return ()

    def _of_listcomp(self, node: Any, _: bool, __: bool) -> Values:
        self._scopes.append({})
        for generator in node.generators:
            self._eval(generator.iter)
            self._assign(generator.target, (), None)
            for test in generator.ifs:
                self._eval(test)
        for name in ("key", "value", "elt"):
            if hasattr(node, name):
                self._eval(getattr(node, name))
        self._scopes.pop()
        return ()

    _of_setcomp = _of_generatorexp = _of_dictcomp = _of_listcomp

    def _annotated(self, annotation: Optional[ast.expr]) -> Values:
        if annotation is None:
            return ()
        if isinstance(annotation, (ast.Name, ast.Attribute)):
            found = self._eval(annotation, read=False)
            return either(*(self._made(v) for v in found if _types.is_class(v.name)))
        self._eval(annotation)
        return ()
