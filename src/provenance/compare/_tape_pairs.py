"""One operation of two tapes judged: do its inputs differ, does its result, beyond noise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from provenance.compare import forms
from provenance.compare._form_texts import other_words, without_numbers
from provenance.compare.forms import Unlike
from provenance.compare.roots import STATE, VALUE, by_key, inputs, is_single, parts
from provenance.compare.tape import Operation, Site, Tape

QUIET = ("state", "noise")
"""Kinds of difference that alone say nothing: what an object keeps inside, and rounding."""
DRIFT = 1e-3, 1e-8
"""Relative difference up to which a result of inputs that differ by rounding is rounding too, in
single and in double precision: what iterating makes of the last bits."""
VOID = re.compile(r"(^|\.)(torch|numpy|cupy)\..*\b(new_)?empty(_\w+)?$")
"""What returns memory as it happens to be: its values are nobody's doing."""


class Pairs:
    """Judges pairs of operations of two tapes, in the order of the tapes."""

    def __init__(self, old: Tape, new: Tape, again: Tape | None) -> None:
        """again: a second tape of the environment of ``old``: what differs there is noise."""
        self.old, self.new, self.again = old, new, again
        self.twins = by_key(again) if again is not None else None
        self.seen: dict[tuple[int, int, float | None], Unlike | None] = {}
        self.noise_of: dict[tuple[int, int], frozenset[str]] = {}
        self.void: set[tuple[int | None, int | None]] = set()
        """Forms, old and new, that hold memory as it happened to be."""
        self.coarse = 0.0
        """Relative precision of the coarsest numbers so far: plain numbers may be made of them."""

    def noise(self, site: Site, operation: Operation, other: Operation) -> Mapping[str, Any] | None:
        """Return what to ignore in each part of the result; None where all of it is noise."""
        if self._is_void(operation, other):
            return None
        if self.twins is None or self.again is None:
            return {}
        twin = self.twins.get((site, operation.nth))
        if twin is None or bool(twin.error) != bool(operation.error):
            return None
        ignored: dict[str, Any] = {}
        for name, mine, theirs in parts(operation, twin):
            if mine is None or theirs is None:
                continue
            paths = self._noisy(mine, theirs)
            if "" in paths:
                return None
            if paths:
                ignored[name] = paths
        if operation.shown != twin.shown and operation.shown is not None:
            ignored["shown"] = twin.shown or ""
        return ignored

    def _is_void(self, operation: Operation, other: Operation) -> bool:
        """Return whether a result is memory as it happened to be, or a view of such memory."""
        if operation.result is None or other.result is None:
            return False
        if not VOID.search(operation.callee):
            void = [pair[1:] for pair in inputs(operation, other) if pair[1:] in self.void]
            known = {value for form, _ in void for value in _values(self.old.forms.get(form or 0))}
            result = _values(self.old.forms.get(operation.result))
            if not result or not known.issuperset(result):
                return False
        self.void.add((operation.result, other.result))
        return True

    def noisy_inputs(self, site: Site, operation: Operation) -> dict[str, frozenset[str]]:
        """Return the inputs that are noise, by name, and what of each is ("" for all of it)."""
        twin = self.twins.get((site, operation.nth)) if self.twins is not None else None
        if twin is None:
            return {}
        found: dict[str, frozenset[str]] = {}
        for name, mine, third in inputs(operation, twin):
            paths = self._noisy(mine, third) if mine is not None and third is not None else None
            if paths:
                found[name] = found.get(name, frozenset()) | paths
        return found

    def _noisy(self, mine: int, third: int) -> frozenset[str]:
        """Return the paths in which a form differs between both tapes of one environment."""
        found = self.noise_of.get((mine, third))
        if found is None:
            again = self.again.forms.get(third) if self.again is not None else None
            first = self.old.forms.get(mine)
            found = forms.noisy_paths(first, again) if first != again else frozenset()
            self.noise_of[mine, third] = found
        return found

    def unlike(
        self,
        site: Site,
        operation: Operation,
        other: Operation,
        ignored: Mapping[str, Any],
        caused: bool,
        first: bool,
    ) -> tuple[Unlike | None, str]:
        """Return how two results differ, and of what kind a root would be.

        caused: the inputs differ already. first: there is no root yet.
        """
        tolerance, exact = self.tolerance(site, operation, other)
        for name, mine, theirs in parts(operation, other):
            if mine is None or theirs is None:
                continue
            found = self.of_forms(mine, theirs, ignored.get(name, ()), tolerance)
            if found is None or found.kind in QUIET:
                continue
            if first and not exact and self.drifts(found):
                continue
            return found, VALUE if name == "" else STATE
        if operation.shown is not None and other.shown is not None:
            shown, again = (operation.shown, other.shown), ignored.get("shown")
            if again is not None:
                if not other_words(shown[0], again, shown[1]):
                    return None, ""
                shown = without_numbers(shown[0]), without_numbers(shown[1])
            found = forms.unlike_text(*shown, tolerance)
            if (
                found is not None
                and found.kind not in QUIET
                and (site.kind == "text" or not caused)
            ):
                return found, VALUE
        return None, ""

    def input_unlike(
        self, mine: int, twin: int, ignored: frozenset[str], first: bool
    ) -> Unlike | None:
        """Return how two inputs differ, None where only by rounding, or in what is ignored."""
        if (mine, twin) in self.void:
            return None
        found = self.of_forms(mine, twin, ignored, self.coarse or None)
        if found is None or found.kind in QUIET or (first and self.drifts(found)):
            return None
        return found

    def tolerance(
        self, site: Site, operation: Operation, other: Operation
    ) -> tuple[float | None, bool]:
        """Return the tolerance that the inputs call for, and whether they are equal to the bit."""
        exact = True
        given = []
        for _, mine, twin in inputs(operation, other):
            if mine is not None:
                given.append(self.old.forms.get(mine))
                exact = exact and (
                    twin is not None and self.old.forms.get(mine) == self.new.forms.get(twin)
                )
        tolerance = forms.precision(*given) if given else 0.0
        if operation.result is not None:
            result = self.old.forms.get(operation.result)
            if is_single(result):
                self.coarse = max(self.coarse, forms.precision(result))
        if operation.callee.startswith("builtins.") or site.kind in ("operator", "text"):
            tolerance = max(tolerance, self.coarse)
        return tolerance or None, exact

    def drifts(self, found: Unlike) -> bool:
        """Return whether a difference is no larger than what iterating makes of last bits."""
        most = DRIFT[0] if self.coarse > DRIFT[1] else DRIFT[1]
        return found.kind == "value" and found.magnitude is not None and found.magnitude < most

    def other_bits(self, site: Site, operation: Operation, other: Operation) -> bool:
        """Return whether results differ, if only in the last bits, of the very same inputs."""
        if operation.result is None or other.result is None:
            return False
        mine, theirs = self.old.forms.get(operation.result), self.new.forms.get(other.result)
        return mine != theirs and self.tolerance(site, operation, other)[1]

    def is_opaque(self, number: int | None) -> bool:
        """Return whether a form tells nothing of what is in its object."""
        form = self.old.forms.get(number if number is not None else -1)
        return isinstance(form, list) and form[:1] == ["o"]

    def of_forms(
        self, mine: int, theirs: int, ignored: Any = (), tolerance: float | None = None
    ) -> Unlike | None:
        """Return how a form of the old tape differs from one of the new; both by number."""
        key = (mine, theirs, tolerance)
        if not ignored and key in self.seen:
            return self.seen[key]
        pair = self.old.forms.get(mine), self.new.forms.get(theirs)
        found = forms.unlike(*pair, tolerance=tolerance, ignore=ignored)
        if not ignored:
            self.seen[key] = found
        return found


def _values(form: Any) -> list[str]:
    """Return the values of an array that its form shows, as text."""
    told = form[-1] if isinstance(form, list) and form[:1] == ["a"] else None
    listed = told.get("at", ()) if isinstance(told, dict) else ()
    return [repr(one) for one in listed]
