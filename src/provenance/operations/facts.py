"""Capturing facets and comparing what they say, one loop each.

Everything that asks facets goes through here, so that a facet that fails costs its own answer and
nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from provenance import facets
from provenance.core import difference, record
from provenance.core.context import BEFORE, PRESENT, Context
from provenance.core.difference import Comparison, Difference, NotCompared
from provenance.core.record import CAPTURED, RUN_ONLY, SKIPPED, Payload, Record


def capture(
    context: Context, earlier: Mapping[str, Payload], site: str | None = None
) -> dict[str, Payload]:
    """Return the answers of all facets that capture in the phase of ``context``.

    ``earlier`` holds the answers of earlier phases of the same run. ``site``: only facets of this
    site. Never raises: a facet that fails gives a failed answer with its reason.
    """
    answers = {}
    for name in facets.EARLY if context.phase == BEFORE else facets.NAMES:
        answer = _answer(name, context._replace(earlier=earlier.get(name)), site)
        if answer is not None:
            answers[name] = answer
    return answers


def _answer(name: str, context: Context, site: str | None) -> Payload | None:
    try:
        facet = facets.load(name)
        if context.phase != PRESENT and context.phase not in facet.PHASES:
            return None
        if site not in (None, facet.SITE):
            return None
        return facet.capture(context)
    except Exception as error:  # noqa: BLE001  # whatever a facet does, the run goes on
        reason = context.redact.text("%s: %s" % (type(error).__name__, error))
        return record.failed(0, reason)


def load_all() -> None:
    """Import every facet now, while there is time; one that cannot be is found out later."""
    for name in facets.NAMES:
        try:
            facets.load(name)
        except Exception:  # noqa: BLE001  # `capture` says so in the record
            continue


class Facts(NamedTuple):
    """How many facts of a facet were compared, and how many of them were equal."""

    equal: int
    total: int
    unit: str


_SERVING = ("behaviour",)
"""Facets that say nothing by themselves: they serve the reasons."""


class Compared(NamedTuple):
    """All that comparing two records gave, before anybody asked why it matters."""

    differences: tuple[Difference, ...]
    facts: dict[str, Facts]
    not_compared: tuple[NotCompared, ...]

    @property
    def total(self) -> int:
        """The number of facts compared over all facets."""
        return sum(one.total for one in self.facts.values())


def compare(old: Record, new: Record) -> Compared:
    """Compare two records facet by facet.

    Facets that say something only about a run are out of scope where one side is the present.
    """
    differences: list[Difference] = []
    counted: dict[str, Facts] = {}
    missing: list[NotCompared] = []
    for name in _names(old, new):
        one = _compare_facet(name, old.facets.get(name), new.facets.get(name))
        if one is None:
            continue
        differences.extend(one.differences)
        missing.extend(one.not_compared)
        if one.total:
            counted[name] = Facts(one.equal, one.total, one.unit)
    return Compared(tuple(differences), counted, tuple(missing))


def _names(old: Record, new: Record) -> list[str]:
    others = sorted((set(old.facets) | set(new.facets)) - set(facets.NAMES))
    return [*facets.NAMES, *others]


def _compare_facet(name: str, old: Payload | None, new: Payload | None) -> Comparison | None:
    if name in _SERVING or (old is None and new is None):
        return None
    if old is not None and new is not None and old.status == new.status == SKIPPED:
        return None
    for side, answer in (("in the record", old), ("here", new)):
        if answer is None:
            return _not_compared(name, "there is none %s" % side)
        if answer.status == SKIPPED and answer.reason == RUN_ONLY:
            return None
        if answer.status != CAPTURED:
            return _not_compared(name, "%s %s: %s" % (answer.status, side, answer.reason))
    assert old is not None
    assert new is not None
    if name not in facets.NAMES:
        return _not_compared(name, "this prov does not know the facet")
    facet = facets.load(name)
    if max(old.version, new.version) > facet.VERSION:
        return _not_compared(name, "written by a newer prov")
    try:
        return facet.compare(facet.upgrade(old), facet.upgrade(new))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return _not_compared(name, "its payload cannot be read: %s" % error)


def _not_compared(name: str, reason: str) -> Comparison:
    return Comparison(not_compared=(difference.NotCompared(name, name, reason),))
