"""HDF5 read in the process apart: what is in the file, and blocks of its arrays."""

from __future__ import annotations

import importlib
import math
import os
from typing import Any

import numpy

from provenance.readers import _child
from provenance.readers.model import Unreadable

CACHE = 32 << 20
"""Bytes of unpacked chunks that the library keeps for the array that is open."""

MOST_OBJECTS = 200_000
MOST_TEXTS = 10_000
LONGEST_TEXT = 1 << 20
MOST_NOTES = 50


class Reader:
    """One open file. paths: of the arrays in the order in which they were told.

    Only one array is open at a time: each has a cache of its own.
    """

    def __init__(self, part: _child.Part) -> None:
        self.h5py: Any = importlib.import_module("h5py")
        # The library wants a name; what was unpacked into a temporary file has none any more.
        named = part.whole and os.fstat(part.fd).st_nlink
        place: Any = "/dev/fd/%d" % part.fd if named else part
        self.file = self.h5py.File(place, "r", rdcc_nbytes=CACHE)
        self.paths: list[str] = []
        self.opened: tuple[int, Any] = (-1, None)
        self.told: list[dict[str, Any]] = []
        self.values: dict[str, Any] = {}
        self.notes: list[str] = []

    def __call__(self, asked: dict[str, Any]) -> tuple[Any, Any]:
        """Answer one question."""
        if "list" in asked:
            self._walk()
            said = {"arrays": self.told, "values": self.values, "notes": self.notes[:MOST_NOTES]}
            return said, b""
        if self.opened[0] != asked["array"]:
            self.opened = (-1, None)
            self.opened = (asked["array"], self.file[self.paths[asked["array"]]])
        block = _flat(self.opened[1], asked["start"], asked["count"])
        return None, numpy.ascontiguousarray(block).view(numpy.uint8)

    def _walk(self) -> None:
        self._attributes("", self.file)
        seen = {self._place(self.file)}
        waiting = [("", self.file)]
        while waiting:
            path, group = waiting.pop(0)
            for name in group:
                if len(seen) > MOST_OBJECTS:
                    raise Unreadable("holds more than %d arrays and groups" % MOST_OBJECTS)
                whole = "%s/%s" % (path, name) if path else name
                found = self._one(whole, group, name, seen)
                if found is not None:
                    waiting.append((whole, found))

    def _one(self, path: str, group: Any, name: str, seen: set[Any]) -> Any:
        """Tell what is called ``name`` in ``group``; return it where it is a group itself."""
        link = group.get(name, getlink=True)
        if not isinstance(link, self.h5py.HardLink):
            what = "a soft link" if isinstance(link, self.h5py.SoftLink) else "an external link"
            self.notes.append("%s is %s, which is not followed" % (path, what))
            return None
        try:
            found = group[name]
            place = self._place(found)
            if place in seen:
                return None
            seen.add(place)
            self._attributes(path, found)
            if isinstance(found, self.h5py.Dataset):
                self._array(path, found)
            elif isinstance(found, self.h5py.Group):
                return found
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - one broken array must not hide the others
            self.notes.append("%s was not read: %s" % (path, str(error).split("\n", 1)[0][:200]))
        return None

    def _place(self, found: Any) -> Any:
        info = self.h5py.h5o.get_info(found.id)
        return (info.fileno, info.addr)

    def _array(self, path: str, dataset: Any) -> None:
        dtype = dataset.dtype
        plan = dataset.id.get_create_plist()
        if dataset.shape is None:
            self.values[path] = None
        elif dataset.is_virtual:
            self.notes.append("%s is virtual: its data stand in other files" % path)
        elif plan.get_external_count():
            self.notes.append("%s has its data in another file" % path)
        elif dtype.hasobject:
            self._texts(path, dataset)
        else:
            descr = numpy.lib.format.dtype_to_descr(_without_metadata(dtype))
            one = {"name": path, "dtype": descr, "shape": dataset.shape, "place": None}
            if dataset.chunks is None and plan.get_nfilters() == 0 and dtype.kind != "b":
                one["place"] = dataset.id.get_offset()
            self.told.append(one)
            self.paths.append(path)

    def _texts(self, path: str, dataset: Any) -> None:
        """Tell texts of any length as plain values; other objects (references) are left out."""
        text = self.h5py.check_string_dtype(dataset.dtype)
        if text is None or dataset.size > MOST_TEXTS:
            self.notes.append("%s holds objects or many texts and was not read" % path)
            return
        self.values[path] = _plain(dataset[()])

    def _attributes(self, path: str, found: Any) -> None:
        for name in list(found.attrs)[:MOST_TEXTS]:
            try:
                value = _plain(found.attrs[name])
            except MemoryError:
                raise
            except Exception:  # noqa: BLE001 - an attribute of a type that h5py does not know
                value = None
            self.values["%s@%s" % (path, name)] = value


def _without_metadata(dtype: Any) -> Any:
    """Return ``dtype`` without h5py's remarks; an enumeration becomes its integers."""
    if dtype.names is not None:
        parts: Any = {
            "names": list(dtype.names),
            "formats": [_without_metadata(dtype[name]) for name in dtype.names],
            "offsets": [dtype.fields[name][1] for name in dtype.names],
            "itemsize": dtype.itemsize,
        }
        return numpy.dtype(parts)
    if dtype.subdtype is not None:
        return numpy.dtype((_without_metadata(dtype.subdtype[0]), dtype.subdtype[1]))
    return numpy.dtype(dtype.str)


def _plain(value: Any) -> Any:
    """Return a text, number, bool, or a list of such."""
    if isinstance(value, bytes):
        return value[:LONGEST_TEXT].decode("utf-8", "backslashreplace")
    if isinstance(value, str):
        return value[:LONGEST_TEXT].encode("utf-8", "backslashreplace").decode()
    if isinstance(value, numpy.ndarray):
        if value.size > MOST_TEXTS:
            return "%d values" % value.size
        return [_plain(one) for one in value.reshape(-1).tolist()]
    if isinstance(value, numpy.generic):
        return _plain(value.item())
    return value if isinstance(value, bool | int | float | None) else str(value)[:200]


def _flat(dataset: Any, start: int, count: int) -> Any:
    """Return so many elements in C order from ``start`` on: whole rows are read and cut."""
    shape = dataset.shape
    if not shape:
        return numpy.array(dataset[()], dataset.dtype).reshape(1)
    parts = []
    while count > 0:
        index: list[int] = []
        rest, axis = start, 0
        row = math.prod(shape[1:])
        # Go down to the dimension of which some whole rows are wanted.
        while axis < len(shape) - 1 and (count < row or rest % row):
            if count >= row and rest % row == 0:
                break
            index.append(rest // row)
            rest %= row
            axis += 1
            row = math.prod(shape[axis + 1 :])
        first = rest // row
        last = min(shape[axis], first + max(1, count // row))
        block = dataset[_place(index, first, last)].reshape(-1)
        taken = block[:count]
        parts.append(taken)
        start += len(taken)
        count -= len(taken)
    return parts[0] if len(parts) == 1 else numpy.concatenate(parts)


def _place(index: list[int], first: int, last: int) -> tuple[Any, ...]:
    return (*index, slice(first, last))


def main() -> None:
    """Serve as the process apart."""
    _child.serve("HDF5", Reader)
