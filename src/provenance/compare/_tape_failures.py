"""Roots of what fails in one environment only: operations, and statements such as imports."""

from __future__ import annotations

from provenance.compare._tape_blame import Blame
from provenance.compare.forms import Unlike
from provenance.compare.roots import ALIAS, FAILS, SINK, WORKS, by_key
from provenance.compare.tape import DONE, ERROR, Operation, Site, Tape

UNBOUND = "NameError"
"""Of a name that an earlier failure left without a value; never a reason of its own."""
SHOWN = 60
"""Characters of a shown text that are told."""


class Failures:
    """What fails in one of two tapes only, taken up in the order of the old one."""

    def __init__(self, old: Tape, new: Tape, blame: Blame) -> None:
        self.old, self.new, self.blame = old, new, blame
        self.mine, self.theirs = by_key(old), by_key(new)
        self.pending = self._only_new()
        self.handled: set[int] = set()
        """Places of roots whose failure the script itself handles, in whatever way."""

    def pair(self, site: Site, operation: Operation, other: Operation) -> bool:
        """Take up two operations of which one fails; return whether the other does not."""
        if bool(operation.error) == bool(other.error):
            return False
        blame = self.blame
        earlier = blame.inside(operation) or blame.known_inputs(operation, other)
        if not earlier and other.error.startswith(UNBOUND):
            earlier = self._unbound()
        self._tell(site, operation, operation if operation.error else other, earlier)
        return True

    def until(self, number: int, at: int) -> None:
        """Take up what fails in the new tape alone, as far as it stands before ``number`` there.

        at: the number of the operation that comes next in the old tape.
        """
        while self.pending and self.pending[0].number < number:
            one = self.pending.pop(0)
            site = self.new.sites[one.site]
            links = tuple((name, self._in_old(maker)) for name, maker in one.links)
            known = tuple((name, maker) for name, maker in links if maker is not None)
            earlier: set[int] = set()
            for _, maker in known:
                earlier |= self.blame.differing.get(maker, frozenset())
            stand_in = one._replace(number=max(at - 1, 0), begin=at - 1, inputs=(), links=known)
            self._tell(site, stand_in, one, frozenset(earlier))

    def lost(self, site: Site, operation: Operation) -> None:
        """Take up an operation that fails in the old tape, where the new one notes nothing."""
        reached = {self.new.sites.get(number) for number in self.new.reached}
        if operation.error and site in reached and not operation.error.startswith(UNBOUND):
            self._tell(site, operation, operation, frozenset())

    def end(self, again: Tape | None) -> None:
        """Make roots of the statements that fail in the new tape and are not known yet.

        again: a second tape of the environment of the old one.
        """
        self.until(1 << 62, len(self.old.operations) + 1)
        if self.new.end != ERROR or not any(root.kind == FAILS for root in self.blame.roots):
            self._statements()
        self._strayed(again)

    def replaced(self, operation: Operation, other: Operation) -> frozenset[int]:
        """Return the handled failure because of which something else is called in its place."""
        names = {one.callee.rpartition(".")[2] for one in (operation, other)}
        return frozenset([max(self.handled)] if len(names) > 1 and self.handled else [])

    def harmless(self) -> frozenset[int]:
        """Return the places of handled failures after which all that shows is the same."""
        if self._sunk(self.old, self.theirs) != self._sunk(self.new, self.mine):
            return frozenset()
        blame = self.blame
        return frozenset(
            place
            for place in self.handled
            if not blame.followers.get(place) and place not in blame.reaches
        )

    def _tell(
        self, site: Site, operation: Operation, failing: Operation, causes: frozenset[int]
    ) -> None:
        kind = WORKS if failing is operation else FAILS
        if not causes:
            place = self.blame.failing(site, operation, kind, failing.error)
            causes = frozenset([place])
            if failing.handled:
                self.handled.add(place)
        if operation.site in self.old.sites and self.mine.get((site, operation.nth)) is operation:
            self.blame.differing[operation.number] = causes
        for place in causes:
            self.blame.follow(place, site)

    def _only_new(self) -> list[Operation]:
        """Return the operations that fail in the new tape where the old one did not note any.

        What only hands a function on is noted where it fails: ``np.float``, ``df.append``.
        """
        reached = {self.old.sites.get(number) for number in self.old.reached}
        return [
            one
            for (site, _), one in self.theirs.items()
            if one.error
            and not one.error.startswith(UNBOUND)
            and site in reached
            and (site, one.nth) not in self.mine
        ]

    def _in_old(self, number: int) -> int | None:
        """Return the number in the old tape of an operation of the new one."""
        if not 0 < number <= len(self.new.operations):
            return None
        one = self.new.operations[number - 1]
        site = self.new.sites.get(one.site)
        twin = self.mine.get((site, one.nth)) if site is not None else None
        return None if twin is None else twin.number

    def _unbound(self) -> frozenset[int]:
        """Return the root because of which a name has no value: the failure before it."""
        places = [place for place, one in enumerate(self.blame.roots) if one.kind == FAILS]
        if not places:
            places = self._statements()[:1]
        return frozenset(places[-1:])

    def _statements(self) -> list[int]:
        """Make a root of each statement that fails only in the other environment, say an import."""
        known = {line for line, _ in self.old.failed}
        path = next((s.path for s in self.old.sites.values()), "")
        found = []
        for line, error in self.new.failed:
            told = {root.error for root in self.blame.roots}
            if line in known or not line or error.startswith(UNBOUND) or error in told:
                continue
            site = Site(path, line, 0, "statement", "")
            nothing = Operation(0, -1, 0, error=error)
            found.append(self.blame.add(site, nothing, FAILS, None, error))
        return found

    def _strayed(self, again: Tape | None) -> None:
        """Make a root where other things are shown at other places, and nothing says why.

        An import that fails and is handled is on no tape.
        """
        if self.blame.roots or {self.old.end, self.new.end} != {DONE}:
            return
        mine, theirs = self._sunk(self.old, self.theirs), self._sunk(self.new, self.mine)
        noisy = again is not None and self._sunk(self.old, by_key(again))
        if mine == theirs or not mine or noisy:
            return
        shown = repr(mine[0])[:SHOWN] + " -> " + (repr(theirs[0])[:SHOWN] if theirs else "nothing")
        for one in self.old.operations:
            site = self.old.sites.get(one.site)
            if site is not None and SINK.search(one.callee) and (site, one.nth) not in self.theirs:
                seen = Unlike("", shown, mine[0], theirs[0] if theirs else None, None, "text")
                place = self.blame.add(site, one, ALIAS, seen)
                self.blame.reaches[place] = site.where
                return

    @staticmethod
    def _sunk(tape: Tape, others: dict[tuple[Site, int], Operation]) -> list[str]:
        """Return what a tape shows at places where the other one shows nothing."""
        return [
            one.shown or one.callee
            for one in tape.operations
            if SINK.search(one.callee)
            and not one.error
            and one.site in tape.sites
            and (tape.sites[one.site], one.nth) not in others
        ]
