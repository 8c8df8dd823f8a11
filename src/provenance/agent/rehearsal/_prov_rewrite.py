"""Rewriting the user's own source so that each operation passes by the tape.

``f(a, b)`` becomes ``_prov_r(7, _prov_f(7, f)(_prov_a(7, "0", a), _prov_a(7, "1", b)))``: what is
called, what it is given and what it returns go through functions that hand them on unchanged. The
call itself stays in the user's own frame, because libraries look at the frame that calls them
(``DataFrame.query("@x")``, formulas, the ``stacklevel`` of warnings).

Line numbers stay those of the source. Nothing is written anywhere.
"""

import ast
import sys

BARE = frozenset("super locals globals vars dir eval exec isinstance issubclass type id".split())
"""Builtins whose calls are left alone: they look at the frame, or tell nothing about a library."""

COMPILED = frozenset(
    "jit njit vectorize guvectorize stencil cfunc script kernel func prim_func".split()
)
"""Decorators (by last name) that compile the function's code: its body is left as it is."""

_WITHIN = 10000
"""Columns of sites in f-strings begin here: they are numbered, the place they have is not used."""


class Rewriter(ast.NodeTransformer):
    """Rewrites one module. ``sites`` grows by one entry for each operation that was rewritten."""

    def __init__(self, path, sites, first=0):
        self.path = path
        self.sites = sites
        self.first = first
        self.text = None
        """The f-string that is being rewritten: Python before 3.12 misplaces what is in it."""

    # --- helpers -----------------------------------------------------------------------------

    def site(self, node, kind, text):
        """Return the number of a new site for the operation at ``node``."""
        line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        if self.text is not None:
            line, column = self.text[0], _WITHIN + self.text[1]
            self.text[1] += 1
        self.sites.append(
            {
                "site": self.first + len(self.sites),
                "path": self.path,
                "line": line,
                "column": column,
                "kind": kind,
                "text": text,
            }
        )
        return self.first + len(self.sites) - 1

    def noted(self, site, node):
        """Return ``node`` with its value noted as the result of ``site``."""
        return _call("_prov_r", [_number(site), node], node)

    def given(self, site, name, node):
        """Return ``node`` with its value noted as an input of ``site``."""
        return _call("_prov_a", [_number(site), _text(name), node], node)

    # --- expressions -------------------------------------------------------------------------

    def visit_Call(self, node):
        if isinstance(node.func, ast.Name) and node.func.id in BARE:
            return self.generic_visit(node)
        method = isinstance(node.func, ast.Attribute)
        site = self.site(node, "method" if method else "call", words(node.func))
        if method:
            owner = self.given(site, "self", self.visit(node.func.value))
            called = _like(ast.Attribute(value=owner, attr=node.func.attr, ctx=ast.Load()), node)
        else:
            called = self.visit(node.func)
        node.func = _call("_prov_f", [_number(site), called], node)
        node.args = [self._argument(site, str(i), one) for i, one in enumerate(node.args)]
        for keyword in node.keywords:
            name = keyword.arg or "**"
            keyword.value = self.given(site, name, self.visit(keyword.value))
        return self.noted(site, node)

    def _argument(self, site, name, node):
        if isinstance(node, ast.Starred):
            node.value = self.given(site, "*", self.visit(node.value))
            return node
        if isinstance(node, ast.GeneratorExp):  # the only argument needs no brackets of its own
            return self.visit(node)
        return self.given(site, name, self.visit(node))

    def visit_Attribute(self, node):
        if not isinstance(node.ctx, ast.Load):
            return self.generic_visit(node)
        site = self.site(node, "attribute", words(node))
        node.value = self.given(site, "self", self.visit(node.value))
        return self.noted(site, node)

    def visit_Subscript(self, node):
        if not isinstance(node.ctx, ast.Load):
            return self.generic_visit(node)
        site = self.site(node, "item", words(node.value) + "[...]")
        node.value = self.given(site, "self", self.visit(node.value))
        node.slice = self._index(site, node.slice)
        return self.noted(site, node)

    def _index(self, site, node):
        if isinstance(node, (ast.Slice, ast.Tuple)) or type(node).__name__ == "ExtSlice":
            return self.generic_visit(node)
        if type(node).__name__ == "Index":  # Python 3.8 and older
            node.value = self._index(site, node.value)
            return node
        return self.given(site, "0", self.visit(node))

    def visit_BinOp(self, node):
        kind = "text" if isinstance(node.op, ast.Mod) and _is_text(node.left) else "operator"
        site = self.site(node, kind, _OPERATORS.get(type(node.op).__name__, "?"))
        node.left = self.given(site, "0", self.visit(node.left))
        node.right = self.given(site, "1", self.visit(node.right))
        return self.noted(site, node)

    def visit_UnaryOp(self, node):
        if isinstance(node.op, ast.Not) or _is_constant(node.operand):
            return self.generic_visit(node)
        site = self.site(node, "operator", _OPERATORS.get(type(node.op).__name__, "?"))
        node.operand = self.given(site, "0", self.visit(node.operand))
        return self.noted(site, node)

    def visit_Compare(self, node):
        if len(node.ops) != 1 or isinstance(node.ops[0], (ast.Is, ast.IsNot)):
            return self.generic_visit(node)
        site = self.site(node, "operator", _OPERATORS.get(type(node.ops[0]).__name__, "?"))
        node.left = self.given(site, "0", self.visit(node.left))
        node.comparators = [self.given(site, "1", self.visit(node.comparators[0]))]
        return self.noted(site, node)

    def visit_JoinedStr(self, node):
        site = self.site(node, "text", "f-string")
        count, outer = 0, self.text
        self.text = outer or [node.lineno, 0]
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                part.value = self.given(site, str(count), self.visit(part.value))
                count += 1
        self.text = outer
        return self.noted(site, node) if count else node

    def visit_comprehension(self, node):
        if not node.is_async:
            site = self.site(node.iter, "iterate", words(node.iter))
            loop = _call("_prov_l", [_number(site), self.visit(node.iter)], node.iter)
            node.iter = loop
        else:
            node.iter = self.visit(node.iter)
        node.ifs = [self.visit(one) for one in node.ifs]
        return node

    # --- statements --------------------------------------------------------------------------

    def visit_For(self, node):
        site = self.site(node.iter, "iterate", words(node.iter))
        node.iter = _call("_prov_l", [_number(site), self.visit(node.iter)], node.iter)
        node.target = self.visit(node.target)
        node.body = self._body(node.body)
        node.orelse = self._body(node.orelse)
        return node

    def visit_While(self, node):
        site = self.site(node, "iterate", "while")
        turn = _call("_prov_t", [_number(site)], node.test)
        test = ast.BoolOp(op=ast.And(), values=[turn, self.visit(node.test)])
        node.test = _like(test, node.test)
        node.body = self._body(node.body)
        node.orelse = self._body(node.orelse)
        return node

    def visit_Assign(self, node):
        node.value = self.visit(node.value)
        stores = []
        node.targets = [self._target(one, stores) for one in node.targets]
        return [node, *stores] if stores else node

    def _target(self, node, stores):
        """Return an assignment's target, its owner noted; what it changed is looked at after it."""
        if isinstance(node, (ast.Tuple, ast.List)):
            node.elts = [self._target(one, stores) for one in node.elts]
            return node
        if isinstance(node, ast.Starred):
            node.value = self._target(node.value, stores)
            return node
        if not isinstance(node, (ast.Subscript, ast.Attribute)):
            return node
        site = self.site(node, "store", words(node))
        node = self._owner(site, node)
        stores.append(_statement(_call("_prov_s", [_number(site)], node)))
        return node

    def _owner(self, site, node):
        """Note the value at the root of ``a.loc[...]``: that is what an assignment changes."""
        inner = node
        while isinstance(inner.value, (ast.Attribute, ast.Subscript)):
            inner = inner.value
        inner.value = self.given(site, "self", self.visit(inner.value))
        if isinstance(node, ast.Subscript):
            node.slice = self._index(site, node.slice)
        return node

    def visit_AugAssign(self, node):
        name = _OPERATORS.get(type(node.op).__name__, "?") + "="
        site = self.site(node, "operator", name)
        node.value = self.given(site, "1", self.visit(node.value))
        if not isinstance(node.target, ast.Name):
            node.target = self._owner(site, node.target)
            return [node, _statement(_call("_prov_s", [_number(site)], node))]
        before = ast.Name(id=node.target.id, ctx=ast.Load())
        after = ast.Name(id=node.target.id, ctx=ast.Load())
        first = _statement(self.given(site, "0", _like(before, node)))
        last = _statement(self.noted(site, _like(after, node)))
        return [first, node, last]

    def visit_AnnAssign(self, node):
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_Delete(self, node):
        return node

    def visit_FunctionDef(self, node):
        if any(_compiles(one) for one in node.decorator_list):
            return node
        self._defaults(node.args)
        node.decorator_list = [self.visit(one) for one in node.decorator_list]
        node.body = self._body(node.body)
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node):
        self._defaults(node.args)
        node.body = self.visit(node.body)
        return node

    def _defaults(self, arguments):
        arguments.defaults = [self.visit(one) for one in arguments.defaults]
        arguments.kw_defaults = [one and self.visit(one) for one in arguments.kw_defaults]

    def visit_ClassDef(self, node):
        node.bases = [self.visit(one) for one in node.bases]
        node.decorator_list = [self.visit(one) for one in node.decorator_list]
        node.body = self._body(node.body)
        return node

    def visit_ExceptHandler(self, node):
        node.type = node.type and self.visit(node.type)
        caught = _statement(_call("_prov_e", [], node))
        node.body = [caught, *self._body(node.body)]
        return node

    def visit_match_case(self, node):
        node.guard = node.guard and self.visit(node.guard)
        node.body = self._body(node.body)
        return node

    def visit_Global(self, node):
        return node

    visit_Nonlocal = visit_Import = visit_ImportFrom = visit_Global

    def _body(self, statements):
        found = []
        for number, one in enumerate(statements):
            if number == 0 and _is_docstring(one):
                found.append(one)
                continue
            new = self.visit(one)
            found.extend(new if isinstance(new, list) else [new])
        return found

    def visit_Module(self, node):
        node.body = self._body(node.body)
        return node

    def visit_TypeAlias(self, node):
        return node


def words(node):
    """Return a dotted name as the source has it; "" where the expression is no such name."""
    parts = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Subscript):
            parts.append("[...]")
            node = node.value
        elif isinstance(node, ast.Call):
            parts.append("(...)")
            node = node.func
        elif isinstance(node, ast.Name):
            parts.append(node.id)
            break
        else:
            parts.append("...")
            break
    text = ".".join(reversed(parts))
    return text.replace(".(...)", "(...)").replace(".[...]", "[...]")


_OPERATORS = {
    "Add": "+", "Sub": "-", "Mult": "*", "MatMult": "@", "Div": "/", "Mod": "%", "Pow": "**",
    "LShift": "<<", "RShift": ">>", "BitOr": "|", "BitXor": "^", "BitAnd": "&", "FloorDiv": "//",
    "Invert": "~", "UAdd": "+", "USub": "-", "Eq": "==", "NotEq": "!=", "Lt": "<", "LtE": "<=",
    "Gt": ">", "GtE": ">=", "In": "in", "NotIn": "not in",
}  # fmt: skip


def _like(new, old):
    """Give a node the place of another; the nodes in it that have none get it in the end."""
    return ast.copy_location(new, old)


def _name(text, near):
    return _like(ast.Name(id=text, ctx=ast.Load()), near)


def _call(function, arguments, near):
    call = ast.Call(func=_name(function, near), args=arguments, keywords=[])
    return _like(call, near)


def _statement(expression):
    return _like(ast.Expr(value=expression), expression)


def _number(value):
    """Return a number or text without a place: `_like` gives it that of what it is part of."""
    if sys.version_info >= (3, 8):
        return ast.Constant(value=value)
    return ast.Str(value) if isinstance(value, str) else ast.Num(value)


_text = _number


def _is_text(node):
    if isinstance(node, ast.JoinedStr):
        return True
    return isinstance(getattr(node, "s", None) or getattr(node, "value", None), str)


def _is_constant(node):
    return type(node).__name__ in ("Constant", "Num", "Str", "NameConstant", "Bytes")


def _is_docstring(node):
    return isinstance(node, ast.Expr) and _is_text(node.value) and _is_constant(node.value)


def _is_future(node):
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _compiles(node):
    """Return whether a decorator compiles: ``@njit(...)``, ``@partial(jax.jit, ...)``."""
    if _last_name(node) in COMPILED:
        return True
    return isinstance(node, ast.Call) and any(_last_name(one) in COMPILED for one in node.args)


def _last_name(node):
    while isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
