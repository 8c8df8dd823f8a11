"""Arrays of numpy: ``.npy``, and ``.npz``, which is a zip file of them.

The header is read here, not by numpy: arrays of Python objects are pickles and are not read. An
array of records becomes one tensor per field. Source of the format: numpy, "A simple file format
for NumPy arrays" (NEP 1, and versions 2 and 3 in numpy.lib.format).
"""

from __future__ import annotations

import ast
import struct
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy

from provenance.readers import _tensors
from provenance.readers._bytes import Data, Stream, open_store
from provenance.readers._zips import Members, one_line, shown
from provenance.readers.model import Archive, Tensor, Unreadable

if TYPE_CHECKING:
    from provenance.readers.model import Array

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 1 << 18
"""Bytes; a header of records with a thousand fields has some ten thousand."""


def read_npy(path: str) -> Archive:
    """Return the one array of an ``.npy`` file, or its fields; its name is empty."""
    tensors, notes = member("", open_store(path).all())
    return Archive("npy", {one.name: one for one in tensors}, {}, notes)


def from_members(members: Members) -> Archive:
    """Return the arrays among the members of a zip file."""
    tensors: dict[str, Tensor] = {}
    notes: list[str] = []
    for name in members.names():
        if not name.endswith(".npy"):
            notes.append("%s is not an array and was not read" % shown(name))
            continue
        found, said = member(name[:-4], members.data(name))
        tensors.update((one.name, one) for one in found)
        notes += said
    return Archive("npz", tensors, {}, tuple(notes))


def member(name: str, data: Data) -> tuple[list[Tensor], tuple[str, ...]]:
    """Return the tensors of one array in npy format, and what was left out."""
    start, dtype, fortran, shape = _header(data)
    rest = _after(data, start)
    if dtype.hasobject:
        what = shown(name) or "the array"
        return [], ("%s holds Python objects (a pickle) and was not read" % what,)
    if dtype.names is not None:
        return list(fields(name, dtype, shape, rest)), ()
    return [plain(name, dtype, shape, fortran, rest)], ()


def plain(
    name: str, dtype: numpy.dtype[Any], shape: tuple[int, ...], fortran: bool, data: Data
) -> Tensor:
    """Return the tensor of an array whose elements are no records, in either order."""
    code = _tensors.encoding(dtype)
    if not fortran or len(shape) < 2:
        return _tensors.tensor(name, code, shape, data)
    strides, step = [], 1
    _tensors.count_of(shape)
    for length in shape:
        strides.append(step)
        step *= length
    return _tensors.strided(name, code, shape, tuple(strides), data)


def fields(
    name: str, dtype: numpy.dtype[Any], shape: tuple[int, ...], data: Data
) -> Iterator[Tensor]:
    """Yield one tensor per field of an array of records, also of records in records."""
    _tensors.count_of(shape)
    records = _tensors.tensor(name, _tensors.Encoding("", dtype), shape, data)
    if dtype.itemsize > _tensors.LARGEST_ITEM:
        raise Unreadable("has records of %d bytes each" % dtype.itemsize)
    for path, inner in _leaves(dtype, ()):
        base, more = inner.subdtype or (inner, ())
        code = _tensors.encoding(base)
        whole = (*shape, *more)
        yield _field("/".join((name, *path)).lstrip("/"), records, path, code, whole, more)


def _leaves(
    dtype: numpy.dtype[Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], numpy.dtype[Any]]]:
    for field in dtype.names or ():
        inner = dtype[field]
        if inner.names is not None:
            yield from _leaves(inner, (*path, field))
        else:
            yield (*path, field), inner


def _field(
    name: str,
    records: Tensor,
    path: tuple[str, ...],
    code: _tensors.Encoding,
    shape: tuple[int, ...],
    more: tuple[int, ...],
) -> Tensor:
    each = max(1, _tensors.count_of(more))

    def blocks(most: int) -> Iterator[Array]:
        if not _tensors.count_of(shape):
            return
        for block in records.chunks(max(1, most // each)):
            part = block
            for field in path:
                part = part[field]
            part = numpy.ascontiguousarray(part).reshape(-1)
            # Encodings such as bool read their bytes as another type.
            part = part.view(code.stored) if code.stored.itemsize else part
            yield code.decode(part) if code.decode else part

    def chunks(most: int) -> Iterator[Array]:
        return _tensors.in_step(blocks(most), most)

    size = _tensors.count_of(shape) * code.stored.itemsize
    return Tensor(name, code.name, shape, chunks, _tensors.loader(name, size, shape, chunks, code))


def _after(data: Data, start: int) -> Data:
    if hasattr(data, "part"):
        rest: Data = data.part(start, data.size - start)
        return rest

    def made() -> Iterator[bytes]:
        left = start
        for piece in data.made():  # type: ignore[attr-defined]
            if left < len(piece):
                yield piece[left:]
            left = max(0, left - len(piece))

    return Stream(made, data.size - start)


def _header(data: Data) -> tuple[int, numpy.dtype[Any], bool, tuple[int, ...]]:
    """Return where the data begin, their type, whether in Fortran order, and their shape."""
    fill = data.reader()

    def take(size: int) -> bytes:
        if size > data.size:
            raise Unreadable("is cut short in the header of an array")
        buffer = bytearray(size)
        fill(memoryview(buffer))
        return bytes(buffer)

    if data.size < 10:
        raise Unreadable("is not an array in npy format: it has %d bytes" % data.size)
    begin = take(8)
    if begin[:6] != MAGIC:
        raise Unreadable("is not an array in npy format")
    if begin[6] not in (1, 2, 3):
        raise Unreadable("is of npy format version %d, which is not known" % begin[6])
    wide = 2 if begin[6] == 1 else 4
    (length,) = struct.unpack("<H" if wide == 2 else "<I", take(wide))
    if length > LONGEST_HEADER:
        raise Unreadable("has an array with a header of %d bytes" % length)
    text = take(length).decode("utf-8" if begin[6] == 3 else "latin-1", "replace")
    return (8 + wide + length, *_said(text))


def _said(text: str) -> tuple[numpy.dtype[Any], bool, tuple[int, ...]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = ast.literal_eval(text.strip(" \0\n"))
            descr, fortran, shape = said["descr"], said["fortran_order"], said["shape"]
            dtype = numpy.lib.format.descr_to_dtype(descr)
    except (MemoryError, RecursionError):
        raise Unreadable("has an array with a header that is nested too deep") from None
    except Exception as error:  # noqa: BLE001 - whatever numpy thinks of a type from a file
        text = "has an array with a header that makes no sense: %s"
        raise Unreadable(text % one_line(error)) from None
    if not isinstance(shape, tuple) or not isinstance(dtype, numpy.dtype):
        raise Unreadable("has an array with a header that makes no sense")
    _tensors.count_of(shape)
    return dtype, fortran is True, shape
