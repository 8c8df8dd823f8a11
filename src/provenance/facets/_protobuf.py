"""Reading Protocol Buffers messages without their definitions: fields by number.

The wire format is of https://protobuf.dev/programming-guides/encoding: each field is a varint of
number and wire type, then a varint (0), eight bytes (1), a counted block (2) or four bytes (5).
"""

from __future__ import annotations

import struct
from typing import Any, Dict, Iterator, List, Tuple

VARINT, EIGHT, BLOCK, FOUR = 0, 1, 2, 5


def fields(data: bytes) -> Iterator[Tuple[int, int, Any]]:
    """Yield number, wire type and value of each field: an int, or bytes of the other types.

    Raises ValueError where ``data`` is no message.
    """
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, kind, value
            continue
        if kind == BLOCK:
            size, at = _varint(data, at)
        elif kind in (EIGHT, FOUR):
            size = 8 if kind == EIGHT else 4
        else:
            raise ValueError("no message: wire type %d" % kind)
        if at + size > end:
            raise ValueError("no message: a field is cut off")
        yield tag >> 3, kind, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> Tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("no message: a number is cut off")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def by_number(data: bytes) -> Dict[int, List[Any]]:
    """Return all values of each field number. Raises ValueError."""
    found: Dict[int, List[Any]] = {}
    for number, _, value in fields(data):
        found.setdefault(number, []).append(value)
    return found


def signed(value: int) -> int:
    """Return a varint as the int64 that it stands for."""
    return value - (1 << 64) if value >= 1 << 63 else value


def text(value: Any) -> str:
    """Return a string field; "" where it is of another type."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def single(data: bytes) -> float:
    """Return four bytes as a float, with the fewest digits that mean the same single precision."""
    value: float = struct.unpack("<f", data)[0]
    for digits in (6, 7, 8):
        short = float("%.*g" % (digits, value))
        if short == value or struct.pack("<f", short) == data:
            return short
    return value


def double(data: bytes) -> float:
    """Return eight bytes as a float."""
    value: float = struct.unpack("<d", data)[0]
    return value
