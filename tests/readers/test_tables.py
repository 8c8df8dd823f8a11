"""Files that are no table of Arrow."""

from __future__ import annotations

from pathlib import Path

import pytest

from provenance.readers.model import Unreadable
from provenance.readers.tables import open_table
from tests.readers.test_arrays import put


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.parquet", b"", "is empty"),
        ("a.parquet", b"not parquet", "is neither a parquet nor a feather file"),
        ("a.feather", b"a,b\n1,2\n", "is neither a parquet nor a feather file"),
    ],
)
def test_what_is_no_table_is_one_sentence(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    with pytest.raises(Unreadable, match=reason):
        open_table(put(tmp_path, name, content))
