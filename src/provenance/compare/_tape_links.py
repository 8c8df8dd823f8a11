"""What a root may have changed without being seen to: objects that hang together.

An object is known by the number of the operation that made it. ``loss.backward()`` writes gradients
into a model that the loss was made from, and ``optimizer.step()``, whose optimizer was made from
the parameters of that model, reads them: neither object shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provenance.compare.roots import SINK
from provenance.compare.tape import Operation

MOST = 10_000
"""Operations that are looked at for one lineage."""


class Links:
    """The objects of a tape, what each was made from, and which roots have reached them."""

    def __init__(self, operations: Mapping[int, Operation], forms: Mapping[int, Any]) -> None:
        """Both by number."""
        self.operations, self.forms = operations, forms
        self.reached: dict[int, frozenset[int]] = {}
        """Number of the operation that made an object to the places of roots."""

    def reach(self, operation: Operation, causes: frozenset[int]) -> None:
        """Note that an operation was given something else, because of roots.

        It may have left that in an object that shows nothing of what it holds. Where it returned
        nothing and changed nothing that shows, it may have done so in any object that has a state
        and that its inputs were made from.
        """
        if operation.callee.startswith("builtins.") or SINK.search(operation.callee):
            return
        numbers = {number for _, number in operation.links if self.is_closed(number)}
        if self._returns_nothing(operation):
            numbers |= {one for one in self.lineage(operation) if self._has_state(one)}
        for number in numbers:
            self.reached[number] = self.reached.get(number, frozenset()) | causes

    def reaching(self, operation: Operation) -> frozenset[int]:
        """Return the roots that may have reached an operation through what its objects are."""
        if not self.reached:
            return frozenset()
        found: set[int] = set()
        for number in self.lineage(operation):
            found |= self.reached.get(number, frozenset())
        return frozenset(found)

    def lineage(self, operation: Operation) -> list[int]:
        """Return what made the inputs of an operation, the inputs of those, and so on."""
        found: dict[int, None] = {}
        todo = [operation]
        while todo and len(found) < MOST:
            for _, number in todo.pop().links:
                if number in self.operations and number not in found:
                    found[number] = None
                    todo.append(self.operations[number])
        return list(found)

    def unseen(self, operation: Operation) -> Operation | None:
        """Return the last operation before that may have changed an object of this one unseen.

        It returned nothing, changed another of its inputs, or says by its name that it changes them
        (``clip_grad_norm_``), and was given the object, or what was made from it (a loss, whose
        ``backward`` writes gradients into the model).
        """
        objects = set(self._chain(operation))
        for one in sorted(self.operations.values(), key=lambda one: -one.number):
            if one.number >= operation.number or one.callee.startswith("builtins."):
                continue
            acts = bool(one.changed) or self._returns_nothing(one) or one.callee.endswith("_")
            if acts and not SINK.search(one.callee) and objects & set(self.lineage(one)):
                return one
        return None

    def _chain(self, operation: Operation) -> list[int]:
        """Return what made the object of an operation, what that was an attribute of, and so on."""
        found: list[int] = []
        maker = dict(operation.links).get("self")
        while maker is not None and maker in self.operations and maker not in found:
            found.append(maker)
            maker = dict(self.operations[maker].links).get("self")
        return found

    def _form(self, number: int) -> Any:
        result = self.operations[number].result if number in self.operations else None
        return None if result is None else self.forms.get(result)

    def _has_state(self, number: int) -> bool:
        """Return whether the object is one of a library's own, no array and no table."""
        form = self._form(number)
        return isinstance(form, list) and form[:1] in (["o"], ["m"])

    def is_closed(self, number: int) -> bool:
        """Return whether the form of the object tells nothing of what it holds."""
        form = self._form(number)
        return isinstance(form, list) and form[:1] == ["o"] and not form[-1]

    def _returns_nothing(self, operation: Operation) -> bool:
        if operation.changed or operation.result is None:
            return False
        return operation.result in self.forms and self.forms[operation.result] is None
