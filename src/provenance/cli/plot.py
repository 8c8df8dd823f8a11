"""Curves drawn in the terminal: braille dots, axes with numbers, the step of parting marked."""

from __future__ import annotations

import math
from collections.abc import Sequence

from provenance.cli.style import Style, flat
from provenance.exports import plot_svg
from provenance.exports.plot_svg import Panel, Scale, number

LEAST, MOST = 40, 120
"""Columns of a plot: narrower shows nothing, wider is no easier to read."""

_ROWS = 12
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a braille character (U+2800 and on) by row and column of its eight dots."""

_COLOURS = ("cyan", "yellow")


def panel(one: Panel, labels: Sequence[str], width: int, style: Style) -> list[str]:
    """Return one metric drawn ``width`` columns wide, the first curve whole, the second dashed."""
    scale = plot_svg.scale(one._replace(band=None))
    if scale is None:
        return ["  %s: no finite value to draw" % flat(one.name)]
    ticks = [(v, number(v)) for v in plot_svg.ticks(scale.low, scale.high, scale.log)]
    margin = max(len(text) for _, text in ticks) + 1
    columns = max(LEAST, min(MOST, width)) - margin - 3
    canvas = _Canvas(columns, _ROWS)
    for place, (steps, values) in enumerate((one.old, one.new)):
        _draw(canvas, scale, steps, values, place)
    mark = int(scale.across(one.parted) * (columns - 1)) if one.parted is not None else None
    legend = "   ".join(
        "%s %s" % (style(_SIGNS[place], _COLOURS[place]), flat(label))
        for place, label in enumerate(labels)
    )
    log = " (logarithmic scale)" if scale.log else ""
    out = ["  %s%s   %s" % (style(flat(one.name), "bold"), log, legend)]
    at = {round((1 - scale.up(value)) * (_ROWS - 1)): text for value, text in ticks}
    for row in range(_ROWS):
        body = canvas.row(row, mark, style)
        out.append("  %*s %s%s" % (margin - 1, at.get(row, ""), "┤" if row in at else "│", body))
    out.append("  %s└%s" % (" " * margin, _ruler(columns, mark)))
    return out + ["  %s %s" % (" " * margin, text) for text in _below(one, scale, columns)]


_SIGNS = ("━", "┅")


def _ruler(columns: int, mark: int | None) -> str:
    return "".join("┴" if place == mark else "─" for place in range(columns))


def _below(one: Panel, scale: Scale, columns: int) -> list[str]:
    """Return the numbers of the steps, and the step of parting."""
    text = [" "] * columns
    for step in plot_svg.ticks(scale.first, scale.last):
        word = number(step)
        begin = round(scale.across(step) * (columns - 1)) - len(word) // 2
        begin = max(0, min(begin, columns - len(word)))
        if not "".join(text[max(0, begin - 1) : begin + len(word) + 1]).strip():
            text[begin : begin + len(word)] = word
    found = ["%s  %s" % ("".join(text), one.axis)]
    if one.parted is not None:
        found.append("┊ %s" % (one.text[0] if one.text else number(one.parted)))
    return found


class _Canvas:
    """Dots in a grid of characters; a character holds two dots across and four down."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.bits = [[0] * columns for _ in range(rows)]
        self.owner = [[0] * columns for _ in range(rows)]

    def dot(self, across: float, up: float, owner: int) -> None:
        """Set the dot at a place given from 0 to 1."""
        x = min(self.columns * 2 - 1, max(0, round(across * (self.columns * 2 - 1))))
        y = min(self.rows * 4 - 1, max(0, round((1 - up) * (self.rows * 4 - 1))))
        self.bits[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
        self.owner[y // 4][x // 2] |= owner + 1

    def row(self, row: int, mark: int | None, style: Style) -> str:
        """Return one line of characters; where both curves are, in bold."""
        found = []
        for place, bits in enumerate(self.bits[row]):
            if not bits:
                found.append(style("┊", "dim") if place == mark else " ")
                continue
            owner = self.owner[row][place]
            names = ("bold",) if owner > len(_COLOURS) else (_COLOURS[owner - 1],)
            found.append(style(chr(0x2800 + bits), *names))
        return "".join(found).rstrip() if not style.on else "".join(found)


def _draw(
    canvas: _Canvas, scale: Scale, steps: Sequence[float], values: Sequence[float], owner: int
) -> None:
    """Draw a line from point to point; one that is not finite breaks it."""
    before: tuple[float, float] | None = None
    wide, high = canvas.columns * 2, canvas.rows * 4
    for step, value in zip(steps, values, strict=True):
        if not math.isfinite(value) or (scale.log and value <= 0):
            before = None
            continue
        here = scale.across(step), scale.up(value)
        if before is not None:
            far = max(abs(here[0] - before[0]) * wide, abs(here[1] - before[1]) * high)
            parts = min(int(far) + 1, wide + high)
            gap = 2 if owner else 1  # the second line is dashed: told apart without colour too
            for part in range(1, parts):
                by = part / parts
                across = before[0] + (here[0] - before[0]) * by
                if gap == 1 or int(across * wide) % 6 < 4:
                    canvas.dot(across, before[1] + (here[1] - before[1]) * by, owner)
        if owner == 0 or int(here[0] * wide) % 6 < 4:
            canvas.dot(*here, owner)
        before = here
