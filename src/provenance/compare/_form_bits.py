"""Two forms compared to the last bit, as far as forms can tell."""

from __future__ import annotations

import math
from typing import Any

from provenance.compare import _form_parts as parts
from provenance.compare._form_texts import normalised

_CLASSED = frozenset(("a", "nt", "d", "set", "df", "m", "e", "x"))
"""Forms whose second part is a class, which may have moved."""
_FOLLOWS = frozenset(("at", "mean", "std", "min", "max", "skew", "b", "h"))
"""What follows from the bytes: one digest, one value."""
_SAME_SPAN = {"int": "int64", "float": "float64"}


def same_bits(old: Any, new: Any) -> bool:
    """Return whether two forms are of equal values; raises on forms of unexpected shapes."""
    first, second = parts.bare(old), parts.bare(new)
    if old == ["..."] or new == ["..."]:
        return True
    if parts.is_number(first) and parts.is_number(second):
        names = [_SAME_SPAN.get(name, name) for name in map(parts.dtype_of, (old, new))]
        return names[0] == names[1] and _same_number(first, second)
    if isinstance(first, str) and isinstance(second, str):
        return normalised(first) == normalised(second)
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(
            same_bits(one, second[name]) for name, one in first.items()
        )
    if isinstance(first, list) and isinstance(second, list):
        return _same_lists(first, second)
    return type(first) is type(second) and bool(first == second)


def _same_number(old: Any, new: Any) -> bool:
    if isinstance(old, float) and isinstance(new, float) and math.isnan(old):
        return math.isnan(new)
    return bool(old == new) and math.copysign(1.0, old) == math.copysign(1.0, new)


def _same_lists(old: list[Any], new: list[Any]) -> bool:
    name = parts.tag(old)
    if parts.tag(new) != name or len(old) != len(new):
        return False
    start = 0
    if name in _CLASSED or name == "o":
        if not parts.same_class(str(old[1]), str(new[1])):
            return False
        start = 2
    if name == "o":
        return True
    end = 4 if name == "m" else len(old)
    if name == "a" and old[4].get("h") and old[4]["h"] == new[4].get("h"):
        rest = [{n: f for n, f in one[4].items() if n not in _FOLLOWS} for one in (old, new)]
        return bool(old[2:4] == new[2:4]) and same_bits(*rest)
    pairs = zip(old[start:end], new[start:end], strict=True)
    return all(same_bits(one, other) for one, other in pairs)
