"""Scalars in TensorBoard event files, read record by record without TensorBoard.

A file is a sequence of TFRecords: length (8 bytes), its masked CRC-32C (4), the data, its CRC (4);
the data is an ``Event`` (tensorflow/core/util/event.proto). Tags are the names. A scalar is the
``simple_value`` of a summary or a tensor of one number; other plugins' data are passed over.
"""

from __future__ import annotations

import os
import struct
from typing import Any, Dict, Iterable, List, Optional

from provenance.facets import _protobuf
from provenance.facets._protobuf import BLOCK, FOUR, VARINT
from provenance.facets._series import Collected

LIMIT = 512 << 20
"""Bytes of one run's event files that are gone through; images are passed over unread."""

LARGEST = 1 << 20
"""Bytes of a record beyond which it holds images, graphs or text, not scalars."""

_PREFIX = "_hparams_/"
_STRUCT_OF = {1: "<f", 2: "<d", 3: "<i", 9: "<q"}
"""Data types of tensorflow/core/framework/types.proto: float, double, int32, int64."""
_FIELD_OF = {5: 1, 6: 2, 7: 3, 10: 9}
"""Fields of a TensorProto that hold values, and the data type of each."""


def read(paths: Iterable[str], into: Collected, notes: List[str]) -> None:
    """Add the scalars of one run's event files. Raises OSError; damaged ends leave a note."""
    plugins: Dict[str, str] = {}
    passed = 0
    for path in sorted(paths, key=age):
        passed += os.path.getsize(path)
        if passed > LIMIT:
            notes.append("is part of more than %d MiB of event files" % (LIMIT >> 20))
            return
        with open(path, "rb") as stream:
            trouble = _records(stream, plugins, into)
        if trouble:
            notes.append(trouble)


def more(path: str, start: int, plugins: Dict[str, str], into: Collected) -> int:
    """Add the scalars of an event file from the byte ``start`` on; return where the next begins.

    A record that is still being written is left to the next call. plugins: what earlier calls
    learned, by tag. Raises OSError.
    """
    if os.path.getsize(path) <= start:
        return start
    with open(path, "rb") as stream:
        stream.seek(start)
        _records(stream, plugins, into)
        return int(stream.tell())


def age(path: str) -> Any:
    """Return the order of event files: the seconds in their names, then a number at the end."""
    parts = os.path.basename(path).split(".")
    return [int(part) if part.isdigit() else 0 for part in parts], path


def _records(stream: Any, plugins: Dict[str, str], into: Collected) -> str:
    """Go through one file; return what is wrong with it, "" where nothing is.

    The stream is left where the first record begins that was not read.
    """
    at = stream.tell()
    while True:
        head = stream.read(12)
        if not head:
            return ""
        if len(head) < 12:
            stream.seek(at)
            return "ends in the middle of a record"
        size, check = struct.unpack("<QI", head)
        if _masked(head[:8]) != check:
            stream.seek(at)
            return "is damaged: what follows was not read"
        if size > LARGEST:
            at += 12 + size + 4
            stream.seek(at)
            continue
        data = stream.read(size + 4)
        if len(data) < size + 4:
            stream.seek(at)
            return "ends in the middle of a record"
        try:
            _event(data[:size], plugins, into)
        except (ValueError, struct.error):
            stream.seek(at)
            return "is damaged: what follows was not read"
        at += 12 + size + 4


def _event(data: bytes, plugins: Dict[str, str], into: Collected) -> None:
    step, summaries = 0, []
    for number, kind, value in _protobuf.fields(data):
        if number == 2 and kind == VARINT:
            step = _protobuf.signed(value)
        elif number == 5 and kind == BLOCK:
            summaries.append(value)
    for summary in summaries:
        for number, kind, value in _protobuf.fields(summary):
            if number == 1 and kind == BLOCK:
                _value(value, step, plugins, into)


def _value(data: bytes, step: int, plugins: Dict[str, str], into: Collected) -> None:
    tag, scalar, tensor = "", None, None
    for number, kind, value in _protobuf.fields(data):
        if number == 1 and kind == BLOCK:
            tag = _protobuf.text(value)
        elif number == 2 and kind == FOUR:
            scalar = _protobuf.single(value)
        elif number == 8 and kind == BLOCK:
            tensor = value
        elif number == 9 and kind == BLOCK:
            plugins.setdefault(tag, _plugin(value))
    if not tag or tag.startswith(_PREFIX) or plugins.get(tag, "scalars") not in ("scalars", ""):
        return
    if scalar is None and tensor is not None:
        scalar = _tensor(tensor)
    if scalar is not None:
        into.add(tag, step, scalar)


def _plugin(metadata: bytes) -> str:
    for data in _protobuf.by_number(metadata).get(1, []):
        for name in _protobuf.by_number(data).get(1, []):
            return _protobuf.text(name)
    return ""


def _tensor(data: bytes) -> Optional[float]:
    """Return the number of a tensor that holds one, None for others."""
    found = _protobuf.by_number(data)
    kind = (found.get(1) or [0])[0]
    content = (found.get(4) or [b""])[0]
    form = _STRUCT_OF.get(kind)
    if form is None:
        return None
    if content:
        return _number(form, content)
    for field, of in _FIELD_OF.items():
        values = found.get(field)
        if of == kind and values:
            value = values[0]
            if isinstance(value, int):
                return _protobuf.signed(value)
            if kind in (1, 2):
                return _number(form, value)
            varints = list(_protobuf.by_number(b"\x08" + value).get(1, []))
            return _protobuf.signed(varints[0]) if len(varints) == 1 else None
    return None


def _number(form: str, data: bytes) -> Optional[float]:
    if len(data) != struct.calcsize(form):
        return None
    if form == "<f":
        return _protobuf.single(data)
    value: float = struct.unpack(form, data)[0]
    return value


def _table() -> List[int]:
    """Return the table of CRC-32C (Castagnoli, RFC 3720 B.4), reflected polynomial 0x82F63B78."""
    found = []
    for byte in range(256):
        rest = byte
        for _ in range(8):
            rest = rest >> 1 ^ (0x82F63B78 if rest & 1 else 0)
        found.append(rest)
    return found


_CRC: List[int] = []


def _masked(data: bytes) -> int:
    """Return the CRC of ``data`` as TFRecord stores it: rotated, and a constant added."""
    if not _CRC:
        _CRC.extend(_table())
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
