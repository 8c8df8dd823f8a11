"""Places in Python source where the order of a set may reach a result.

The order of a set of strings changes from process to process unless ``PYTHONHASHSEED`` is set
(https://docs.python.org/3/using/cmdline.html#envvar-PYTHONHASHSEED). Read from the text alone: what
a set holds is not known, so a place is a possibility, not a fact. Sets of numbers that stand in the
source are left out, and so is what sorts, counts or folds.
"""

from __future__ import annotations

import ast
from typing import Dict, Optional, Set, Tuple

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.Module)
_MAKING = frozenset(("set", "frozenset"))
_ORDERED = frozenset("list tuple enumerate iter next zip map filter array asarray tensor".split())
"""Callables whose result has the order of their argument."""
_FOLDING = frozenset("sorted len sum min max any all set frozenset Counter bool".split())
"""Callables that do not care for the order of what they are given."""
_LEAVING = frozenset("append extend write writelines print put appendleft insert send".split())
"""What the body of a loop calls when the order of the loop leaves it."""
_COMPREHENSIONS = (ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp)


def lines(source: str) -> Tuple[int, ...]:
    """Return the lines where a set's order may leak, in order; none where it cannot be parsed."""
    if "set(" not in source and "{" not in source:
        return ()
    try:
        tree = ast.parse(source)
        return tuple(sorted(_Search(tree).found))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()


class _Search:
    def __init__(self, tree: ast.AST) -> None:
        self.found: Set[int] = set()
        self._above: Dict[ast.AST, ast.AST] = {}
        for node in ast.walk(tree):
            for child in ast.iter_child_nodes(node):
                self._above[child] = node
        self._named = self._names(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.expr) and self._is_set(node) and self._leaks(node):
                self.found.add(node.lineno)

    def _names(self, tree: ast.AST) -> Dict[Tuple[ast.AST, str], bool]:
        """Return, per scope and name, whether all that is ever assigned to it are sets."""
        named: Dict[Tuple[ast.AST, str], bool] = {}
        self._named = named
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
                key = (self._scope(node), node.id)
                above = self._above[node]
                value = getattr(above, "value", None)
                plain = isinstance(above, (ast.Assign, ast.AnnAssign)) and value is not None
                named[key] = bool(named.get(key, True) and plain and self._makes(value))
        return named

    def _scope(self, node: ast.AST) -> ast.AST:
        while node in self._above:
            node = self._above[node]
            if isinstance(node, _SCOPES):
                break
        return node

    def _makes(self, node: Optional[ast.AST]) -> bool:
        """Return whether an expression makes a set whose members may be strings."""
        if isinstance(node, ast.Call):
            return isinstance(node.func, ast.Name) and node.func.id in _MAKING and bool(node.args)
        if isinstance(node, ast.Set):
            return not all(_is_number(one) for one in node.elts)
        if isinstance(node, ast.BinOp):
            operators = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)
            return isinstance(node.op, operators) and (
                self._makes(node.left) or self._makes(node.right)
            )
        return isinstance(node, ast.SetComp)

    def _is_set(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            return self._named.get((self._scope(node), node.id), False)
        if isinstance(node, ast.Call) and _is_numbers(node):
            return False
        return self._makes(node)

    def _leaks(self, node: ast.expr) -> bool:
        above = self._above.get(node)
        if isinstance(above, ast.Call):
            if node not in above.args:
                return False
            name = _name(above.func)
            return (name in _ORDERED or name == "join") and not self._folded(above)
        if isinstance(above, ast.For) and above.iter is node:
            return any(_leaves(one) for statement in above.body for one in ast.walk(statement))
        if isinstance(above, ast.comprehension) and above.iter is node:
            whole = self._above[above]
            return not isinstance(whole, ast.SetComp) and not self._folded(whole)
        return isinstance(above, ast.Starred) and isinstance(
            self._above.get(above), (ast.List, ast.Tuple)
        )

    def _folded(self, node: ast.AST) -> bool:
        """Return whether ``node`` is handed to something that does not care for its order."""
        while True:
            above = self._above.get(node)
            if isinstance(above, ast.comprehension):
                above = self._above.get(above)
                if isinstance(above, ast.SetComp):
                    return True
            if isinstance(above, ast.Call) and node is not above.func:
                if _name(above.func) in _FOLDING:
                    return True
                if _name(above.func) not in _ORDERED:
                    return False
            elif not isinstance(above, _COMPREHENSIONS):
                return False
            assert above is not None
            node = above


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _leaves(node: ast.AST) -> bool:
    if isinstance(node, (ast.Yield, ast.YieldFrom)):
        return True
    return isinstance(node, ast.Call) and _name(node.func) in _LEAVING


def _is_number(node: ast.AST) -> bool:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    value = getattr(node, "value", getattr(node, "n", None))
    return isinstance(value, (int, float)) and not isinstance(node, ast.Attribute)


def _is_numbers(call: ast.Call) -> bool:
    """Return whether the argument of ``set(...)`` plainly holds numbers only."""
    argument = call.args[0] if call.args else None
    if isinstance(argument, ast.Call):
        return _name(argument.func) == "range"
    if isinstance(argument, (ast.List, ast.Tuple)):
        return bool(argument.elts) and all(_is_number(one) for one in argument.elts)
    return False
