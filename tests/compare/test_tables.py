"""Tables explained: rows, columns, types, labels, and how far the cells lie apart."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather, parquet

from provenance.compare import contents
from provenance.compare.judged import Judged
from provenance.compare.kinds import _table_read
from provenance.compare.kinds._table_rows import spans
from provenance.compare.tolerance import Tolerance
from provenance.core.verdict import DIFFERENT, WITHIN

from ._pairs import judge, names, sentence

HEADER = ("id", "x", "label")
Row = tuple[Any, ...]


def rows(count: int = 1280) -> list[Row]:
    draw = random.Random(3)
    return [(n, round(draw.random(), 6), draw.choice("abc")) for n in range(count)]


def as_csv(table: Sequence[Row], header: Sequence[str] = HEADER) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(table)
    return out.getvalue()


def as_lines(table: Sequence[Row], header: Sequence[str] = HEADER) -> str:
    return "".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in table)


def as_gzip(table: Sequence[Row], header: Sequence[str] = HEADER) -> bytes:
    return gzip.compress(as_csv(table, header).encode())


def _arrow(table: Sequence[Row], header: Sequence[str]) -> pyarrow.Table:
    return pyarrow.table({name: [row[n] for row in table] for n, name in enumerate(header)})


def as_parquet(table: Sequence[Row], header: Sequence[str] = HEADER) -> Callable[[Path], None]:
    return lambda path: parquet.write_table(_arrow(table, header), path)


def as_feather(table: Sequence[Row], header: Sequence[str] = HEADER) -> Callable[[Path], None]:
    return lambda path: feather.write_feather(_arrow(table, header), str(path))


FORMS = [
    ("a.csv", as_csv),
    ("a.jsonl", as_lines),
    ("a.csv.gz", as_gzip),
    ("a.parquet", as_parquet),
    ("a.feather", as_feather),
]


@pytest.mark.parametrize(("name", "form"), FORMS, ids=[name for name, _ in FORMS])
def test_missing_rows_are_named_in_every_form(tmp_path: Path, name: str, form: Any) -> None:
    whole = rows()
    one = judge(tmp_path, name, form(whole), form(whole[:63] + whole[95:]))
    assert one.verdict == DIFFERENT
    assert one.detail == "1,280 -> 1,248 rows: rows 64-95 are missing (by id)"
    assert one.parts[0].figures["missing"] == 32


@pytest.mark.parametrize(("name", "form"), FORMS, ids=[name for name, _ in FORMS])
def test_noise_is_within_tolerance_and_more_is_not(tmp_path: Path, name: str, form: Any) -> None:
    whole = rows()
    noisy = [(n, x * (1 + 1e-9), label) for n, x, label in whole]
    one = judge(tmp_path, name, form(whole), form(noisy))
    assert (one.verdict, one.detail) == (WITHIN, "1,280 cells within tolerance")
    noisy[7] = (7, whole[7][1] + 0.25, whole[7][2])
    one = judge(tmp_path, name, form(whole), form(noisy))
    assert one.detail == "1 of 3,840 cells differ, in column x"
    figures = one.parts[0].figures
    assert figures["first"]["row"] == 8
    assert figures["max_abs"] == pytest.approx(0.25)
    assert figures["statistics"]["mean"][0] == pytest.approx(sum(r[1] for r in whole) / 1280)
    loose = Tolerance.of(atol=0.3)
    assert judge(tmp_path, name, form(whole), form(noisy), loose).verdict == WITHIN


@pytest.mark.parametrize("header", [HEADER, ("a", "x", "label")])
def test_the_same_rows_in_another_order(tmp_path: Path, header: tuple[str, ...]) -> None:
    whole = rows()
    mixed = whole[:]
    random.Random(1).shuffle(mixed)
    one = judge(tmp_path, "a.csv", as_csv(whole, header), as_csv(mixed, header))
    assert one.verdict == DIFFERENT
    assert one.detail.startswith("the same rows in another order (1,2")
    assert len(one.parts) == 1


def without_id(table: Sequence[Row]) -> str:
    return as_csv([row[1:] for row in table], HEADER[1:])


def test_rows_of_another_grid_are_new_not_repeated(tmp_path: Path) -> None:
    tens, sevens = (
        "step,loss\n" + "".join("%d,%.4f\n" % (step, 100 - step) for step in range(0, 100, grid))
        for grid in (10, 7)
    )
    one = judge(tmp_path, "a.csv", tens, sevens)
    assert "rows 11-15 are new in the second" in one.detail
    assert "repeated" not in one.detail


def test_rows_without_identifier_are_found_by_content(tmp_path: Path) -> None:
    whole = rows()
    cut = whole[:63] + whole[95:]
    one = judge(tmp_path, "a.csv", without_id(whole), without_id(cut))
    assert one.detail == "1,280 -> 1,248 rows: rows 64-95 are missing"
    twice = whole[:100] + whole[:5] + whole[100:]
    one = judge(tmp_path, "b.csv", without_id(whole), without_id(twice))
    assert one.detail == "1,280 -> 1,285 rows: rows 101-105 are repeated in the second"
    more = [*whole, (1280, 7.5, "d")]
    one = judge(tmp_path, "c.csv", without_id(whole), without_id(more))
    assert one.detail == "1,280 -> 1,281 rows: row 1,281 is new in the second"
    assert "label d: 0 -> 1" in names(one)["column label"]


def test_missing_rows_are_found_although_all_numbers_moved(tmp_path: Path) -> None:
    whole = rows()
    cut = [(n, x * (1 + 1e-9), f"name {n}") for n, x, _ in whole[:63] + whole[95:]]
    named = [(n, x, f"name {n}") for n, x, _ in whole]
    one = judge(tmp_path, "a.csv", without_id(named), without_id(cut))
    assert one.detail == "1,280 -> 1,248 rows: rows 64-95 are missing"
    assert one.figures["within"] == 1248


def test_counts_of_labels_tell_what_a_list_of_cells_would_not(tmp_path: Path) -> None:
    old = [(n, 0.5, n % 5) for n in range(3000)]
    new = [(n, 0.5, 4 if n % 5 == 3 and n < 300 else n % 5) for n in range(3000)]
    one = judge(tmp_path, "a.csv", as_csv(old), as_csv(new))
    assert "label 3: 600 -> 540" in names(one)["column label"]
    assert "label 4: 600 -> 660" in names(one)["column label"]


def test_columns_added_removed_renamed_and_in_another_order(tmp_path: Path) -> None:
    whole = rows(50)
    renamed = as_csv(whole, ("id", "value", "label"))
    one = judge(tmp_path, "a.csv", as_csv(whole), renamed)
    assert (one.verdict, one.detail) == (DIFFERENT, "column x renamed to value")
    turned = as_csv([row[::-1] for row in whole], HEADER[::-1])
    one = judge(tmp_path, "b.csv", as_csv(whole), turned)
    assert (one.verdict, one.detail) == (WITHIN, "the columns stand in another order")
    fewer = as_csv([(*row[:2], row[0] * 2.5) for row in whole], ("id", "x", "new"))
    one = judge(tmp_path, "c.csv", as_csv(whole), fewer)
    assert one.detail == "column label removed, column new added"


def test_types_and_empty_cells(tmp_path: Path) -> None:
    whole = rows(50)
    old = as_csv(whole)
    one = judge(tmp_path, "a.csv", old, old.replace(str(whole[9][1]), "broken"))
    assert "type of x: numbers -> text" in one.detail
    assert "row 10: %s -> broken" % whole[9][1] in names(one)["column x"]
    one = judge(tmp_path, "b.csv", old, old.replace(str(whole[9][1]), ""))
    assert "empty cells 0 -> 1" in names(one)["column x"]
    whole_numbers = as_parquet([(1, 2, "a")])
    one = judge(tmp_path, "c.parquet", whole_numbers, as_parquet([(1, 2.0, "a")]))
    assert (one.verdict, one.detail) == (WITHIN, "type of x: int64 -> float64")


def test_volatile_columns_and_texts(tmp_path: Path) -> None:
    old = as_csv([(1, 0.5, "/a/b/x.png"), (2, 0.5, "/a/b/y.png")], ("step", "time", "saved"))
    new = as_csv([(1, 0.9, "/c/x.png"), (2, 0.7, "/c/y.png")], ("step", "time", "saved"))
    one = judge(tmp_path, "a.csv", old, new)
    assert (one.verdict, one.figures["volatile"]) == (WITHIN, 4)
    one = judge(tmp_path, "b.csv", old, new.replace("y.png", "z.png"))
    assert one.detail == "1 of 6 cells differ, in column saved"


def test_forms_are_compared_with_each_other(tmp_path: Path) -> None:
    whole = rows(50)
    one = judge(tmp_path, "a.csv", as_csv(whole), as_parquet(whole), new_name="a.parquet")
    assert one.verdict == WITHIN


def test_numbers_without_header_and_whole_numbers_are_exact(tmp_path: Path) -> None:
    one = judge(tmp_path, "a.csv", "1,2.5\n3,4\n", "1,2.5\n3,5\n")
    assert one.detail == "1 of 4 cells differ, in column 2"
    big = "n\n9007199254740993\n"
    assert judge(tmp_path, "b.csv", big, big.replace("3\n", "2\n")).verdict == DIFFERENT
    assert judge(tmp_path, "c.csv", "n\n1000000\n", "n\n1000001\n").verdict == DIFFERENT


def test_a_ragged_table_is_compared_as_text(tmp_path: Path) -> None:
    one = judge(tmp_path, "a.csv", "a,b\n1,2\n1\n", "a,b\n1,3\n1\n")
    assert one.verdict == DIFFERENT
    assert "row 2 has 1 cells, not 2" in one.detail


def test_a_table_too_large_is_said_to_be(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(_table_read, "MOST_CELLS", 100)
    with pytest.raises(contents.Opaque, match="million cells"):
        judge(tmp_path, "a.csv", as_csv(rows()), as_csv(rows(1200)))


def test_blocks_of_text_and_numbers_in_one_column(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(_table_read, "ROWS", 4)
    old = "v\n" + "".join("%d\n" % n for n in range(10)) + "x\n"
    one = judge(tmp_path, "a.csv", old, old.replace("7\n", "8\n"))
    assert one.parts[0].figures["first"] == {"row": 8, "old": "7", "new": "8"}


CELL = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), max_size=4
) | st.integers().map(str)
TABLE = st.lists(st.tuples(CELL, CELL, CELL), max_size=8)


@settings(max_examples=60, deadline=None)
@given(TABLE, TABLE)
def test_any_two_tables_can_be_compared(tmp_path_factory: Any, old: Any, new: Any) -> None:
    folder = tmp_path_factory.mktemp("t")
    one = judge(folder, "a.csv", as_csv(old), as_csv(new))
    assert isinstance(one, Judged)
    assert judge(folder, "b.csv", as_csv(old), as_csv(old)).verdict == WITHIN


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["a.csv", "a.jsonl", "a.csv.gz"]))
def test_broken_tables_give_a_sentence(tmp_path_factory: Any, data: bytes, name: str) -> None:
    folder = tmp_path_factory.mktemp("t")
    good = dict(FORMS)[name]([(1, 0.5, "a")])
    for old, new in ((data, good), (good, data)):
        said = sentence(folder, name, old, new)
        assert said
        assert "\n" not in said
        assert len(said) < 300


@pytest.mark.parametrize("name", ["a.parquet", "a.feather"])
@pytest.mark.parametrize("keep", [0, 3, 100, -9])
def test_tables_cut_short_give_a_sentence(tmp_path: Path, name: str, keep: int) -> None:
    good = tmp_path / name
    dict(FORMS)[name](rows())(good)
    said = sentence(tmp_path, name, good.read_bytes(), good.read_bytes()[:keep])
    assert said.startswith("a table of the two")
    assert "\n" not in said


def test_rows_are_named_as_people_count() -> None:
    assert spans([6]) == "row 7"
    assert spans([63, 64, 65, 100]) == "rows 64-66, 101"
    assert spans(list(range(0, 20, 2))) == "rows 1, 3, 5, 7 and 6 more places"


@pytest.mark.parametrize(
    ("name", "was", "now"),
    [
        ("when", "2024-01-01", "2024-01-02"),
        ("timestamp", "2024-01-01 10:00:00", "2024-01-01 11:00:00"),
        ("duration", 12.5, 13.5),
        ("note", "took 5 min", "took 7 min"),
        ("zip", "a 007", "a 7 b"),
    ],
)
def test_times_in_data_count_and_in_logs_do_not(
    tmp_path: Path, name: str, was: Any, now: Any
) -> None:
    for key, log in (("ride", False), ("epoch", True)):
        old, new = (as_csv([(1, one), (2, was)], (key, name)) for one in (was, now))
        one = judge(tmp_path, "a.csv", old, new)
        assert one.verdict == (WITHIN if log and name != "zip" else DIFFERENT)


def test_wall_time_never_counts(tmp_path: Path) -> None:
    old, new = (as_csv([("a", 1.0, one)], ("city", "rent", "wall_time")) for one in (1.0, 9.0))
    assert judge(tmp_path, "a.csv", old, new).verdict == WITHIN


@pytest.mark.parametrize("separator", [";", "|", "\t"])
def test_another_separator_is_another_layout(tmp_path: Path, separator: str) -> None:
    rows = ['%d,0.%d,"a, ""b""\nc"' % (n, n) for n in range(200)]
    old = "id,x,note\n" + "\n".join(rows) + "\n"
    new = old.replace(", ", "@").replace(",", separator).replace("@", ", ")
    assert judge(tmp_path, "a.csv", old, new).verdict == WITHIN
    assert judge(tmp_path, "a.csv", old, new.replace("0.7", "0.8", 1)).verdict == DIFFERENT


def test_line_ends_inside_of_cells_are_layout(tmp_path: Path) -> None:
    old = 'id,note\n1,"a\nb"\n2,c\n'
    assert judge(tmp_path, "a.csv", old, old.replace("\n", "\r\n")).verdict == WITHIN


def test_an_index_that_pandas_wrote_is_named(tmp_path: Path) -> None:
    one = judge(tmp_path, "a.csv", "x,y\n5,a\n6,b\n", ",x,y\n0,5,a\n1,6,b\n")
    assert one.verdict == DIFFERENT
    assert "without a name (row numbers, as an index of pandas) added" in one.detail
