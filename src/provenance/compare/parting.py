"""Where two runs part: a ladder of stations in the order in which a training goes through them.

First what was there before the start (code, packages, machine, parameters, seeds, data, model),
then what was seen on the way (marked values, series, printed lines, checkpoints), then what was
left at the end. The first station that differs is the earliest thing that can be seen to differ;
that it is the cause is not said.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN

CAUSE, FINGERPRINT, SERIES, LOG, CHECKPOINTS, RESULTS = (
    "cause",
    "fingerprint",
    "series",
    "log",
    "checkpoints",
    "results",
)
"""What a station is made of; those of the same moment stand in the ladder in this order."""

_ORDER = (CAUSE, FINGERPRINT, SERIES, LOG, CHECKPOINTS, RESULTS)

BEFORE, END = -1.0, math.inf
"""Moments: before the first step, and after the last one."""


class Station(NamedTuple):
    """One thing that both runs came by.

    name: "data", "fingerprint init", "series" ... kind: see above. verdict: same, within tolerance,
    different or not compared. detail: one clause; of one that is not compared why. where: places in
    the code, "file:line". moment: the step at which the two part, `BEFORE` or `END`; it orders the
    ladder. compared: how many things were looked at; unit: of what kind. figures: the evidence, by
    name, JSON-able. parted: the sentence's words for parting here. step: at which the two part,
    None where that is not known or outside of all steps. place: among those of one moment.
    """

    name: str
    kind: str
    verdict: str
    detail: str = ""
    where: tuple[str, ...] = ()
    moment: float = BEFORE
    compared: int = 0
    unit: str = ""
    figures: Mapping[str, Any] = {}
    parted: str = ""
    step: Any = None
    place: int = 0

    @property
    def counted(self) -> str:
        """How much was looked at: "1 file", "3 files"."""
        one = self.unit[:-1] if self.unit.endswith("s") and self.unit != SERIES else self.unit
        return "%d %s" % (self.compared, one if self.compared == 1 else self.unit)


class Parting(NamedTuple):
    """Where two runs part.

    sentence: the answer in one line. at: the name of the first station that differs on the way or
    at the end, None where none does. stations: the ladder. hints: what the evidence looks like, in
    careful words. doubts: why the runs may not be repeatable, where no cause differs. remedies:
    what would tell more.
    """

    sentence: str
    at: str | None
    stations: tuple[Station, ...]
    hints: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """Different where anything differs, causes included."""
        verdicts = [one.verdict for one in self.stations]
        for verdict in (DIFFERENT, WITHIN, SAME):
            if verdict in verdicts:
                return verdict
        return NOT_COMPARED

    @property
    def causes_differ(self) -> bool:
        """Whether anything that was there before the start differs."""
        return any(one.verdict == DIFFERENT for one in self.stations if one.kind == CAUSE)


def ladder(stations: Iterable[Station]) -> tuple[Station, ...]:
    """Return ``stations`` in the order of time.

    What is equal all along, or could not be compared, stands before what parts at a step.
    """

    def place(pair: tuple[int, Station]) -> tuple[float, int, int, int]:
        index, one = pair
        if one.kind == CAUSE:
            return -math.inf, 0, 0, index
        moment = END if one.kind == RESULTS else one.moment if one.verdict == DIFFERENT else BEFORE
        return moment, _ORDER.index(one.kind), one.place, index

    return tuple(one for _, one in sorted(enumerate(stations), key=place))


def first_seen(stations: Sequence[Station]) -> Station | None:
    """Return the first station after the causes that differs, None where none does."""
    later = (one for one in stations if one.kind != CAUSE)
    return next((one for one in later if one.verdict == DIFFERENT), None)


def parting(stations: Iterable[Station], hints: Sequence[str] = ()) -> Parting:
    """Return where the two runs part that came by ``stations``, in any order."""
    found = ladder(stations)
    first = first_seen(found)
    return Parting(_sentence(found, first), first.name if first else None, found, tuple(hints))


def _sentence(stations: Sequence[Station], first: Station | None) -> str:
    causes = [one for one in stations if one.kind == CAUSE]
    differing = [_cause(one) for one in causes if one.verdict == DIFFERENT]
    if first is None:
        return _not_parted(stations, differing)
    parts = [*differing, _equal(causes), _evidence(first)]
    return ": ".join(
        part for part in (_head(stations, first), "; ".join(part for part in parts if part)) if part
    )


def _evidence(first: Station) -> str:
    if first.kind == SERIES:
        return ""  # the head has it
    if first.kind != FINGERPRINT:
        return first.detail
    place = " (%s)" % first.where[0] if first.where else ""
    text = "fingerprint %r%s differs" % (first.name.partition(" ")[2], place)
    return "%s, %s" % (text, first.detail) if first.detail else text


def _head(stations: Sequence[Station], first: Station) -> str:
    if first.kind == FINGERPRINT and first.figures.get("of") == "weights":
        data = [one for one in stations if one.name == "data" and one.kind == CAUSE]
        marked = [one for one in stations if one.figures.get("of") == "data"]
        both = bool(data and marked) and all(
            one.verdict == SAME or one.figures.get("none") for one in (*data, *marked)
        )
        if both and first.figures.get("initial"):
            return "data pipeline equal, initial weights differ"
    if first.kind != RESULTS:
        return first.parted or "parted at " + first.name
    seen = [one for one in stations if one.kind not in (CAUSE, RESULTS) and one.compared]
    causes = [one for one in stations if one.kind == CAUSE and one.verdict == DIFFERENT]
    if not causes:
        return "equal in everything recorded before the end, only %s" % (first.parted or first.name)
    way = "equal in what was recorded on the way" if seen else "nothing was recorded on the way"
    return "%s, %s" % (way, first.parted or first.name)


def _not_parted(stations: Sequence[Station], differing: Sequence[str]) -> str:
    counted = [one for one in stations if one.verdict in (SAME, WITHIN) and one.kind != CAUSE]
    marked = sum(one.kind == FINGERPRINT for one in counted)
    words = ["%d fingerprint%s" % (marked, "" if marked == 1 else "s")] if marked else []
    words += [one.counted for one in counted if one.kind != FINGERPRINT]
    within = " within tolerance" if any(one.verdict == WITHIN for one in counted) else ""
    equal = "equal%s in %s" % (within, joined(words))
    if differing:
        text = "they were not seen to part, though causes differ: " + "; ".join(differing)
        return "%s; %s" % (text, equal if words else "no result to compare")
    if not words:
        return "not known where they part: nothing that came out of both could be compared"
    return "they were not seen to part: " + equal


def _cause(one: Station) -> str:
    return "%s %s" % (one.name, one.detail) if one.detail else one.name + " differs"


def _equal(causes: Sequence[Station]) -> str:
    """Return "code, data (3 files) and seeds equal", "" where nothing was equal."""
    names = [
        "%s (%s)" % (one.name, one.counted) if one.name == "data" else one.name
        for one in causes
        if one.verdict == SAME
    ]
    return joined(names) + " equal" if names else ""


def joined(names: Sequence[str]) -> str:
    """Return ``names`` as one reads a list: "a, b and c"."""
    return " and ".join(part for part in (", ".join(names[:-1]), "".join(names[-1:])) if part)
