"""Tables as LaTeX: booktabs, and longtable for what may not fit on a page.

The text compiles with pdfTeX as well as with LuaTeX and XeTeX: characters that pdfTeX has no glyph
for are spelled out.
"""

from __future__ import annotations

import unicodedata

from provenance.core.table import NUMBER, Table

HEAD = "% needs \\usepackage{booktabs,longtable}"
LONG = 30
"""Rows from which on a table may go over several pages."""
_LINE, _NARROW = 76, 12
"""Letters of a line at this size, and of a column that is never broken."""
_END = " \\tabularnewline"
"""The end of a row, which keeps its meaning where text is set ragged."""

_PLAIN = {
    "\\": "\\textbackslash{}",
    "{": "\\{",
    "}": "\\}",
    "$": "\\$",
    "&": "\\&",
    "#": "\\#",
    "%": "\\%",
    "_": "\\_",
    "^": "\\textasciicircum{}",
    "~": "\\textasciitilde{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    '"': "\\char34{}",
    "`": "\\textasciigrave{}",
    "-": "-{}",
    "'": "'{}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    ",": ",{}",
    "!": "!{}",
    "?": "?{}",
    "\u00a0": "~",
    "\u2013": "--{}",
    "\u2014": "---{}",
    "\u2018": "`{}",
    "\u2019": "'{}",
    "\u201c": "``{}",
    "\u201d": "''{}",
    "\u2026": "\\ldots{}",
    "\u00d7": "$\\times$",
    "\u00b5": "$\\mu$",
    "\u03bc": "$\\mu$",
    "\u00b1": "$\\pm$",
    "\u00b0": "$^\\circ$",
    "\u2264": "$\\leq$",
    "\u2265": "$\\geq$",
    "\u2192": "$\\rightarrow$",
    "\u221e": "$\\infty$",
    "\u00df": "\\ss{}",
    "\u00e6": "\\ae{}",
    "\u00c6": "\\AE{}",
    "\u00f8": "\\o{}",
    "\u00d8": "\\O{}",
    "\u0142": "\\l{}",
    "\u0141": "\\L{}",
    "\u0131": "\\i{}",
}
"""Characters with a meaning in LaTeX, and those that pdfTeX knows under another name. Ligatures
("--", "?`") and the star and bracket after a line's end are kept apart by empty groups."""

_ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0327": "c",
}
_GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau"
_GREEK += " phi chi psi omega"


def render(tables: tuple[Table, ...], heading: str = "") -> str:
    """Return ``tables`` to be included in a document; ends with a newline."""
    parts = [HEAD]
    if heading:
        parts.append("\\section*{%s}" % escape(heading))
    parts += [_long(one) if len(one.rows) >= LONG else _short(one) for one in tables]
    return "\n\n".join(parts) + "\n"


def _short(table: Table) -> str:
    lines = ["\\begin{table}[htbp]", "\\centering\\small", _caption(table)]
    if table.rows:
        lines += ["\\begin{tabular}{%s}" % "".join(_columns(table)), "\\toprule", _titles(table)]
        lines += ["\\midrule", *_rows(table), "\\bottomrule", "\\end{tabular}"]
    return "\n".join([*lines, *_notes(table), "\\end{table}"])


def _long(table: Table) -> str:
    lines = [
        "{\\small",
        "\\begin{longtable}{%s}" % "".join(_columns(table)),
        _caption(table) + " \\\\",
        "\\toprule",
        _titles(table),
        "\\midrule",
        "\\endfirsthead",
        "\\toprule",
        _titles(table),
        "\\midrule",
        "\\endhead",
        "\\bottomrule",
        "\\endlastfoot",
    ]
    return "\n".join([*lines, *_rows(table), "\\end{longtable}", *_notes(table), "}"])


def _caption(table: Table) -> str:
    return "\\caption{%s}\\label{tab:%s}" % (escape(table.title), table.name)


def _columns(table: Table) -> list[str]:
    """Return the kind of each column: of natural width, or as broad as its share of the page."""
    widths = [max(len(row[n]) for row in table.rows) for n in range(len(table.columns))]
    widths = [max(n, len(title)) for n, (title, _) in zip(widths, table.columns, strict=True)]
    kinds = ["r" if kind == NUMBER else "l" for _, kind in table.columns]
    if sum(widths) + 2 * len(widths) <= _LINE:
        return kinds
    narrow = sum(n for n in widths if n <= _NARROW)
    wanted = sum(min(n, _LINE) for n in widths if n > _NARROW)
    rest = max(0.3, 0.97 - 0.05 * len(widths) - narrow / _LINE)
    return [
        kind if n <= _NARROW else "p{%.2f\\linewidth}" % (rest * min(n, _LINE) / wanted)
        for kind, n in zip(kinds, widths, strict=True)
    ]


def _titles(table: Table) -> str:
    return " & ".join(escape(title) for title, _ in table.columns) + _END


def _rows(table: Table) -> list[str]:
    kinds = _columns(table)
    return [
        " & ".join(_cell(cell, kind) for cell, kind in zip(row, kinds, strict=True)) + _END
        for row in table.rows
    ]


def _cell(cell: str, kind: str) -> str:
    return "\\raggedright " + escape(cell, True) if kind[0] == "p" and cell else escape(cell)


def _notes(table: Table) -> list[str]:
    return ["\n\\noindent\\footnotesize %s\n" % escape(note) for note in table.notes]


def escape(text: str, breaking: bool = False) -> str:
    """Return ``text`` so that LaTeX prints it as it is.

    breaking: a line may end after a mark of punctuation within a long word.
    """
    parts = []
    for one in unicodedata.normalize("NFC", " ".join(text.split())):
        parts.append(_letter(one))
        if breaking and one in "._/,=-:":
            parts.append("\\allowbreak{}")
    return "".join(parts)


def _letter(one: str) -> str:
    if one in _PLAIN:
        return _PLAIN[one]
    if " " <= one < "\x7f":
        return one
    base, *marks = list(unicodedata.normalize("NFD", one))
    if len(marks) == 1 and marks[0] in _ACCENTS and base.isascii():
        return "\\%s{%s}" % (_ACCENTS[marks[0]], base)
    name = unicodedata.name(one, "")
    if name.startswith("GREEK SMALL LETTER "):
        word = name.rpartition(" ")[2].lower().replace("lamda", "lambda")
        if word in _GREEK.split():
            return "$\\%s$" % word
    return "(U+%04X)" % ord(one)
