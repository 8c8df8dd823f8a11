"""CSV and JSON lines: separator, header, types, and what is missing."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.readers.model import Table, Unreadable
from provenance.readers.tables import known, open_table
from tests.readers import recipes
from tests.readers.test_arrays import put


def rows(table: Table, most: int = 2) -> dict[str, list[Any]]:
    read: dict[str, list[Any]] = {name: [] for name in table.columns}
    for batch in table.batches(most):
        for name, column in batch.items():
            read[name].extend(column.tolist() if isinstance(column, np.ndarray) else column)
    return read


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_types_header_quotes_and_codes(tmp_path: Path, name: str) -> None:
    content = gzip.compress(recipes.CSV) if name.endswith("gz") else recipes.CSV
    table = open_table(put(tmp_path, name, content))
    assert table.kind == "csv"
    assert table.rows == 3
    assert dict(table.columns) == {
        "id": "int64",
        "name": "text",
        "x": "float64",
        "flag": "bool",
        "code": "text",
    }
    read = rows(table)
    assert read["id"] == [1, 2, 3]
    assert read["name"] == ["a,b", "c", "d\ne"]
    assert np.array_equal(read["x"], [0.5, np.nan, np.nan], equal_nan=True)
    assert read["flag"] == [True, False, True]
    assert read["code"] == ["007", "008", "009"]


@pytest.mark.parametrize(
    ("content", "columns", "count"),
    [
        (b"1,2\n3,4\n", {"0": "int64", "1": "int64"}, 2),
        (b"a;b\n1,5;x\n2,5;y\n", {"a": "text", "b": "text"}, 2),
        (b"a\tb\n1\t2\n", {"a": "int64", "b": "int64"}, 1),
        (b"name,2019,2020\nx,1,2\n", {"name": "text", "2019": "int64", "2020": "int64"}, 1),
        (b"id,2019\n1,2\n", {"id": "int64", "2019": "int64"}, 1),
        (b"x,y\nlow,1\nhigh,2\n", {"x": "text", "y": "int64"}, 2),
        (b"\xef\xbb\xbfa,b\n1,2\n", {"a": "int64", "b": "int64"}, 1),
        ("a,b\n1,ü\n".encode("utf-16"), {"a": "int64", "b": "text"}, 1),
        (b"a,a,\n1,2,3\n", {"a": "int64", "a#1": "int64", "column 2": "int64"}, 1),
        (b"yes,yes\nno,yes\n", {"0": "text", "1": "text"}, 2),
        (b",0,1\nx,5,6\n", {"column 0": "text", "0": "int64", "1": "int64"}, 1),
        (b"x,0.5,1\ny,5,6\n", {"0": "text", "1": "float64", "2": "int64"}, 2),
        (b"value\n1\n\n2\n", {"value": "int64"}, 2),
        (b"a,b\n1,\n,2\n", {"a": "float64", "b": "float64"}, 2),
        (b"n\n123456789012345678901\n", {"n": "text"}, 1),
        (b"n\n1e3\n1_000\n", {"n": "text"}, 2),
        (b"a,b\r\n1,2\r\n", {"a": "int64", "b": "int64"}, 1),
    ],
)
def test_what_people_write(
    tmp_path: Path, content: bytes, columns: dict[str, str], count: int
) -> None:
    table = open_table(put(tmp_path, "a.csv", content))
    assert dict(table.columns) == columns
    assert table.rows == count


def test_rows_of_another_width_are_told(tmp_path: Path) -> None:
    table = open_table(put(tmp_path, "a.csv", b"a,b\n1,2\n3\n4,5,6\n7,8\n"))
    assert table.notes == ("row 2 has 1 cells instead of 2", "row 3 has 3 cells instead of 2")
    assert rows(table)["a"] == [1, 3, 4, 7]


def test_bytes_that_are_no_text_stay_apart(tmp_path: Path) -> None:
    table = open_table(put(tmp_path, "a.csv", b"a\n\xff\n\xfe\n"))
    assert rows(table)["a"] == ["\\xff", "\\xfe"]


def test_json_lines(tmp_path: Path) -> None:
    table = open_table(put(tmp_path, "a.jsonl", recipes.JSONL))
    assert table.rows == 3
    assert dict(table.columns) == {"a": "float64", "b": "text", "c": "json"}
    read = rows(table)
    assert np.array_equal(read["a"], [1, 2.5, np.nan], equal_nan=True)
    assert read["b"] == ["x", None, "y"]
    assert read["c"] == [None, [1], None]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n\n", "has no rows"),
        ("a.csv", b'a,b\n"' + b"x" * 200_000, "cannot be read as a table"),
        ("a.jsonl", b'{"a": 1}\n{"a": \n', "is not JSON in line 2"),
        ("a.jsonl", b"[" * 100_000, "is not JSON in line 1"),
        ("a.parquet", b"not parquet", "is not a parquet file"),
        ("a.csv.gz", gzip.compress(recipes.CSV)[:-10], "cut short"),
    ],
)
def test_what_is_no_table_is_one_sentence(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    with pytest.raises(Unreadable, match=reason):
        open_table(put(tmp_path, name, content))


CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=5)


@given(table=st.lists(st.tuples(st.integers(-99, 99), CELLS, st.floats(-9, 9)), min_size=2))
def test_what_csv_writes_is_read(table: list[Any], tmp_path_factory: Any) -> None:
    stream = io.StringIO()
    csv.writer(stream).writerows([("number", "some text", "x"), *table])
    path = put(tmp_path_factory.mktemp("csv"), "a.csv", stream.getvalue().encode())
    read = open_table(path)
    assert read.rows == len(table)
    assert read.columns["number"] == "int64"
    assert read.columns["x"] == "float64"
    found = rows(read)
    assert found["number"] == [row[0] for row in table]
    assert found["x"] == [row[2] for row in table]
    if read.columns["some text"] == "text":
        assert found["some text"] == [row[1] for row in table]


def test_what_is_known_by_its_name() -> None:
    assert known("a.CSV.gz")
    assert known("a.feather")
    assert not known("a.parquet.gz")
    assert not known("a.json")
