"""Tables as text: separator, header, types, and what is missing."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.compare.kinds._table_read import NUMBER, TEXT, WHOLE, Ragged, cells, read
from provenance.compare.kinds.base import Opaque

TABLE = b'id,name,x,flag,code\n1,"a,b",0.5,True,007\n2,c,,False,008\n3,"d\ne",NA,True,009\n'


def kinds(path: Path, content: bytes) -> dict[str, str]:
    path.write_bytes(content)
    return {name: one.kind for name, one in read(str(path), path.name).columns.items()}


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_types_header_quotes_and_codes(tmp_path: Path, name: str) -> None:
    content = gzip.compress(TABLE) if name.endswith("gz") else TABLE
    assert kinds(tmp_path / name, content) == {
        "id": WHOLE,
        "name": TEXT,
        "x": NUMBER,
        "flag": TEXT,
        "code": TEXT,
    }
    table = read(str(tmp_path / name), name)
    assert table.rows == 3
    assert table.columns["x"].nulls == 2
    assert cells(str(tmp_path / name), name, "name", [0, 2]) == {0: "a,b", 2: "d\ne"}
    assert cells(str(tmp_path / name), name, "code", [1]) == {1: "008"}


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (b"1,2\n3,4\n", {"1": WHOLE, "2": WHOLE}),
        (b"a;b\n1,5;x\n2,5;y\n", {"a": TEXT, "b": TEXT}),
        (b"a\tb\n1\t2\n", {"a": WHOLE, "b": WHOLE}),
        (b"name,2019,2020\nx,1,2\n", {"name": TEXT, "2019": WHOLE, "2020": WHOLE}),
        (b"id,2019\n1,2\n", {"id": WHOLE, "2019": WHOLE}),
        (b"x,y\nlow,1\nhigh,2\n", {"x": TEXT, "y": WHOLE}),
        (b"\xef\xbb\xbfa,b\n1,2\n", {"a": WHOLE, "b": WHOLE}),
        (b"a,a,\n1,2,3\n", {"a": WHOLE, "a (2)": WHOLE, "column 3": WHOLE}),
        (b"yes,yes\nno,yes\n", {"1": TEXT, "2": TEXT}),
        (b",0,1\nx,5,6\n", {"column 1": TEXT, "0": WHOLE, "1": WHOLE}),
        (b"x,0.5,1\ny,5,6\n", {"1": TEXT, "2": NUMBER, "3": WHOLE}),
        (b"value\n1\n\n2\n", {"value": WHOLE}),
        (b"a,b\n1.5,\n,2.5\n", {"a": NUMBER, "b": NUMBER}),
        (b"n\n123456789012345678901\n", {"n": TEXT}),
        (b"a,b\r\n1,-2\r\n", {"a": WHOLE, "b": WHOLE}),
        (b"a\n0\n-0\n10\n", {"a": WHOLE}),
        (b"a\n-07\n1\n", {"a": TEXT}),
    ],
)
def test_what_people_write(tmp_path: Path, content: bytes, columns: dict[str, str]) -> None:
    assert kinds(tmp_path / "a.csv", content) == columns


def test_rows_of_another_width_are_no_table(tmp_path: Path) -> None:
    with pytest.raises(Ragged, match="row 2 has 1 cells, not 2"):
        kinds(tmp_path / "a.csv", b"a,b\n1,2\n3\n4,5\n")


def test_a_line_without_end_is_no_table(tmp_path: Path) -> None:
    with pytest.raises((Opaque, ValueError, Ragged)):
        kinds(tmp_path / "a.csv", b'a,b\n"' + b"x" * 200_000)


CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=5)


@given(table=st.lists(st.tuples(st.integers(-99, 99), CELLS, st.floats(-9, 9)), min_size=2))
def test_what_csv_writes_is_read(table: list[Any], tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with open(path, "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("number", "some text", "x"), *table])
    found = read(str(path), "a.csv")
    assert found.rows == len(table)
    assert found.columns["number"].values.tolist() == [row[0] for row in table]
    assert found.columns["x"].values.tolist() == [row[2] for row in table]
    texts = cells(str(path), "a.csv", "some text", range(len(table)))
    assert [texts[row] for row in range(len(table))] == [row[1] for row in table]
