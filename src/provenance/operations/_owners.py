"""Whose behaviour a root is: the distributions that it may be blamed on, the likeliest first."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from provenance.compare.roots import Root
from provenance.compare.tape import Tape
from provenance.core.record import Record
from provenance.knowledge.judge import PYTHON_ITSELF

_TEXTS = frozenset(("builtins.print", "builtins.str", "builtins.repr", "builtins.format"))
"""Functions that ask the object: what they give is the behaviour of its library."""
_CLASSED = frozenset(("a", "o", "m", "df", "nt", "e", "x"))
"""Tags of forms whose second part is the dotted name of a class."""
_DEEPEST = 3


def of_modules(record: Record) -> dict[str, str]:
    """Return the distribution of every importable name."""
    found: dict[str, str] = {}
    for subject in record.payloads("packages"):
        for key, one in subject.payload.get("distributions", {}).items():
            for module in one.get("modules", ()) or (key.replace("-", "_"),):
                top = str(module).partition(".")[0]
                if top not in found or one.get("imported"):
                    found[top] = key
    return found


def of_root(root: Root, owners: Mapping[str, str], old: Tape | None) -> tuple[str, ...]:
    """Return the distributions whose behaviour ``root`` may be; Python itself is one.

    owners: of modules. First the one whose code was called; where texts are made, those of the
    objects; then that of the object's maker, those that an error names, those of other inputs.
    """
    operation = root.operation
    callee = [operation.callee] if operation.callee else []
    maker = [root.maker[1].callee] if root.maker is not None else []
    said = root.error.replace("'", '"').split('"')[1::2]
    if root.unlike is not None:
        said += [side for side in (root.unlike.old, root.unlike.new) if isinstance(side, str)]
    given = list(_given(root, old)) if old is not None else []
    asks = root.site.kind == "text" or operation.callee in _TEXTS
    names = [*given, *callee, *maker, *said] if asks else [*callee, *maker, *said, *given]
    found = [_owner(one, owners) for one in names]
    return tuple(dict.fromkeys(one for one in found if one))


def _owner(name: str, owners: Mapping[str, str]) -> str:
    top = name.partition(".")[0]
    if top in owners:
        return owners[top]
    standard = "." in name and (top == "builtins" or top.lstrip("_") in sys.stdlib_module_names)
    return PYTHON_ITSELF if standard else ""


def _given(root: Root, old: Tape) -> Iterator[str]:
    """Yield the classes of what the operation was given, then what made it."""
    for _, number in root.operation.inputs:
        yield from _classes(old.forms.get(number) if number is not None else None, 0)
    makers = {number for _, number in root.operation.links}
    for one in old.operations:
        if one.number in makers and not one.callee.startswith("builtins."):
            yield one.callee


def _classes(form: Any, depth: int) -> Iterator[str]:
    if not isinstance(form, list) or not form or depth > _DEEPEST:
        return
    name = form[0] if isinstance(form[0], str) else ""
    if name == "sc":
        yield "numpy.generic"
    elif name in _CLASSED and len(form) > 1 and isinstance(form[1], str):
        yield form[1]
    else:
        for one in form[:20]:
            yield from _classes(one, depth + 1)
