"""Parquet and feather read in the process apart: columns as arrays of numbers or as JSON."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from typing import Any

import numpy

from provenance.readers import _child

MOST_COLUMNS = 100_000


class Reader:
    """One open file and the streams of rows that are being read from it."""

    def __init__(self, part: _child.Part) -> None:
        self.arrow: Any = importlib.import_module("pyarrow")
        self.arrow.set_cpu_count(1)
        self.arrow.set_io_thread_count(1)
        self.path = "/dev/fd/%d" % part.fd
        self.kind = ""
        self.streams: dict[int, Iterator[Any]] = {}

    def __call__(self, asked: dict[str, Any]) -> tuple[Any, Any]:
        """Answer one question."""
        if "open" in asked:
            self.kind = asked["open"]
            return self._opened(), b""
        stream = asked["stream"]
        if stream not in self.streams:
            self.streams[stream] = self._batches(asked["most"])
        batch = next(self.streams[stream], None)
        if batch is None:
            del self.streams[stream]
            return None, b""
        return self._told(batch)

    def _file(self) -> Any:
        # Not mapped: a file that shrinks while it is read must not be a signal.
        opened = open(self.path, "rb")  # noqa: SIM115 - closed with the process
        if self.kind == "parquet":
            return importlib.import_module("pyarrow.parquet").ParquetFile(opened)
        return importlib.import_module("pyarrow.ipc").open_file(opened)

    def _opened(self) -> dict[str, Any]:
        if self.kind == "parquet":
            file = self._file()
            schema, rows = file.schema_arrow, file.metadata.num_rows
        else:
            file = self._file()
            schema = file.schema
            rows = sum(file.get_batch(n).num_rows for n in range(file.num_record_batches))
        names = _unique(list(schema.names))
        types = [self._type(one) for one in schema.types]
        return {"columns": list(zip(names, types, strict=True)), "rows": rows, "notes": []}

    def _type(self, kind: Any) -> str:
        types = self.arrow.types
        if types.is_dictionary(kind):
            return self._type(kind.value_type)
        if types.is_string(kind) or types.is_large_string(kind):
            return "text"
        if types.is_nested(kind) or types.is_null(kind):
            return "json"
        if types.is_boolean(kind):
            return "bool"
        if types.is_floating(kind) or types.is_integer(kind):
            return str(numpy.dtype(kind.to_pandas_dtype()).name)
        return str(kind)

    def _batches(self, most: int) -> Iterator[Any]:
        """Yield tables of exactly ``most`` rows, but for the last."""
        file = self._file()
        waiting: list[Any] = []
        count = 0
        for batch in self._pieces(file, most):
            waiting.append(batch)
            count += batch.num_rows
            while count >= most:
                whole = self.arrow.Table.from_batches(waiting)
                yield whole.slice(0, most)
                rest = whole.slice(most)
                waiting, count = rest.to_batches(), rest.num_rows
        if count:
            yield self.arrow.Table.from_batches(waiting)

    def _pieces(self, file: Any, most: int) -> Iterator[Any]:
        if self.kind == "parquet":
            yield from file.iter_batches(batch_size=most, use_threads=False)
        else:
            for number in range(file.num_record_batches):
                yield file.get_batch(number)

    def _told(self, table: Any) -> tuple[Any, Any]:
        said, parts = [], []
        for name, column in zip(_unique(table.column_names), table.columns, strict=True):
            dtype, part = self._column(column)
            said.append((name, dtype, len(part)))
            parts.append(part)
        return said, b"".join(parts)

    def _column(self, column: Any) -> tuple[str | None, bytes]:
        """Return the type for numpy and the bytes, or None and JSON."""
        types, kind = self.arrow.types, column.type
        if types.is_dictionary(kind):
            column = column.cast(kind.value_type)
            kind = column.type
        floating = types.is_floating(kind)
        number = floating or types.is_integer(kind) or types.is_boolean(kind)
        if number and (floating or column.null_count == 0):
            array = numpy.ascontiguousarray(column.to_numpy())
            array = array.astype(array.dtype.newbyteorder("<"), copy=False)
            return array.dtype.str, array.tobytes()
        values = [_plain(one) for one in column.to_pylist()]
        return None, json.dumps(values).encode()


def _unique(names: list[str]) -> list[str]:
    """Return the names; one that comes twice gets its number."""
    found: dict[str, None] = {}
    for place, name in enumerate(names[:MOST_COLUMNS]):
        found["%s#%d" % (name, place) if name in found else name] = None
    return list(found)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, str | bool | int | float | None) else str(value)


def main() -> None:
    """Serve as the process apart."""
    _child.serve("parquet or feather", Reader)
