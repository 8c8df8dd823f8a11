"""Rewriting a module for `_prov_calls_rewrite`: its calls, its loops, its functions.

It is made for speed: nodes get their place when they are made, and trees are copied by hand.
"""

import ast
import builtins
import sys

_BUILT_IN = frozenset(dir(builtins))
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_ONCE = (ast.Global, ast.Nonlocal)
_PLACES = ("lineno", "col_offset", "end_lineno", "end_col_offset")
_LOAD = ast.Load()
_HARMLESS = frozenset("staticmethod classmethod property setter contextmanager".split())


class Calls(ast.NodeTransformer):
    """Rewrites the calls of one module."""

    def __init__(self, path, numbers, units):
        self.path, self.numbers, self.units = path, numbers, units
        self.unit = self.new_unit()
        self.of = {}
        self.loops = 0

    def new_unit(self):
        """Return the number of a new function or loop."""
        self.units.append(True)
        return len(self.units) - 1

    def visit_Call(self, node):
        if isinstance(node.func, ast.Name) and node.func.id in _BUILT_IN:
            return self.generic_visit(node)
        site = [(self.path, node.lineno, node.col_offset), 0, self.unit, None]
        number = _number(self._numbered(site), node)
        node.func = _call("_prov_f", [number, self.visit(node.func)], node)
        node.args = [self._argument(site, "%d" % n, one) for n, one in enumerate(node.args)]
        for word in node.keywords:
            if word.arg:
                word.value = self._argument(site, word.arg, word.value)
            else:
                word.value = self.visit(word.value)
        return _call("_prov_r", [number, node], node)

    def _numbered(self, entry):
        self.numbers.append(entry)
        return len(self.numbers) - 1

    def _argument(self, site, name, node):
        if isinstance(node, (ast.Starred, ast.GeneratorExp)):
            return self.visit(node)
        number = self._numbered((site, name if not name.isdigit() else "*" + name))
        return _call("_prov_a", [_number(number, node), self.visit(node)], node)

    # --- loops: two bodies, so that what is looked at no more costs nothing ---------------------

    def visit_For(self, node):
        items = self.visit(node.iter)
        looked = self._looked(node.body)
        node.orelse = self._all(node.orelse)
        node.iter = items
        if looked is None:
            return node
        number, body = _number(looked[0], items), looked[1]
        rest = ast.For(
            target=_copied(node.target),
            iter=_call("_prov_o", [number], items),
            body=node.body,
            orelse=node.orelse,
            type_comment=None,
        )
        getting = [_name("_prov_g", items), _call("_prov_c", [], items), items]
        first = _call("_prov_i", getting, items)
        node.iter = _call("_prov_l", [number, first], items)
        node.body, node.orelse = body, [_like(rest, node)]
        return node

    def visit_While(self, node):
        return self._by_turn(node)

    visit_AsyncFor = visit_While  # noqa: N815

    def _by_turn(self, node):
        """Choose the body at each turn."""
        looked = self._looked(node.body)
        node.orelse = self._all(node.orelse)
        if looked is not None:
            near = node.body[0]
            place = _number(looked[0], near)
            place = place if sys.version_info >= (3, 9) else ast.Index(value=place)
            test = ast.Subscript(value=_name("_prov_n", near), slice=place, ctx=_LOAD)
            choice = ast.If(test=_like(test, near), body=looked[1], orelse=node.body)
            node.body = [_like(choice, near)]
        return node

    def _looked(self, body):
        """Return the number of a loop and its rewritten body; None where its own must do."""
        if any(isinstance(one, _ONCE) for one in _here(body)):
            return None
        before, self.unit = self.unit, self.new_unit()
        sites = len(self.numbers)
        self.loops += 1
        looked = self.unit, self._all(_copied(body))
        self.loops -= 1
        self.unit = before
        return looked if len(self.numbers) > sites else None

    def _all(self, statements):
        return [self.visit(one) for one in statements]

    def visit_ListComp(self, node):
        node.generators[0].iter = self.visit(node.generators[0].iter)
        return node

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp  # noqa: N815

    # --- functions ------------------------------------------------------------------------------

    def visit_ClassDef(self, node):
        return node if self.loops else self.generic_visit(node)

    def visit_FunctionDef(self, node):
        if self.loops:
            return node  # as it stands in the other body of the loop
        names = [_last_name(one) for one in node.decorator_list]
        node.decorator_list = self._all(node.decorator_list)
        node.args.defaults = self._all(node.args.defaults)
        node.args.kw_defaults = [one and self.visit(one) for one in node.args.kw_defaults]
        if any(name not in _HARMLESS for name in names):
            return node  # what decorates it may compile or pickle it
        before, self.unit = self.unit, self.new_unit()
        self.of.setdefault((node.name, node.lineno), []).append(self.unit)
        for one in node.decorator_list[:1]:
            self.of.setdefault((node.name, one.lineno), self.of[node.name, node.lineno])
        first = _is_docstring(node.body[0])
        node.body = node.body[:first] + self._all(node.body[first:])
        self.unit = before
        node.decorator_list.append(_name("_prov_d", node))
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


def _like(new, near):
    """Return a new node at the place of another."""
    names, known = new.__dict__, near.__dict__
    for name in _PLACES:
        if name in known:
            names[name] = known[name]
    return new


def _name(text, near):
    return _like(ast.Name(id=text, ctx=_LOAD), near)


def _number(value, near):
    made = ast.Constant(value=value, kind=None) if sys.version_info >= (3, 8) else ast.Num(value)
    return _like(made, near)


def _call(function, arguments, near):
    return _like(ast.Call(func=_name(function, near), args=arguments, keywords=[]), near)


def _statement(expression):
    return _like(ast.Expr(value=expression), expression)


def _last_name(node):
    while isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _is_docstring(node):
    value = getattr(node, "value", None) if isinstance(node, ast.Expr) else None
    return isinstance(getattr(value, "s", None) or getattr(value, "value", None), str)


def _is_future(node):
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _copied(node):
    """Return a copy of nodes, as `copy.deepcopy` does in five times the time."""
    if isinstance(node, list):
        return [_copied(one) for one in node]
    made = type(node)()
    names = made.__dict__
    for name, value in node.__dict__.items():
        names[name] = _copied(value) if isinstance(value, (list, ast.AST)) else value
    return made


def _here(statements):
    """Return the nodes of statements but those inside functions and classes."""
    waiting = list(statements)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _SCOPES):
            waiting.extend(ast.iter_child_nodes(node))


def rewritten(text, path, numbers, units, main=False):
    """Return a module's rewritten code, and for the code of its functions ``(unit, original)``."""
    tree = ast.parse(text, path)
    plain = compile(text, path, "exec", dont_inherit=True)
    calls = Calls(path, numbers, units)
    tree.body = calls._all(tree.body)
    if main:
        tree.body = _framed(tree.body)
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
    while first < len(body) and (_is_docstring(body[first]) or _is_future(body[first])):
        first += 1
    if first == len(body):
        return body
    near = body[first]
    caught = [_statement(_call("_prov_x", [], near)), _like(ast.Raise(), near)]
    handler = _like(
        ast.ExceptHandler(type=_name("BaseException", near), name=None, body=caught),
        near,
    )
    begin = _statement(_call("_prov_m", [], near))
    inner = ast.Try(body=body[first:], handlers=[handler], orelse=[], finalbody=[])
    return [*body[:first], begin, _like(inner, near)]
