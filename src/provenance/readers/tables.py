"""Tables of Arrow: parquet and feather, which are read in a process apart."""

from __future__ import annotations

import os

from provenance.readers import parquet
from provenance.readers._bytes import open_store
from provenance.readers.model import Table, Unreadable

SUFFIXES = (".parquet", ".pq", ".feather", ".arrow")


def known(name: str) -> bool:
    """Return whether files called so are tables that can be read."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def open_table(path: str) -> Table:
    """Return the table in the file at ``path``.

    Raises `Unreadable`.
    """
    store = open_store(path)
    head = store.read(0, 8)
    if not head:
        raise Unreadable("is empty")
    if head[:4] == b"PAR1":
        return parquet.read(store, "parquet")
    if head[:6] == b"ARROW1" or head[:4] == b"FEA1":
        return parquet.read(store, "feather")
    raise Unreadable("is neither a parquet nor a feather file: it does not begin as one")
