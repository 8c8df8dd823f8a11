"""Two tapes of the same script compared: which operations differ, and which of them are roots.

An operation whose inputs are equal and whose result is not is a *root*: there the library behaves
in another way. What differs because its inputs differ follows from a root and is only counted.
Operations on one object (``fit``, ``predict``, ``labels_``) have one root: the first that differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provenance.compare._tape_blame import Blame
from provenance.compare._tape_failures import Failures
from provenance.compare._tape_makers import Made
from provenance.compare._tape_pairs import Pairs
from provenance.compare.forms import Unlike
from provenance.compare.roots import (
    NUMERICS,
    Compared,
    Coverage,
    Drawn,
    other_digits,
    random_states,
)
from provenance.compare.tape import Operation, Site, Tape


def compare(old: Tape, new: Tape, again: Tape | None = None) -> Compared:
    """Compare the tape of the recorded environment with another one.

    again: a second tape of the recorded environment: what differs there is noise.
    """
    return _Comparison(old, new, again).compare()


class _Comparison:
    def __init__(self, old: Tape, new: Tape, again: Tape | None) -> None:
        self.old, self.new = old, new
        self.sites = old.sites
        self.pairs = Pairs(old, new, again)
        self.blame = Blame(old, new, self.pairs)
        self.failures = Failures(old, new, self.blame)
        self.rounded: Made | None = None
        """The first operation that returns other last bits for the very same input."""
        self.noisy: set[Site] = set()
        self.lost: set[Site] = set()
        self.bad: set[Site] = set()
        self.compared: dict[Site, Operation] = {}

    def compare(self) -> Compared:
        random_old, random_new = random_states(self.old), random_states(self.new)
        others = self.failures.theirs
        for operation in self.old.operations:
            site = self.sites.get(operation.site)
            if site is None:
                continue
            other = others.get((site, operation.nth))
            if other is None:
                self.lost.add(site)
                self.failures.lost(site, operation)
                continue
            self.failures.until(other.number, operation.number)
            ignored = self.pairs.noise(site, operation, other)
            if ignored is None:
                self.noisy.add(site)
                continue
            self.compared.setdefault(site, operation)
            drawn = (random_old.get(operation.number), random_new.get(other.number))
            self._pair(site, operation, other, ignored, drawn)
        self.failures.end(self.pairs.again)
        return self._told()

    def _told(self) -> Compared:
        reached = {self.sites[o.site] for o in self.old.operations if o.site in self.sites}
        done = set(self.compared)
        coverage = Coverage(
            len(reached), len(done), len(self.noisy - done), len(self.lost - done - self.noisy)
        )
        agreeing = tuple(o for site, o in self.compared.items() if site not in self.bad)
        touched = {site.where for site in self.bad | self.noisy | self.lost}
        touched |= self.blame.makers.touched(self.blame.differing)
        same = {site.where for site in self.compared} - touched
        roots = self.blame.told(self.failures.harmless(), self.failures.handled)
        return Compared(roots, coverage, agreeing, frozenset(same))

    def _pair(
        self,
        site: Site,
        operation: Operation,
        other: Operation,
        ignored: Mapping[str, Any],
        drawn: Drawn,
    ) -> None:
        if operation.error or other.error:
            if self.failures.pair(site, operation, other):
                self.bad.add(site)
            return
        blame = self.blame
        causes = blame.causes(operation, other, drawn)
        unlike, kind = self.pairs.unlike(
            site, operation, other, ignored, bool(causes), not blame.roots
        )
        if causes:
            blame.sink(site, operation, causes)
            blame.links.reach(operation, causes)
        if unlike is None:
            blame.agrees(operation)
            if causes and self.pairs.is_opaque(operation.result):
                blame.of_object.setdefault(operation.number, min(causes))
            if not causes:
                blame.carry(operation)
                self._last_digits(site, operation, other, ignored)
            blame.random(site, operation, drawn)
            return
        self.bad.add(site)
        causes = causes or blame.hidden(operation) or self.failures.replaced(operation, other)
        if not causes:
            causes = frozenset([blame.of_result(site, operation, kind, unlike)])
            blame.sink(site, operation, causes)
        blame.blame(site, operation, other, causes)
        blame.diverge(drawn, causes)

    def _last_digits(
        self, site: Site, operation: Operation, other: Operation, ignored: Mapping[str, Any]
    ) -> None:
        """Make a root of rounding that shows: the same text but for the last digits of numbers."""
        if self.rounded is None and self.pairs.other_bits(site, operation, other):
            self.rounded = site, operation
        if operation.shown is None or other.shown is None or "shown" in ignored:
            return
        shown = other_digits(operation.shown, other.shown)
        if not shown or (NUMERICS in {root.kind for root in self.blame.roots}):
            return
        where, root = self.rounded or (site, operation)
        seen = Unlike("", shown, operation.shown, other.shown, None, "value")
        place = self.blame.add(where, root, NUMERICS, seen)
        self.blame.reaches.setdefault(place, site.where)
        self.blame.follow(place, site)
