"""Where two recorded runs part: reads what their records and folders hold, and asks `compare`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from provenance.compare import (
    parting,
    parting_checkpoints,
    parting_hints,
    parting_log,
    parting_marks,
    parting_series,
)
from provenance.compare.curve import Curve
from provenance.compare.files import OutputResult
from provenance.compare.metrics import MetricResult
from provenance.compare.parting import CAUSE, END, RESULTS, Parting, Station
from provenance.compare.tolerance import DEFAULT, Tolerance, is_number
from provenance.core import codec
from provenance.core.difference import NONE
from provenance.core.record import Record
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN, Finding
from provenance.facets import _loglines, fingerprints, metrics, outputs
from provenance.facets._filenames import CHECKPOINT, LOG
from provenance.operations import _parting_files, facts, repeatable, series
from provenance.store import records
from provenance.store.project import Project

_CAUSES = (
    ("code", ("code",)),
    ("packages", ("packages",)),
    ("machine", ("runtime", "hardware", "environment")),
    ("parameters", ("params",)),
    ("seeds", ("seeds",)),
    ("data", ("data",)),
    ("model", ("model",)),
)
"""Stations before the start, in the order of the ladder, and the facets that speak of each."""

_SHOWN = 2
_UNSEEDED = ("seeded without a value", "unseeded", "without random_state", "the time of day")
"""What doubts say of generators that had no fixed seed, so that equal seeds are no evidence."""

MARK = (
    "mark the first batch and the initial weights, and `prov run` both again: import provenance; "
    'provenance.fingerprint("batch", x); provenance.fingerprint("init", model)'
)
FOLDERS = (
    "let each run write its checkpoints to a folder of its own: the second run overwrote the first "
    "one's, so that only their digests can be compared"
)


class Side(NamedTuple):
    """One of two runs. folder: of its record, None where that is elsewhere (a published lock)."""

    record: Record
    folder: str | None
    files: _parting_files.Files


def part(
    place: Project,
    old: Record,
    new: Record,
    results: tuple[Sequence[MetricResult], Sequence[OutputResult]],
    tolerance: Tolerance | None = None,
    findings: Iterable[Finding] | None = None,
) -> Parting:
    """Return where the runs ``old`` and ``new`` part. Never raises for what a run left.

    results: their metrics and outputs, compared. findings: what differs, with its effect; where it
    is None the facets' own word counts.
    """
    rule = tolerance or DEFAULT
    sides = tuple(_side(place, one) for one in (old, new))
    compared = facts.compare(old, new)
    told: tuple[Any, ...] = compared.differences if findings is None else tuple(findings)
    differing = [one for one in told if not _names_outputs(one, old, new)]
    doubts = list(dict.fromkeys(one for run in (old, new) for one in repeatable.doubts(run)))
    causes = (_cause(name, names, differing, compared, old) for name, names in _CAUSES)
    rules = {one.name: one.tolerance for one in results[0]}
    curves, steps = _series(sides[0], sides[1], rules, place)
    stations = [_seeding(one, doubts) for one in causes if one is not None]
    stations += [*_marks(old, new, steps), curves]
    stations += [_log(sides[0], sides[1], rule, told, _flat(steps))]
    checkpoints, overwritten = _checkpoints(sides[0], sides[1], rule, _flat(steps))
    stations += [checkpoints, _results(*results, (old.exit_code, new.exit_code))]
    found = parting.parting(stations)
    found = found._replace(hints=parting_hints.hints(found.stations))
    if found.at is None:
        return found
    found = found._replace(sentence=_failed(old, new) + found.sentence)
    remedies = [] if _is_marked(old) or _is_marked(new) or not _is_python(old) else [MARK]
    remedies += [FOLDERS] if overwritten else []
    if not found.causes_differ:
        found = found._replace(doubts=tuple("%s: %s" % (one, one.fix) for one in doubts))
    return found._replace(remedies=tuple(remedies))


def _failed(old: Record, new: Record) -> str:
    """Return that one of the two failed, before what else is said of them; "" for none or both."""
    codes = (old.exit_code, new.exit_code)
    if None in codes or 0 not in codes or codes == (0, 0):
        return ""
    which = ("first", old) if codes[0] else ("second", new)
    return "the %s run failed (exit %s): " % (which[0], which[1].exit_code)


def _side(place: Project, run: Record) -> Side:
    folder = records.folder_of(place, run.id)
    return Side(run, folder if os.path.isdir(folder) else None, _parting_files.Files.of(place, run))


# --- before the start ----------------------------------------------------------------------------


def _cause(
    name: str, names: Sequence[str], differing: Iterable[Any], compared: facts.Compared, old: Record
) -> Station | None:
    """Return the station of the facets ``names``; None where there is nothing to speak of."""
    found = [one for one in differing if one.facet in names and one.effect != NONE]
    counted = [compared.facts[one] for one in names if one in compared.facts]
    total = sum(one.total for one in counted)
    unit = (
        "files" if name in ("code", "data") else counted[0].unit if len(counted) == 1 else "facts"
    )
    missed = [one for one in compared.not_compared if one.facet in names]
    if found:
        shown = ", ".join(_said(one) for one in found[:_SHOWN])
        more = " (+%d)" % (len(found) - _SHOWN) if len(found) > _SHOWN else ""
        where = tuple(dict.fromkeys(place for one in found for place in one.where))
        figures = {"differing": [one.name for one in found]}
        return Station(
            name, CAUSE, DIFFERENT, shown + more, where, compared=total, unit=unit, figures=figures
        )
    if missed and not total:
        return Station(name, CAUSE, NOT_COMPARED, missed[0].reason, unit=unit)
    if not total:
        told = any(old.facets.get(one) is not None for one in names)
        text = "there are none" if told else "not recorded"
        found_none = Station(name, CAUSE, NOT_COMPARED, text, unit=unit, figures={"none": told})
        return None if name == "model" else found_none
    text = "%d not compared: %s" % (len(missed), missed[0].reason) if missed else ""
    return Station(name, CAUSE, SAME, text, compared=total, unit=unit)


def _names_outputs(one: Any, old: Record, new: Record) -> bool:
    """Return whether a parameter differs only in naming where each run put what it wrote."""
    if one.facet != "params":
        return False
    for value, run in ((one.old, old), (one.new, new)):
        if not isinstance(value, str) or not value.strip("./"):
            return False
        wrote = outputs.of(run)
        named = "/%s/" % value.strip("./")
        if not any(named in "/%s/" % entry.path.path for entry in (wrote.files if wrote else ())):
            return False
    return True


def _seeding(one: Station, doubts: Sequence[repeatable.Doubt]) -> Station:
    """Return the station; of seeds that are equal where some generator had none, as not known."""
    unseeded = [d for d in doubts if any(word in d.text for word in _UNSEEDED)]
    if one.name != "seeds" or one.verdict != SAME or not unseeded:
        return one
    where = tuple(dict.fromkeys(place for doubt in unseeded for place in doubt.where))
    return one._replace(verdict=NOT_COMPARED, detail=unseeded[0].text, where=where)


def _said(one: Any) -> str:
    """Return a difference in few words: "lr 0.1 -> 0.2", "train.py"."""
    plain = all(not isinstance(value, (dict, list)) or len(str(value)) < 30 for value in one[5:7])
    if one.facet in ("code", "data") or not plain:
        return str(one.name)
    return "%s %s -> %s" % (one.name, *(_value(value) for value in (one.old, one.new)))


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    text = "%.6g" % value if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."


# --- on the way ----------------------------------------------------------------------------------


def _marks(old: Record, new: Record, steps: Sequence[Sequence[float]]) -> list[Station]:
    before, after = (fingerprints.of(run) for run in (old, new))
    return parting_marks.stations(
        before.values if before else (), after.values if after else (), steps
    )


def _is_marked(run: Record) -> bool:
    found = fingerprints.of(run)
    return found is not None and bool(found.values)


def is_fingerprinted(run: Record) -> bool:
    """Return whether ``run`` was recorded with ``--fingerprint``, and that found something."""
    found = fingerprints.of(run)
    return found is not None and any(one.value.get("automatic") for one in found.values)


def _is_python(run: Record) -> bool:
    return any(one.payload.get("hash_seed") is not None for one in run.payloads("seeds"))


def _series(
    old: Side, new: Side, rules: Mapping[str, Tolerance], place: Project
) -> tuple[Station, list[list[float]]]:
    """Return the station of all series, and the steps of those that both runs have.

    rules: the tolerance of each metric.
    """
    before, after = metrics.of(old.record), metrics.of(new.record)
    if before is None or after is None:
        return parting_series.station([]), []
    found, steps = [], []
    for name, points in before.series.items():
        others = after.series.get(name)
        if others is None:
            continue
        thinned = name in before.thinned or name in after.thinned
        rule = rules.get(name, DEFAULT)
        one = parting_series.apart(name, points, others, rule, not thinned)
        if thinned and one.step is not None:
            one = _refined(
                one, [series.of(side.record, place).get(name) for side in (old, new)], rule
            )
        found.append(one)
        if not thinned:
            steps.append([point["step"] for point in points if is_number(point["step"])])
    return parting_series.station(found, bool(before.series or after.series)), steps


def _refined(
    one: parting_series.Apart, whole: Sequence[Curve | None], rule: Tolerance
) -> parting_series.Apart:
    """Return where a series parts of which the record keeps some points, from all of them.

    Only the points from the last step that is known to be equal are looked at.
    """
    full = [_between(curve, one.before, one.step) for curve in whole]
    exact = parting_series.apart(one.name, full[0], full[1], rule, False)
    if exact.step is None:
        return one
    before = one.before if exact.before is None else exact.before
    return one._replace(step=exact.step, old=exact.old, new=exact.new, before=before)


def _between(curve: Curve | None, first: Any, last: Any) -> list[dict[str, Any]]:
    if curve is None:
        return []
    pairs = zip(curve.steps, curve.values, strict=True)
    return [
        {"step": int(step) if step == int(step) else step, "value": value}
        for step, value in pairs
        if (first is None or step >= first) and step <= last
    ]


def _flat(steps: Sequence[Sequence[float]]) -> list[float]:
    return sorted({step for one in steps for step in one})


def _log(
    old: Side, new: Side, rule: Tolerance, differing: Iterable[Any], steps: Sequence[float]
) -> Station:
    paths = []
    for who, side in (("first", old), ("second", new)):
        log = side.record.log
        if log is None or log.path is None:
            return parting_log.station("of the %s run nothing printed was kept" % who)
        if side.folder is None:
            return parting_log.station("the log of the %s run is not here" % who)
        paths.append(os.path.join(side.folder, log.path))
    said = [(one.old, one.new) for one in differing if one.facet == "params"]
    said.append((old.record.id, new.record.id))
    try:
        both = [list(_loglines.lines(path)) for path in paths]
    except OSError as error:
        return parting_log.station("a log cannot be read: %s" % error.strerror)
    heard = [any(line.text.strip() for line in lines) for lines in both]
    if not all(heard):
        who = (
            "" if not any(heard) else " by the %s run, or not kept" % ("second", "first")[heard[1]]
        )
        return parting_log.station("nothing was printed" + who)
    return parting_log.station(parting_log.compare(both[0], both[1], rule, said), steps)


def _checkpoints(
    old: Side, new: Side, rule: Tolerance, steps: Sequence[float]
) -> tuple[Station, bool]:
    """Return the station of the checkpoints, and whether the second run overwrote the first's."""
    before, after = outputs.of(old.record), outputs.of(new.record)
    found, alone = parting_checkpoints.pairs(
        before.files if before else (), after.files if after else ()
    )
    looked = []
    for one in [pair for pair in found if pair.same is False][: _parting_files.MOST_READ]:
        looked.append((one, _parting_files.contents(one, old.files, new.files, rule)))
        if looked[-1][1].verdict not in (SAME, WITHIN):
            break
    overwritten = any(
        one.old.path == one.new.path and old.files.at_hand(one.old) is None for one, _ in looked
    )
    return parting_checkpoints.station(found, alone, looked, steps), overwritten


# --- at the end ----------------------------------------------------------------------------------


def _results(
    judged: Sequence[MetricResult],
    files: Sequence[OutputResult],
    exits: tuple[int | None, int | None],
) -> Station:
    rows = [(one.name, one.verdict) for one in judged]
    rows += [(str(one.path), one.verdict) for one in files if one.kind not in (CHECKPOINT, LOG)]
    if None not in exits and exits[0] != exits[1]:
        rows.insert(0, ("exit code %s -> %s" % exits, DIFFERENT))
    verdicts = [verdict for _, verdict in rows if verdict != NOT_COMPARED]
    base = Station("results", RESULTS, NOT_COMPARED, "none to compare", moment=END, unit="results")
    names = [name for name, verdict in rows if verdict == DIFFERENT]
    if not names:
        verdict = WITHIN if WITHIN in verdicts else SAME
        return (
            base._replace(verdict=verdict, detail="", compared=len(verdicts)) if verdicts else base
        )
    shown = ", ".join(names[:3]) + (" (+%d)" % (len(names) - 3) if len(names) > 3 else "")
    return base._replace(
        verdict=DIFFERENT,
        detail="%d of %d differ: %s" % (len(names), len(verdicts), shown),
        compared=len(verdicts),
        figures={"differing": names},
        parted="the results differ (%s)" % shown,
    )


def as_json(found: Parting) -> dict[str, Any]:
    """Return the member ``parted`` of ``--json``."""
    return {
        "sentence": found.sentence,
        "at": found.at,
        "verdict": found.verdict,
        "hints": list(found.hints),
        "doubts": list(found.doubts),
        "remedies": list(found.remedies),
        "stations": [_station_json(one) for one in found.stations],
    }


def _station_json(one: Station) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "verdict": one.verdict,
        "detail": one.detail,
        "where": list(one.where),
        "step": one.step,
        "compared": one.compared,
        "unit": one.unit,
        "figures": codec.encode(dict(one.figures)),
    }
