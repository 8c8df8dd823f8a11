"""A graph as an SVG in columns from left to right: no script, readable by day and night.

Runs are rectangles, files are round; what was asked about has a thick border. Meaning never rests
on colour alone. Every box says in its title all that it stands for, and the description tells the
whole in words.
"""

from __future__ import annotations

import unicodedata
from html import escape

from provenance.exports._graph import FILE, MANY, SURE, Arrow, Box, Drawing, clean, cut
from provenance.exports._layers import Layout, layout

_CHARACTER, _LINE, _PAD = 6.7, 17, 12
"""Pixels: of a character of the font on average, between two lines, around the text."""

_MOST = 40
"""Characters of a line in a box."""

_BETWEEN, _EDGE, _HEAD, _FOOT = 64, 20, 54, 34
"""Pixels between columns, around everything, above and below the boxes."""

_STYLE = """
text{font:12px system-ui,sans-serif;fill:#333}.title{font-size:16px;font-weight:600;fill:#111}
.name{font-weight:600;fill:#111}.ground{fill:#fff}.run{fill:#e3eef8;stroke:#0072b2}
.file,.many{fill:#f6f6f4;stroke:#8a8a86}.asked{stroke:#d55e00;stroke-width:3}
.way{fill:none;stroke:#7a7a7a;stroke-width:1.4}.doubtful{stroke-dasharray:5 4}
.head{fill:#7a7a7a}.said{font-size:11px;fill:#666}
@media (prefers-color-scheme:dark){text{fill:#c8c8c8}.title,.name{fill:#f2f2f2}
.ground{fill:#161616}.run{fill:#12293a;stroke:#56b4e9}.file,.many{fill:#242424;stroke:#8a8a8a}
.asked{stroke:#e69f00}.way{stroke:#9a9a9a}.head{fill:#9a9a9a}.said{fill:#a0a0a0}}
"""


def document(drawing: Drawing) -> str:
    """Return the SVG document."""
    arrows = [(one.begin, one.end) for one in drawing.arrows]
    high = {one.id: _height(one) for one in drawing.boxes}
    found = layout(high, arrows)
    wide = _widths(drawing, found)
    left = _lefts(wide)
    widths = {one.id: _width(one) for one in drawing.boxes}
    width = max(int(left[-1] + _EDGE - _BETWEEN) if wide else 0, 420)
    height = int(found.height) + _HEAD + _FOOT
    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="t d" width="%d" '
        'height="%d" viewBox="0 0 %d %d">' % (width, height, width, height),
        '<title id="t">%s</title>' % _text(drawing.title),
        '<desc id="d">%s</desc>' % _text(drawing.said or "nothing to draw"),
        "<style>%s</style>" % _STYLE,
        '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path class="head" d="M0 0L8 4L0 8Z"/></marker></defs>',
        '<rect class="ground" width="%d" height="%d"/>' % (width, height),
        '<text class="title" x="%d" y="30">%s</text>'
        % (_EDGE, _text(cut(drawing.title, int((width - 2 * _EDGE) / 8.6)))),
    ]
    for place, arrow in enumerate(drawing.arrows):
        out.append(_arrow(arrow, found, place, (left, wide, widths)))
    for box in drawing.boxes:
        spot = found.spots[box.id]
        x = left[spot.column] + (wide[spot.column] - _width(box)) / 2
        out += _box(box, x, spot.y + _HEAD, high[box.id])
    out.append(_legend(drawing, height))
    return "\n".join([*out, "</svg>"]) + "\n"


def _lines(box: Box) -> list[str]:
    return [cut(clean(one), _MOST, end=box.kind == FILE) for one in box.lines]


def _height(box: Box) -> float:
    return _LINE * len(box.lines) + _PAD


def _width(box: Box) -> float:
    longest = max(_units(one) * (1.12 if not at else 1.0) for at, one in enumerate(_lines(box)))
    return max(60.0, longest * _CHARACTER + 2 * _PAD)


def _units(text: str) -> float:
    """Return about how wide a text is, in characters of the average width."""
    found = 0.0
    for one in text:
        if unicodedata.east_asian_width(one) in "WF":
            found += 1.85
        else:
            found += 1.65 if one in "mwMW@%" else 1.3 if one.isupper() else 1.0
    return found


def _widths(drawing: Drawing, found: Layout) -> list[float]:
    count = max((one.column for one in found.spots.values()), default=-1) + 1
    wide = [0.0] * count
    for box in drawing.boxes:
        at = found.spots[box.id].column
        wide[at] = max(wide[at], _width(box))
    return wide


def _lefts(wide: list[float]) -> list[float]:
    """Return where each column begins, and where one more would."""
    found = [float(_EDGE)]
    for one in wide:
        found.append(found[-1] + one + _BETWEEN)
    return found


def _box(box: Box, x: float, middle: float, high: float) -> list[str]:
    top, width = middle - high / 2, _width(box)
    kind = box.kind + (" asked" if box.marked else "")
    round_by = 4 if box.kind not in (FILE, MANY) else min(high / 2, 16)
    shape = '<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="%.1f"/>'
    out = ["<g><title>%s</title>" % _text(box.more or " ".join(box.lines))]
    if box.kind == MANY:
        out.append(shape % (kind, x + 4, top + 4, width, high, round_by))
    out.append(shape % (kind, x, top, width, high, round_by))
    for place, line in enumerate(_lines(box)):
        name = ' class="name"' if place == 0 else ""
        y = top + _PAD / 2 + _LINE * (place + 0.75)
        text = '<text%s x="%.1f" y="%.1f" text-anchor="middle">%s</text>'
        out.append(text % (name, x + width / 2, y, _text(line)))
    return [*out, "</g>"]


_Measures = tuple[list[float], list[float], dict[str, float]]
"""Where columns begin, how wide they are, and how wide each box is."""


def _arrow(arrow: Arrow, found: Layout, place: int, measures: _Measures) -> str:
    left, wide, _ = measures
    points: list[tuple[float, float]] = [_side(arrow.begin, found, measures, right=True)]
    for spot in found.ways[place]:
        y = spot.y + _HEAD
        points += [(left[spot.column], y), (left[spot.column] + wide[spot.column], y)]
    points.append(_side(arrow.end, found, measures, right=False))
    path = "M%.1f %.1f" % points[0]
    for at, (x, y) in enumerate(points[1:]):
        x0, y0 = points[at]
        if at % 2:
            path += "L%.1f %.1f" % (x, y)
        else:
            half = (x - x0) / 2
            path += "C%.1f %.1f %.1f %.1f %.1f %.1f" % (x0 + half, y0, x - half, y, x, y)
    kind = "" if arrow.kind == SURE else " " + arrow.kind
    told = "<title>%s</title>" % _text(arrow.label) if arrow.label else ""
    return '<path class="way%s" d="%s" marker-end="url(#a)">%s</path>' % (kind, path, told)


def _side(name: str, found: Layout, measures: _Measures, right: bool) -> tuple[float, float]:
    """Return the middle of the right or left side of a box."""
    left, wide, widths = measures
    spot = found.spots[name]
    middle = left[spot.column] + wide[spot.column] / 2
    return middle + (widths[name] / 2 if right else -widths[name] / 2), spot.y + _HEAD


def _legend(drawing: Drawing, height: int) -> str:
    parts = ["rectangle: a run", "round: a file", "thick border: asked about"]
    if any(one.kind != SURE for one in drawing.arrows):
        parts.append("dashed: not certain")
    return '<text class="said" x="%d" y="%d">%s</text>' % (
        _EDGE, height - 12, _text("   ·   ".join(parts)),
    )  # fmt: skip


def _text(words: str) -> str:
    return escape(clean(words))
