"""What a tape says of an operation: whether it is worth a line, and what that line holds.

Objects are known again by their identity, guarded by a weak reference where the type allows one.
"""

import json
import sys
import weakref

LONGEST_TEXT = 400
MOST_TROUBLES = 20
QUIET = frozenset(
    "len range enumerate zip map filter iter hash callable hasattr getattr setattr print open "
    "bool staticmethod classmethod property object input exit quit".split()
)
"""Builtins that are only handed on. ``print`` is noted apart, as what the user gets to see."""

load = None


MOST_LINKED = 8
"""Items of a list whose makers are looked up (``SGD([w, b])``)."""


class Notes(object):
    """Writes the lines of operations to ``tape``."""

    def __init__(self, tape):
        self.tape = tape
        self.forms = load("_prov_forms")
        self.names = tape.names
        self.interned = {}
        self.signed = set()
        self.made = {}
        self.random = ""
        self.troubles = 0

    def is_noted(self, callee, function):
        """Return whether a call is worth a line."""
        if callee.startswith("builtins."):
            name = callee[9:]
            if name in ("print", "str.format", "str.join"):
                return True
            return name not in QUIET and "." not in name
        return not self.names.is_own(function)

    def is_worth(self, operation, value):
        """Return whether an operation is worth a line: one of a library, not of plain Python."""
        if operation.noted is not None:
            return operation.noted
        kind = self.tape.sites[operation.site]["kind"]
        foreign = [one for one in operation.values if self.names.is_foreign(one)]
        if kind in ("attribute", "item", "store"):
            if not foreign:
                return False
            owner = operation.values[0]
            if kind == "attribute" and callable(value):
                return False
            if self.names.is_module(owner):
                return not (self.names.is_own(owner) or self.names.is_module(value))
            return True
        if kind == "text":
            return any(not self.names.is_plain(one) for one in operation.values)
        return bool(foreign) or self.names.is_foreign(value)

    def note(self, operation, value, error, handled=False):
        """Write the line of an operation that ended. handled: the user's code caught its error."""
        site = operation.site
        number = self.tape.number = self.tape.number + 1
        line = {"op": number, "s": site, "n": self.tape.counts[site] - 1}
        callee = operation.callee or self._asked(operation)
        if callee:
            line["c"] = callee
        if operation.begin < number - 1:
            line["b"] = operation.begin
        line["i"] = operation.inputs
        if error is None:
            line["o"] = self.form(value)
            changed = self._changed(operation)
            if changed:
                line["a"] = changed
        else:
            line["e"] = error
            if handled:
                line["h"] = 1
        if operation.links:
            line["m"] = operation.links
        if operation.warned:
            line["w"] = operation.warned
        if operation.callee == "builtins.print" or self.tape.sites[site]["kind"] == "text":
            line["t"] = self._shown(operation, value)
        state = self.forms.digest_of_random_state()
        if state != self.random:
            line["r"] = self.random = state
        self.tape.put(line)
        self.tape.cut.noted(number, operation)
        self._remember(value, operation)

    def trouble(self):
        """Write that an operation could not be noted: the program goes on as if nothing was."""
        self.troubles += 1
        if self.troubles <= MOST_TROUBLES:
            self.tape.put({"trouble": self.names.error(sys.exc_info()[1])})

    def _asked(self, operation):
        """Return what an operation that calls nothing by name asks of a library's object."""
        site = self.tape.sites[operation.site]
        kind, text = site["kind"], site["text"]
        if kind == "attribute":
            name = text.rpartition(".")[2]
        elif kind in ("item", "store"):
            name = "__getitem__" if kind == "item" else "__setitem__"
            if kind == "store" and not text.endswith("]"):
                name = "__setattr__"
        elif kind == "operator":
            name = self.names.OPERATORS.get(text.rstrip("=") if len(text) > 2 else text, "")
        else:
            return ""
        for value in operation.values:
            if self.names.is_foreign(value):
                return self.names.asked(value, name)
        return ""

    def _changed(self, operation):
        """Return the inputs that the operation changed, in their new form."""
        found = []
        for (name, before), value in zip(operation.inputs, operation.values):
            if self.names.is_plain(value):
                continue
            after = self.form(value)
            if after != before:
                found.append((name, after))
        return found

    def _shown(self, operation, value):
        if isinstance(value, str):
            return value[:LONGEST_TEXT]
        shown = []
        for one in operation.values[:10]:
            if self.names.has_own_text(one):
                shown.append("?")  # asking twice may do something twice
                continue
            try:
                shown.append(str(one)[:LONGEST_TEXT])
            except Exception:
                shown.append("?")
        return " ".join(shown)[:LONGEST_TEXT]

    def form(self, value):
        """Return the number of a value's form, writing the form at its first appearance."""
        form = self.forms.form(value)
        key = json.dumps(form, separators=(",", ":"))
        number = self.interned.get(key)
        if number is None:
            number = self.interned[key] = len(self.interned)
            self.tape.put({"f": number, "v": form})
        return number

    def sign(self, callee, function):
        """Write the interface of what is called, once."""
        if callee in self.signed or callee.startswith("builtins."):
            return
        self.signed.add(callee)
        signatures = load("_prov_signatures")
        if signatures is not None:
            self.tape.put({"sig": callee, "v": signatures.signature(function)})

    def link(self, value):
        """Return the number of the operation that made an object, None where not known."""
        known = self.made.get(id(value))
        if known is None:
            return None
        number, kind, alive = known
        if kind is not type(value) or (alive is not None and alive() is not value):
            del self.made[id(value)]
            return None
        return number

    def links(self, value):
        """Return the operations that made an object, or what the first items of a container are."""
        own = self.link(value)
        if own is not None or type(value) not in (list, tuple):
            return [] if own is None else [own]
        found = [self.link(one) for one in value[:MOST_LINKED]]
        return sorted({one for one in found if one is not None})

    def _remember(self, value, operation):
        if self.names.is_plain(value):
            return
        if any(one is value for one in operation.values):
            return  # a method that returns its object did not make it
        try:
            alive = weakref.ref(value)
        except TypeError:
            alive = None
        self.made[id(value)] = (self.tape.number, type(value), alive)

    def wrapped(self, operation, value):
        """Remember that ``enumerate(loader)`` iterates over what a library made."""
        for one in operation.values:
            known = self.links(one)
            if known or self.names.is_foreign(one):
                self.made[id(value)] = (known[0] if known else None, type(value), None)
                return
