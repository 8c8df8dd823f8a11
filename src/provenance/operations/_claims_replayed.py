"""What replays gave of a claim's numbers: those recorded here, and those that receipts tell of."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from provenance.compare import _claim_numbers as numbers
from provenance.compare import claims as judging
from provenance.compare.claims import LAST, Claim, Found, Judged, Value
from provenance.core import canonical
from provenance.core.record import Record
from provenance.operations import _claims_runs, replayed
from provenance.operations._claims_runs import Pool
from provenance.operations.references import LOCK, Reference
from provenance.store import receipts


class Replay(NamedTuple):
    """One replay of a run. record: None where only a receipt tells of it. finals: its numbers."""

    id: str
    started: str
    record: Record | None
    finals: Mapping[str, Any] = {}


class Counted(NamedTuple):
    """How many replays have the claim's numbers, and in how many of them it holds."""

    total: int
    good: int

    def __str__(self) -> str:
        """Return it in words: "replayed by 3, 3 within tolerance"."""
        return "replayed by %d, %d within tolerance" % self


class Replays:
    """The replays of runs, looked up once for each."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._known: dict[str, tuple[Replay, ...]] = {}
        self._receipts: list[dict[str, Any]] | None = None

    def of(self, one: Reference) -> tuple[Replay, ...]:
        """Return the replays of a run, the newest first."""
        run = one.record
        if run.id not in self._known:
            found = [Replay(r.id, r.started, r) for r in self.pool.replays(run.id)]
            own = {each.id for each in found}
            found += [each for each in self._told(one) if each.id not in own]
            self._known[run.id] = tuple(sorted(found, key=lambda r: r.started, reverse=True))
        return self._known[run.id]

    def _told(self, one: Reference) -> list[Replay]:
        if one.kind != LOCK or self.pool.lock_path is None:
            return []
        if self._receipts is None:
            folder = os.path.dirname(os.path.abspath(self.pool.lock_path))
            self._receipts = receipts.read_all(folder)[0]
        mine = [each for each in self._receipts if each.get("run") == one.record.id]
        digest = replayed.digest(one.record) if mine else ""
        return [_of_receipt(each) for each in mine if each.get("record") == digest]


def _of_receipt(receipt: Mapping[str, Any]) -> Replay:
    told = receipt.get("metrics")
    finals = {
        str(one.get("name")): canonical.number(one.get("now"))
        for one in (told if isinstance(told, list) else ())
        if isinstance(one, dict)
    }
    return Replay(str(receipt.get("replay")), str(receipt.get("started")), None, finals)


def value_of(replay: Replay, original: Record, metric: str, at: str) -> Found:
    """Return one metric of a replay; a receipt has last values only."""
    if replay.record is not None:
        return _claims_runs.value_of(replay.record, metric, at)
    if at != LAST:
        return Found(why="receipts have last values only")
    known_as = metric if metric in replay.finals else _claims_runs.folded(metric, replay.finals)
    number = numbers.finite(replay.finals.get(known_as))
    if number is None:
        return Found(why="a receipt has no %s" % metric)
    known = _claims_runs.value_of(original, metric).values
    return Found((Value(replay.id, number, known[0].unit if known else ""),))


Choose = Callable[[str], "tuple[tuple[Reference, ...], str]"]


def judge(claim: Claim, choose: Choose, replays: Replays) -> Judged:
    """Judge ``claim`` by its runs' newest replays; of one run, by the range of several, too."""

    def look(name: str, metric: str, at: str) -> Found:
        runs, why = choose(name)
        values: list[Value] = []
        for one in runs:
            known = replays.of(one)
            if not known:
                return Found(why="no replay of run %s" % (one.record.name or one.record.id))
            found = value_of(known[0], one.record, metric, at)
            if found.why:
                return found
            values += found.values
        return Found(tuple(values), why)

    def records(name: str) -> tuple[tuple[Record, ...], str]:
        runs, why = choose(name)
        newest = [next((r.record for r in replays.of(one) if r.record), None) for one in runs]
        if why or None in newest:
            return (), why or "no replay of run %s that is recorded here" % name
        return tuple(one for one in newest if one is not None), ""

    judged = judging.judge(claim, look, records)
    return _ranged(claim, judged, choose, replays)


def _ranged(claim: Claim, judged: Judged, choose: Choose, replays: Replays) -> Judged:
    """Return ``judged`` with the range of several replays of the claim's one run in it."""
    runs = choose(claim.run)[0] if claim.run else ()
    if claim.value is None or len(runs) != 1 or judged.number is None:
        return judged
    original, metric = runs[0].record, claim.metric
    values = [
        numbers.in_unit(one.number, one.unit, metric, claim.value).value
        for each in replays.of(runs[0])
        for one in value_of(each, original, metric, claim.at).values
    ]
    if len(values) < 2:
        return judged
    low, high = min(values), max(values)
    shown = (len(values), *(numbers.shown(one, claim.value.half) for one in (low, high)))
    text = "%s replays: %s to %s" % shown
    inside = judged.verdict == judging.FAILS and low <= claim.value.value <= high
    detail = "; ".join(one for one in (text, judged.detail) if one)
    return judged._replace(verdict=judging.WITHIN if inside else judged.verdict, detail=detail)


def counted(claim: Claim, choose: Choose, replays: Replays) -> Counted | None:
    """Return in how many replays of its one run ``claim`` holds; None where it is of several."""
    if len(claim.selectors) != 1:
        return None
    runs = choose(claim.selectors[0])[0]
    if len(runs) != 1:
        return None
    total = good = 0
    for each in replays.of(runs[0]):
        judged = _of_one(claim, each, runs[0].record)
        if judged.verdict != judging.NOT_CHECKED:
            total += 1
            good += judged.verdict in (judging.HOLDS, judging.WITHIN)
    return Counted(total, good)


def _of_one(claim: Claim, replay: Replay, original: Record) -> Judged:
    def look(_: str, metric: str, at: str) -> Found:
        return value_of(replay, original, metric, at)

    def records(_: str) -> tuple[tuple[Record, ...], str]:
        return ((replay.record,), "") if replay.record is not None else ((), "only a receipt")

    return judging.judge(claim, look, records)
