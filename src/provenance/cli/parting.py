"""Where two runs part, for people: the answer in one line, and the ladder it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provenance.cli.style import Style, flat, value
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN

if TYPE_CHECKING:
    from provenance.compare.parting import Parting, Station

_COLOUR = {DIFFERENT: "red", SAME: "green", WITHIN: "green"}
_EQUAL_SHOWN = 6
_WIDEST = 44


def lines(found: Parting, style: Style) -> list[str]:
    """Return the sentence and the ladder below it."""
    shown = [_answer(found, style)]
    if found.at is not None or found.causes_differ:
        stations = _without_crowd(found.stations)
        width = min(max(len(one.name) for one in stations), _WIDEST)
        shown += [_station(one, width, style) for one in stations]
    shown += ["  hint: " + flat(one) for one in found.hints]
    if found.doubts:
        shown.append("  no cause that was recorded differs; what may not be repeatable:")
        shown += ["    " + flat(one) for one in found.doubts]
    return shown + ["  to know more: " + flat(one) for one in found.remedies]


def _answer(found: Parting, style: Style | None) -> str:
    text = flat(found.sentence)
    lead = "" if found.at is None or text.startswith("parted") else "where they part: "
    return lead + (style(text, "bold") if style else text)


def notes(found: Parting) -> tuple[str, ...]:
    """Return the same for a report in Markdown, without the stations that are equal."""
    differing = [one for one in found.stations if one.verdict == DIFFERENT]
    rows = ["%s: %s" % (one.name, _told(one)) for one in differing]
    told = [_answer(found, None), *rows, *("hint: " + one for one in found.hints)]
    told += ["may not be repeatable: " + one for one in found.doubts]
    told += ["to know more: " + one for one in found.remedies]
    return tuple(flat(one) for one in told)


def _without_crowd(stations: tuple[Station, ...]) -> list[Station]:
    """Return the stations; of many fingerprints that are equal only the first few."""
    kept: list[Any] = []
    equal = 0
    for one in stations:
        equal += one.kind == "fingerprint" and one.verdict == SAME
        if one.kind != "fingerprint" or one.verdict != SAME or equal <= _EQUAL_SHOWN:
            kept.append(one)
    return kept


def _station(one: Station, width: int, style: Style) -> str:
    word = style("%-14s" % one.verdict, *([_COLOUR[one.verdict]] if one.verdict in _COLOUR else []))
    told = flat(_told(one))
    return "  %-*s  %s  %s" % (width, one.name, word if told else word.rstrip(), told)


def _told(one: Station) -> str:
    if one.verdict == DIFFERENT:
        if one.kind != "fingerprint":
            return one.detail
        step = "step %s" % value(one.step) if one.step is not None else ""
        return "  ".join(part for part in (", ".join(one.where[:1]), one.detail, step) if part)
    count = one.counted if one.compared and one.verdict != NOT_COMPARED else ""
    return "  ".join(part for part in (", ".join(one.where[:2]), count, one.detail) if part)
