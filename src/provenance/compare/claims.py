"""A paper's claims held against the values of runs: pure judging, of a claim at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from provenance.compare import _claim_holds as holding
from provenance.compare import _claim_numbers as numbers
from provenance.compare import _claim_parameters as settings
from provenance.compare._claim_grammar import Sentence
from provenance.compare._claim_holds import BEST, LAST, Cannot, Found, Look, Value
from provenance.compare._claim_numbers import Allowed, Printed
from provenance.core.record import Record

__all__ = ["BEST", "LAST", "Cannot", "Claim", "Found", "Judged", "Look", "Stated", "Value", "judge"]

HOLDS, WITHIN, FAILS, STALE = "holds", "within tolerance", "fails", "stale"
NOT_CHECKED = "not checked"
VERDICTS = (HOLDS, WITHIN, NOT_CHECKED, STALE, FAILS)
"""From the best to the gravest."""
BAD = (FAILS, STALE)
MOMENTS = (LAST, BEST, "max", "min")
"""Which point of a series a claim may mean."""


class Stated(NamedTuple):
    """A stated setting. value: plain. text: as written."""

    name: str
    value: Any
    text: str


class Claim(NamedTuple):
    """One claim.

    says: the paper's sentence. where: "prov.yaml:12". run: a name, id, tag or pattern. metric, at:
    which of its numbers (`MOMENTS`). value: as printed. runs: over how many. tolerance: as
    written, "" for half of the last digit. holds: a sentence over several runs. parameters,
    packages: what the paper states of the run.
    """

    name: str
    says: str = ""
    where: str = ""
    run: str = ""
    metric: str = ""
    at: str = LAST
    value: Printed | None = None
    runs: int | None = None
    tolerance: str = ""
    holds: Sentence | None = None
    parameters: tuple[Stated, ...] = ()
    packages: tuple[Stated, ...] = ()

    @property
    def selectors(self) -> tuple[str, ...]:
        """The names of all runs that it speaks of, each once."""
        named = [self.run] if self.run else []
        named += [one.run for one in self.holds.names] if self.holds else []
        return tuple(dict.fromkeys(named))

    @property
    def stated(self) -> str:
        """What it states, in a few words."""
        parts = []
        if self.value is not None:
            over = " (%d runs)" % self.runs if self.runs else ""
            parts.append("%s %s%s" % (self.metric, self.value.text, over))
        if self.holds is not None:
            parts.append(self.holds.text)
        parts += ["%s: %s" % (one.name, one.text) for one in self.parameters]
        parts += ["%s %s" % (one.name, one.text) for one in self.packages]
        return ", ".join(parts)


class Judged(NamedTuple):
    """What one claim's values say.

    verdict: holds, within tolerance, fails or not checked. found: the value or values, for people.
    tolerance: with its source, "" where none applies. detail: a clause. number: the measured
    value in the unit that is printed, None where it is not one. spread: of several runs.
    """

    verdict: str
    found: str = ""
    tolerance: str = ""
    detail: str = ""
    number: Decimal | None = None
    spread: Decimal | None = None


RecordOf = Callable[[str], "tuple[tuple[Record, ...], str]"]
"""Gives the runs that a name means, or why there are none."""


def judge(claim: Claim, look: Look, records: RecordOf) -> Judged:
    """Return the verdict over all that ``claim`` states; the gravest of its parts."""
    parts = []
    if claim.value is not None:
        parts.append(_number(claim, claim.value, look))
    if claim.holds is not None:
        parts.append(_sentence(claim, claim.holds, look))
    if claim.parameters or claim.packages:
        parts.append(_settings(claim, records))
    if not parts:
        return Judged(NOT_CHECKED, detail="it states nothing that can be checked")
    return Judged(
        max((one.verdict for one in parts), key=VERDICTS.index),
        _joined(one.found for one in parts),
        _joined(one.tolerance for one in parts),
        _joined(one.detail for one in parts),
        parts[0].number,
        parts[0].spread,
    )


def _joined(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(word for word in words if word))


def _number(claim: Claim, stated: Printed, look: Look) -> Judged:
    found = look(claim.run, claim.metric, claim.at)
    permitted = numbers.allowed(claim.tolerance or None, stated)
    tolerance = "\u00b1%s (%s)" % (numbers.shown(permitted.amount), permitted.source)
    if found.why or not found.values:
        return Judged(NOT_CHECKED, "", tolerance, found.why or "the runs have no value")
    measured = [numbers.in_unit(one.number, one.unit, claim.metric, stated) for one in found.values]
    values = [one.value for one in measured]
    mean = holding.over("mean", values)
    verdict = _within(mean, stated, permitted)
    text = numbers.shown(mean, stated.half)
    details = [measured[0].note]
    spread = holding.over("std", values) if len(values) > 1 else None
    if len(values) > 1:
        text = "%s \u00b1 %s" % (text, numbers.shown(spread or Decimal(0), stated.half))
        details.append("mean and sd of %d runs" % len(values))
    if stated.spread is not None:
        verdict, more = _with_spread(verdict, stated, spread, claim)
        details.append(more)
    if claim.runs is not None and claim.runs != len(values):
        verdict = FAILS
        details.append("the claim says %d runs" % claim.runs)
    if verdict == FAILS and stated.unit != "%" and abs(mean) <= 1 < abs(stated.value):
        details.append('if the claim is in per cent, write "%s %%"' % stated.plain)
    return Judged(verdict, text, tolerance, _joined(details), mean, spread)


def _within(value: Decimal, stated: Printed, permitted: Allowed) -> str:
    distance = abs(value - stated.value)
    if distance <= min(stated.half, permitted.amount) or (
        permitted.chosen and distance == 0  # a stated tolerance of 0
    ):
        return HOLDS
    return WITHIN if permitted.chosen and distance <= permitted.amount else FAILS


def _with_spread(
    verdict: str, stated: Printed, spread: Decimal | None, claim: Claim
) -> tuple[str, str]:
    """Return the verdict with the stated spread in it, and what is to be said of that."""
    assert stated.spread is not None
    if spread is None:
        return FAILS, "a spread is stated, but %s is one run" % claim.run
    if abs(spread - stated.spread) <= stated.spread_half:
        return verdict, ""
    told = "the spread is %s, not %s" % (
        numbers.shown(spread, stated.spread_half),
        stated.spread,
    )
    permitted = numbers.allowed(claim.tolerance or None, stated)
    if permitted.chosen and abs(spread - stated.spread) <= permitted.amount:
        return max(verdict, WITHIN, key=VERDICTS.index), told
    return FAILS, told


def _sentence(claim: Claim, sentence: Sentence, look: Look) -> Judged:
    slack = Decimal(0)
    tolerance = ""
    if claim.tolerance and claim.value is None:
        slack = numbers.allowed(claim.tolerance, numbers.printed("0")).amount
        tolerance = "\u00b1%s (stated)" % numbers.shown(slack)
    try:
        held = holding.held(sentence, look)
        loosely = held if held.true or not slack else holding.held(sentence, look, slack)
    except Cannot as why:
        return Judged(NOT_CHECKED, "", tolerance, str(why))
    verdict = HOLDS if held.true else WITHIN if loosely.true else FAILS
    detail = "missing %s" % numbers.shown(-held.least) if not held.true and held.least else ""
    return Judged(verdict, str(held), tolerance, _joined((detail, held.note)))


def _settings(claim: Claim, records: RecordOf) -> Judged:
    runs, why = records(claim.run)
    if why or not runs:
        return Judged(NOT_CHECKED, "", "", why or "there is no such run")
    judged: list[settings.Setting] = []
    for run in runs:
        judged += [settings.judge(run, *one) for one in claim.parameters]
        judged += [settings.judge_package(run, one.name, one.text) for one in claim.packages]
    wrong = [one for one in judged if one.equal is False]
    absent = [one for one in judged if one.equal is None]
    verdict = FAILS if wrong else NOT_CHECKED if absent else HOLDS
    found = _joined(one.recorded for one in (wrong or judged))
    details = [
        "%s is stated as %s%s" % (one.name, one.stated, ", " + one.detail if one.detail else "")
        for one in wrong
    ]
    details += [one.detail for one in absent]
    details += [one.detail for one in judged if one.equal and not wrong]
    return Judged(verdict, found, "", _joined(details))
