"""Safetensors: a header in JSON and the bytes of the tensors; also sharded ones by their index.

Source: safetensors, "Format" in its README: eight bytes of length, the header (at most 100 MB),
then the data, without holes and without overlaps.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import numpy

from provenance.readers import _tensors
from provenance.readers._bytes import Store, open_store
from provenance.readers._zips import folder, shown
from provenance.readers.model import Archive, Tensor, Unreadable

LONGEST_HEADER = 100_000_000
"""Bytes: the limit that the format itself sets."""

LONGEST_INDEX = 64 << 20
COUNTED = ("total_size", "total_parameters")
"""What an index states of the tensors beside it, and which one file of all of them does not."""
MOST_SHARDS = 400
"""Every shard is a file that is held open; there may be 1024 open files, and two sides."""

PLAIN = {
    "BOOL": "?",
    "U8": "<u1",
    "I8": "<i1",
    "I16": "<i2",
    "U16": "<u2",
    "F16": "<f2",
    "I32": "<i4",
    "U32": "<u4",
    "F32": "<f4",
    "F64": "<f8",
    "I64": "<i8",
    "U64": "<u8",
    "C64": "<c8",
}
FOREIGN = {
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
}
NARROW = {"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6}
"""Types of less than a byte, in bits: their bytes are told as they are."""


def looks_like(head: bytes, size: int) -> bool:
    """Return whether a file of ``size`` bytes that begins with ``head`` may be one."""
    length = int.from_bytes(head[:8], "little")
    return len(head) > 8 and 2 <= length <= size - 8 and head[8:9] == b"{"


def read(path: str) -> Archive:
    """Return the tensors of one file; what ``__metadata__`` says stands in the values."""
    store = open_store(path)
    length = int.from_bytes(store.read(0, 8), "little")
    if store.size < 8 or length > store.size - 8:
        raise Unreadable("is cut short or not a safetensors file: no whole header")
    if length > LONGEST_HEADER:
        raise Unreadable("has a header of %d bytes, more than the format allows" % length)
    said = load_json(store.read(8, length))
    if not isinstance(said, dict):
        raise Unreadable("has a header that is not a JSON object")
    metadata = said.pop("__metadata__", None)
    found = [_tensor(store, 8 + length, name, one) for name, one in said.items()]
    end = 0
    for start, stop, one in sorted(found, key=lambda three: three[:2]):
        if start < end:
            raise Unreadable("has tensors that overlap, at %s" % shown(one.name))
        end = stop
    tensors = {one.name: one for _, _, one in found}
    values = metadata if isinstance(metadata, dict) else {}
    narrow = [name for name, one in said.items() if one["dtype"] in NARROW]
    notes = ["%s has elements of less than a byte: told as bytes" % shown(n) for n in narrow]
    return Archive("safetensors", tensors, values, tuple(notes))


def _tensor(store: Store, base: int, name: str, said: Any) -> tuple[int, int, Tensor]:
    """Return where the data of a tensor begin and end after ``base``, and the tensor."""
    try:
        kind, shape, (start, stop) = said["dtype"], tuple(said["shape"]), said["data_offsets"]
    except (TypeError, KeyError, ValueError):
        raise Unreadable("has a header that makes no sense at %s" % shown(name)) from None
    if any(type(n) is not int for n in (start, stop)) or not 0 <= start <= stop:
        raise Unreadable("has a header that makes no sense at %s" % shown(name))
    count = _tensors.count_of(shape)
    data = store.all().part(base, store.size - base)
    if stop > data.size:
        raise Unreadable("is cut short: %s ends at byte %d" % (shown(name), base + stop))
    if not isinstance(kind, str) or kind not in (*PLAIN, *FOREIGN, *NARROW):
        raise Unreadable("has a type that is not known, %s at %s" % (shown(str(kind)), shown(name)))
    if kind in NARROW:
        size = (count * NARROW[kind] + 7) // 8
        code = _tensors.encoding(numpy.dtype("u1"))._replace(name=kind.lower())
        one = _tensors.tensor(name, code, (size,), data.part(start, stop - start))
        return start, stop, one
    code = (
        _tensors.encoding(numpy.dtype(PLAIN[kind]))
        if kind in PLAIN
        else _tensors.foreign(FOREIGN[kind])
    )
    if count * code.stored.itemsize != stop - start:
        raise Unreadable("has %d bytes for %s, which is not its size" % (stop - start, shown(name)))
    return start, stop, _tensors.tensor(name, code, shape, data.part(start, stop - start))


def load_json(content: bytes) -> Any:
    """Return what JSON says; raises `Unreadable`, also where a name comes twice."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) < len(items):
            raise ValueError("a name comes twice")
        return found

    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=pairs)
    except RecursionError:
        raise Unreadable("has JSON that is nested too deep") from None
    except ValueError as error:
        reason = "a name comes twice" if "twice" in str(error) else "it is not valid"
        raise Unreadable("has JSON that cannot be read: %s" % reason) from None


def read_index(path: str, one: Callable[[str], Archive]) -> Archive:
    """Return the tensors of all shards that an index file names; ``one`` reads a shard.

    Source: Hugging Face Hub, "Save and load models": ``weight_map`` from tensor to file beside.
    """
    store = open_store(path)
    if store.size > LONGEST_INDEX:
        raise Unreadable("is an index of more than %d MiB" % (LONGEST_INDEX >> 20))
    said = load_json(store.read(0, store.size))
    placed = said.get("weight_map") if isinstance(said, dict) else None
    if not isinstance(placed, dict) or not all(isinstance(v, str) for v in placed.values()):
        raise Unreadable("is not an index of shards: it has no weight_map")
    tensors: dict[str, Tensor] = {}
    notes: list[str] = []
    shards = list(dict.fromkeys(placed.values()))
    if len(shards) > MOST_SHARDS:
        raise Unreadable("names %d shards; %d are read at most" % (len(shards), MOST_SHARDS))
    for shard in shards:
        if shard in ("", ".", "..") or os.path.basename(shard) != shard or "\0" in shard:
            raise Unreadable("names a shard outside of its folder: %s" % shown(shard))
        try:
            archive = one(os.path.join(folder(path), shard))
        except Unreadable as reason:
            raise Unreadable("names the shard %s, which %s" % (shown(shard), reason)) from None
        tensors.update(archive.tensors)
        notes += archive.notes
    gone = [name for name in placed if name not in tensors]
    if gone:
        text = "names %d tensors that are in no shard, the first %s"
        raise Unreadable(text % (len(gone), shown(gone[0])))
    metadata = said.get("metadata")
    values = dict(metadata) if isinstance(metadata, dict) else {}
    for name in COUNTED:
        values.pop(name, None)
    return Archive("shards", tensors, values, tuple(notes))
