"""Tables as LaTeX: what is printed is what the cells say, whatever stands in them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.core.table import NUMBER, TEXT, WIDE, Table
from provenance.exports import latex

NASTY = (
    "a_b & 50% of $x^2$ #1 {c} ~ \\d <e> |f| \"g\" 'h' `i` [j] *k* --l ?` caf\u00e9 \u4e2d \u03b1"
)
COLUMNS = (("name", TEXT), ("what it is", WIDE), ("n", NUMBER))
DOCUMENT = """\\documentclass{article}
\\usepackage{booktabs,longtable}
\\begin{document}
\\input{tables.tex}
\\end{document}
"""


def table(rows: int = 2, cell: str = NASTY) -> Table:
    cells = tuple(("[%d]" % n, cell, str(n)) for n in range(rows))
    return Table("t%d" % rows, "A title with 100%", COLUMNS, cells, ("A note_1.",), ("params",))


def balanced(text: str) -> bool:
    """Return whether groups and environments are closed in order."""
    open_groups, environments = 0, []
    for word in re.findall(r"\\begin\{\w+\}|\\end\{\w+\}|\\.|[{}]|%[^\n]*", text, re.DOTALL):
        if word.startswith("\\begin"):
            environments.append(word[7:-1])
        elif word.startswith("\\end{"):
            if not environments or environments.pop() != word[5:-1]:
                return False
        elif word in "{}":
            open_groups += 1 if word == "{" else -1
            if open_groups < 0:
                return False
    return not open_groups and not environments


def test_a_table_has_rules_a_caption_and_a_label() -> None:
    text = latex.render((table(),), "Run one")
    assert text.startswith(latex.HEAD)
    for part in ("\\toprule", "\\midrule", "\\bottomrule", "\\label{tab:t2}", "100\\%"):
        assert part in text
    assert "\\section*{Run one}" in text
    assert "longtable}{" not in text
    assert balanced(text)


def test_a_long_table_may_go_over_pages_and_repeats_its_head() -> None:
    text = latex.render((table(latex.LONG),))
    assert "\\begin{longtable}" in text
    assert text.count("what it is") == 2
    assert balanced(text)


def test_a_row_does_not_begin_with_what_the_line_before_would_take() -> None:
    text = latex.render((table(3, "*"),))
    assert not re.search(r"\\tabularnewline\s*[\[*]", text)


def test_a_table_without_rows_says_why() -> None:
    text = latex.render((Table("e", "Empty", COLUMNS, (), ("Not recorded.",)),))
    assert "tabular" not in text
    assert "Not recorded." in text
    assert balanced(text)


@given(st.text())
def test_no_character_keeps_a_meaning(text: str) -> None:
    found = latex.escape(text)
    assert "\n" not in found
    assert found.isascii()
    without = re.sub(r"\\[a-zA-Z]+|\\[^a-zA-Z]|\$\\?\^?\\?[a-z]+\$", "", found)
    assert not set("#%&_$\\^") & set(without)
    assert balanced(found)


@pytest.mark.slow
def test_a_real_latex_takes_it(tmp_path: Path) -> None:
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("no pdflatex here")
    every = "".join(chr(n) for n in range(32, 0x250))
    tables = (table(), table(40), table(2, every), Table("e", "Empty", COLUMNS, (), ("No.",)))
    (tmp_path / "tables.tex").write_text(latex.render(tables, NASTY), encoding="utf-8")
    (tmp_path / "main.tex").write_text(DOCUMENT)
    done = subprocess.run(
        [program, "-interaction=nonstopmode", "-halt-on-error", "main.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-2000:].decode("latin-1")
    assert (tmp_path / "main.pdf").stat().st_size > 1000
