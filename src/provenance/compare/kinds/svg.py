"""SVG pictures as text, without the identifiers, dates and versions that plotting writes anew."""

from __future__ import annotations

import re

from provenance.compare.judged import Judged
from provenance.compare.kinds.base import Pair, open_text
from provenance.compare.values import Tally
from provenance.core.verdict import DIFFERENT

KIND = "image"
_FORMS = (
    (re.compile(r"(?<=[\"#])[a-z][0-9a-f]{10}(?=[\")])"), "<id>"),
    (re.compile(r"(?i)(matplotlib|plotly|bokeh|inkscape|r svg plot|cairo) v?\d[\w.]*"), r"\1"),
)
"""matplotlib names markers and clip paths by a letter and ten digits of a salted hash."""


def compare(pair: Pair) -> Judged:
    """Compare two SVG files line by line."""
    with open_text(pair.old, pair.old_name) as old, open_text(pair.new, pair.new_name) as new:
        tally = Tally(pair.tolerance)
        before = _Masked()
        tally.lines((before(line) for line in old), (before(line) for line in new))
    judged = tally.judged(KIND)
    if judged.verdict != DIFFERENT and not (tally.within or tally.volatile):
        text = "the same drawing: only identifiers, dates or versions of the writer differ"
        return judged._replace(detail=text)
    return judged


class _Masked:
    """Replaces what is made anew at every writing."""

    def __call__(self, line: str) -> str:
        for form, by in _FORMS:
            line = form.sub(by, line)
        return line
