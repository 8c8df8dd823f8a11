"""Tensors made from bytes: types with and without a name in numpy, byte orders and strides."""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from provenance.readers._bytes import Data, Memory, Span
from provenance.readers.model import Tensor, Unreadable

if TYPE_CHECKING:
    from provenance.readers.model import Array

LARGEST_ITEM = 1 << 20
"""Bytes of one element up to which it is read: no real array has strings as long."""

WHOLE = 128 << 20
"""Bytes up to which what is not stored in C order is read at once to be put in order."""

REPEATED = 1 << 26
"""Elements up to which a view may have more elements than bytes are stored for it (expanded)."""

MOST_DIMENSIONS = 64
"""As many as numpy 2 and torch have at most."""


class Encoding(NamedTuple):
    """How elements stand in a file. name: for people. stored: what numpy reads; decode: to values.

    decode is None where what is read are the values.
    """

    name: str
    stored: numpy.dtype[Any]
    decode: Callable[[Array], Array] | None = None


def encoding(dtype: numpy.dtype[Any]) -> Encoding:
    """Return the encoding of numpy's ``dtype``, which is neither structured nor of objects."""
    plain = dtype.kind in "biufc"
    name = dtype.name if plain else dtype.str.lstrip("<>|=").replace("M8", "datetime64")
    if dtype.kind == "m":
        name = dtype.name
    if dtype.itemsize > LARGEST_ITEM:
        raise Unreadable("has elements of %d bytes each" % dtype.itemsize)
    if dtype.kind == "b":
        return Encoding("bool", numpy.dtype("u1"), _as_bool)
    return Encoding(name, dtype, None if dtype.isnative else _in_native_order)


def _as_bool(array: Array) -> Array:
    """Return bools: any byte but zero is true."""
    found: Array = array != 0
    return found


def _in_native_order(array: Array) -> Array:
    return array.astype(array.dtype.newbyteorder("="))


def _from_bfloat16(array: Array) -> Array:
    """Widen: a bfloat16 is the upper half of a float32."""
    return numpy.left_shift(array, 16, dtype=numpy.uint32).view(numpy.float32)


def _from_halves(array: Array) -> Array:
    """Return complex numbers of two half floats each as complex64."""
    return array.view(numpy.float16).astype(numpy.float32).view(numpy.complex64)


def _eight_bits(exponent: int, bias: int, style: str) -> Array:
    """Return the 256 values of a float of eight bits with so many bits of exponent.

    style: "ieee" (the largest exponent is infinity and NaN), "fn" (only all ones is NaN, no
    infinity) or "fnuz" (0x80 is NaN, no infinity, no negative zero). Source: OCP 8-bit Floating
    Point Specification, and ONNX "Float stored in 8 bits" for the last.
    """
    mantissa = 7 - exponent
    values = numpy.empty(256, numpy.float32)
    for code in range(256):
        power, part = (code & 127) >> mantissa, code & ((1 << mantissa) - 1)
        size = part / (1 << mantissa) * 2.0 ** (1 - bias)
        if power:
            size = (1 + part / (1 << mantissa)) * 2.0 ** (power - bias)
        values[code] = -size if code & 128 else size
        if style == "ieee" and power == (1 << exponent) - 1:
            values[code] = numpy.nan if part else numpy.copysign(numpy.inf, values[code])
        if (style == "fn" and code & 127 == 127) or (style == "fnuz" and code == 128):
            values[code] = numpy.nan
    return values


def _by_table(table: Callable[[], Array]) -> Callable[[Array], Array]:
    made: list[Array] = []

    def decode(array: Array) -> Array:
        if not made:
            made.append(table())
        found: Array = made[0][array]
        return found

    return decode


def _powers() -> Array:
    """Return the values of float8_e8m0: powers of two, 255 is NaN (OCP MX specification)."""
    values: Array = numpy.ldexp(numpy.float32(1), numpy.arange(255) - 127)
    return numpy.append(values, numpy.float32(numpy.nan))


FOREIGN = {
    "bfloat16": ("u2", _from_bfloat16),
    "complex32": ("u4", _from_halves),
    "float8_e4m3fn": ("u1", _by_table(lambda: _eight_bits(4, 7, "fn"))),
    "float8_e5m2": ("u1", _by_table(lambda: _eight_bits(5, 15, "ieee"))),
    "float8_e4m3fnuz": ("u1", _by_table(lambda: _eight_bits(4, 8, "fnuz"))),
    "float8_e5m2fnuz": ("u1", _by_table(lambda: _eight_bits(5, 16, "fnuz"))),
    "float8_e8m0fnu": ("u1", _by_table(_powers)),
}
"""Types that numpy has none for: what their bits are read as, and the way to values."""


def foreign(name: str, order: str = "<") -> Encoding:
    """Return the encoding of a type that numpy has no name for."""
    bits, decode = FOREIGN[name]
    stored = numpy.dtype(order + bits)
    if stored.isnative:
        return Encoding(name, stored, decode)
    return Encoding(name, stored, lambda array: decode(_in_native_order(array)))


def count_of(shape: tuple[int, ...]) -> int:
    """Return the number of elements; raises `Unreadable` for what is no shape."""
    count = 1
    if len(shape) > MOST_DIMENSIONS:
        raise Unreadable("has an array of %d dimensions" % len(shape))
    for length in shape:
        if type(length) is not int or length < 0 or length > 1 << 60:
            raise Unreadable("has an array with a shape that makes no sense")
        count *= length
    return count


def tensor(name: str, code: Encoding, shape: tuple[int, ...], data: Data) -> Tensor:
    """Return the tensor whose elements stand in ``data`` in C order."""
    size, wide = count_of(shape), code.stored.itemsize
    if size * wide > data.size:
        text = "is cut short: %s needs %d bytes and has %d"
        raise Unreadable(text % (name or "the array", size * wide, data.size))

    def chunks(most: int) -> Iterator[Array]:
        fill, left, buffers = data.reader(), size, Buffers()
        while left:
            yield _read(fill, code, min(most, left), buffers)
            left -= min(most, left)

    return Tensor(name, code.name, shape, chunks, loader(name, size * wide, shape, chunks, code))


class Buffers:
    """Memory for chunks; what nobody holds any more is taken again.

    Fresh memory for each chunk would be got from the system and given back every time: that takes
    three times as long as reading it. A chunk that somebody keeps is never written over.
    """

    def __init__(self) -> None:
        self._made: list[Array] = []

    def take(self, size: int) -> Array:
        """Return ``size`` bytes."""
        for one in self._made:
            if sys.getrefcount(one) <= ALONE and len(one) >= size:
                return one[:size]
        fresh: Array = numpy.empty(size, numpy.uint8)
        if len(self._made) < MOST_BUFFERS:
            self._made.append(fresh)
        return fresh[:]


def _alone() -> int:
    """Return the number of references to what only a list holds, as `Buffers` counts them."""
    for one in [numpy.empty(1, numpy.uint8)]:
        return sys.getrefcount(one)
    return 0


MOST_BUFFERS = 3
ALONE = _alone()


def _read(
    fill: Callable[[memoryview], None], code: Encoding, count: int, buffers: Buffers
) -> Array:
    wide = code.stored.itemsize
    if wide == 0:
        return numpy.zeros(count, code.stored)
    buffer = buffers.take(count * wide)
    fill(buffer.data)
    array = buffer.view(code.stored)
    return code.decode(array) if code.decode else array


def loader(
    name: str,
    size: int,
    shape: tuple[int, ...],
    chunks: Callable[[int], Iterator[Array]],
    code: Encoding,
) -> Callable[[], Array]:
    def load() -> Array:
        if size > most_memory():
            raise Unreadable("holds more than fits in memory: %s, %d MiB" % (name, size >> 20))
        for whole in chunks(max(1, count_of(shape))):
            return whole.reshape(shape)
        empty = numpy.empty(shape, code.stored)
        return code.decode(empty.reshape(-1)).reshape(shape) if code.decode else empty

    return load


def most_memory() -> int:
    """Return how many bytes one array may take when it is loaded: half of the memory here."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def strided(
    name: str, code: Encoding, shape: tuple[int, ...], strides: tuple[int, ...], data: Data
) -> Tensor:
    """Return the tensor whose elements stand in ``data`` with these ``strides``, in elements."""
    size, wide = count_of(shape), code.stored.itemsize
    if len(strides) != len(shape) or any(type(n) is not int or n < 0 for n in strides):
        raise Unreadable("has an array whose strides make no sense: %s" % name)
    if size == 0 or strides == _c_order(shape) or _same_places(shape, strides):
        return tensor(name, code, shape, data)
    region = 1 + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if region * wide > data.size:
        text = "is cut short: %s needs %d bytes and has %d"
        raise Unreadable(text % (name, region * wide, data.size))
    if size > REPEATED and size > region:
        raise Unreadable("has an array that repeats itself too often: %s" % name)

    def chunks(most: int) -> Iterator[Array]:
        for block in in_step(_blocks(_view(code, shape, strides, region, data), most), most):
            yield code.decode(block) if code.decode else block

    return Tensor(name, code.name, shape, chunks, loader(name, size * wide, shape, chunks, code))


def _c_order(shape: tuple[int, ...]) -> tuple[int, ...]:
    steps, step = [], 1
    for length in reversed(shape):
        steps.append(step)
        step *= length
    return tuple(reversed(steps))


def _same_places(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Return whether only dimensions of length one have other strides than C order has."""
    pairs = zip(shape, strides, _c_order(shape), strict=True)
    return all(length == 1 or step == usual for length, step, usual in pairs)


def _view(
    code: Encoding, shape: tuple[int, ...], strides: tuple[int, ...], region: int, data: Data
) -> Array:
    wide = code.stored.itemsize
    steps = tuple(step * wide for step in strides)
    if region * wide <= WHOLE:
        buffer = numpy.empty(region * wide, numpy.uint8)
        data.reader()(buffer.data)
        whole: Array = numpy.ndarray(shape, code.stored, buffer, 0, steps)
        return whole
    if not isinstance(data, Span) or isinstance(data.store, Memory):
        text = "holds a packed array in another order than C that is larger than %d MiB"
        raise Unreadable(text % (WHOLE >> 20))
    if os.fstat(data.store.fd).st_size < data.start + data.size:
        raise Unreadable("was cut short while it was read")
    first = data.start - data.start % mmap.ALLOCATIONGRANULARITY
    length = data.start - first + region * wide
    mapped = mmap.mmap(data.store.fd, length, access=mmap.ACCESS_READ, offset=first)
    view: Array = numpy.ndarray(shape, code.stored, mapped, data.start - first, steps)
    return view


def _blocks(view: Array, most: int) -> Iterator[Array]:
    """Yield the elements in C order, in blocks of at most ``most``."""
    if view.size <= most:
        yield numpy.ascontiguousarray(view).reshape(-1)
        _let_go(view)
        return
    row = view.size // len(view)
    step = max(1, most // row)
    for start in range(0, len(view), step):
        block = view[start : start + step]
        yield from _blocks(block[0] if row > most else block, most)


def _let_go(view: Array) -> None:
    """Give back the pages of a mapped file: they would count as memory that we use."""
    base: Any = view
    while isinstance(base, numpy.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)


def in_step(blocks: Iterator[Array], most: int) -> Iterator[Array]:
    """Yield the elements of ``blocks``, exactly ``most`` at a time except for the last."""
    waiting: list[Array] = []
    count = 0
    for block in blocks:
        while count + len(block) >= most:
            taken = most - count
            part = block[:taken]
            yield numpy.concatenate([*waiting, part]) if waiting else part
            block, waiting, count = block[taken:], [], 0  # noqa: PLW2901
            if not len(block):
                break
        if len(block):
            waiting.append(block)
            count += len(block)
    if waiting:
        yield numpy.concatenate(waiting)
