"""Checkpoints of torch, read without torch and without unpickling.

Since 1.6 ``torch.save`` writes a zip file: ``data.pkl`` is a pickle (see `pickles`) that refers to
storages, whose bytes stand in ``data/<key>``. Before, pickles and storages followed each other in
one file. Sources: torch.serialization and torch._utils of torch 1.1 to 2.13.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy

from provenance.readers import _tensors, pickles
from provenance.readers._bytes import Data, Span, spooled
from provenance.readers._pickle_arrays import data_of, shape_of
from provenance.readers._pickle_nodes import Call, Name, Pairs, Persistent
from provenance.readers._pickle_told import Special, Told, joined
from provenance.readers._zips import Members, shown
from provenance.readers.model import Archive, Unreadable

MAGIC = 0x1950A86A20F9469CFC6C
LEGACY = MAGIC.to_bytes(10, "little")
"""Stands in the first pickle of the old format."""

PROTOCOL = 1001
LARGEST_PICKLE = 1 << 30
"""Bytes of ``data.pkl``, which has everything but the storages."""

PLAIN = {
    "Double": "f8",
    "Float": "f4",
    "Half": "f2",
    "Long": "i8",
    "Int": "i4",
    "Short": "i2",
    "Char": "i1",
    "Byte": "u1",
    "Bool": "?",
    "ComplexDouble": "c16",
    "ComplexFloat": "c8",
    "UInt16": "u2",
    "UInt32": "u4",
    "UInt64": "u8",
    "QInt8": "i1",
    "QUInt8": "u1",
    "QInt32": "i4",
    "float64": "f8",
    "double": "f8",
    "float32": "f4",
    "float": "f4",
    "float16": "f2",
    "half": "f2",
    "int64": "i8",
    "long": "i8",
    "int32": "i4",
    "int": "i4",
    "int16": "i2",
    "short": "i2",
    "int8": "i1",
    "uint8": "u1",
    "uint16": "u2",
    "uint32": "u4",
    "uint64": "u8",
    "bool": "?",
    "complex128": "c16",
    "complex64": "c8",
    "qint8": "i1",
    "quint8": "u1",
    "qint32": "i4",
    "Untyped": "u1",
}
"""Names of storages (without "Storage") and of dtypes, and what numpy reads them as."""

OTHER = {
    "BFloat16": "bfloat16",
    "ComplexHalf": "complex32",
    "chalf": "complex32",
    **{one: one for one in _tensors.FOREIGN},
}


SPARSE_ROWS = ("compressed_indices", "plain_indices", "values", "size")
SPARSE = {
    "torch.sparse_coo": ("indices", "values", "size", "is_coalesced"),
    "torch.sparse_csr": ("crow_indices", "col_indices", "values", "size"),
    "torch.sparse_csc": ("ccol_indices", "row_indices", "values", "size"),
}
"""Parts of a sparse tensor in the order in which they are saved, under torch's names."""


class Storage(NamedTuple):
    """The elements that views share. kind: name of the type as in `PLAIN`; start: in elements."""

    kind: str
    data: Data
    start: int = 0


Find = Callable[[Persistent], Storage]


def is_checkpoint(members: Members) -> bool:
    """Return whether a zip file was written by ``torch.save`` or ``torch.jit.save``."""
    return any(name.endswith("/data.pkl") or name == "data.pkl" for name in members.names())


def from_members(members: Members) -> Archive:
    """Return the tensors of a checkpoint that is a zip file."""
    names = frozenset(members.names())
    main = min((n for n in names if n.rpartition("/")[2] == "data.pkl"), key=len, default=None)
    if main is None:
        raise Unreadable("is a zip file without data.pkl: no checkpoint of torch")
    base = main[: -len("data.pkl")]
    order = ">" if base + "byteorder" in names and _big(members, base + "byteorder") else "<"

    def find(reference: Persistent) -> Storage:
        kind, key, _ = _referred(reference)
        for place in ("%sdata/%s" % (base, key), "%sconstants/%s" % (base, key)):
            if place in names:
                return Storage(kind, members.data(place))
        raise Unreadable("has no bytes for the storage %s" % shown(str(key)))

    data = members.data(main)
    if data.size > LARGEST_PICKLE:
        raise Unreadable("has a pickle of more than %d MiB" % (LARGEST_PICKLE >> 20))
    node, _ = pickles.read(_in_place(data))
    return _archive(node, find, order)


def _big(members: Members, name: str) -> bool:
    return members.content(name, 64).strip() == b"big"


def _in_place(data: Data) -> Span:
    if isinstance(data, Span):
        return data
    return spooled(data.made(), LARGEST_PICKLE)  # type: ignore[attr-defined]


def from_legacy(span: Span) -> Archive:
    """Return the tensors of a checkpoint of the format before torch 1.6."""
    node, find, order = legacy(span)
    return _archive(node, find, order)


def legacy(span: Span) -> tuple[Any, Find, str]:
    """Return the node that was saved, the way to its storages, and the order of their bytes."""
    magic, place = pickles.read(span)
    if magic != MAGIC:
        raise Unreadable("is no checkpoint of torch: it does not begin as one")
    version, place = pickles.read(span, place)
    if version != PROTOCOL:
        raise Unreadable("is a checkpoint of a protocol that is not known")
    system, place = pickles.read(span, place)
    said = dict(system.pairs) if isinstance(system, Pairs) else {}
    order = "<" if said.get("little_endian", True) else ">"
    node, place = pickles.read(span, place)
    keys, place = pickles.read(span, place)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise Unreadable("is a damaged checkpoint: its list of storages makes no sense")
    return node, _LegacyStorages(span, node, keys, place, order), order


class _LegacyStorages:
    """Storages that follow each other: where one stands is known once those before it are."""

    def __init__(self, span: Span, node: Any, keys: list[str], place: int, order: str) -> None:
        kinds = _kinds(node)
        self._found: dict[str, Data] = {}
        for key in keys:
            (count,) = struct.unpack(order + "q", span.part(place, 8).read(0, 8))
            place += 8
            wide = _wide(kinds[key]) if key in kinds else 1
            if count < 0 or count * wide > span.size - place:
                raise Unreadable("is cut short: the storage %s is not whole" % shown(key))
            self._found[key] = span.part(place, count * wide)
            place += count * wide

    def __call__(self, reference: Persistent) -> Storage:
        """Return the storage, or the part of it that a view is."""
        kind, key, view = _referred(reference)
        if key not in self._found:
            raise Unreadable("has no bytes for the storage %s" % shown(str(key)))
        start = view[1] if isinstance(view, tuple) and len(view) == 3 else 0
        return Storage(kind, self._found[key], start if type(start) is int else 0)


def _kinds(node: Any) -> dict[str, str]:
    """Return the type of every storage that is referred to below ``node``."""
    found: dict[str, str] = {}
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str | bytes | int | float | None) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Persistent):
            pid = one.pid
            if isinstance(pid, tuple) and len(pid) >= 3 and pid[0] == "storage":
                kind, key, _ = _referred(one)
                found[key] = kind
            waiting.append(pid)
        elif isinstance(one, list | tuple):
            waiting.extend(one)
        elif isinstance(one, Pairs):
            waiting.extend(part for pair in one.pairs for part in pair)
        elif isinstance(one, Call):
            waiting.extend((one.made_by, *one.args, one.kwargs, *one.states, *one.items))
            waiting.extend(part for pair in one.pairs for part in pair)
    return found


def _referred(reference: Persistent) -> tuple[str, str, Any]:
    """Return the type, the key and the view of the storage that is referred to."""
    pid = reference.pid
    if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":
        raise Unreadable("refers to something that is no storage")
    kind, key = pid[1], pid[2]
    if not isinstance(kind, Name) or not isinstance(key, str):
        raise Unreadable("refers to a storage in a way that is not known")
    return kind.name.removesuffix("Storage"), key, pid[5] if len(pid) > 5 else None


def _wide(kind: str) -> int:
    return _encoding(kind, "<").stored.itemsize


def _encoding(kind: str, order: str) -> _tensors.Encoding:
    if kind in PLAIN:
        code = _tensors.encoding(numpy.dtype(order + PLAIN[kind].replace("?", "b1")))
        quantised = kind.lower() if kind[:1] in "qQ" else code.name
        return code._replace(name=quantised)
    if kind in OTHER:
        return _tensors.foreign(OTHER[kind], order)
    raise Unreadable("has a type that is not known, torch's %s" % shown(kind))


def _archive(node: Any, find: Find, order: str) -> Archive:
    told = Told(special(find, order))
    told.walk("", node)
    return Archive("torch", told.tensors, told.values, tuple(told.notes))


def special(find: Find, order: str = "<") -> Special:
    """Return what tells things of torch; ``find`` leads to the storages that are referred to."""
    return lambda told, path, node, depth: _special(told, path, node, depth, find, order)


def nowhere(_: Persistent) -> Storage:
    """Find no storage: a plain pickle has none beside it."""
    raise Unreadable("refers to a storage that is not in the file")


def _special(told: Told, path: str, node: Any, depth: int, find: Find, order: str) -> bool:
    """Tell tensors, parameters, storages and modules of torch."""
    if isinstance(node, Persistent):
        storage = find(node)
        code = _encoding(storage.kind, order)
        shape = (storage.data.size // max(1, code.stored.itemsize),)
        told.add(_tensors.tensor(path, code, shape, storage.data))
        return True
    if not isinstance(node.made_by, Name):
        return False
    name, args = node.made_by.name, node.args
    if node.made_by.module == "torch._utils" and name.startswith("_rebuild_"):
        return _rebuilt(told, path, name, args, depth, find, order)
    if node.is_of("torch.Size") and args:
        told.walk(path, args[0], depth + 1)
        return True
    if node.is_of("torch._tensor._rebuild_from_type_v2") and len(args) >= 3:
        told.walk(path, Call(args[0], args[2]), depth + 1)
        return True
    return _module(told, path, node, depth)


def _rebuilt(
    told: Told, path: str, name: str, args: tuple[Any, ...], depth: int, find: Find, order: str
) -> bool:
    if name in ("_rebuild_parameter", "_rebuild_parameter_with_state") and args:
        told.walk(path, args[0], depth + 1)
        return True
    if name == "_rebuild_device_tensor_from_numpy" and args:
        told.walk(path, args[0], depth + 1)
        return True
    if name == "_rebuild_sparse_tensor" and len(args) == 2 and isinstance(args[1], tuple):
        layout = args[0].args[0] if isinstance(args[0], Call) and args[0].args else None
        told.values[joined(path, "layout")] = layout if isinstance(layout, str) else None
        for part, node in zip(SPARSE.get(str(layout), SPARSE_ROWS), args[1], strict=False):
            told.walk(joined(path, part), node, depth + 1)
        return True
    strided = ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_qtensor")
    if name not in strided or len(args) < 4:
        return False
    if isinstance(args[0], Persistent):
        storage = find(args[0])
    elif isinstance(args[0], Call) and args[0].is_of("torch.storage._load_from_bytes"):
        storage, order = _within(args[0])
    else:
        return False
    offset, shape = args[1], shape_of(args[2])
    kind = args[6].name if name.endswith("v3") and isinstance(args[6], Name) else storage.kind
    code = _encoding(kind, order)
    if type(offset) is not int or offset < 0 or storage.start < 0:
        raise Unreadable("has a tensor at a place that makes no sense")
    begin = (offset + storage.start) * code.stored.itemsize
    data = _from(storage.data, begin)
    told.add(_tensors.strided(path, code, shape, tuple(shape_of(args[3])), data))
    if name == "_rebuild_qtensor":
        told.walk(joined(path, "quantizer"), args[4], depth + 1)
    return True


def _within(call: Call) -> tuple[Storage, str]:
    """Return the storage that a plain pickle holds as a whole file of the old format."""
    data = data_of(call.args[0] if call.args else None)
    if not isinstance(data, Span):
        data = spooled(data.made(), LARGEST_PICKLE)  # type: ignore[attr-defined]
    node, find, order = legacy(data)
    if not isinstance(node, Persistent):
        raise Unreadable("has a storage that makes no sense")
    return find(node), order


def _from(data: Data, begin: int) -> Data:
    """Return ``data`` from the byte ``begin`` on."""
    if begin > data.size:
        raise Unreadable("is cut short: a tensor stands after the end of its storage")
    if begin == 0:
        return data
    if isinstance(data, Span):
        return data.part(begin, data.size - begin)
    return _Later(data, begin)


class _Later(NamedTuple):
    """Data that begin later in other data."""

    data: Data
    begin: int

    @property
    def size(self) -> int:
        """Return how many bytes there are."""
        return self.data.size - self.begin

    def reader(self, start: int = 0) -> Callable[[memoryview], None]:
        """Return what gives the bytes from ``start`` on."""
        return self.data.reader(self.begin + start)


def _module(told: Told, path: str, node: Call, depth: int) -> bool:
    """Tell a whole module under the names that its ``state_dict`` would have."""
    state = node.states[-1] if node.states else None
    if not isinstance(state, Pairs):
        return False
    parts = {key: value for key, value in state.pairs if isinstance(key, str)}
    if "_parameters" not in parts or "_modules" not in parts:
        return False
    assert isinstance(node.made_by, Name)
    told.values[joined(path, "__class__")] = node.made_by.dotted
    for key in ("_parameters", "_buffers", "_modules"):
        if key in parts:
            told.walk(path, parts[key], depth + 1)
    for key, value in parts.items():
        if not key.startswith("_") and not (isinstance(value, Pairs) and not value.pairs):
            told.walk(joined(path, key), value, depth + 1)
    return True
