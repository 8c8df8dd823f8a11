"""Rewriting a module for `_prov_calls_rewrite`: its calls, its loops, its functions.

Uses the helpers of the rehearsal's rewriter, a file of which is loaded by path. Run by
``sitecustomize``, which gives ``here`` (the folder of this file).
"""

import ast
import builtins
import copy
import os
from importlib.machinery import SourceFileLoader

_path = os.path.join(os.path.dirname(globals()["here"]), "rehearsal", "_prov_rewrite.py")
_shared = {"__name__": "_prov_rewrite"}
exec(SourceFileLoader("_prov_rewrite", _path).get_code("_prov_rewrite"), _shared)
_call, _like, _number = _shared["_call"], _shared["_like"], _shared["_number"]

_BUILT_IN = frozenset(dir(builtins))
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_KEPT = (*_SCOPES, ast.Global, ast.Nonlocal)
_HARMLESS = frozenset("staticmethod classmethod property setter contextmanager".split())


class Calls(ast.NodeTransformer):
    """Rewrites the calls of one module."""

    def __init__(self, path, numbers, units):
        self.path, self.numbers, self.units = path, numbers, units
        self.unit = self.new_unit()
        self.of = {}

    def new_unit(self):
        """Return the number of a new function or loop."""
        self.units.append(True)
        return len(self.units) - 1

    def visit_Call(self, node):
        if isinstance(node.func, ast.Name) and node.func.id in _BUILT_IN:
            return self.generic_visit(node)
        site = [(self.path, node.lineno, node.col_offset), 0, self.unit, None]
        number = self._numbered(site)
        node.func = _call("_prov_f", [_number(number), self.visit(node.func)], node)
        node.args = [self._argument(site, "%d" % n, one) for n, one in enumerate(node.args)]
        for word in node.keywords:
            if word.arg:
                word.value = self._argument(site, word.arg, word.value)
            else:
                word.value = self.visit(word.value)
        return _call("_prov_r", [_number(number), node], node)

    def _numbered(self, entry):
        self.numbers.append(entry)
        return len(self.numbers) - 1

    def _argument(self, site, name, node):
        if isinstance(node, (ast.Starred, ast.GeneratorExp)):
            return self.visit(node)
        number = self._numbered((site, name if not name.isdigit() else "*" + name))
        return _call("_prov_a", [_number(number), self.visit(node)], node)

    # --- loops: two bodies, so that the second costs nothing -----------------------------------

    def visit_For(self, node):
        node.iter = self.visit(node.iter)
        return self._loop(node)

    visit_AsyncFor = visit_For  # noqa: N815

    def visit_While(self, node):
        return self._loop(node)

    def _loop(self, node):
        if any(isinstance(one, _KEPT) for part in node.body for one in ast.walk(part)):
            node.orelse = self._all(node.orelse)
            return node  # code of its own cannot stand there twice
        plain = copy.deepcopy(node.body)
        before, self.unit = self.unit, self.new_unit()
        looked = self._all(node.body)
        test = self._is_on(node.body[0])
        self.unit = before
        node.body = [_like(ast.If(test=test, body=looked, orelse=plain), plain[0])]
        node.orelse = self._all(node.orelse)
        return node

    def _is_on(self, near):
        text = "_prov_n[%d]" % self.unit
        test = ast.parse(text, mode="eval").body
        for one in ast.walk(test):
            _like(one, near)
        return test

    def _all(self, statements):
        return [self.visit(one) for one in statements]

    def visit_ListComp(self, node):
        node.generators[0].iter = self.visit(node.generators[0].iter)
        return node

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp  # noqa: N815

    # --- functions ------------------------------------------------------------------------------

    def visit_FunctionDef(self, node):
        names = [_shared["_last_name"](one) for one in node.decorator_list]
        node.decorator_list = self._all(node.decorator_list)
        node.args.defaults = self._all(node.args.defaults)
        node.args.kw_defaults = [one and self.visit(one) for one in node.args.kw_defaults]
        if any(name not in _HARMLESS for name in names):
            return node  # what decorates it may compile or pickle it
        before, self.unit = self.unit, self.new_unit()
        self.of.setdefault((node.name, node.lineno), []).append(self.unit)
        for one in node.decorator_list[:1]:
            self.of.setdefault((node.name, one.lineno), self.of[node.name, node.lineno])
        first = _shared["_is_docstring"](node.body[0])
        node.body = node.body[:first] + self._all(node.body[first:])
        self.unit = before
        node.decorator_list.append(_shared["_name"]("_prov_d", node))
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node):
        return node

    def visit_AnnAssign(self, node):
        node.value = node.value and self.visit(node.value)
        return node

    def visit_Delete(self, node):
        return node

    visit_Assert = visit_JoinedStr = visit_Delete  # noqa: N815


def rewritten(text, path, numbers, units, main=False):
    """Return a module's rewritten code, and for the code of its functions ``(unit, original)``."""
    tree = ast.parse(text, path)
    plain = compile(tree, path, "exec", dont_inherit=True)
    calls = Calls(path, numbers, units)
    tree.body = calls._all(tree.body)
    if main:
        tree.body = _framed(tree.body)
    ast.fix_missing_locations(tree)
    code = compile(tree, path, "exec", dont_inherit=True)
    pairs = {}
    ours, theirs = _functions(code), _functions(plain)
    for key, known in calls.of.items():
        mine, other = ours.get(key, ()), theirs.get(key, ())
        if (
            len(known) == len(mine) == len(other) == 1
            and mine[0].co_freevars == other[0].co_freevars
        ):
            pairs[mine[0]] = (known[0], other[0])
    return code, pairs


def _functions(code):
    """Return the code objects inside one, by name and line."""
    found = {}
    waiting = [code]
    while waiting:
        for one in waiting.pop().co_consts:
            if hasattr(one, "co_code"):
                found.setdefault((one.co_name, one.co_firstlineno), []).append(one)
                waiting.append(one)
    return found


def _framed(body):
    """Return the statements of a script between a call of ours and one where they fail."""
    first = 0
    while first < len(body) and (
        _shared["_is_docstring"](body[first]) or _shared["_is_future"](body[first])
    ):
        first += 1
    if first == len(body):
        return body
    near = body[first]
    caught = [_shared["_statement"](_call("_prov_x", [], near)), _like(ast.Raise(), near)]
    handler = _like(
        ast.ExceptHandler(type=_shared["_name"]("BaseException", near), name=None, body=caught),
        near,
    )
    begin = _shared["_statement"](_call("_prov_m", [], near))
    inner = ast.Try(body=body[first:], handlers=[handler], orelse=[], finalbody=[])
    return [*body[:first], begin, _like(inner, near)]
