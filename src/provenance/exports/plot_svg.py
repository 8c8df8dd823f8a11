"""Curves as an SVG of small multiples: no script, no font of its own, readable by day and night.

Colours are those of Okabe and Ito, told apart by colour-blind readers too; the second curve is
dashed besides. Shapes and texts carry classes, and the style sheet inside changes with the reader's
light or dark mode.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 460, 290
"""One panel in pixels, with its title and axes."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 16, 46, 42
_HEAD = 66
"""Pixels above the panels: title and legend."""

_AIR = 0.03
"""Room above and below the curves, as a part of their height: they would lie on the frame."""

_DENSE = 400
"""Points from which on a curve is drawn thin and without dashes: noise would fill its area."""

_STYLE = """
text{font:12px system-ui,sans-serif;fill:#333}.title{font-size:16px;font-weight:600;fill:#111}
.name{font-size:13px;font-weight:600;fill:#111}.said{font-size:11px;fill:#666}
.ground{fill:#fff}.frame{fill:none;stroke:#999}.grid{stroke:#e4e4e4}
.old{fill:none;stroke:#0072b2;stroke-width:1.8}
.new{fill:none;stroke:#d55e00;stroke-width:1.8;stroke-dasharray:6 3}
.band{fill:#0072b2;fill-opacity:.16;stroke:none}
.dense{stroke-width:1;stroke-opacity:.8;stroke-dasharray:none}
.apart{stroke:#777;stroke-dasharray:2 3}.tick{font-size:11px;fill:#555}
@media (prefers-color-scheme:dark){text,.tick{fill:#c8c8c8}.title,.name{fill:#f2f2f2}
.said{fill:#a0a0a0}.ground{fill:#161616}.frame{stroke:#6a6a6a}.grid{stroke:#2d2d2d}
.old{stroke:#56b4e9}.new{stroke:#e69f00}.band{fill:#56b4e9}.apart{stroke:#a0a0a0}}
"""


_At = Callable[[float, float], tuple[float, float]]


class Panel(NamedTuple):
    """One metric to draw.

    old, new: (steps, values). band: (steps, low, high) of several runs, None for none. log: whether
    the values ask for a logarithmic scale. verdict, parted (the step from which on the curves stay
    apart), text: of the comparison.
    """

    name: str
    axis: str
    old: tuple[list[float], list[float]]
    new: tuple[list[float], list[float]]
    band: tuple[list[float], list[float], list[float]] | None = None
    log: bool = False
    verdict: str = ""
    parted: float | None = None
    text: tuple[str, ...] = ()


class Scale(NamedTuple):
    """Where a point of a panel lies, from 0 to 1 across and up."""

    first: float
    last: float
    low: float
    high: float
    log: bool

    def across(self, step: float) -> float:
        """Return how far to the right a step lies."""
        return (step - self.first) / ((self.last - self.first) or 1)

    def up(self, value: float) -> float:
        """Return how high up a value lies; a value for a logarithmic scale is positive."""
        low, high, here = self.low, self.high, value
        if self.log:
            low, high, here = math.log(low), math.log(high), math.log(max(value, 5e-324))
        elif not math.isfinite(high - low):
            low, high, here = low / 4, high / 4, here / 4
        return (here - low) / ((high - low) or 1)


def scale(one: Panel) -> Scale | None:
    """Return the scale that holds both curves and the band; None where nothing is finite."""
    band = [(one.band[0], one.band[1]), (one.band[0], one.band[2])] if one.band else []
    points = [
        (step, value)
        for steps, values in (one.old, one.new, *band)
        for step, value in zip(steps, values, strict=True)
        if math.isfinite(value)
    ]
    if not points:
        return None
    log = one.log and all(value > 0 for _, value in points)
    steps, values = [step for step, _ in points], [value for _, value in points]
    low, high = min(values), max(values)
    if low == high:
        room = abs(low or 1) / 2
        low, high = (low / 2, high * 2) if log else (low - room, high + room)
    elif log:
        low, high = low / (high / low) ** _AIR, high * (high / low) ** _AIR
    elif math.isfinite(high - low):
        low, high = low - _AIR * (high - low), high + _AIR * (high - low)
    return Scale(min(steps), max(steps), low, high, log)


def ticks(low: float, high: float, log: bool = False, most: int = 5) -> list[float]:
    """Return about ``most`` round values between ``low`` and ``high``, at least one."""
    if log and high / low >= 10:
        first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
        jump = max(1, math.ceil((last - first + 1) / most))
        return [10.0**power for power in range(first, last + 1, jump)] or [low, high]
    rough = (high - low) / most
    if not (rough > 1e-300 and math.isfinite(rough)):
        return [low]
    size = 10.0 ** math.floor(math.log10(rough))
    jump_by = next(size * by for by in (1, 2, 2.5, 5, 10) if size * by >= rough * (1 - 1e-9))
    begin, end = math.ceil(low / jump_by - 1e-9), math.floor(high / jump_by + 1e-9)
    digits = min(300, max(0, 2 - math.floor(math.log10(jump_by))))
    return [round(place * jump_by, digits) for place in range(begin, end + 1)] or [low]


def number(value: float) -> str:
    """Return a number as it stands on an axis: 0.25, 1200, 1.5e+06."""
    if math.isfinite(value) and value == int(value) and abs(value) < 1e5:
        return "%d" % value
    return "%.4g" % value


def document(title: str, labels: tuple[str, str], panels: Sequence[Panel], band: str = "") -> str:
    """Return an SVG document with a panel per metric.

    labels: of the two sides. band: what the band is, "" where there is none.
    """
    columns = 1 if len(panels) == 1 else 2
    rows = -(-len(panels) // columns) or 1
    width, height = columns * WIDTH + 24, _HEAD + rows * HEIGHT + 10
    said = "; ".join("%s: %s" % (one.name, _said(one)) for one in panels)
    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d"'
        ' role="img" aria-labelledby="t d">' % (width, height, width, height),
        '<title id="t">%s</title>' % _text(title),
        '<desc id="d">%s</desc>' % _text(said or "nothing to draw"),
        "<style>%s</style>" % _STYLE,
        '<rect class="ground" width="%d" height="%d"/>' % (width, height),
        '<text class="title" x="16" y="26">%s</text>' % _text(_cut(title, width // 9)),
        *_legend(labels, band, width),
    ]
    for place, one in enumerate(panels):
        x, y = 12 + place % columns * WIDTH, _HEAD + place // columns * HEIGHT
        out.append('<g transform="translate(%d %d)">' % (x, y))
        out += [*_panel(one, place), "</g>"]
    return "\n".join([*out, "</svg>"]) + "\n"


def _legend(labels: tuple[str, str], band: str, width: int) -> list[str]:
    out, x = [], 16
    room = (width - 60) // (3 if band else 2) // 7
    for name, label in zip(("old", "new"), labels, strict=True):
        shown = _cut(label, room)
        out.append('<line class="%s" x1="%d" x2="%d" y1="48" y2="48"/>' % (name, x, x + 28))
        out.append('<text x="%d" y="52">%s</text>' % (x + 34, _text(shown)))
        x += 60 + 7 * len(shown)
    if band:
        out.append('<rect class="band" x="%d" y="41" width="28" height="14"/>' % x)
        out.append('<text x="%d" y="52">%s</text>' % (x + 34, _text(_cut(band, room))))
    return out


def _panel(one: Panel, place: int) -> list[str]:
    name = '<text class="name" x="%d" y="16">%s</text>' % (_LEFT, _text(_cut(one.name, 44)))
    said = '<text class="said" x="%d" y="33">%s</text>' % (_LEFT, _text(_cut(_said(one), 66)))
    fits = scale(one)
    if fits is not None and fits.log:
        shown = _cut(one.name, 34) + " (logarithmic scale)"
        name = '<text class="name" x="%d" y="16">%s</text>' % (_LEFT, _text(shown))
    if fits is None:
        empty = '<text x="%d" y="90">no finite value to draw</text>' % _LEFT
        return [name, said, empty]
    wide, high = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

    def at(step: float, value: float) -> tuple[float, float]:
        return _LEFT + fits.across(step) * wide, _TOP + (1 - fits.up(value)) * high

    out = [name, said, *_axes(one, fits, wide, high)]
    clip = '<clipPath id="c%d"><rect x="%d" y="%d" width="%d" height="%d"/></clipPath>'
    out.append(clip % (place, _LEFT, _TOP, wide, high))
    out.append('<g clip-path="url(#c%d)">' % place)
    if one.band is not None:
        out.append(_band(one.band, at))
    if one.parted is not None:
        x = at(one.parted, fits.low)[0]
        line = '<line class="apart" x1="%.1f" x2="%.1f" y1="%d" y2="%d"><title>%s</title></line>'
        told = "apart from %s %s on" % (one.axis, number(one.parted))
        out.append(line % (x, x, _TOP, _TOP + high, _text(told)))
    for kind, (steps, values) in (("old", one.old), ("new", one.new)):
        drawn = _paths(steps, values, at, fits.log)
        thin = " dense" if len(steps) > _DENSE else ""
        out += ['<path class="%s%s" d="%s"/>' % (kind, thin, d) for d in drawn]
    return [*out, "</g>"]


def _said(one: Panel) -> str:
    return ", ".join((one.verdict, *one.text[:1]))


def _axes(one: Panel, fits: Scale, wide: int, high: int) -> list[str]:
    out = []
    for value in ticks(fits.low, fits.high, fits.log):
        y = _TOP + (1 - fits.up(value)) * high
        line = '<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>'
        out.append(line % (_LEFT, _LEFT + wide, y, y))
        label = '<text class="tick" x="%d" y="%.1f" text-anchor="end">%s</text>'
        out.append(label % (_LEFT - 6, y + 4, number(value)))
    for step in ticks(fits.first, fits.last):
        x = _LEFT + fits.across(step) * wide
        label = '<text class="tick" x="%.1f" y="%d" text-anchor="middle">%s</text>'
        out.append(label % (x, _TOP + high + 16, number(step)))
    frame = '<rect class="frame" x="%d" y="%d" width="%d" height="%d"/>'
    out.append(frame % (_LEFT, _TOP, wide, high))
    label = '<text class="tick" x="%d" y="%d" text-anchor="middle">%s</text>'
    return [*out, label % (_LEFT + wide / 2, _TOP + high + 32, _text(one.axis))]


def _paths(steps: Sequence[float], values: Sequence[float], at: _At, log: bool) -> list[str]:
    """Return a path per stretch of finite values; a lone point is a short dash."""
    found: list[list[str]] = [[]]
    for step, value in zip(steps, values, strict=True):
        if math.isfinite(value) and (value > 0 or not log):
            found[-1].append("%.1f %.1f" % at(step, value))
        elif found[-1]:
            found.append([])
    return ["M%s%s" % ("L".join(one), "h2" if len(one) == 1 else "") for one in found if one]


def _band(band: tuple[list[float], list[float], list[float]], at: _At) -> str:
    steps, low, high = band
    there = [
        (step, a, b)
        for step, a, b in zip(steps, low, high, strict=True)
        if math.isfinite(a) and math.isfinite(b)
    ]
    edge = ["%.1f %.1f" % at(step, b) for step, _, b in there]
    edge += ["%.1f %.1f" % at(step, a) for step, a, _ in reversed(there)]
    return '<path class="band" d="M%sZ"/>' % "L".join(edge) if edge else ""


def _text(words: str) -> str:
    """Return ``words`` for XML: escaped, without characters that it does not allow."""
    clean = "".join(c if c.isprintable() or c == " " else "?" for c in words)
    return escape(clean.encode("utf-8", "replace").decode("utf-8"))


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else words[: max(1, most - 1)].rstrip() + "…"
