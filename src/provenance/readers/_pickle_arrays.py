"""Arrays and scalars of numpy in a pickle that was read symbolically."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any

import numpy

from provenance.readers import _tensors
from provenance.readers._bytes import Data, Memory, Span, Stream
from provenance.readers._pickle_nodes import Call, Long, Name, Pairs
from provenance.readers.model import Unreadable

_MULTI = ("numpy.core.multiarray", "numpy._core.multiarray", "numpy.core._multiarray_umath")
RECONSTRUCT = tuple(one + "._reconstruct" for one in (*_MULTI, "numpy.ma.core"))
SCALAR = tuple(one + ".scalar" for one in _MULTI)
FROM_BUFFER = ("numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer")


def dtype_of(node: Any) -> numpy.dtype[Any]:
    """Return the dtype that ``node`` stands for; raises `Unreadable` where it is none."""
    if isinstance(node, Name):
        return _numpy_dtype(node.name)
    if not isinstance(node, Call) or not isinstance(node.made_by, Name) or not node.args:
        raise Unreadable("has an array of a type that makes no sense")
    if node.made_by.name != "dtype" and not node.made_by.name.endswith("DType"):
        raise Unreadable("has an array of a type that makes no sense")
    if not isinstance(node.args[0], str):
        return dtype_of(node.args[0])
    return _with_state(_numpy_dtype(node.args[0]), node.states[-1] if node.states else None)


def _numpy_dtype(text: str) -> numpy.dtype[Any]:
    if len(text) > 64 or not text.isascii() or "," in text or text in ("O", "object"):
        if text in ("O", "O8", "O4", "object"):
            return numpy.dtype("O")
        raise Unreadable("has an array of a type that makes no sense")
    try:
        return numpy.dtype(text)
    except Exception:  # noqa: BLE001 - whatever numpy thinks of a text from a file
        raise Unreadable("has an array of a type that is not known") from None


def _with_state(dtype: numpy.dtype[Any], state: Any) -> numpy.dtype[Any]:
    """Return ``dtype`` with what its state says: byte order, unit of time, or fields."""
    if not isinstance(state, tuple) or len(state) < 6:
        return dtype
    try:
        order, sub, names, fields, size = state[1:6]
        if names is not None:
            return _record(names, fields, size)
        if sub is not None:
            return numpy.dtype((dtype_of(sub[0]), sub[1]))
        if dtype.kind in "SUV" and type(size) is int and size >= 0:
            dtype = numpy.dtype("%s%d" % (dtype.kind, size // (4 if dtype.kind == "U" else 1)))
        if dtype.kind in "mM" and len(state) > 8 and isinstance(state[8], tuple):
            unit, count = state[8][-1][:2]
            unit = small(unit)
            text = unit.decode("ascii") if isinstance(unit, bytes) else unit
            if text != "generic":
                dtype = numpy.dtype("%s8[%d%s]" % (dtype.kind, count, text))
        return dtype.newbyteorder(order) if order in ("<", ">") else dtype
    except Unreadable:
        raise
    except Exception:  # noqa: BLE001 - whatever numpy thinks of a type from a file
        raise Unreadable("has an array of a type that makes no sense") from None


def _record(names: Any, fields: Any, size: int) -> numpy.dtype[Any]:
    places = dict(fields.pairs if isinstance(fields, Pairs) else ())
    given = {
        "names": list(names),
        "formats": [dtype_of(places[name][0]) for name in names],
        "offsets": [places[name][1] for name in names],
        "itemsize": size,
    }
    return numpy.dtype(given)  # type: ignore[call-overload,no-any-return]


def data_of(node: Any) -> Data:
    """Return the bytes that ``node`` stands for; raises `Unreadable` where it is none."""
    if isinstance(node, bytes):
        return Memory(node).all()
    if isinstance(node, str):
        return Memory(_latin(node)).all()
    if isinstance(node, Long):
        return node.span if node.form != "utf-8" else _from_text(node.span)
    if isinstance(node, Call) and node.args:
        # Protocol 2 and before write bytes as a text of Latin-1.
        if node.is_of("_codecs.encode", "builtins.bytearray", "__builtin__.bytearray"):
            return data_of(node.args[0])
        if node.is_of("__builtin__.bytes", "builtins.bytes", "pickle.PickleBuffer"):
            return data_of(node.args[0])
    if isinstance(node, Call) and node.is_of("__builtin__.bytes", "builtins.bytes"):
        return Memory(b"").all()
    raise Unreadable("has an array whose bytes are not in the file")


def small(node: Any) -> Any:
    """Return the bytes that protocol 2 and before write as a call, where they are short."""
    if isinstance(node, Call) and node.is_of("_codecs.encode") and node.args:
        text = node.args[0]
        if isinstance(text, str) and node.args[1:] in (("latin1",), ()):
            return _latin(text)
    return node


def _latin(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise Unreadable("has an array whose bytes make no sense") from None


def _from_text(span: Span) -> Data:
    """Return bytes that are written as a text of Latin-1 in UTF-8."""

    def made() -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            for piece in span.pieces():
                if part := decoder.decode(piece).encode("latin-1"):
                    yield part
        except UnicodeError:
            raise Unreadable("has an array whose bytes make no sense") from None

    # Two bytes of UTF-8 make one of Latin-1, and there are no others: count the second ones.
    size = 0
    for piece in span.pieces():
        content = numpy.frombuffer(piece, numpy.uint8)
        size += int(numpy.count_nonzero((content & 0xC0) != 0x80))
    return Stream(made, size)


def array_parts(node: Any) -> tuple[numpy.dtype[Any], tuple[int, ...], bool, Any] | None:
    """Return type, shape, whether in Fortran order, and the node of the data; None for no array."""
    if not isinstance(node, Call):
        return None
    if node.is_of(*RECONSTRUCT) and node.states:
        state = node.states[-1]
        if not isinstance(state, tuple) or len(state) < 4:
            return None
        # Version first since numpy 0.9.
        _, shape, dtype, fortran, content = state[-5:] if len(state) > 4 else (1, *state)
        return dtype_of(dtype), shape_of(shape), bool(fortran), content
    if node.is_of(*FROM_BUFFER) and len(node.args) >= 4:
        content, dtype, shape, order = node.args[:4]
        return dtype_of(dtype), shape_of(shape), order == "F", content
    if node.is_of(*SCALAR) and len(node.args) == 2:
        return dtype_of(node.args[0]), (), False, node.args[1]
    return None


def shape_of(node: Any) -> tuple[int, ...]:
    """Return the shape that ``node`` stands for; raises `Unreadable` where it is none."""
    if isinstance(node, Call) and node.is_of("torch.Size") and node.args:
        node = node.args[0]
    if type(node) is int:
        node = (node,)
    if not isinstance(node, tuple | list) or any(type(one) is not int for one in node):
        raise Unreadable("has an array with a shape that makes no sense")
    _tensors.count_of(tuple(node))
    return tuple(node)
