"""Which tolerance holds for which metric, and where it comes from.

The order, the first that says something counts: the command line, the project's settings, the
settings as they were when the run was recorded or locked, the default for the kind of metric.

Defaults by kind, with the reason of each:

==============  ====================  =============================================================
kind            default               reason
==============  ====================  =============================================================
count           equal                 a whole number is counted, nothing rounds it
fraction        one example of n      a rounding error can tip one example that lies on the border;
                                      only where the run says how many examples there were
percentage      the same, times 100
loss            rtol 1e-05            the mean over many terms, summed in single precision in an
                                      order that threads decide: sqrt(10,000) roundings of 6e-8
time, rate,     not compared          another machine, another hour
memory
other           rtol 1e-06            what single precision does to a few sums (pytest's default)
==============  ====================  =============================================================
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from provenance.compare.tolerance import (
    ATOL,
    BY_DEFAULT,
    RECORDED,
    RTOL,
    Tolerance,
    is_number,
)
from provenance.core.record import ALLOWED, Record
from provenance.core.volatile import is_volatile_name
from provenance.facets import _metricnames

COUNT, FRACTION, PERCENTAGE, LOSS, VOLATILE, OTHER = (
    "count", "fraction", "percentage", "loss", "volatile", "other",
)  # fmt: skip

LOSS_RTOL = 1e-5

_LOSSES = frozenset(
    "loss losses nll ce bce mse rmse mae logloss perplexity ppl cost elbo kl bpc bpb".split()
)
_COUNTED = frozenset("acc accuracy top1 top5 error err precision recall hits em winrate".split())
"""Measures that are a count of examples over their number."""

_EXAMPLES = frozenset("samples examples support".split())


class Rules(NamedTuple):
    """What holds for all metrics and for single ones, as somebody chose it.

    overall: for every metric, None for no such. by_name: by name or pattern (``loss*``), in the
    order in which they were written: the exact name counts first, then the first pattern that fits.
    """

    overall: Tolerance | None = None
    by_name: Mapping[str, Tolerance] = {}

    def find(self, name: str) -> Tolerance | None:
        """Return what was chosen for ``name``, None for nothing."""
        if name in self.by_name:
            return self.by_name[name]
        for pattern, one in self.by_name.items():
            if fnmatch.fnmatchcase(name, pattern):
                return one
        return self.overall

    def __bool__(self) -> bool:
        """Return whether anything was chosen."""
        return self.overall is not None or bool(self.by_name)


class Choice(NamedTuple):
    """All that was chosen, the strongest first."""

    rules: tuple[Rules, ...] = ()

    def of(
        self,
        name: str,
        values: Iterable[Any] = (),
        finals: Mapping[str, Any] | None = None,
        unit: str = "",
    ) -> Tolerance:
        """Return the tolerance for ``name``; see `default`."""
        for one in self.rules:
            found = one.find(name)
            if found is not None:
                return found
        return default(name, values, finals, unit)

    @property
    def overall(self) -> Tolerance | None:
        """What was chosen for everything, for results that have no name; None for nothing."""
        return next((one.overall for one in self.rules if one.overall is not None), None)


def rules(
    rtol: float | None,
    atol: float | None,
    by_name: Mapping[str, Mapping[str, Any]],
    source: str,
    ulp: int | None = None,
) -> Rules:
    """Return what is stated as rules. Raises ValueError for nonsense; see `Tolerance.of`."""
    overall = None
    if rtol is not None or atol is not None or ulp is not None:
        overall = Tolerance.of(rtol, atol, ulp, source)
    return Rules(overall, {name: _named(name, one, source) for name, one in by_name.items()})


def _named(name: str, stated: Mapping[str, Any], source: str) -> Tolerance:
    """Return the tolerance for one metric: what is not stated of it is 0, not the default."""
    rtol, atol, ulp = (stated.get(member) for member in ("rtol", "atol", "ulp"))
    why = "as for %s" % name if any(c in name for c in "*?[") else ""
    dtype = str(stated.get("dtype", "float64"))
    return Tolerance.of(rtol or 0.0, atol or 0.0, ulp, source, dtype, why)


def kind(name: str, values: Iterable[Any] = (), unit: str = "") -> str:
    """Return the kind of a metric, from its name, its values and its unit."""
    numbers = [value for value in values if is_number(value)]
    if is_volatile_name(name) or _metricnames.is_timing(name):
        return VOLATILE
    if numbers and all(isinstance(value, int) for value in numbers):
        return COUNT
    parts = set(_metricnames.words(name))
    if parts & _LOSSES:
        return LOSS
    if parts & _COUNTED and numbers:
        if unit == "%" or any(1 < abs(value) <= 100 for value in numbers):
            return PERCENTAGE
        if all(0 <= value <= 1 for value in numbers):
            return FRACTION
    return OTHER


_SCALED = 0.1
"""So near to 100 times another, a value of a share is probably the same in per cent."""


def scaled(name: str, old: Any, new: Any) -> str:
    """Return the clause on a share of 1 held against per cent; "" where it is not so."""
    if not (is_number(old) and is_number(new) and 0 < min(abs(old), abs(new)) <= 1):
        return ""
    low, high = sorted((abs(old), abs(new)))
    known = _metricnames.goal(name) is not None and not set(_metricnames.words(name)) & _LOSSES
    if not known or (old < 0) != (new < 0) or high > 100 or abs(high / low / 100 - 1) > _SCALED:
        return ""
    return "%s it is about 100 times the other: per cent, and a share of 1 in the other?" % (
        "recorded" if abs(old) == high else "now"
    )


def default(
    name: str,
    values: Iterable[Any] = (),
    finals: Mapping[str, Any] | None = None,
    unit: str = "",
) -> Tolerance:
    """Return the tolerance for a metric that nobody chose one for; see the table of the module.

    values: both final ones. finals: the other metrics of the run, which may say of how many
    examples it is.
    """
    known = [value for value in values if is_number(value) and abs(value) < 1e300]
    what = kind(name, known, unit)
    if what == COUNT:
        return Tolerance(0.0, 0.0, BY_DEFAULT, why="a count: equal")
    if what == VOLATILE:
        return Tolerance(RTOL, ATOL, BY_DEFAULT, why="a time, rate or use of memory: not compared")
    if what == LOSS:
        return Tolerance(LOSS_RTOL, ATOL, BY_DEFAULT, why="a loss: sums in single precision")
    if what in (FRACTION, PERCENTAGE):
        scale = 100 if what == PERCENTAGE else 1
        examples = _examples(name, finals or {}, [value / scale for value in known])
        if examples:
            step = scale / examples
            text = "one example of %d" % examples
            return Tolerance(0.0, step * (1 + 1e-9), BY_DEFAULT, why=text)
    return Tolerance(why="rounding of single precision")


def _examples(name: str, finals: Mapping[str, Any], values: Iterable[float]) -> int | None:
    """Return how many examples a metric is taken over, where another metric says it.

    That one must be a whole number, be called a number of examples and speak of the same split, and
    every value times it must be a whole number, too.
    """
    fractions = list(values)
    split = _metricnames.split_of(name)
    found = set()
    for other, value in finals.items():
        if type(value) is not int or value < 1:
            continue
        said = set(_metricnames.words(other))
        named = said & _EXAMPLES and not said & _metricnames.MEASURES
        whole = all(abs(x * value - round(x * value)) <= 1e-6 * value for x in fractions)
        if named and whole and _metricnames.split_of(other) == split:
            found.add(value)
    return found.pop() if len(found) == 1 else None


def stated_in(run: Record) -> Rules:
    """Return what the author of ``run`` had chosen by the time it was recorded or locked."""
    told = run.extra.get(ALLOWED)
    if not isinstance(told, dict):
        return Rules()
    named = told.get("metrics")
    try:
        return rules(
            told.get("rtol"), told.get("atol"), named if isinstance(named, dict) else {}, RECORDED
        )
    except (ValueError, TypeError, AttributeError):
        return Rules()


def chosen(command: Rules, settings: Rules, recorded: Rules) -> Choice:
    """Return all rules, the strongest first; what the settings say as recorded is so marked."""
    same = settings and _key(settings) == _key(recorded)
    return Choice(tuple(one for one in (command, recorded if same else settings, recorded) if one))


def is_later(command: Rules, settings: Rules, recorded: Rules) -> bool:
    """Return whether something else is allowed now than when the run was recorded or locked."""
    now = command or settings
    return bool(now) and _key(now) != _key(recorded)


def _key(one: Rules) -> Any:
    return one.overall and one.overall.key, {name: t.key for name, t in one.by_name.items()}


def later_note(replays: int, recorded: Rules) -> str:
    """Return the sentence on a tolerance that was chosen after results had been seen."""
    was = str(recorded.overall).rpartition(" (")[0] if recorded.overall is not None else ""
    named = ["%s %s" % (n, str(t).rpartition(" (")[0]) for n, t in recorded.by_name.items()]
    text = ", ".join([was, *named] if was else named) or "the default by kind of metric"
    seen = "1 replay" if replays == 1 else "%d replays" % replays
    return "tolerance chosen after %s of this run had been seen; recorded: %s" % (seen, text)
