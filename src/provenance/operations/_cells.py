"""Values as the cells of a table: in full where that is short, and never as Python objects."""

from __future__ import annotations

from typing import Any

LONGEST = 120


def cell(value: Any) -> str:
    """Return a value of a record as text; numbers in full."""
    if isinstance(value, dict) and set(value) == {"float"}:
        return str(value["float"])
    if isinstance(value, dict) and set(value) <= {"function", "given"}:
        given = value.get("given") or {}
        return "%s(%s)" % (value.get("function"), cell(given)) if given else str(value["function"])
    if isinstance(value, dict):
        text = ", ".join("%s=%s" % (key, cell(one)) for key, one in value.items())
    elif isinstance(value, (list, tuple)):
        text = "(%s)" % ", ".join(cell(one) for one in value)
    else:
        text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def default(value: Any, set_by: Any) -> str:
    """Return an argument's default as text; "" where there is None because none is known.

    set_by: whether the argument was given, None where that is not known either.
    """
    return "" if value is None and set_by is None else cell(value)


def short(dotted: str) -> str:
    """Return the last part of a dotted name, which is what papers write."""
    return dotted.rpartition(".")[2] or dotted


def where(path: Any) -> str:
    """Return a path's JSON form as people read it."""
    if not isinstance(path, dict):
        return str(path or "?")
    text = str(path.get("path", "(undecodable)"))
    return "~/" + text if path.get("root") == "home" else text


def size(count: Any) -> str:
    """Return a number of bytes for people, in decimal units."""
    if not isinstance(count, (int, float)):
        return ""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return ("%.0f %s" if unit == "B" else "%.3g %s") % (count, unit)
        count /= 1000
    return "%.3g TB" % count
