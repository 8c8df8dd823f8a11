"""Which reader a table needs: CSV, TSV and JSON lines are read here, parquet and feather apart."""

from __future__ import annotations

import os

from provenance.readers import _jsonl, csvs, parquet
from provenance.readers._bytes import open_store
from provenance.readers.model import Table, Unreadable

SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
}


def known(name: str) -> bool:
    """Return whether files called so are tables that can be read."""
    return _kind(name) is not None


def _kind(name: str) -> str | None:
    lower = name.lower().removesuffix(".gz")
    kind = SUFFIXES.get(os.path.splitext(lower)[1])
    return None if lower != name.lower() and kind in ("parquet", "feather") else kind


def open_table(path: str, name: str | None = None) -> Table:
    """Return the table in the file at ``path``.

    name: as the file was called, where ``path`` is a copy under another name. The rows are counted
    and the types found by one reading, but not kept. Raises `Unreadable`.
    """
    store = open_store(path)
    head = store.read(0, 8)
    if not head:
        raise Unreadable("is empty")
    kind = _kind(name or path)
    if head[:4] == b"PAR1":
        return parquet.read(store, "parquet")
    if head[:6] == b"ARROW1" or head[:4] == b"FEA1":
        return parquet.read(store, "feather")
    if kind in ("parquet", "feather"):
        raise Unreadable("is not a %s file: it does not begin as one" % kind)
    if kind == "jsonl":
        return _jsonl.read(store)
    return csvs.read(store, kind or "csv")
