"""History in the file that Weights & Biases leaves of an offline run (``run-ID.wandb``).

It is a log in LevelDB's form: seven bytes of head, blocks of 32 KiB, pieces of records with a head
of CRC (4), length (2) and type (1: full, 2: first, 3: middle, 4: last). A record is a message of
wandb_internal.proto; field 2 is a row of history: items (1) of key (1), nested key (2) and JSON
value (16), and a step (2) with its number (1).
"""

from __future__ import annotations

import json
import struct
from typing import Any, Dict, Iterator, List

from provenance.facets import _protobuf
from provenance.facets._series import Collected

_HEAD, _BLOCK = b":W&B", 32 << 10
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
LIMIT = 256 << 20
_LARGEST = 4 << 20


def read(path: str, into: Collected, notes: List[str]) -> Dict[str, Any]:
    """Add the history of the run; return its summary where that says more. Raises OSError."""
    finals: Dict[str, Any] = {}
    with open(path, "rb") as stream:
        if stream.read(4) != _HEAD:
            notes.append("is no W&B log that is known")
            return finals
        stream.seek(0)
        try:
            for record in _records(stream):
                _record(record, into, finals)
        except ValueError:
            notes.append("is damaged: what follows was not read")
    return {name: value for name, value in finals.items() if name not in into.series}


def _records(stream: Any) -> Iterator[bytes]:
    parts: List[bytes] = []
    for number, block in enumerate(iter(lambda: stream.read(_BLOCK), b"")):
        if number * _BLOCK > LIMIT:
            return
        at = 0 if number else 7
        while at + 7 <= len(block):
            size, kind = struct.unpack_from("<HB", block, at + 4)
            if kind not in (_FULL, _FIRST, _MIDDLE, _LAST):
                break  # zeros to the end of the block
            piece = block[at + 7 : at + 7 + size]
            at += 7 + size
            if kind in (_FULL, _FIRST):
                parts = []
            parts.append(piece)
            if sum(map(len, parts)) > _LARGEST:
                parts = []
            elif kind in (_FULL, _LAST) and parts:
                yield b"".join(parts)
                parts = []


def _record(data: bytes, into: Collected, finals: Dict[str, Any]) -> None:
    for number, _, value in _protobuf.fields(data):
        if number == 2 and isinstance(value, bytes):
            row = _protobuf.by_number(value)
            step = None
            for one in row.get(2, []):
                step = _protobuf.signed((_protobuf.by_number(one).get(1) or [0])[0])
            items = dict(_items(row.get(1, [])))
            if step is None:
                step = items.get("_step", 0)
            for name, item in items.items():
                into.add(name, step, item)
        elif number == 3 and isinstance(value, bytes):
            finals.update(_items(_protobuf.by_number(value).get(1, [])))


def _items(items: List[bytes]) -> Iterator[Any]:
    """Yield names and numbers; W&B's own (``_runtime``) are left out."""
    for data in items:
        item = _protobuf.by_number(data)
        nested = "/".join(map(_protobuf.text, item.get(2, [])))
        name = _protobuf.text((item.get(1) or [b""])[0]) or nested
        try:
            value = json.loads(_protobuf.text((item.get(16) or [b""])[0]))
        except ValueError:
            continue
        for full, number in _leaves(name, value):
            if full and not full.startswith("_"):
                yield full, number


def _leaves(name: str, value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        return
    if isinstance(value, (int, float)):
        yield name, value
    elif isinstance(value, dict) and "_type" not in value:
        for key, item in value.items():
            yield from _leaves("%s/%s" % (name, key), item)
