"""Tables as Markdown."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from provenance.core.table import NUMBER, TEXT, Table
from provenance.exports import markdown


def test_a_table_with_its_notes() -> None:
    one = Table("t", "The title", (("a", TEXT), ("n", NUMBER)), (("x|y", "1"),), ("A note.",))
    assert markdown.render((one,), "Run") == (
        "# Run\n\n## The title\n\n| a | n |\n| --- | --: |\n| x\\|y | 1 |\n\nA note.\n"
    )


def test_a_table_without_rows_says_why() -> None:
    text = markdown.render((Table("t", "T", (("a", TEXT),), (), ("Not recorded.",)),))
    assert text == "## T\n\nNot recorded.\n"


@given(st.text())
def test_a_cell_stays_one_cell_on_one_line(text: str) -> None:
    found = markdown.escape(text)
    assert len(found.splitlines()) <= 1
    assert "|" not in re.sub(r"\\.", "", found)
    assert "<" not in re.sub(r"\\.", "", found)
