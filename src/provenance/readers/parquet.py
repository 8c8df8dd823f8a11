"""Parquet and feather: read by Arrow in a process apart (see `apart`)."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Mapping
from typing import Any

from provenance.readers._bytes import Store
from provenance.readers.apart import Apart
from provenance.readers.model import Column, Table, Unreadable

NAMES = {"parquet": "parquet", "feather": "feather"}


def read(store: Store, kind: str) -> Table:
    """Return the table; raises `Unreadable`, also where pyarrow is not installed."""
    if importlib.util.find_spec("pyarrow") is None:
        raise Unreadable("cannot be read: pyarrow is not installed; pip install 'prov-run[files]'")
    apart = Apart(store.all(), "_arrow_child", NAMES[kind])
    said, _ = apart.ask({"open": kind})
    types = dict(said["columns"])
    streams = iter(range(1 << 62))

    def batches(most: int) -> Iterator[Mapping[str, Column]]:
        stream = next(streams)
        while True:
            answer, content = apart.ask({"stream": stream, "most": most})
            if answer is None:
                return
            yield _columns(answer, memoryview(content))

    return Table(kind, types, said["rows"], batches, tuple(said["notes"]))


def _columns(answer: list[Any], content: memoryview) -> dict[str, Column]:
    """Return the columns: what the answer says of each, or its bytes."""
    import numpy  # slow to load, and most comparisons need none

    found: dict[str, Column] = {}
    place = 0
    for name, dtype, what in answer:
        part = content[place : place + what]
        place += what
        if dtype is None:
            found[name] = json.loads(bytes(part))
        else:
            found[name] = numpy.frombuffer(part, numpy.dtype(dtype))
    return found
