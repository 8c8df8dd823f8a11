"""Named tuples to JSON and back, by their type hints.

Records outlive this code, so decoding is tolerant in one direction only: unknown members are
ignored and missing ones take their default, but a member of the wrong shape is an error that names
where it stands.
"""

from __future__ import annotations

import typing
from typing import Any, Dict, Type, TypeVar

T = TypeVar("T")

_HINTS: Dict[type, Dict[str, Any]] = {}


class ShapeError(ValueError):
    """A JSON value does not have the shape that its type asks for; says where and what."""


def encode(value: Any) -> Any:
    """Return ``value`` as plain JSON values: named tuples become objects, other tuples lists."""
    to_json = getattr(value, "to_json", None)
    if to_json is not None:
        return to_json()
    fields = getattr(value, "_fields", None)
    if fields is not None:
        return {name: encode(getattr(value, name)) for name in fields}
    if isinstance(value, dict):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    return value


def decode(kind: Type[T], value: Any, where: str = "") -> T:
    """Return ``value`` (plain JSON) as an instance of ``kind``.

    Raises `ShapeError` naming the member that does not fit.
    """
    result: T = _decode(kind, value, where or getattr(kind, "__name__", str(kind)))
    return result


def _decode(kind: Any, value: Any, where: str) -> Any:
    if kind is Any:
        return value
    if hasattr(kind, "from_json"):
        return kind.from_json(value)
    if hasattr(kind, "_fields"):
        return _decode_tuple(kind, value, where)
    origin = getattr(kind, "__origin__", None)
    if origin is typing.Union or type(kind).__name__ == "UnionType":  # X | Y, from 3.10
        return _decode_union(kind.__args__, value, where)
    if origin in (tuple, typing.Tuple):
        _require(isinstance(value, list), where, "a list", value)
        return tuple(_decode(kind.__args__[0], item, where + "[]") for item in value)
    if origin in (dict, typing.Dict):
        _require(isinstance(value, dict), where, "an object", value)
        return {key: _decode(kind.__args__[1], v, where + "." + key) for key, v in value.items()}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    exact = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    _require(exact, where, kind.__name__, value)
    return value


def _decode_tuple(kind: Any, value: Any, where: str) -> Any:
    _require(isinstance(value, dict), where, "an object", value)
    if kind not in _HINTS:
        _HINTS[kind] = typing.get_type_hints(kind)
    hints = _HINTS[kind]
    defaults = kind._field_defaults
    given = {}
    for name in kind._fields:
        if name in value:
            given[name] = _decode(hints[name], value[name], where + "." + name)
        else:
            _require(name in defaults, where, "a member %r" % name, value)
    return kind(**given)


def _decode_union(kinds: Any, value: Any, where: str) -> Any:
    none = type(None)
    if value is None:
        _require(none in kinds, where, "a value", value)
        return None
    rest = [kind for kind in kinds if kind is not none]
    for kind in rest[:-1]:
        try:
            return _decode(kind, value, where)
        except ShapeError:
            continue
    return _decode(rest[-1], value, where)


def _require(holds: bool, where: str, expected: str, value: Any) -> None:
    if not holds:
        raise ShapeError("%s: expected %s, found %.60r" % (where, expected, value))
