"""Where the objects of a tape come from: what made them, what may have changed them unseen."""

from __future__ import annotations

from collections.abc import Iterable

from provenance.compare import forms
from provenance.compare.roots import by_key
from provenance.compare.tape import Operation, Site, Tape

Made = tuple[Site, Operation]


class Makers:
    """Looks up, in the tape of the recorded environment, the operations behind an operation."""

    def __init__(self, old: Tape, new: Tape) -> None:
        self.sites, self.operations = old.sites, old.operations
        self.forms, self.new_forms = old.forms, new.forms
        self.by_number = {one.number: one for one in old.operations}
        self.others = by_key(new)

    def of(self, operation: Operation) -> Made | None:
        """Return the operation that made the object that this one is about."""
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

    def touched(self, numbers: Iterable[int]) -> set[str]:
        """Return the places of operations, and of all that their objects come from or went through.

        What made plain data that is equal to the bit is left out: nothing else came from there.
        """
        objects: dict[int, int] = {}
        """Number of what made an object to the last operation in which it may differ."""
        for number in sorted(numbers, reverse=True):
            todo = [number]
            while todo:
                one = todo.pop()
                if one in objects or one not in self.by_number:
                    continue
                objects[one] = number
                todo += [n for _, n in self.by_number[one].links if not self._plain(n)]
        found = {self.sites[self.by_number[one].site].where for one in objects}
        for operation in self.operations:
            given = (objects.get(maker, 0) for _, maker in operation.links)
            if operation.site in self.sites and max(given, default=0) >= operation.number:
                found.add(self.sites[operation.site].where)
        return found

    def _plain(self, number: int) -> bool:
        """Return whether an operation is not known, or returned the same plain data in both."""
        pair = self._pair(number)
        if pair is None:
            return True
        mine, theirs = pair
        if theirs is None or mine.result is None or theirs.result is None:
            return False
        old, new = self.forms.get(mine.result), self.new_forms.get(theirs.result)
        return forms.is_plain(old) and forms.identical(old, new)

    def _pair(self, number: int) -> tuple[Operation, Operation | None] | None:
        """Return an operation and its twin in the other environment, None where it is not known."""
        mine = self.by_number.get(number)
        site = self.sites.get(mine.site) if mine is not None else None
        if mine is None or site is None:
            return None
        return mine, self.others.get((site, mine.nth))

    def is_data(self, number: int) -> bool:
        """Return whether an operation returned an array or a table, in both environments."""
        pair = self._pair(number)
        if pair is None or pair[1] is None or pair[0].result is None:
            return False
        form = self.forms.get(pair[0].result)
        return isinstance(form, list) and form[:1] in (["a"], ["df"]) and forms.is_plain(form)

    def is_used_after(self, operation: Operation) -> bool:
        """Return whether an object that an operation is about is used later, somewhere else."""
        objects = {maker for _, maker in operation.links}
        return any(
            one.number > operation.number and one.site != operation.site
            for one in self.operations
            if objects & {maker for _, maker in one.links}
        )

    def changer(self, operation: Operation) -> Made | None:
        """Return the operation that may have changed an input without being seen to.

        The last one before it on an object that was made from the same one (a drawing context of an
        image, a view), else the last assignment to an item or attribute, or call that was given a
        function to call back, else the last call that changed anything at all.
        """
        mine = {maker for _, maker in operation.links}
        unseen = changing = None
        for one in reversed(self.operations):
            if one.number >= operation.number or one.site not in self.sites:
                continue
            for _, maker in one.links:
                parent = self.by_number.get(maker)
                if parent is not None and mine & {link for _, link in parent.links}:
                    return self.sites[one.site], one
            if unseen is None and (self.sites[one.site].kind == "store" or self._calls_back(one)):
                unseen = self.sites[one.site], one
            if changing is None and one.changed and not one.callee.startswith("builtins."):
                changing = self.sites[one.site], one
        return unseen or changing

    def _calls_back(self, operation: Operation) -> bool:
        """Return whether an operation was given one of the script's own functions."""
        given = (self.forms.get(form or 0) for _, form in operation.inputs)
        return any("'function', '__main__." in repr(form) for form in given)
