"""Fingerprints of two runs as stations: which call of which name differs first, and in which part.

A name is taken for one of weights or of data by its words and by what was marked; that decides on
the words of the answer only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from provenance.compare.parting import BEFORE, END, FINGERPRINT, Station
from provenance.compare.tolerance import is_number
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME
from provenance.facets.fingerprints import Fingerprint

_WEIGHTS = re.compile(r"weight|init|param|model|network|state_?dict", re.I)
_DATA = re.compile(r"batch|data|input|sample|image|token|label|target|(?:^|_)[xy](?:$|_)", re.I)
_AFTER = 0.5
"""What is marked after the metrics of a step were logged is later than they."""


def stations(
    old: Sequence[Fingerprint], new: Sequence[Fingerprint], series: Sequence[Sequence[Any]] = ()
) -> list[Station]:
    """Return one station per name, in the order in which the old run marked them.

    series: the steps of each series that both runs have; a name that was marked as often as one of
    them has points is taken to be marked once a step.
    """
    after = {one.name: one for one in new}
    known = {one.name for one in old}
    found = [_station(one, after.get(one.name), series) for one in old]
    return found + [_alone(one, "first") for one in new if one.name not in known]


def _alone(one: Fingerprint, who: str) -> Station:
    text = "the %s run did not mark it" % who
    return Station(
        "fingerprint " + one.name, FINGERPRINT, NOT_COMPARED, text, _where(one), unit="calls"
    )


def _where(one: Fingerprint) -> tuple[str, ...]:
    return (one.where,) if one.where else ()


def _station(was: Fingerprint, now: Fingerprint | None, series: Sequence[Sequence[Any]]) -> Station:
    if now is None:
        return _alone(was, "second")
    name, compared = "fingerprint " + was.name, min(was.times, now.times)
    if not any(was.calls) or not any(now.calls):
        reason = str(was.value.get("reason") or "there is no digest")
        return Station(name, FINGERPRINT, NOT_COMPARED, reason, _where(was), unit="calls")
    of = kind(was)
    figures: dict[str, Any] = {"calls": [was.times, now.times], **({"of": of} if of else {})}
    if (was.chain, was.times) == (now.chain, now.times):
        text = ""
        return Station(
            name, FINGERPRINT, SAME, text, _where(was), BEFORE, compared, "calls", figures,
            place=_place(was, 1),
        )  # fmt: skip
    call = _first_call(was, now)
    part, differing, total = ("", 0, 0) if call != 1 else first_part(was.value, now.value)
    moment, step = _when(was, call, series)
    figures.update(call=call, initial=call == 1)
    if part:
        figures.update(part=part, parts_differing=differing, parts=total)
    if call == 1:
        figures.update(old=_looks(was.value, part), new=_looks(now.value, part))
    return Station(
        name,
        FINGERPRINT,
        DIFFERENT,
        _detail(was, now, call, part, differing, total),
        _where(was),
        BEFORE if moment is None else moment,
        compared,
        "calls",
        figures,
        _parted(was, call, of),
        step,
        _place(was, call),
    )


def kind(one: Fingerprint) -> str:
    """Return "weights" or "data" where the name or the marked value says so, else ""."""
    if _WEIGHTS.search(one.name):
        return "weights"
    if _DATA.search(one.name):
        return "data"
    parts = one.value.get("parts") or {}
    named = any(str(key).endswith(("weight", "bias", "kernel")) for key in parts)
    return "weights" if named else ""


def _first_call(was: Fingerprint, now: Fingerprint) -> int | None:
    """Return the first call that differs, from 1; None where it is after those that are kept."""
    pairs = enumerate(zip(was.calls, now.calls, strict=False), 1)
    found = next((number for number, (one, other) in pairs if one != other), None)
    shorter = min(len(was.calls), len(now.calls))
    if found is None and len(was.calls) != len(now.calls):
        return shorter + 1
    return found


def first_part(
    old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = ""
) -> tuple[str, int, int]:
    """Return the name of the first part that differs, how many do, and how many parts there are.

    Parts are looked at in the order of the old value, inner ones by their full name.
    """
    before, after = _leaves(old, prefix), _leaves(new, prefix)
    if set(before) == {""}:
        return "", 0, 0
    names = [*before, *(name for name in after if name not in before)]
    differing = [name for name in names if before.get(name) != after.get(name)]
    return (differing[0] if differing else ""), len(differing), len(names)


def _leaves(value: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    parts = value.get("parts")
    if not isinstance(parts, Mapping):
        return {prefix: value.get("digest")}
    found: dict[str, Any] = {}
    order = [name for name in value.get("order") or () if name in parts]
    for name in order or parts:
        found.update(_leaves(parts[name], "%s.%s" % (prefix, name) if prefix else str(name)))
    return found


def _at(value: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    """Return the description of the part called ``part``, of the whole where it is empty."""
    parts = value.get("parts")
    if not part or not isinstance(parts, Mapping):
        return value
    for name, one in parts.items():
        if part == name or part.startswith(str(name) + "."):
            return _at(one, part[len(str(name)) + 1 :])
    return value


def _looks(value: Mapping[str, Any], part: str) -> dict[str, Any]:
    one = _at(value, part)
    return {key: one[key] for key in ("shape", "dtype", "summary", "value", "size") if key in one}


def _detail(
    was: Fingerprint, now: Fingerprint, call: int | None, part: str, differing: int, total: int
) -> str:
    if call is None:
        return "after the first %d calls" % len(was.calls)
    if call > min(len(was.calls), len(now.calls)):
        return "marked %d times, then %d times" % (was.times, now.times)
    parts = ["first in %s (%d of %d parts differ)" % (part, differing, total)] if part else []
    parts += ["first at call %d of %d" % (call, was.times)] if was.times > 1 else []
    return ", ".join(parts)


def _when(
    was: Fingerprint, call: int | None, series: Sequence[Sequence[Any]]
) -> tuple[float | None, Any]:
    """Return the moment and the step of a call, None where they are not known.

    Metrics that the code logged before the call tell it: the call is then after that step. Else a
    name that was marked as often as a series has points is taken to be marked once a step.
    """
    if call is None:
        return END, None
    told: Any = was.steps[call - 1] if call <= len(was.steps) else None
    if is_number(told):
        return float(told) + _AFTER, told
    for steps in series:
        if was.times > 1 and call <= len(steps) == was.times:
            return float(steps[call - 1]), steps[call - 1]
    return None, None


def _place(was: Fingerprint, call: int | None) -> int:
    """Return the place of a call among all calls of `fingerprint`, 0 where the record is older."""
    if call is None or not was.places:
        return was.places[-1] if was.places else 0
    return was.places[min(call, len(was.places)) - 1]


def _parted(was: Fingerprint, call: int | None, of: str) -> str:
    if of == "weights":
        return "parted at the initial weights" if call == 1 else "parted at the weights"
    if of == "data":
        first = " first" if call == 1 and was.times > 1 else ""
        return "parted at the%s data that the training was given" % first
    return "parted at fingerprint %r" % was.name
