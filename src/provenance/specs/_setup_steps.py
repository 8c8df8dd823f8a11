"""The statements of a ``setup.py``, followed in order up to its call of ``setup``."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from provenance.specs._setup_values import (
    MOST_DEPTH,
    File,
    Many,
    Reader,
    Table,
    Unknown,
    Value,
    called,
)

_UNDER = "It is added only under a condition (line %d), which is not decided here."

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Steps:
    """The names that statements assign, and the arguments of ``setup``.

    setups: of each call its line and its arguments by name.
    """

    def __init__(self) -> None:
        self.reader = Reader()
        self.reader.call = self._call
        self.functions: dict[str, _Function] = {}
        self.setups: list[tuple[int, Table]] = []
        self.returned: Value | None = None
        self.depth = 0
        self.condition = 0  # line of the `if` or `except` that stands around, 0 for none

    def run(self, tree: ast.Module) -> None:
        """Follow a whole file; where it calls ``setup`` only in a function, that one too."""
        self.functions = {n.name: n for n in tree.body if isinstance(n, _Function)}
        self._all(tree.body)
        for function in self.functions.values():
            if not self.setups and any(
                isinstance(n, ast.Call) and called(n) == "setup" for n in ast.walk(function)
            ):
                self._all(function.body)

    def _all(self, body: Sequence[ast.stmt]) -> None:
        self.depth += 1
        if self.depth < MOST_DEPTH:
            for one in body:
                self._one(one)
        self.depth -= 1

    def _one(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Assign):
            value = self.reader.value(node.value)
            for target in node.targets:
                self._assign(target, value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self._assign(node.target, self.reader.value(node.value))
        elif isinstance(node, ast.AugAssign):
            self._grow(node.target, self.reader.value(node.value), node.lineno)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self._statement(node.value)
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                if item.optional_vars is not None:
                    self._assign(item.optional_vars, self.reader.value(item.context_expr))
            self._all(node.body)
        elif isinstance(node, ast.Return) and node.value is not None and self.returned is None:
            self.returned = self.reader.value(node.value)
        else:
            self._block(node)

    def _block(self, node: ast.stmt) -> None:
        if isinstance(node, ast.For):
            # In a loop over the lines of a file each line stands for all of them.
            self._assign(node.target, self.reader.value(node.iter))
            self._all(node.body)
        elif isinstance(node, ast.Try):
            self._all([*node.body, *node.orelse, *node.finalbody])
        elif isinstance(node, ast.If):
            if _always(node.test) or self._of_lines(node.test):
                self._all(node.body)
                if not _always(node.test):
                    self._all(node.orelse)
                return
            before, self.condition = self.condition, self.condition or node.lineno
            self._all([*node.body, *node.orelse])
            self.condition = before

    def _of_lines(self, test: ast.expr) -> bool:
        """Return whether a condition looks at lines of a file ("is it a comment?")."""
        names = [n.id for n in ast.walk(test) if isinstance(n, ast.Name)][:50]
        return any(isinstance(self.reader.names.get(name), File) for name in names)

    def _assign(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            if self.condition:
                value = self._maybe(self.reader.names.get(target.id), value, target.lineno)
            self.reader.names[target.id] = value
        elif isinstance(target, ast.Subscript):
            table = self.reader.value(target.value)
            if isinstance(table, Table):
                if self.condition:
                    value = self._maybe(None, value, target.lineno)
                self.reader.put(table, target.slice, value, target.lineno)
        elif isinstance(target, ast.Tuple | ast.List):
            for one in target.elts:
                self._assign(one, Unknown("", target.lineno, "Several values at once."))

    def _maybe(self, before: Value | None, value: Value, line: int) -> Value:
        """Return a value that is only perhaps assigned: what was there, and what is not known."""
        found = Many()
        if isinstance(before, Many):
            found.add(before, line)
        elif before is not None and not isinstance(value, Many):
            return before
        for one in value.items if isinstance(value, Many) else [value]:
            found.add(self._doubtful(one, line), line)
        return found if isinstance(value, Many) else self._doubtful(value, line)

    def _doubtful(self, value: Value, line: int) -> Unknown:
        why = _UNDER % self.condition
        text = next((getattr(value, n) for n in ("value", "path", "code") if hasattr(value, n)), "")
        return Unknown(str(text), getattr(value, "line", line), why)

    def _grow(self, target: ast.expr, value: Value, line: int) -> None:
        known = self.reader.value(target)
        if self.condition:
            items = value.items if isinstance(value, Many) else [value]
            value = Many([self._doubtful(one, line) for one in items])
        if isinstance(known, Many):
            known.add(value, line)
        elif isinstance(known, File | Unknown):
            both = Many()
            both.add(known, line)
            both.add(value, line)
            self._assign(target, both)

    def _statement(self, node: ast.Call) -> None:
        name = called(node)
        if isinstance(node.func, ast.Attribute) and name in ("append", "extend", "insert", "add"):
            if node.args:
                self._grow(node.func.value, self.reader.value(node.args[-1]), node.lineno)
        elif isinstance(node.func, ast.Attribute) and name == "update" and node.args:
            table = self.reader.value(node.func.value)
            if isinstance(table, Table) and not self.condition:
                self.reader.put(table, None, self.reader.value(node.args[0]), node.lineno)
        elif isinstance(node.func, ast.Attribute) and name in ("remove", "pop", "clear"):
            self._shrink(node)
        else:
            self.reader.value(node)

    def _shrink(self, node: ast.Call) -> None:
        assert isinstance(node.func, ast.Attribute)
        known = self.reader.value(node.func.value)
        if isinstance(known, Many):
            known.add(
                self.reader.unknown(node, "What this takes away is not followed."), node.lineno
            )

    def _call(self, node: ast.Call) -> Value | None:
        """Return what a function of this file gives back; None for others. Notes ``setup``."""
        name = called(node)
        if name == "setup" and name not in self.functions:
            table = Table()
            for word in node.keywords:
                key = ast.Constant(word.arg, lineno=node.lineno) if word.arg else None
                self.reader.put(table, key, self.reader.value(word.value), word.value.lineno)
            self.setups.append((node.lineno, table))
            return Unknown("", node.lineno, "setup() gives nothing back.")
        function = self.functions.get(name) if isinstance(node.func, ast.Name) else None
        if function is None or self.depth > MOST_DEPTH // 4:
            return None
        return self._given_back(function, node)

    def _given_back(self, function: _Function, node: ast.Call) -> Value | None:
        names, returned = dict(self.reader.names), self.returned
        words = [one.arg for one in function.args.args]
        defaults = function.args.defaults
        for word, default in zip(words[len(words) - len(defaults) :], defaults, strict=True):
            self.reader.names[word] = self.reader.value(default)
        given = [*zip(words, node.args, strict=False)]
        given += [(one.arg, one.value) for one in node.keywords if one.arg]
        for word, argument in given:
            self.reader.names[word] = self.reader.value(argument)
        self.returned = None
        self._all(function.body)
        found, self.returned, self.reader.names = self.returned, returned, names
        return None if isinstance(found, Unknown) else found


def _always(test: ast.expr) -> bool:
    """Return whether a condition holds whenever the script is run as such."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    left = test.left if isinstance(test, ast.Compare) else None
    return isinstance(left, ast.Name) and left.id == "__name__"
