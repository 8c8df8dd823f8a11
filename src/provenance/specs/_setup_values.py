"""Values in a ``setup.py``, followed by reading: literals, names, and files of requirements.

Nothing is run. What an expression stands for is found for the ways in which such files are
written: lists and tables of texts, put together and changed step by step, and the lines of a file
beside the script. Everything else is `Unknown`, with its line and a sentence.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import NamedTuple

from provenance.specs._text import brief

MOST_DEPTH = 60
"""Levels of expressions and calls that are followed."""

MOST_STEPS = 50_000
"""Expressions that are looked at in one file."""

MOST_ITEMS = 5_000
"""Of one list; ``a = a + a`` doubles it line by line."""

MOST_LENGTH = 100_000
"""Characters of one text."""


class Text(NamedTuple):
    """A text and the line where it begins."""

    value: str
    line: int


class File(NamedTuple):
    """A file that is opened, its path below the folder of the script; also its text or lines."""

    path: str
    line: int


class Unknown(NamedTuple):
    """What reading does not tell: the code in brief, its line, and why."""

    code: str
    line: int
    why: str


class Many:
    """A list. Names may share one, as they do when it runs."""

    def __init__(self, items: list[Text | File | Unknown] | None = None) -> None:
        self.items = (items or [])[:MOST_ITEMS]

    def add(self, value: Value, line: int) -> None:
        """Put in a text, a file's lines, all of another list, or what is unknown."""
        if isinstance(value, Many):
            self.items += value.items[: MOST_ITEMS - len(self.items)]
        elif isinstance(value, Table):
            self.items.append(Unknown("", line, "A table is no requirement."))
        elif len(self.items) < MOST_ITEMS:
            self.items.append(value)


class Table:
    """A dictionary with texts as keys; under "" what could not be told apart."""

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}
        self.unknown: list[Unknown] = []


Value = Text | File | Unknown | Many | Table

_PATHS = ("join", "abspath", "resolve", "Path", "realpath", "joinpath", "dirname", "PurePath")
_SAME = (
    *("read", "readlines", "read_text", "splitlines", "strip", "rstrip", "lstrip", "copy"),
    *("list", "sorted", "set", "tuple", "str", "decode", "iter", "values", "keys", "expanduser"),
)
_OF_FILE = ("split", "replace", "filter", "map", "sub", "lower", "partition", "rsplit")


class Reader:
    """Expressions with the names that are known. call: what follows a call of a known function."""

    def __init__(self) -> None:
        self.names: dict[str, Value] = {}
        self.call: Callable[[ast.Call], Value | None] = lambda _: None
        self.depth = self.steps = 0

    def value(self, node: ast.expr) -> Value:
        """Return what an expression stands for."""
        self.depth += 1
        self.steps += 1
        try:
            if self.depth > MOST_DEPTH or self.steps > MOST_STEPS:
                return Unknown("", node.lineno, "This is too deep to be followed.")
            return self._value(node)
        finally:
            self.depth -= 1

    def unknown(self, node: ast.expr, why: str) -> Unknown:
        """Return that an expression is not followed."""
        try:
            code = ast.unparse(node) if self.depth < MOST_DEPTH // 2 else ""
        except (RecursionError, ValueError):
            code = ""
        return Unknown(brief(code), node.lineno, why)

    def _value(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                return Text(node.value[:MOST_LENGTH], node.lineno)
            return self.unknown(node, "This is no text.")
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            found = Many()
            for one in node.elts:
                found.add(
                    self.value(one.value if isinstance(one, ast.Starred) else one), one.lineno
                )
            return found
        if isinstance(node, ast.Name):
            known = self.names.get(node.id)
            why = "What %s holds cannot be told by reading this file." % node.id[:40]
            return known if known is not None else self.unknown(node, why)
        if isinstance(node, ast.BinOp):
            return self._joined(node)
        if isinstance(node, ast.Call):
            return self._called(node)
        if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp):
            return self._listed(node)
        return self._other(node)

    def _other(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Dict):
            table = Table()
            for key, one in zip(node.keys, node.values, strict=True):
                self.put(table, key, self.value(one), one.lineno)
            return table
        if isinstance(node, ast.JoinedStr):
            return self._filled(node)
        if isinstance(node, ast.Subscript):
            table_of, key_of = self.value(node.value), self.value(node.slice)
            if isinstance(table_of, Table) and isinstance(key_of, Text):
                found = table_of.values.get(key_of.value)
                if found is not None:
                    return found
            return table_of if isinstance(table_of, File) else self.unknown(node, _COMPUTED)
        if isinstance(node, ast.IfExp | ast.BoolOp):
            return self.unknown(node, "Which of these is taken is known only when it runs.")
        if isinstance(node, ast.Starred):
            return self.value(node.value)
        return self.unknown(node, _COMPUTED)

    def put(self, table: Table, key: ast.expr | None, value: Value, line: int) -> None:
        """Set a member of a table; a key of None stands for ``**value``."""
        name = self.value(key) if key is not None else None
        if key is None and isinstance(value, Table):
            table.values.update(value.values)
            table.unknown += value.unknown[: MOST_ITEMS - len(table.unknown)]
        elif isinstance(name, Text):
            table.values[name.value] = value
        elif isinstance(value, Unknown):
            table.unknown.append(value)
        else:
            table.unknown.append(Unknown("", line, "The name of this extra is not a plain text."))

    def _joined(self, node: ast.BinOp) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Div):  # of paths
            return right if isinstance(right, Text) else self.unknown(node, _COMPUTED)
        if isinstance(node.op, ast.Mod) and isinstance(left, Text):
            parts = right.items if isinstance(right, Many) else [right]
            texts = [one.value for one in parts if isinstance(one, Text)]
            if len(texts) == len(parts) == left.value.count("%s") == left.value.count("%"):
                pieces = left.value.split("%s")
                filled = "".join(a + b for a, b in zip(pieces, [*texts, ""], strict=True))
                return Text(filled[:MOST_LENGTH], left.line)
        if isinstance(node.op, ast.Add):
            if isinstance(left, Text) and isinstance(right, Text):
                return Text((left.value + right.value)[:MOST_LENGTH], left.line)
            if isinstance(left, Many | File) or isinstance(right, Many):
                both = Many()
                both.add(left, node.lineno)
                both.add(right, node.lineno)
                return both
            if isinstance(right, Text) and right.value[:1] in "/\\":  # folder + "/file"
                return Text(right.value.lstrip("/\\"), right.line)
        return self.unknown(node, _COMPUTED)

    def _filled(self, node: ast.JoinedStr) -> Value:
        text, line = "", node.lineno
        for number, part in enumerate(node.values):
            inner = part.value if isinstance(part, ast.FormattedValue) else part
            found = self.value(inner)
            if isinstance(found, Text):
                text += found.value
            elif number == 0 and len(node.values) > 1:
                text = "\0"  # perhaps a folder, before "/file"
            else:
                return self.unknown(node, _COMPUTED)
        if text[:2] in ("\0/", "\0\\"):
            return Text(text[2:MOST_LENGTH], line)
        return self.unknown(node, _COMPUTED) if text[:1] == "\0" else Text(text[:MOST_LENGTH], line)

    def _listed(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> Value:
        """Return what a comprehension lists: of a list or file its items, with a plain change."""
        first = node.generators[0]
        over = self.value(first.iter)
        # Of a file, and with a condition on the item alone, what is left out is no requirement.
        named = {n.id for one in first.ifs for n in ast.walk(one) if isinstance(n, ast.Name)}
        target = first.target.id if isinstance(first.target, ast.Name) else ""
        whole = isinstance(over, File) or (isinstance(over, Many) and named <= {target})
        if not whole or len(node.generators) > 1 or not isinstance(first.target, ast.Name):
            return self.unknown(node, _COMPUTED)
        return over if _plain(node.elt, first.target.id) else self.unknown(node, _COMPUTED)

    def _called(self, node: ast.Call) -> Value:
        name = called(node)
        own = self.call(node)
        if own is not None:
            return own
        inner = node.func.value if isinstance(node.func, ast.Attribute) else None
        first = node.args[0] if node.args else None
        if name == "dict":
            return self._dict(node)
        if name == "open":
            path = self.value(inner) if inner is not None else None
            if isinstance(path, Text):  # of a pathlib.Path
                return File(path.value, node.lineno)
            return self.file(first) if first is not None else self.unknown(node, _COMPUTED)
        if name in _PATHS:
            return self._path(node)
        if name in _SAME or name in _OF_FILE:
            return self._changed(node, name, inner)
        if "requirements" in name or "parse" in name or "read" in name:
            for one in node.args:
                path = self.value(one)
                if isinstance(path, Text) and path.value.endswith((".txt", ".in")):
                    return File(path.value, node.lineno)
                if isinstance(path, File | Many):
                    return path
        return self.unknown(node, "This call is not followed: nothing of the file is run.")

    def _dict(self, node: ast.Call) -> Value:
        table = Table()
        for word in node.keywords:
            key = ast.Constant(word.arg, lineno=node.lineno) if word.arg else None
            self.put(table, key, self.value(word.value), word.value.lineno)
        for one in node.args:
            self.put(table, None, self.value(one), one.lineno)
        return table

    def _path(self, node: ast.Call) -> Value:
        """Return a path: what is not plain text in it is taken to be the script's folder."""
        found = [self.value(one) for one in node.args]
        texts = [one.value for one in found if isinstance(one, Text)]
        return Text("/".join(texts), node.lineno) if texts else self.unknown(node, _COMPUTED)

    def _changed(self, node: ast.Call, name: str, inner: ast.expr | None) -> Value:
        """Return what a method or function makes of a value, where that is the same to us."""
        value: Value | None = self.value(inner) if inner is not None else None
        if value is None or isinstance(value, Unknown):
            of_args = [self.value(one) for one in node.args]
            known = [one for one in of_args if isinstance(one, File | Many)]
            value = known[0] if known else value
        if isinstance(value, Text) and name in ("splitlines", "split"):
            lines = value.value.split("\n")
            pieces = lines if name == "splitlines" or node.args else value.value.split()
            return Many(
                [
                    Text(one, value.line + n * (len(lines) > 1 and pieces is lines))
                    for n, one in enumerate(pieces[:MOST_ITEMS])
                ]
            )
        if isinstance(value, Text) and name in ("read_text", "read"):
            return File(value.value, node.lineno)
        if isinstance(value, File) or (isinstance(value, Text | Many) and name in _SAME):
            return value
        return value if isinstance(value, Unknown) else self.unknown(node, _COMPUTED)

    def file(self, node: ast.expr) -> Value:
        """Return the file whose path is this expression."""
        path = self.value(node)
        if isinstance(path, Text):
            return File(path.value, node.lineno)
        return self.unknown(node, "Which file is read here cannot be told by reading.")


_COMPUTED = "This is computed when the file runs; only plain texts and lists are read."


def called(node: ast.Call) -> str:
    """Return the last name of what is called."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _plain(node: ast.expr, name: str) -> bool:
    """Return whether an expression is ``name``, stripped or made a text."""
    for _ in range(6):
        if isinstance(node, ast.Name):
            return node.id == name
        if isinstance(node, ast.Attribute | ast.Subscript):  # str(line.req), line[0]
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            node = node.func.value
        elif isinstance(node, ast.Call) and called(node) == "str" and node.args:
            node = node.args[0]
        else:
            return False
    return False
