"""What the readers give: named arrays and tables, read piece by piece, and plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]


CHUNK = 1 << 16
"""Elements that are best read at a time: two sides of 512 KiB each stay in a processor's cache.

Measured with benchmarks/checkpoints.py: chunks of 4 MiB take two to four times as long.
"""


class Unreadable(Exception):
    """A file that is not what its name says, or that cannot be read here; the text says why.

    The text is a clause that goes on from the file's name: "is cut short after 12 of 40 bytes".
    """


class Tensor(NamedTuple):
    """One array in a file; nothing of it is read before it is asked for.

    name: as in the file, parts joined by "." (torch, safetensors) or "/" (HDF5, npz). dtype:
    numpy's name, or "bfloat16", "float8_e4m3fn" and the like, which numpy does not have. shape: in
    elements. chunks: yields the elements flat, in C order, exactly so many at a time except for
    the last, so that two tensors of one size stay in step; those that numpy has no type for as
    float32. load: returns the whole in its shape. Both raise `Unreadable`.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    chunks: Callable[[int], Iterator[Array]]
    load: Callable[[], Array]

    @property
    def size(self) -> int:
        """Return the number of elements."""
        count = 1
        for length in self.shape:
            count *= length
        return count


class Archive(NamedTuple):
    """All that one file holds.

    kind: "npz", "npy", "safetensors", "torch", "pickle", "hdf5" ... tensors: by name, in the order
    of the file. values: what else is in it and is plain (JSON-like), by path. notes: sentences on
    what was left out and why.
    """

    kind: str
    tensors: Mapping[str, Tensor]
    values: Mapping[str, Any]
    notes: tuple[str, ...] = ()


Column = Any
"""Some rows of one column: a numpy array of numbers or bools, or a list of text, None, JSON."""


class Table(NamedTuple):
    """Rows and named columns; only as many rows as asked for are held at a time.

    kind: "parquet", "feather". columns: from the name, in the order of the
    file, to the type: numpy's name ("int64", "float64", "bool"), "text", "json", or what the file
    calls it ("timestamp[us]"). A number that is missing is NaN in a column of floats; other
    columns have None. rows: how many. batches: yields the columns by name, exactly so many rows
    at a time except for the last; raises `Unreadable`. notes: as in `Archive`.
    """

    kind: str
    columns: Mapping[str, str]
    rows: int
    batches: Callable[[int], Iterator[Mapping[str, Column]]]
    notes: tuple[str, ...] = ()
