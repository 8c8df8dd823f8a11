"""What a file is, by its name."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from provenance.core import filekinds


@given(st.text(alphabet="./aPy\n", max_size=9))
def test_the_suffix_is_that_of_the_standard_library(path: str) -> None:
    assert filekinds.suffix(path) == os.path.splitext(path)[1].lower()


def test_source_is_told_by_suffix_or_whole_name() -> None:
    yes = ("a.py", "/x/A.PY", "x/Makefile", "Snakefile", "b.tar.sh")
    no = (".py", "x.py/data", "Makefile.bak", "py", "", "a.py.txt")
    assert [path for path in (*yes, *no) if filekinds.is_source(path)] == list(yes)
