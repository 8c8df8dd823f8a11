"""Files that set R's environment variables: ``Renviron``, read as R reads them at its start.

A line is ``NAME=value``; a value may hold ``${OTHER}``, ``${OTHER-default}`` and
``${OTHER:-default}``, also nested, and quotes (R's help page "Startup").
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MOST_BYTES = 1 << 20
_LINE = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(.*?)\s*$")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)(:?-)?")
_DEEPEST = 20
_LONGEST = 1 << 16
"""Characters of a value: lines that double one must not fill the memory."""


def variables(text: str, known: Mapping[str, str]) -> dict[str, str]:
    """Return ``known`` with what the lines of ``text`` set; later lines see what earlier ones set.

    An empty value leaves a variable as it is, as in R.
    """
    found = dict(known)
    for line in text.splitlines():
        set_here = _LINE.match(line[:4096])
        if set_here is not None and not line.lstrip().startswith("#"):
            value = _unquoted(expanded(set_here[2], found))
            if len(value) <= _LONGEST and (value or set_here[1] not in found):
                found[set_here[1]] = value
    return found


def expanded(text: str, known: Mapping[str, str], depth: int = 0) -> str:
    """Return ``text`` with its variables put in, as far as they nest no deeper than 20."""
    parts: list[str] = []
    at = 0
    while True:
        start = text.find("${", at)
        end = _closing(text, start + 2) if start >= 0 and depth < _DEEPEST else -1
        if end < 0:
            return "".join(parts) + text[at:]
        parts.append(text[at:start])
        parts.append(_value(text[start + 2 : end], known, depth + 1))
        at = end + 1


def _closing(text: str, at: int) -> int:
    """Return where the brace ends that was opened before ``at``, -1 where it does not."""
    open_now = 1
    for index in range(at, len(text)):
        if text[index] == "{":
            open_now += 1
        elif text[index] == "}":
            open_now -= 1
            if not open_now:
                return index
    return -1


def _value(inner: str, known: Mapping[str, str], depth: int) -> str:
    name = _NAME.match(inner)
    if name is None or (name[2] is None and name.end() != len(inner)):
        return ""
    value = known.get(name[1])
    if name[2] is None:
        return value or ""
    # R takes both forms alike: a variable that is empty counts as not set.
    return value or _unquoted(expanded(inner[name.end() :], known, depth))


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"" else text
