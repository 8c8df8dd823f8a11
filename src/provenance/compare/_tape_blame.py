"""Which root is to blame for what differs: by inputs, by object, by what was called back."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from provenance.compare._tape_links import Links
from provenance.compare._tape_makers import Made, Makers
from provenance.compare._tape_pairs import Pairs
from provenance.compare.forms import Unlike
from provenance.compare.roots import (
    ALIAS,
    RANDOM,
    SINK,
    STATE,
    VALUE,
    Drawn,
    Root,
    around,
    by_key,
    inputs,
    parts,
    parts_ways,
)
from provenance.compare.tape import Operation, Site, Tape


class Blame:
    """The roots found so far, and what follows from each. A root is known by its place."""

    def __init__(self, old: Tape, new: Tape, pairs: Pairs) -> None:
        self.pairs = pairs
        self.around, self.others = around(old.operations), by_key(new)
        self.sites = old.sites
        self.by_number = {one.number: one for one in old.operations}
        self.makers = Makers(old, new)
        self.links = Links(self.by_number, old.forms)
        self.roots: list[Root] = []
        self.root_at: dict[int, int] = {}
        """Number of an operation to the place of its root in ``roots``."""
        self.of_object: dict[int, int] = {}
        """Number of the operation that made an object to the root that is about it."""
        self.of_pair: dict[tuple[int, int], frozenset[int]] = {}
        self.differing: dict[int, frozenset[int]] = {}
        self.of_site: dict[Site, int] = {}
        """The root at a site: one for all its executions."""
        self.of_callee: dict[tuple[str, ...], int] = {}
        """The root of all sites that call the same, see `_alike`."""
        self.proven: set[int] = set()
        """Roots because of which some result differs."""
        self.calling: dict[int, int] = {}
        """Number of an operation that calls back with other values to its root."""
        self.agreeing: set[int] = set()
        """Roots of such operations, of those that return the same nevertheless."""
        self.random_root: int | None = None
        self.followers: dict[int, set[Site]] = {}
        self.reaches: dict[int, str] = {}

    # --- telling roots -----------------------------------------------------------------------

    def add(
        self,
        site: Site,
        operation: Operation,
        kind: str,
        unlike: Unlike | None,
        error: str = "",
        maker: Made | None = None,
    ) -> int:
        """Make a root of an operation and return its place."""
        place = len(self.roots)
        maker = maker or self.makers.of(operation)
        self.roots.append(Root(site, operation, kind, unlike, error=error, maker=maker))
        self.root_at[operation.number] = place
        return place

    def of_result(self, site: Site, operation: Operation, kind: str, unlike: Unlike) -> int:
        """Return the root of an operation whose result differs, made where there is none.

        All executions of a site have one root, and so have all sites that call the same.
        """
        known = self.of_site.get(site)
        if known is not None:
            return known
        alike = (kind, *self._alike(site, operation))
        place = self.of_callee.get(alike)
        if place is None:
            place = self.of_callee[alike] = self.add(site, operation, kind, unlike)
            self.roots[place] = self.roots[place]._replace(after=self._after(site, operation))
        else:
            self._also(place, site)
        self.of_site[site] = place
        links = dict(operation.links)
        if "self" in links:
            self.of_object.setdefault(links["self"], place)
        return place

    def _after(self, site: Site, operation: Operation) -> Made | None:
        """Return what may have changed, unseen, the part of an object that is read here."""
        one = self.links.unseen(operation) if site.kind == "attribute" else None
        return (self.sites[one.site], one) if one is not None and one.site in self.sites else None

    def failing(self, site: Site, operation: Operation, kind: str, error: str) -> int:
        """Return the root of an operation that fails in one environment only."""
        alike = (kind, operation.callee, error)
        place = self.of_callee.get(alike)
        if place is None:
            place = self.of_callee[alike] = self.add(site, operation, kind, None, error)
        else:
            self._also(place, site)
        return place

    def _alike(self, site: Site, operation: Operation) -> tuple[str, ...]:
        """Return what two operations have in common that are one and the same to a reader."""
        maker = self.makers.of(operation)
        callee = operation.callee or (maker[1].callee if maker else "")
        if not callee:
            return (*map(str, site),)
        if not callee.startswith("builtins."):
            return callee, site.kind
        form = self.pairs.old.forms.get(next((f for _, f in operation.inputs if f), -1))
        return callee, site.kind, repr(form[:2] if isinstance(form, list) else type(form))

    def _also(self, place: int, site: Site) -> None:
        root = self.roots[place]
        if site != root.site and site not in root.also:
            self.roots[place] = root._replace(also=(*root.also, site))

    def told(self, without: frozenset[int], handled: Collection[int]) -> tuple[Root, ...]:
        """Return the roots with what follows from each, but for those at some places.

        handled: the places of failures that the script itself handles.
        """
        return tuple(
            root._replace(
                follows=len(self.followers.get(place, ())),
                reaches=self.reaches.get(place, ""),
                handled=place in handled,
            )
            for place, root in enumerate(self.roots)
            if place not in without and not self._is_idle(place)
        )

    def _is_idle(self, place: int) -> bool:
        """Return whether nothing that is read or shows differs because of a root.

        An input that differs, or what is called back with, while the result does not; a part of
        a library's record (the description of a data set) while others of its parts are read; what
        an object keeps inside (a gradient that is cleared) while its later uses agree.
        """
        root = self.roots[place]
        if self.followers.get(place) or place in self.reaches:
            return False
        if place in self.agreeing:
            return True
        if root.kind == ALIAS:
            return place not in self.proven
        if root.kind == STATE:
            return self.makers.is_used_after(root.operation)
        if root.kind != VALUE or root.unlike is None or not root.unlike.path:
            return False
        form = self.pairs.old.forms.get(root.operation.result or 0)
        made = root.operation.number
        read = any(made == maker for one in self.by_number.values() for _, maker in one.links)
        return read and isinstance(form, list) and form[:1] in (["d"], ["nt"], ["o"], ["m"])

    def blame(
        self, site: Site, operation: Operation, other: Operation, causes: frozenset[int]
    ) -> None:
        """Note that ``operation``, and all it returned or changed, differs because of roots."""
        self.differing[operation.number] = causes
        self.proven |= causes
        self.of_object.setdefault(operation.number, min(causes))
        for _, mine, theirs in parts(operation, other):
            if mine is None or theirs is None:
                continue
            if self.pairs.of_forms(mine, theirs) is not None:
                self.of_pair[mine, theirs] = self.of_pair.get((mine, theirs), causes) | causes
        for place in causes:
            self.follow(place, site)

    def follow(self, place: int, site: Site) -> None:
        """Note that what happens at a site differs because of a root."""
        root = self.roots[place]
        if site != root.site and site not in root.also:
            self.followers.setdefault(place, set()).add(site)

    def sink(self, site: Site, operation: Operation, causes: Iterable[int]) -> None:
        """Note where what a root changed leaves the script."""
        if SINK.search(operation.callee):
            for place in causes:
                self.reaches.setdefault(place, site.where)

    # --- causes ------------------------------------------------------------------------------

    def causes(self, operation: Operation, other: Operation, drawn: Drawn) -> frozenset[int]:
        """Return the roots because of which the inputs differ; none where they are equal."""
        found: set[int] = set()
        noisy = self.pairs.noisy_inputs(self.sites[operation.site], operation)
        for name, mine, twin in inputs(operation, other):
            if mine is None or twin is None:
                continue
            if (mine, twin) in self.of_pair:
                found |= self.of_pair[mine, twin]
                continue
            ignored = noisy.get(name, frozenset())
            unlike = self.pairs.input_unlike(mine, twin, ignored, not self.roots)
            if unlike is not None:
                found |= self._unknown_cause(operation, name, unlike)
        if operation.random and self.random_root is not None and drawn[0] != drawn[1]:
            found.add(self.random_root)
        return frozenset(found)

    def hidden(self, operation: Operation) -> frozenset[int]:
        """Return the roots of an operation whose inputs look equal: inside it, of its objects."""
        return self.inside(operation) or self._of_objects(operation)

    def inside(self, operation: Operation, until: int | None = None) -> frozenset[int]:
        """Return the roots that lie within the operation: in what it called back.

        until: only in what it had called back before the operation of this number.
        """
        found: set[int] = set()
        for number in range(operation.begin + 1, until or operation.number):
            found |= self.differing.get(number, frozenset())
        return frozenset(found)

    def known_inputs(self, operation: Operation, other: Operation) -> frozenset[int]:
        """Return the roots of inputs that are known to differ."""
        return frozenset(
            place
            for _, mine, twin in inputs(operation, other)
            if mine is not None and twin is not None
            for place in self.of_pair.get((mine, twin), ())
        )

    def _unknown_cause(self, operation: Operation, name: str, unlike: Unlike) -> frozenset[int]:
        """Return the roots to blame for an input that nobody was seen to make.

        What calls the user's code back makes it; else the latest root is the likeliest. An array or
        table that was equal when it was made, from nothing that a root is about, was changed since
        by something else: a root of its own.
        """
        outer = self.around.get(operation.number)
        if outer is not None and outer.site in self.sites:
            return self._called_back(outer, operation, unlike)
        places = [place for number, place in self.root_at.items() if number < operation.number]
        maker = dict(operation.links).get(name)
        if maker is not None and maker not in self.differing and self.makers.is_data(maker):
            mine = {*self.links.lineage(operation)}
            places = [p for p in places if mine & self._behind(self.roots[p].operation)]
        return frozenset([max(places) if places else self._lone(operation, unlike)])

    def _behind(self, operation: Operation) -> set[int]:
        """Return the numbers of an operation, of what made its inputs, and so on."""
        return {operation.number, *self.links.lineage(operation)}

    def _called_back(
        self, outer: Operation, operation: Operation, unlike: Unlike
    ) -> frozenset[int]:
        """Return the roots because of which ``outer`` calls back with other values, or its own."""
        site = self.sites[outer.site]
        found = self.inside(outer, operation.number)
        other = self.others.get((site, outer.nth))
        if not found and other is not None:
            found = self.causes(outer, other, (None, None))
        found = found or self._of_objects(outer)
        if not found:
            self.calling[outer.number] = self.of_result(site, outer, VALUE, unlike)
            found = frozenset([self.calling[outer.number]])
        return found

    def agrees(self, operation: Operation) -> None:
        """Note that an operation returns the same, whatever it called back with on its way."""
        place = self.calling.get(operation.number)
        if place is not None:
            self.agreeing.add(place)
            self.followers.pop(place, None)

    def _lone(self, operation: Operation, unlike: Unlike) -> int:
        """Make a root of an operation whose input differs though nothing before it does."""
        site = self.sites[operation.site]
        if site in self.of_site:
            return self.of_site[site]
        maker = self.makers.changer(operation)
        place = self.of_site[site] = self.add(site, operation, ALIAS, unlike, maker=maker)
        return place

    def _of_objects(self, operation: Operation) -> frozenset[int]:
        """Return the root of an object of which an earlier operation differed, or was reached."""
        for name, maker in operation.links:
            if maker not in self.of_object:
                continue
            place = self.of_object[maker]
            if name == "self":
                self._also(place, self.sites[operation.site])
            return frozenset([place])
        return self.links.reaching(operation)

    def carry(self, operation: Operation) -> None:
        """Hand roots on through objects that show nothing: to what is made of them, or changed."""
        makers = [maker for _, maker in operation.links if maker in self.of_object]
        if makers:
            causes = frozenset(self.of_object[maker] for maker in makers)
            self.links.reach(operation, causes)
            if self.links.is_closed(operation.number):
                self.of_object.setdefault(operation.number, min(causes))

    # --- random numbers ----------------------------------------------------------------------

    def random(self, site: Site, operation: Operation, drawn: Drawn) -> None:
        """Make a root of the first operation that leaves the global generators in other states."""
        if self.random_root is None and parts_ways(drawn):
            self.random_root = self.add(site, operation, RANDOM, None)

    def diverge(self, drawn: Drawn, causes: frozenset[int]) -> None:
        """Note that the global generators are in other states because of roots."""
        if self.random_root is None and parts_ways(drawn):
            self.random_root = min(causes)
