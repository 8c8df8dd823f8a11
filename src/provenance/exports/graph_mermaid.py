"""A graph as a Mermaid flowchart, which GitHub, GitLab and most notebooks draw."""

from __future__ import annotations

from provenance.exports._graph import DOUBTFUL, FILE, MANY, RUN, SURE, Box, Drawing, clean

_SHAPES = {RUN: '["%s"]', FILE: '(["%s"])', MANY: '[["%s"]]'}
_ARROWS = {SURE: "-->", DOUBTFUL: "-.->"}

_STYLES = (
    "classDef run fill:#dbe9f6,stroke:#0072b2,color:#111",
    "classDef file fill:#f7f7f7,stroke:#777,color:#111",
    "classDef many fill:#f7f7f7,stroke:#777,color:#111",
    "classDef asked stroke:#d55e00,stroke-width:3px",
)


def document(drawing: Drawing) -> str:
    """Return the flowchart from left to right."""
    names = {one.id: "n%d" % place for place, one in enumerate(drawing.boxes)}
    out = ["flowchart LR", "  accTitle: %s" % _plain(drawing.title)]
    out += ["  accDescr: %s" % _plain(drawing.said)] if drawing.said else []
    for one in drawing.boxes:
        out.append("  %s%s" % (names[one.id], _SHAPES[one.kind] % _label(one)))
    for arrow in drawing.arrows:
        label = '|"%s"|' % _text(arrow.label) if arrow.label else ""
        ends = names[arrow.begin], _ARROWS[arrow.kind], label, names[arrow.end]
        out.append("  %s %s%s %s" % ends)
    out += ["  " + one for one in _STYLES]
    for kind in (RUN, FILE, MANY):
        of_kind = [names[one.id] for one in drawing.boxes if one.kind == kind]
        out += ["  class %s %s" % (",".join(of_kind), kind)] if of_kind else []
    marked = [names[one.id] for one in drawing.boxes if one.marked]
    out += ["  class %s asked" % ",".join(marked)] if marked else []
    return "\n".join(out) + "\n"


def _label(box: Box) -> str:
    return "<br/>".join(_text(line) for line in box.lines)


def _text(words: str) -> str:
    """Return ``words`` for a quoted label, in which nothing is taken for markup."""
    return "".join(c if c.isalnum() or c in " ._-/=+,:…" else "#%d;" % ord(c) for c in clean(words))


def _plain(words: str) -> str:
    return clean(words).replace(";", ",").replace("#", "")
