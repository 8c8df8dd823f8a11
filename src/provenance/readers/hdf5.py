"""HDF5: plain files, weights of Keras, ``.keras`` models, and MATLAB's ``.mat`` since 7.3.

The library reads the file in a process apart (see `apart`). Arrays that stand in the file in one
piece are then read from it directly. Nothing outside of the file is ever opened: external links,
external storage and virtual datasets are told and left out.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy

from provenance.readers import _tensors, npy
from provenance.readers._bytes import Data, Span, Store, spooled
from provenance.readers._zips import Members
from provenance.readers.apart import Apart, Distant
from provenance.readers.model import Archive, Tensor, Unreadable
from provenance.readers.safetensors import load_json

MAGIC = b"\x89HDF\r\n\x1a\n"
MOST_UNPACKED = 16 << 30
LONGEST_CONFIG = 64 << 20
MISSING = "cannot be read: h5py is not installed; pip install 'prov-run[files]'"


def begins_at(store: Store) -> int | None:
    """Return where HDF5 begins: at 0, 512, 1024, ... (there may be a block of the user before)."""
    place = 0
    while place < min(store.size, 1 << 20):
        if store.read(place, 8) == MAGIC:
            return place
        place = place * 2 or 512
    return None


def read(part: Span, kind: str = "hdf5") -> Archive:
    """Return the arrays of a file under their paths, and its attributes as "path@name"."""
    if importlib.util.find_spec("h5py") is None:
        raise Unreadable(MISSING)
    apart = Apart(part, "_hdf5_child", "HDF5")
    said, _ = apart.ask({"list": True})
    tensors: dict[str, Tensor] = {}
    notes = list(said["notes"])
    for number, one in enumerate(said["arrays"]):
        try:
            for tensor in _tensors_of(apart, part, number, one):
                tensors[tensor.name] = tensor
        except Unreadable as reason:
            notes.append("%s was not read: it %s" % (one["name"], reason))
    return Archive(kind, tensors, said["values"], tuple(notes))


def _tensors_of(apart: Apart, part: Span, number: int, one: dict[str, Any]) -> list[Tensor]:
    descr = _as_descr(one["dtype"])
    dtype = numpy.lib.format.descr_to_dtype(descr)
    shape = tuple(one["shape"])
    size = _tensors.count_of(shape) * dtype.itemsize
    data: Data
    if one["place"] is not None and one["place"] + size <= part.size:
        data = part.part(one["place"], size)
    else:
        data = Distant(apart, number, size, dtype.itemsize)
    if dtype.names is not None:
        return list(npy.fields(one["name"], dtype, shape, data))
    return [npy.plain(one["name"], dtype, shape, False, data)]


def _as_descr(said: Any) -> Any:
    """Return a type as numpy describes it: JSON has lists where tuples should be."""
    if isinstance(said, str):
        return said
    return [(one[0], _as_descr(one[1]), *(tuple(part) for part in one[2:])) for one in said]


def read_keras(members: Members) -> Archive:
    """Return the weights of a ``.keras`` model; its configuration stands in the values.

    Source: keras.io, "Save, serialize, and export models": a zip file of ``config.json``,
    ``metadata.json`` and ``model.weights.h5``.
    """
    data = members.data("model.weights.h5")
    if not isinstance(data, Span):
        data = spooled(data.made(), MOST_UNPACKED)  # type: ignore[attr-defined]
    archive = read(data, "keras")
    values = dict(archive.values)
    for name in ("config.json", "metadata.json"):
        if name in members.names():
            values[name] = load_json(members.content(name, LONGEST_CONFIG))
    return archive._replace(values=values)


def read_mat(store: Store) -> Archive:
    """Return the arrays of a MATLAB file since 7.3, which is HDF5."""
    if begins_at(store) is None:
        raise Unreadable(
            "is a MATLAB file from before 7.3, which is not read; in MATLAB: save -v7.3"
        )
    archive = read(store.all(), "mat")
    note = "MATLAB writes arrays with their dimensions in reverse order"
    return archive._replace(notes=(*archive.notes, note))
