"""Pickles of anything but torch: of scikit-learn, numpy, plain Python, also those of joblib.

joblib puts the bytes of an array behind the instruction that ends its ``NumpyArrayWrapper``, and
may pack the whole file. Source: joblib.numpy_pickle, versions 0.10 to 1.5.
"""

from __future__ import annotations

import bz2
import lzma
import math
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from provenance.readers import pickles, torch
from provenance.readers._bytes import Span, inflated, spooled
from provenance.readers._pickle_arrays import dtype_of, shape_of
from provenance.readers._pickle_nodes import Call, Long, Name, Pairs
from provenance.readers._pickle_told import Told
from provenance.readers.model import Archive, Unreadable

MOST_UNPACKED = 4 << 30
"""Bytes that a packed file may unpack to: they are put on the disk while they are read."""

WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"
READ = Name("provenance", "array of joblib")


def read(span: Span) -> Archive:
    """Return what a pickle holds; raises `Unreadable` where it is none."""
    span = _unpacked(span)
    first = span.read(0, 1)
    if first not in (b"\x80", b"(", b"c", b"]", b"}", b")", b"I", b"F", b"S", b"V", b"L", b"N"):
        raise Unreadable("is of no form that is known here")
    node, _ = pickles.read(span, 0, _after)
    told = Told(_special)
    told.walk("", node)
    return Archive("pickle", told.tensors, told.values, tuple(told.notes))


def _unpacked(span: Span) -> Span:
    head = span.read(0, 6)
    made: Iterator[bytes] | None = None
    if head[:2] == b"\x1f\x8b" or (head[:1] == b"\x78" and head[1:2] in b"\x01\x5e\x9c\xda"):
        made = inflated(span, zlib.MAX_WBITS + 32)
    elif head[:3] == b"BZh":
        made = _other(span, bz2.BZ2Decompressor, OSError)
    elif head == b"\xfd7zXZ\0" or head[:3] == b"\x5d\0\0":
        made = _other(span, lambda: lzma.LZMADecompressor(memlimit=256 << 20), lzma.LZMAError)
    elif head[:4] == b"\x04\x22\x4d\x18":
        raise Unreadable("is packed with LZ4, which is not read")
    return span if made is None else spooled(made, MOST_UNPACKED)


def _other(span: Span, machine: Callable[[], Any], error: type[Exception]) -> Iterator[bytes]:
    one = machine()
    try:
        for piece in span.pieces():
            if one.eof:
                return
            yield one.decompress(piece, 1 << 18)
            while not one.needs_input and not one.eof:
                yield one.decompress(b"", 1 << 18)
    except (error, EOFError, MemoryError):
        raise Unreadable("has damaged packed data") from None
    if not one.eof:
        raise Unreadable("is cut short: its packed data end early")


def _after(machine: pickles.Machine, call: Call) -> Any:
    """Return the array whose bytes follow, where ``call`` is the wrapper that joblib writes."""
    made_by = (
        call.args[0] if call.is_of("copyreg._reconstructor", "copy_reg._reconstructor") else None
    )
    if not call.is_of(WRAPPER) and not (isinstance(made_by, Name) and made_by.dotted == WRAPPER):
        return call
    state = call.states[-1]
    said = {k: v for k, v in state.pairs if isinstance(k, str)} if isinstance(state, Pairs) else {}
    dtype, shape = dtype_of(said["dtype"]), shape_of(said["shape"])
    source = machine.input
    if dtype.hasobject:
        node, place = pickles.read(source.span, source.place, _after)
        source.seek(place)
        return node
    if said.get("numpy_array_alignment_bytes") is not None:
        source.take(source.take(1)[0])
    content = source.skip(math.prod(shape) * dtype.itemsize)
    return Call(READ, (dtype, shape, said.get("order") == "F", Long(content, "bytes")))


def _special(told: Told, path: str, node: Any, depth: int) -> bool:
    if not isinstance(node, Call) or node.made_by is not READ:
        return _OF_TORCH(told, path, node, depth)
    told.array(path, *node.args)
    return True


_OF_TORCH = torch.special(torch.nowhere)
