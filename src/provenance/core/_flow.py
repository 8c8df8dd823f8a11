"""Following names through Python source: which library symbol each call, read and write means.

A simple abstract run of one module: imports and assignments bind names to what they are, branches
are joined, loops are gone through once, functions are entered after the module that holds them.
Nothing of the source is executed. What cannot be followed is unknown, never guessed.
"""

from __future__ import annotations

import ast
from typing import Any, Callable, Dict, List, Mapping, Sequence

from provenance.core._expressions import Expressions
from provenance.core._values import (
    CLASS,
    FUNCTION,
    INSTANCE,
    LITERAL,
    MODULE,
    REF,
    Learned,
    Neighbours,
    Scope,
    Seen,
    Value,
    Values,
    either,
)
from provenance.core.use import READ

PASSES = 3
"""Through files that import one another: what a name means comes one file further with each."""


def follow(tree: ast.Module) -> List[Seen]:
    """Return every use of an imported symbol in ``tree``, in the order of going through it."""
    learned = Learned({}, {}, {}, {})
    for last in (False, True):
        walk = _Walk(learned)
        walk.module(tree)
        if last:
            return walk.seen
    return []


def follow_all(trees: Mapping[str, ast.Module]) -> Dict[str, List[Seen]]:
    """Return the uses in each of the ``trees``, which import one another by their dotted names.

    Raises what going through one of them raises.
    """
    learned = Learned({}, {}, {}, {})
    neighbours = Neighbours(tuple(trees))
    found: Dict[str, List[Seen]] = {}
    for _ in range(PASSES):
        for name, tree in trees.items():
            walk = _Walk(learned, neighbours, name)
            walk.module(tree)
            neighbours.held[name] = walk.names()
            found[name] = walk.seen
    return found


class _Walk(Expressions):
    """One pass over a module's statements."""

    def module(self, tree: ast.Module) -> None:
        self._block(tree.body)
        while self._later:
            self._later.pop(0)()

    def names(self) -> Scope:
        """Return what the names of the module mean after all of it."""
        return self._scopes[0]

    def _block(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            handler = getattr(self, "_on_" + type(statement).__name__.lower(), None)
            if handler is not None:
                handler(statement)
            else:
                self._generic(statement)

    def _on_import(self, node: ast.Import) -> None:
        for alias in node.names:
            own = self._neighbours.module(alias.name)
            if own and (alias.asname or "." not in alias.name):
                self._bind(alias.asname or alias.name, (Value(MODULE, own),))
            elif alias.asname:
                self._bind(alias.asname, (Value(REF, alias.name),))
            else:
                top = alias.name.partition(".")[0]
                self._bind(top, (Value(REF, top),))
            self._see(READ, alias.name.partition(".")[0], node)

    def _on_importfrom(self, node: ast.ImportFrom) -> None:
        prefix = "." * node.level + (node.module or "")
        self._see(READ, prefix.partition(".")[0] or ".", node)
        for alias in node.names:
            own = self._imported(node, alias.name)
            values = own or (Value(REF, prefix + "." + alias.name),)
            self._bind(alias.asname or alias.name, values)

    def _imported(self, node: ast.ImportFrom, name: str) -> Values:
        """Return what is imported from a file of the user's own, nothing where it is another's."""
        near, module = self._neighbours, node.module or ""
        if node.level:
            inner = near.relative(self._name, node.level, (module + "." + name).strip("."))
            source = near.relative(self._name, node.level, module) if module else ""
        else:
            inner, source = near.module(module + "." + name), near.module(module)
        if inner:
            return (Value(MODULE, inner),)
        return self._of_module(source, name) if source else ()

    def _on_assign(self, node: ast.Assign) -> None:
        values = self._eval(node.value, assigned=True)
        for target in node.targets:
            self._assign(target, values, node.value)

    def _on_annassign(self, node: ast.AnnAssign) -> None:
        noted = self._annotated(node.annotation)
        values = self._eval(node.value, assigned=True) if node.value is not None else ()
        self._assign(node.target, values or noted, node.value)

    def _on_augassign(self, node: ast.AugAssign) -> None:
        values = self._eval(node.value)
        if isinstance(node.target, ast.Name):
            old = tuple(v for v in self._lookup(node.target.id) if v.kind != LITERAL)
            self._bind(node.target.id, old or values)
        else:
            self._assign(node.target, (), node.value)

    def _branch(self, *bodies: Callable[[], None]) -> None:
        before = self._scopes[-1]
        ends = []
        for body in bodies:
            self._scopes[-1] = dict(before)
            body()
            ends.append(self._scopes[-1])
        names = {name for end in ends for name in end}
        self._scopes[-1] = {n: either(*(end.get(n, ()) for end in ends)) for n in sorted(names)}

    def _on_if(self, node: ast.If) -> None:
        self._eval(node.test)
        self._branch(lambda: self._block(node.body), lambda: self._block(node.orelse))

    def _on_try(self, node: Any) -> None:
        self._block(node.body)
        kept = dict(self._scopes[-1])
        for handler in node.handlers:
            if handler.name:
                self._bind(handler.name, ())
            self._block(handler.body)
        for name, values in kept.items():
            if values:
                self._bind(name, values)
        self._block(node.orelse)
        self._block(node.finalbody)

    _on_trystar = _on_try

    def _on_for(self, node: Any) -> None:
        self._eval(node.iter)
        self._assign(node.target, (), None)
        before = dict(self._scopes[-1])
        self._block(node.body)
        after = self._scopes[-1]
        for name, values in before.items():
            after[name] = either(values, after.get(name, ()))
        self._block(node.orelse)

    _on_asyncfor = _on_for

    def _on_while(self, node: ast.While) -> None:
        self._eval(node.test)
        self._branch(lambda: self._block(node.body), lambda: None)
        self._block(node.orelse)

    def _on_with(self, node: Any) -> None:
        for item in node.items:
            values = self._eval(item.context_expr, assigned=item.optional_vars is not None)
            if item.optional_vars is not None:
                self._assign(item.optional_vars, values, None)
        self._block(node.body)

    _on_asyncwith = _on_with

    def _on_return(self, node: ast.Return) -> None:
        values = self._eval(node.value, assigned=True) if node.value is not None else ()
        if self._function:
            known = self._learned.results.get(self._function, ())
            kept = tuple(v for v in values if v.kind != LITERAL)
            self._learned.results[self._function] = either(known, kept)

    def _on_functiondef(self, node: Any) -> None:
        for decorator in node.decorator_list:
            self._eval(decorator)
        for default in node.args.defaults + [d for d in node.args.kw_defaults if d is not None]:
            self._eval(default)
        name = self._owner + "." + node.name if self._owner else self._prefix + node.name
        if not self._owner:
            self._bind(node.name, (Value(FUNCTION, name),))
        scopes, owner = list(self._scopes), self._owner
        self._later.append(lambda: self._enter(node, name, scopes, owner))

    _on_asyncfunctiondef = _on_functiondef

    def _enter(self, node: Any, name: str, scopes: List[Scope], owner: str) -> None:
        """Go through the body of a function, in the names that surround it."""
        kept = self._scopes, self._owner, self._function
        self._scopes, self._owner, self._function = [*scopes, {}], "", name
        positional = list(getattr(node.args, "posonlyargs", [])) + node.args.args
        for argument in positional + node.args.kwonlyargs:
            self._bind(argument.arg, self._annotated(argument.annotation))
        for argument in (node.args.vararg, node.args.kwarg):
            if argument is not None:
                self._bind(argument.arg, ())
        if owner and positional:
            self._bind(positional[0].arg, (Value(INSTANCE, owner),))
            self._bind("super", (Value(CLASS, "super " + owner),))
        self._block(node.body)
        self._scopes, self._owner, self._function = kept

    def _on_classdef(self, node: ast.ClassDef) -> None:
        bases: List[str] = []
        for base in node.bases:
            for value in self._eval(base):
                if value.kind == REF:
                    bases.append(value.name)
                elif value.kind == CLASS:
                    bases.extend(self._learned.bases.get(value.name, ()))
        for keyword in node.keywords:
            self._eval(keyword.value)
        name = self._prefix + node.name
        self._learned.bases[name] = tuple(bases)
        self._learned.methods[name] = [
            s.name for s in node.body if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]
        self._bind(node.name, (Value(CLASS, name),))
        kept, self._owner = self._owner, name
        self._scopes.append({})
        self._block(node.body)
        self._scopes.pop()
        self._owner = kept
