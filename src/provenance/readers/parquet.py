"""Parquet and feather: read by Arrow in a process apart (see `apart`)."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy

from provenance.readers._bytes import Store
from provenance.readers.apart import Apart
from provenance.readers.model import Table, Unreadable

NAMES = {"parquet": "parquet", "feather": "feather"}


def read(store: Store, kind: str) -> Table:
    """Return the table; raises `Unreadable`, also where pyarrow is not installed."""
    if importlib.util.find_spec("pyarrow") is None:
        raise Unreadable("cannot be read: pyarrow is not installed; pip install 'prov-run[files]'")
    apart = Apart(store, "_arrow_child", NAMES[kind])
    said, _ = apart.ask({"open": kind})
    types = {name: type_ for name, type_ in said["columns"]}
    streams = iter(range(1 << 62))

    def batches(most: int) -> Iterator[Mapping[str, Sequence[Any]]]:
        stream = next(streams)
        while True:
            answer, content = apart.ask({"stream": stream, "most": most})
            if answer is None:
                return
            yield _columns(answer, memoryview(content))

    return Table(kind, types, said["rows"], batches, tuple(said["notes"]))


def _columns(answer: list[Any], content: memoryview) -> dict[str, Sequence[Any]]:
    """Return the columns: what the answer says of each, or its bytes."""
    found: dict[str, Sequence[Any]] = {}
    place = 0
    for name, dtype, what in answer:
        part = content[place : place + what]
        place += what
        if dtype is None:
            found[name] = json.loads(bytes(part))
        else:
            found[name] = numpy.frombuffer(part, numpy.dtype(dtype))
    return found
