"""Templates of the adoption kit: files as they will be, with ``@name@`` where a value goes.

``@name@`` is a value as it is, ``@name:sh@`` the same quoted as the file needs it there. A value
that stands alone on its line may have several lines: each is indented like the first, and without
a value the line goes. Lines between ``@if name@`` and ``@end@`` stay only where there is that
value, those between ``@unless name@`` and ``@end@`` only where there is none.

``$`` and braces mean something in every format that is filled here, and ``@`` between small letters
in none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_VALUE = re.compile(r"@([a-z][a-z0-9_]*)(?::([a-z]+))?@")
_ALONE = re.compile(r"([ \t]*)@([a-z][a-z0-9_]*)(?::([a-z]+))?@")
_CONDITION = re.compile(r"[ \t]*@(if|unless) ([a-z][a-z0-9_]*)@")

Values = Mapping[str, object]
Quotings = Mapping[str, Callable[[object], str]]


def fill(text: str, values: Values, quotings: Quotings) -> str:
    """Return the template ``text`` with ``values`` in it.

    Raises `KeyError` for a name or a quoting that there is not, `ValueError` for a condition that
    is not closed and for a value of several lines that shares its line.
    """
    lines: list[str] = []
    holds: list[bool] = []
    for line in text.splitlines():
        condition = _CONDITION.fullmatch(line)
        if condition:
            holds.append(bool(values[condition[2]]) == (condition[1] == "if"))
        elif line.strip() == "@end@":
            if not holds:
                raise ValueError("a template closes a condition that it did not open")
            holds.pop()
        elif all(holds):
            lines += _filled(line, values, quotings)
    if holds:
        raise ValueError("a template does not close a condition")
    return "\n".join(lines) + "\n"


def _filled(line: str, values: Values, quotings: Quotings) -> list[str]:
    alone = _ALONE.fullmatch(line)
    if alone:
        text = _text(alone[2], alone[3], values, quotings)
        return [(alone[1] + one).rstrip() for one in text.split("\n")] if text else []

    def value(match: re.Match[str]) -> str:
        found = _text(match[1], match[2], values, quotings)
        if "\n" in found:
            raise ValueError("the value of @%s@ has several lines" % match[1])
        return found

    return [_VALUE.sub(value, line)]


def _text(name: str, quoting: str | None, values: Values, quotings: Quotings) -> str:
    value = values[name]
    return str(value) if quoting is None else quotings[quoting](value)
