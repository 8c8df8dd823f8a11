"""Rewriting a module of the user's own: its code for the rehearsal, and its own code again.

What compiles functions (numba) must see the code that the user wrote: `give_back` puts it into a
function. Nothing is written anywhere.
"""

import ast

load = None

_made = []
"""Rewritten code, source and path of each module; and, once it was asked for, its own code."""


def rewrite(text, path, shown, sites, guarded=False, first=0):
    """Return the code object of a module's source, rewritten.

    path: as tracebacks show it. shown: as the tape names it. guarded: a statement of the module
    that fails is noted and the next one is tried. A statement that is nested too deeply to be
    rewritten is left as it is. Raises SyntaxError as compiling the source would.
    """
    tree = ast.parse(text, path)
    rewriter = load("_prov_rewrite").Rewriter
    known = len(sites)
    try:
        rewriter(shown, sites, first).visit(tree)
    except RecursionError:
        del sites[known:]
        tree = _shallow(text, path, rewriter(shown, sites, first))
    if guarded:
        tree.body = _guard(tree.body)
    ast.fix_missing_locations(tree)
    code = compile(tree, path, "exec", dont_inherit=True)
    _made.append([code, text, path, None])
    return code


def _shallow(text, path, rewriter):
    """Return the module's tree with all statements rewritten but those nested too deeply."""
    tree, plain = ast.parse(text, path), ast.parse(text, path)
    found = []
    for number, one in enumerate(tree.body):
        try:
            new = rewriter.visit(one)
            found.extend(new if isinstance(new, list) else [new])
        except RecursionError:
            found.append(plain.body[number])
    tree.body = found
    return tree


def _guard(statements):
    """Return the statements, each in a ``try`` that notes its failure and goes on."""
    nodes = load("_prov_rewrite")
    found = []
    for number, one in enumerate(statements):
        if isinstance(one, ast.If):
            one.body = _guard(one.body)
            one.orelse = _guard(one.orelse)
        elif nodes._is_future(one) or (number == 0 and nodes._is_docstring(one)):
            found.append(one)
            continue
        line = nodes._number(getattr(one, "lineno", 0))
        names = nodes._text(" ".join(sorted(_bound(one))))
        caught = nodes._statement(nodes._call("_prov_x", [line, names], one))
        kind = nodes._name("Exception", one)
        handler = nodes._like(ast.ExceptHandler(type=kind, name=None, body=[caught]), one)
        tried = ast.Try(body=[one], handlers=[handler], orelse=[], finalbody=[])
        found.append(nodes._like(tried, one))
    return found


def _bound(statement):
    """Return the names that a statement of a module gives values to, where it does not fail."""
    found, todo = set(), [statement]
    for node in todo:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update((one.asname or one.name).partition(".")[0] for one in node.names)
        if not isinstance(node, ast.Lambda):
            todo.extend(ast.iter_child_nodes(node))
    return found


# --- the user's own code again -------------------------------------------------------------------


def give_back(function):
    """Put the code that the user wrote into a function that runs rewritten code."""
    try:
        code = original(function.__code__)
        if code is not None and code.co_freevars == function.__code__.co_freevars:
            function.__code__ = code
    except (AttributeError, TypeError, ValueError):
        return


def original(code):
    """Return the code object that the user wrote for ``code``; None where it is not ours."""
    for one in _made:
        if one[2] == code.co_filename:
            if one[3] is None:
                one[3] = {}
                _pair(one[0], compile(one[1], one[2], "exec", dont_inherit=True), one[3])
            if id(code) in one[3]:
                return one[3][id(code)]
    return None


def _pair(rewritten, plain, found):
    """Note for each code object within ``rewritten`` the one of ``plain`` that it was made from."""
    found[id(rewritten)] = plain
    mine, theirs = _within(rewritten), _within(plain)
    for key, codes in mine.items():
        others = theirs.get(key, ())
        if len(codes) == len(others):
            for one, other in zip(codes, others):
                _pair(one, other, found)


def _within(code):
    """Return the code objects among the constants of ``code``, by name and first line."""
    found = {}
    for one in code.co_consts:
        if hasattr(one, "co_firstlineno"):
            found.setdefault((one.co_name, one.co_firstlineno), []).append(one)
    return found
