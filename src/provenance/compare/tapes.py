"""Two tapes of the same script compared: which operations differ, and which of them are roots.

An operation whose inputs are equal and whose result is not is a *root*: there the library behaves
in another way. What differs because its inputs differ follows from a root and is only counted.
Operations on one object (``fit``, ``predict``, ``labels_``) have one root: the first that differs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from provenance.compare import forms
from provenance.compare.forms import Unlike
from provenance.compare.tape import ERROR, Operation, Site, Tape

Key = tuple[Site, int]
FAILS, WORKS, ALIAS = "fails", "works", "alias"

_SINK = re.compile(
    r"(^builtins\.print$|\.(to_[a-z]+|dump|dumps|save[a-z_]*|write[a-z_]*|imwrite|imsave|tofile"
    r"|log|info|warning|log_metrics?|add_scalars?|append_row)$)"
)
"""Calls by which values leave the script: what is printed, written or logged."""


class Root(NamedTuple):
    """One way in which a library behaves differently for this script.

    site, operation: where and what. maker: the operation that made the object it is about.
    unlike: what differs. kind: "value" (another result), "state" (the call left an input
    different), "random" (draws from the global generators differently), "alias" (its input was
    changed by something that does not return it), "fails", "works".
    follows: how many later sites differ because of it. reaches: the first place where what it
    changed is printed or written.
    """

    site: Site
    operation: Operation
    kind: str
    unlike: Unlike | None
    error: str = ""
    maker: tuple[Site, Operation] | None = None
    also: tuple[Site, ...] = ()
    follows: int = 0
    reaches: str = ""


class Coverage(NamedTuple):
    """How many call sites of the source were compared.

    reached: sites that ran in the recorded environment. compared: of these, those that could be
    compared. noisy: differ from run to run there. missing: did not run in the other environment.
    """

    reached: int
    compared: int
    noisy: int
    missing: int


class Compared(NamedTuple):
    """What comparing two tapes gave."""

    roots: tuple[Root, ...]
    coverage: Coverage
    agreeing: tuple[Operation, ...]
    """The first execution of each site that was compared and did not differ."""


def compare(old: Tape, new: Tape, again: Tape | None = None) -> Compared:
    """Compare the tape of the recorded environment with another one.

    again: a second tape of the recorded environment: what differs there is noise.
    """
    return _Comparison(old, new, again).compare()


class _State(NamedTuple):
    """What is known of one pair of operations."""

    unlike: Unlike | None
    kind: str
    inputs: tuple[tuple[int, int], ...]


class _Comparison:
    def __init__(self, old: Tape, new: Tape, again: Tape | None) -> None:
        self.old, self.new = old, new
        self.others = _by_key(new)
        self.noise = _by_key(again) if again is not None else None
        self.again = again
        self.sites = old.sites
        self.by_number = {one.number: one for one in old.operations}
        self.seen: dict[tuple[int, int, bool], Unlike | None] = {}
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
        random_old, random_new = _random_states(self.old), _random_states(self.new)
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
        return Compared(tuple(roots), coverage, agreeing)

    # --- noise -------------------------------------------------------------------------------

    def _noise(self, site: Site, operation: Operation) -> Mapping[str, Any] | None:
        """Return what to ignore in each part of the result; None where all of it is noise."""
        if self.noise is None or self.again is None:
            return {}
        twin = self.noise.get((site, operation.nth))
        if twin is None or bool(twin.error) != bool(operation.error):
            return None
        ignored: dict[str, Any] = {}
        for name, mine, theirs in _parts(operation, twin):
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
        drawn: tuple[tuple[str, str] | None, tuple[str, str] | None],
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
        for name, mine, theirs in _parts(operation, other):
            if mine is None or theirs is None:
                continue
            found = self._forms(mine, theirs, ignored.get(name, ()))
            if found is not None and found.kind != "state":
                return found, "value" if name == "" else "state"
        if operation.shown is not None and other.shown is not None and "shown" not in ignored:
            found = forms.unlike_text(operation.shown, other.shown)
            if found is not None and (site.kind == "text" or not caused):
                return found, "value"
        return None, ""

    def _is_opaque(self, number: int | None) -> bool:
        """Return whether a form tells nothing of what is in its object."""
        form = self.old.forms.get(number if number is not None else -1)
        return isinstance(form, list) and form[:1] == ["o"]

    def _forms(self, mine: int, theirs: int, ignored: Any = ()) -> Unlike | None:
        key = (mine, theirs, bool(ignored))
        if ignored or key not in self.seen:
            found = forms.unlike(
                self.old.forms.get(mine), self.new.forms.get(theirs), ignore=ignored
            )
            if ignored:
                return found
            self.seen[key] = found
        return self.seen[key]

    def _causes(
        self,
        operation: Operation,
        other: Operation,
        drawn: tuple[tuple[str, str] | None, tuple[str, str] | None],
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
            unlike = self._forms(mine, twin)
            if unlike is not None and unlike.kind != "state" and (mine, twin) not in self.of_pair:
                found |= self._unknown_cause(operation)
        if self._draws(operation) and self.random_root is not None and drawn[0] != drawn[1]:
            found.add(self.random_root)
        return frozenset(found)

    def _unknown_cause(self, operation: Operation) -> set[int]:
        """Return the roots to blame for an input that nobody was seen to make: the latest one."""
        places = [place for number, place in self.root_at.items() if number < operation.number]
        if places:
            return {max(places)}
        return {self._lone(operation)}

    def _lone(self, operation: Operation) -> int:
        """Make a root of an operation whose input differs though nothing before it does."""
        site = self.sites[operation.site]
        if site in self.of_site:
            return self.of_site[site]
        place = self.of_site[site] = len(self.roots)
        stores = [
            (self.sites[one.site], one)
            for one in self.old.operations
            if one.number < operation.number and self.sites[one.site].kind == "store"
        ]
        maker = stores[-1] if stores else self._maker(operation)
        self.roots.append(Root(site, operation, ALIAS, None, maker=maker))
        self.root_at[operation.number] = place
        return place

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
        for name, mine, theirs in _parts(operation, other):
            del name
            if mine is not None and theirs is not None and self._forms(mine, theirs) is not None:
                self.of_pair[mine, theirs] = self.of_pair.get((mine, theirs), causes) | causes
        for place in causes:
            if self.roots[place].site != site:
                self.followers.setdefault(place, set()).add(site)

    def _sink(self, site: Site, operation: Operation, causes: Iterable[int]) -> None:
        if _SINK.search(operation.callee):
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
        drawn: tuple[tuple[str, str] | None, tuple[str, str] | None],
    ) -> None:
        """Remember the first operation after which the global generators are in other states."""
        if self.random_root is not None or not _parts_ways(drawn):
            return
        place = len(self.roots)
        self.roots.append(Root(site, operation, "random", None, maker=self._maker(operation)))
        self.root_at[operation.number] = place
        self.random_root = place

    def _diverge(
        self,
        operation: Operation,
        drawn: tuple[tuple[str, str] | None, tuple[str, str] | None],
        causes: frozenset[int],
    ) -> None:
        del operation
        if _parts_ways(drawn):
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


def _by_key(tape: Tape) -> dict[Key, Operation]:
    found: dict[Key, Operation] = {}
    for one in tape.operations:
        site = tape.sites.get(one.site)
        if site is not None:
            found[site, one.nth] = one
    return found


def _parts(one: Operation, other: Operation) -> list[tuple[str, int | None, int | None]]:
    """Return result and changed inputs of two operations, paired by name."""
    parts: list[tuple[str, int | None, int | None]] = [("", one.result, other.result)]
    mine, theirs = dict(one.changed), dict(other.changed)
    before, after = dict(one.inputs), dict(other.inputs)
    parts += [
        (name, mine.get(name, before.get(name)), theirs.get(name, after.get(name)))
        for name in [*mine, *(n for n in theirs if n not in mine)]
    ]
    return parts


def _random_states(tape: Tape) -> dict[int, tuple[str, str]]:
    """Return the state of the global generators before and after each operation."""
    found = {}
    state = ""
    for one in tape.operations:
        after = one.random or state
        found[one.number] = (state, after)
        state = after
    return found


def _parts_ways(drawn: tuple[tuple[str, str] | None, tuple[str, str] | None]) -> bool:
    mine, theirs = drawn
    if mine is None or theirs is None:
        return False
    return mine[0] == theirs[0] and mine[1] != theirs[1] and bool(mine[0])
