"""Two tapes of the same script compared: which operations differ, and which of them are roots.

An operation whose inputs are equal and whose result is not is a *root*: there the library behaves
in another way. What differs because its inputs differ follows from a root and is only counted.
Operations on one object (``fit``, ``predict``, ``labels_``) have one root: the first that differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provenance.compare import forms
from provenance.compare.forms import Unlike
from provenance.compare.roots import (
    ALIAS,
    FAILS,
    NUMERICS,
    RANDOM,
    SINK,
    STATE,
    VALUE,
    WORKS,
    Compared,
    Coverage,
    Drawn,
    Root,
    by_key,
    is_single,
    other_digits,
    parts,
    parts_ways,
    random_states,
)
from provenance.compare.tape import ERROR, Operation, Site, Tape

QUIET = ("state", "noise")
"""Kinds of difference that alone say nothing: what an object keeps inside, and rounding."""
DRIFT = 1e-3, 1e-8
"""Relative difference up to which a result of inputs that differ by rounding is rounding too, in
single and in double precision: what iterating makes of the last bits."""


def compare(old: Tape, new: Tape, again: Tape | None = None) -> Compared:
    """Compare the tape of the recorded environment with another one.

    again: a second tape of the recorded environment: what differs there is noise.
    """
    return _Comparison(old, new, again).compare()


class _Comparison:
    def __init__(self, old: Tape, new: Tape, again: Tape | None) -> None:
        self.old, self.new = old, new
        self.others = by_key(new)
        self.noise = by_key(again) if again is not None else None
        self.again = again
        self.sites = old.sites
        self.by_number = {one.number: one for one in old.operations}
        self.seen: dict[tuple[int, int, float | None], Unlike | None] = {}
        self.coarse = 0.0
        """Relative precision of the coarsest numbers so far: plain numbers may be made of them."""
        self.rounded: tuple[Site, Operation] | None = None
        """The first operation that returns other last bits for the very same input."""
        self.roots: list[Root] = []
        self.root_at: dict[int, int] = {}
        """Number of an operation to the place of its root in ``roots``."""
        self.of_object: dict[int, int] = {}
        """Number of the operation that made an object to the root that is about it."""
        self.of_pair: dict[tuple[int, int], frozenset[int]] = {}
        self.differing: dict[int, frozenset[int]] = {}
        self.of_site: dict[Site, int] = {}
        """The root at a site: one for all its executions."""
        self.random_root: int | None = None
        self.noisy: set[Site] = set()
        self.lost: set[Site] = set()
        self.compared: dict[Site, Operation] = {}
        self.bad: set[Site] = set()
        self.followers: dict[int, set[Site]] = {}
        self.reaches: dict[int, str] = {}

    def compare(self) -> Compared:
        random_old, random_new = random_states(self.old), random_states(self.new)
        for operation in self.old.operations:
            site = self.sites.get(operation.site)
            if site is None:
                continue
            other = self.others.get((site, operation.nth))
            if other is None:
                self.lost.add(site)
                continue
            ignored = self._noise(site, operation)
            if ignored is None:
                self.noisy.add(site)
                continue
            self.compared.setdefault(site, operation)
            drawn = (random_old.get(operation.number), random_new.get(other.number))
            self._pair(site, operation, other, ignored, drawn)
        self._end()
        return self._told()

    def _told(self) -> Compared:
        roots = []
        for place, root in enumerate(self.roots):
            follows = len(self.followers.get(place, ()))
            roots.append(root._replace(follows=follows, reaches=self.reaches.get(place, "")))
        reached = {self.sites[o.site] for o in self.old.operations if o.site in self.sites}
        done = set(self.compared)
        coverage = Coverage(
            len(reached), len(done), len(self.noisy - done), len(self.lost - done - self.noisy)
        )
        agreeing = tuple(o for site, o in self.compared.items() if site not in self.bad)
        same = {site.where for site in self.compared} - self._touched()
        return Compared(tuple(roots), coverage, agreeing, frozenset(same))

    def _touched(self) -> set[str]:
        """Return the places of what differs, and of all that its objects come from."""
        found = {site.where for site in self.bad | self.noisy | self.lost}
        for number in self.differing:
            todo = [number]
            for one in todo:
                links = [maker for _, maker in self.by_number[one].links]
                todo += [maker for maker in links if maker in self.by_number and maker not in todo]
            found |= {self.sites[self.by_number[one].site].where for one in todo}
        return found

    # --- noise -------------------------------------------------------------------------------

    def _noise(self, site: Site, operation: Operation) -> Mapping[str, Any] | None:
        """Return what to ignore in each part of the result; None where all of it is noise."""
        if self.noise is None or self.again is None:
            return {}
        twin = self.noise.get((site, operation.nth))
        if twin is None or bool(twin.error) != bool(operation.error):
            return None
        ignored: dict[str, Any] = {}
        for name, mine, theirs in parts(operation, twin):
            if mine is None or theirs is None or mine == theirs:
                continue
            paths = forms.noisy_paths(self.old.forms.get(mine), self.again.forms.get(theirs))
            if "" in paths:
                return None
            if paths:
                ignored[name] = paths
        if operation.shown != twin.shown and operation.shown is not None:
            ignored["shown"] = True
        return ignored

    # --- one pair ----------------------------------------------------------------------------

    def _pair(
        self,
        site: Site,
        operation: Operation,
        other: Operation,
        ignored: Mapping[str, Any],
        drawn: Drawn,
    ) -> None:
        if operation.error or other.error:
            self._failure(site, operation, other)
            return
        causes = self._causes(operation, other, drawn)
        unlike, kind = self._unlike(site, operation, other, ignored, bool(causes))
        if causes:
            self._sink(site, operation, causes)
        if unlike is None:
            if causes and self._is_opaque(operation.result):
                self.of_object.setdefault(operation.number, min(causes))
            if not causes:
                self._last_digits(site, operation, other, ignored)
            self._random(site, operation, drawn)
            return
        self.bad.add(site)
        causes = causes or self._inside(operation) or self._same_object(operation)
        if not causes:
            causes = frozenset([self._root(site, operation, other, kind, unlike)])
            self._sink(site, operation, causes)
        self._blame(site, operation, other, causes)
        if self.random_root is None:
            self._diverge(operation, drawn, causes)

    def _unlike(
        self,
        site: Site,
        operation: Operation,
        other: Operation,
        ignored: Mapping[str, Any],
        caused: bool,
    ) -> tuple[Unlike | None, str]:
        tolerance, exact = self._tolerance(site, operation, other)
        for name, mine, theirs in parts(operation, other):
            if mine is None or theirs is None:
                continue
            found = self._forms(mine, theirs, ignored.get(name, ()), tolerance)
            if found is None or found.kind in QUIET or (not exact and self._drifts(found)):
                continue
            return found, VALUE if name == "" else STATE
        if operation.shown is not None and other.shown is not None and "shown" not in ignored:
            found = forms.unlike_text(operation.shown, other.shown, tolerance)
            if (
                found is not None
                and found.kind not in QUIET
                and (site.kind == "text" or not caused)
            ):
                return found, VALUE
        return None, ""

    def _tolerance(
        self, site: Site, operation: Operation, other: Operation
    ) -> tuple[float | None, bool]:
        """Return the tolerance that the inputs call for, and whether they are equal to the bit."""
        theirs = dict(other.inputs)
        exact = True
        given = []
        for name, mine in operation.inputs:
            twin = theirs.get(name)
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

    def _drifts(self, found: Unlike) -> bool:
        """Return whether a difference is what iterating made of last bits; never after a root."""
        if self.roots:
            return False
        most = DRIFT[0] if self.coarse > DRIFT[1] else DRIFT[1]
        return found.kind == "value" and found.magnitude is not None and found.magnitude < most

    def _last_digits(
        self, site: Site, operation: Operation, other: Operation, ignored: Mapping[str, Any]
    ) -> None:
        """Make a root of rounding that shows: the same text but for the last digits of numbers."""
        if self.rounded is None and operation.result is not None and other.result is not None:
            mine, theirs = self.old.forms.get(operation.result), self.new.forms.get(other.result)
            if mine != theirs and self._tolerance(site, operation, other)[1]:
                self.rounded = site, operation
        if operation.shown is None or other.shown is None or "shown" in ignored:
            return
        shown = other_digits(operation.shown, other.shown)
        if not shown or (NUMERICS in {root.kind for root in self.roots}):
            return
        where, root = self.rounded or (site, operation)
        seen = Unlike("", shown, operation.shown, other.shown, None, "value")
        place = len(self.roots)
        self.roots.append(Root(where, root, NUMERICS, seen, maker=self._maker(root)))
        self.root_at[root.number] = place
        self.reaches.setdefault(place, site.where)
        if where != site:
            self.followers.setdefault(place, set()).add(site)

    def _is_opaque(self, number: int | None) -> bool:
        """Return whether a form tells nothing of what is in its object."""
        form = self.old.forms.get(number if number is not None else -1)
        return isinstance(form, list) and form[:1] == ["o"]

    def _forms(
        self, mine: int, theirs: int, ignored: Any = (), tolerance: float | None = None
    ) -> Unlike | None:
        key = (mine, theirs, tolerance)
        if not ignored and key in self.seen:
            return self.seen[key]
        pair = self.old.forms.get(mine), self.new.forms.get(theirs)
        found = forms.unlike(*pair, tolerance=tolerance, ignore=ignored)
        if not ignored:
            self.seen[key] = found
        return found

    def _causes(
        self,
        operation: Operation,
        other: Operation,
        drawn: Drawn,
    ) -> frozenset[int]:
        """Return the roots because of which the inputs differ; none where they are equal."""
        found: set[int] = set()
        theirs = dict(other.inputs)
        for name, mine in operation.inputs:
            twin = theirs.get(name)
            if mine is None or twin is None:
                continue
            if (mine, twin) in self.of_pair:
                found |= self.of_pair[mine, twin]
            unlike = self._forms(mine, twin, (), self.coarse or None)
            if unlike is None or unlike.kind in QUIET or self._drifts(unlike):
                continue
            if (mine, twin) not in self.of_pair:
                found |= self._unknown_cause(operation, unlike)
        if self._draws(operation) and self.random_root is not None and drawn[0] != drawn[1]:
            found.add(self.random_root)
        return frozenset(found)

    def _unknown_cause(self, operation: Operation, unlike: Unlike) -> set[int]:
        """Return the roots to blame for an input that nobody was seen to make: the latest one."""
        places = [place for number, place in self.root_at.items() if number < operation.number]
        if places:
            return {max(places)}
        return {self._lone(operation, unlike)}

    def _lone(self, operation: Operation, unlike: Unlike) -> int:
        """Make a root of an operation whose input differs though nothing before it does."""
        site = self.sites[operation.site]
        if site in self.of_site:
            return self.of_site[site]
        place = self.of_site[site] = len(self.roots)
        maker = self._changer(operation) or self._maker(operation)
        self.roots.append(Root(site, operation, ALIAS, unlike, maker=maker))
        self.root_at[operation.number] = place
        return place

    def _changer(self, operation: Operation) -> tuple[Site, Operation] | None:
        """Return the operation that may have changed an input without being seen to.

        The last one before it on an object that was made from the same one (a drawing context of an
        image, a view), else the last assignment to an item or attribute.
        """
        mine = {maker for _, maker in operation.links}
        store = None
        for one in reversed(self.old.operations):
            if one.number >= operation.number or one.site not in self.sites:
                continue
            for _, maker in one.links:
                parent = self.by_number.get(maker)
                if parent is not None and mine & {link for _, link in parent.links}:
                    return self.sites[one.site], one
            if store is None and self.sites[one.site].kind == "store":
                store = self.sites[one.site], one
        return store

    def _inside(self, operation: Operation) -> frozenset[int]:
        """Return the roots that lie within the operation: in what it called back."""
        found: set[int] = set()
        for number in range(operation.begin + 1, operation.number):
            found |= self.differing.get(number, frozenset())
        return frozenset(found)

    def _same_object(self, operation: Operation) -> frozenset[int]:
        """Return the root of an object of which an earlier operation differed already."""
        for name, maker in operation.links:
            if maker in self.of_object:
                place = self.of_object[maker]
                if name == "self":
                    site = self.sites[operation.site]
                    root = self.roots[place]
                    if site != root.site and site not in root.also:
                        self.roots[place] = root._replace(also=(*root.also, site))
                return frozenset([place])
        return frozenset()

    def _root(
        self, site: Site, operation: Operation, other: Operation, kind: str, unlike: Unlike
    ) -> int:
        del other
        known = self.of_site.get(site)
        if known is not None:
            return known
        place = self.of_site[site] = len(self.roots)
        maker = self._maker(operation)
        self.roots.append(Root(site, operation, kind, unlike, maker=maker))
        self.root_at[operation.number] = place
        links = dict(operation.links)
        if "self" in links:
            self.of_object.setdefault(links["self"], place)
        return place

    def _maker(self, operation: Operation) -> tuple[Site, Operation] | None:
        links = dict(operation.links)
        maker = self.by_number.get(links.get("self", -1))
        while maker is not None and self.sites.get(maker.site) is not None:
            further = dict(maker.links).get("self")
            if further is None or further not in self.by_number or maker.callee == "":
                break
            if self.sites[maker.site].kind not in ("method", "attribute", "item"):
                break
            before = self.by_number[further]
            if before.callee.startswith("builtins.") or before.number >= maker.number:
                break
            maker = before
        if maker is None or maker.site not in self.sites:
            return None
        return self.sites[maker.site], maker

    def _blame(
        self, site: Site, operation: Operation, other: Operation, causes: frozenset[int]
    ) -> None:
        self.differing[operation.number] = causes
        self.of_object.setdefault(operation.number, min(causes))
        for name, mine, theirs in parts(operation, other):
            del name
            if mine is not None and theirs is not None and self._forms(mine, theirs) is not None:
                self.of_pair[mine, theirs] = self.of_pair.get((mine, theirs), causes) | causes
        for place in causes:
            if self.roots[place].site != site:
                self.followers.setdefault(place, set()).add(site)

    def _sink(self, site: Site, operation: Operation, causes: Iterable[int]) -> None:
        if SINK.search(operation.callee):
            for place in causes:
                self.reaches.setdefault(place, site.where)

    # --- random numbers ----------------------------------------------------------------------

    @staticmethod
    def _draws(operation: Operation) -> bool:
        return bool(operation.random)

    def _random(
        self,
        site: Site,
        operation: Operation,
        drawn: Drawn,
    ) -> None:
        """Remember the first operation after which the global generators are in other states."""
        if self.random_root is not None or not parts_ways(drawn):
            return
        place = len(self.roots)
        self.roots.append(Root(site, operation, RANDOM, None, maker=self._maker(operation)))
        self.root_at[operation.number] = place
        self.random_root = place

    def _diverge(
        self,
        operation: Operation,
        drawn: Drawn,
        causes: frozenset[int],
    ) -> None:
        del operation
        if parts_ways(drawn):
            self.random_root = min(causes)

    # --- failures ----------------------------------------------------------------------------

    def _failure(self, site: Site, operation: Operation, other: Operation) -> None:
        if bool(operation.error) == bool(other.error):
            return
        self.bad.add(site)
        earlier = self._inside(operation) or frozenset(
            place
            for name, mine in operation.inputs
            for place in self.of_pair.get((mine or -1, dict(other.inputs).get(name) or -1), ())
        )
        if earlier:
            self.differing[operation.number] = earlier
            return
        kind = FAILS if other.error else WORKS
        error = other.error or operation.error
        place = len(self.roots)
        maker = self._maker(operation)
        self.roots.append(Root(site, operation, kind, None, error=error, maker=maker))
        self.root_at[operation.number] = place
        self.differing[operation.number] = frozenset([place])

    def _end(self) -> None:
        """Make a root of a statement that fails only in the other environment (an import, say)."""
        known = {line for line, _ in self.old.failed}
        told = {root.error for root in self.roots}
        for line, error in self.new.failed:
            if line in known or not line or error in told or error.startswith("NameError"):
                continue
            path = next((s.path for s in self.sites.values()), "")
            if any(root.kind == FAILS for root in self.roots) and self.new.end == ERROR:
                continue
            site = Site(path, line, 0, "statement", "")
            nothing = Operation(0, -1, 0, error=error)
            self.roots.append(Root(site, nothing, FAILS, None, error=error))
