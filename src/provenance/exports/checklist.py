"""A reviewer's checklist in Markdown: what the record answers is ticked, the rest says what to do.

The questions are put in our own words; who asks them stands behind each, with `SOURCES` below.
"""

from __future__ import annotations

from typing import NamedTuple

from provenance.exports._escaped import escape

SOURCES = (
    ("MLCC", "ML Code Completeness checklist, the NeurIPS code policy"),
    ("NeurIPS", "NeurIPS Paper Checklist"),
    ("ACM", "ACM Artifact Review and Badging v1.1"),
    ("EuroSys", "EuroSys and SOSP artifact badges"),
    ("ASPLOS", "artifact appendix of ASPLOS, MICRO and PPoPP (ctuning)"),
    ("MLSys", "MLSys artifact evaluation"),
    ("ACL", "ACL reproducibility checklist"),
    ("JOSS", "JOSS review checklist"),
    ("MLOSS", "JMLR machine learning open source software"),
)


class Item(NamedTuple):
    """One question.

    group: its heading. question: as a statement that holds or not. asked_by: short names of
    `SOURCES`. answer: what is known, "" for nothing. todo: what the authors have to add; the box
    stays open as long as there is something.
    """

    group: str
    question: str
    asked_by: tuple[str, ...]
    answer: str = ""
    todo: str = ""

    @property
    def done(self) -> bool:
        """Whether the record answers the question."""
        return bool(self.answer) and not self.todo


def summary(items: tuple[Item, ...]) -> str:
    """Return how many of the questions are answered."""
    done = sum(one.done for one in items)
    return "%d of %d answered from the record" % (done, len(items))


def render(items: tuple[Item, ...]) -> str:
    """Return the checklist, grouped, with what the short names mean."""
    lines: list[str] = []
    group = ""
    for one in items:
        if one.group != group:
            lines += ["", "**%s**" % escape(one.group), ""]
            group = one.group
        text = "- [%s] %s (%s)" % ("x" if one.done else " ", one.question, ", ".join(one.asked_by))
        lines.append(text + (": " + escape(one.answer) if one.answer else ""))
        if one.todo:
            lines.append("  - TODO: %s" % escape(one.todo))
    used = {name for one in items for name in one.asked_by}
    told = "; ".join("%s: %s" % pair for pair in SOURCES if pair[0] in used)
    return "\n".join([*lines[1:], "", "Asked by: %s." % told])
