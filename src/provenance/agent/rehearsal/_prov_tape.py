"""The tape: what each operation of the user's source was given, and what it returned.

The functions here stand between the operations of a rewritten module (see `_prov_rewrite`). Each
hands its value on unchanged. An operation begins with its first input or its callee and ends with
its result; the ones in between, in library callbacks and in the user's own functions, lie inside.

A site is noted at its first executions and then at each power of two, so that a loop of a million
turns costs a comparison of two integers a turn.

No reference to a value is kept longer than the operation lasts, so that finalisers run when they
would have run (a file written without being closed is flushed by one).
"""

import json
import os
import sys
import threading

FIRST = 5
"""Executions of a site that are noted one by one."""
MOST_BYTES = 64 << 20
"""Size of a tape above which nothing more is noted."""
LONGEST_TEXT = 400

LAZY = frozenset("builtins." + name for name in ("enumerate", "zip", "reversed", "iter"))
"""Builtins that pass on what they iterate over."""

load = None


class Operation(object):
    """One operation under way."""

    __slots__ = (
        "begin", "callee", "frame", "inputs", "links", "noted", "opened", "site", "values", "warned"
    )  # fmt: skip

    def __init__(self, site, frame, begin):
        self.site = site
        self.frame = frame
        self.begin = begin
        self.inputs = []
        self.values = []
        self.links = []
        self.callee = None
        self.noted = None
        self.opened = False
        self.warned = []


class Tape(object):
    """Notes operations to a file of JSON lines."""

    def __init__(self, path, own, settings):
        self.names = load("_prov_names")
        self.names.OWN = own
        self.notes = load("_prov_notes").Notes(self)
        # By lines: we may be killed, and a forked process would write what is in a buffer again.
        self.stream = open(path, "w", buffering=1, encoding="utf-8")  # noqa: SIM115
        self.bytes = 0
        self.sites = []
        self.told = 0
        self.counts = []
        self.open = []
        self.number = 0
        self.thread = threading.get_ident()
        self.process = os.getpid()
        self.busy = self.ended = False
        self.unbound = set()
        self.lock = threading.Lock()
        self.cut = load("_prov_cut").Cut(settings, self)
        self.short = self.cut.short
        self.sources = load("_prov_sources").Sources(settings, self)
        self.feed = load("_prov_feed").Feed(settings, self)
        self.fed = self.feed.sites

    # --- what rewritten code calls -----------------------------------------------------------

    def a(self, site, name, value):
        """Note an input, return it (or less of it, where that is to be cut)."""
        if site in self.short:
            value = self.cut.fewer(site, name, value)
        count = self.counts[site]
        if count >= FIRST and count & (count - 1):
            return value
        if self.busy or threading.get_ident() != self.thread:
            return value
        if site in self.fed and self.feed.now(site):
            return value
        frame = sys._getframe(1)
        if self.names.is_away(frame):
            return value
        operation = self._current(site, id(frame), name)
        self.busy = True
        try:
            self._input(operation, name, value)
        except Exception:
            self.notes.trouble()
        finally:
            self.busy = False
        return value

    def f(self, site, function):
        """Note what is called, return it."""
        if site in self.fed and self.feed.now(site):
            return self.feed.called(site, function)
        count = self.counts[site]
        if count >= FIRST and count & (count - 1):
            return function
        if self.busy or threading.get_ident() != self.thread:
            return function
        frame = sys._getframe(1)
        if self.names.is_away(frame):
            return function
        operation = self._current(site, id(frame), None)
        self.busy = True
        try:
            operation.callee = self.names.callee(function)
            operation.noted = self.notes.is_noted(operation.callee, function)
            if operation.noted:
                self.notes.sign(operation.callee, function)
                if self.names.is_callable_object(function):
                    self._input(operation, "self", function)
        except Exception:
            self.notes.trouble()
        finally:
            self.busy = False
        return function

    def r(self, site, value):
        """Note the result, return it (or its beginning, where data is cut)."""
        if site in self.fed:
            given = self.feed.ended(site, value)
            if given is not None:
                return given.value
        count = self.counts[site]
        if count >= FIRST and count & (count - 1):
            self.counts[site] = count + 1
            return self.cut.again(site, value)
        if self.busy or threading.get_ident() != self.thread:
            return value
        return self._result(site, sys._getframe(1), value)

    def _result(self, site, frame, value):
        self.counts[site] += 1
        if self.names.is_away(frame):
            return value
        operation = self._ended(site, id(frame))
        if operation is None:
            return value
        self.busy = True
        try:
            value = self.cut.result(operation, value)
            if self.sources.watching:
                self.sources.returned(operation, value)
            if self.notes.is_worth(operation, value):
                self.notes.note(operation, value, None)
            elif operation.callee in LAZY:
                self.notes.wrapped(operation, value)
        except Exception:
            self.notes.trouble()
        finally:
            self.busy = False
        return value

    def s(self, site):
        """Note what an assignment to an item or attribute changed."""
        count = self.counts[site]
        if count >= FIRST and count & (count - 1):
            self.counts[site] = count + 1
        elif not self.busy and threading.get_ident() == self.thread:
            self._result(site, sys._getframe(1), None)

    def l(self, site, iterable):  # noqa: E743
        """Return an iterator over ``iterable`` that notes its items and ends early if it must."""
        if threading.get_ident() != self.thread or os.getpid() != self.process:
            return iter(iterable)
        items = self.feed.items(site) if site in self.fed else None
        if items is not None:
            return items
        turns = self._turns(site, iterable, iter(iterable))
        return self.sources.watched(site, iterable, turns) if self.sources.watching else turns

    def t(self, site):
        """Return whether a ``while`` loop may take another turn."""
        return self.cut.may_turn(site)

    def e(self):
        """Note that an exception was caught by the user's own code."""
        if threading.get_ident() == self.thread and not self.busy:
            self._failed(id(sys._getframe(1)))

    def x(self, line, names=""):
        """Note that a statement of the script failed; the next one is tried.

        names: to which the statement would have given values: who misses one of them fails, too.
        """
        self._failed(None)
        error = sys.exc_info()[1]
        told = {"failed": line, "e": self.names.error(error)}
        if self.names.missing(error) in self.unbound:
            told["follows"] = 1
        self.unbound.update(names.split())
        self.put(told)

    # --- the rest ----------------------------------------------------------------------------

    def add(self, sites):
        """Take the sites of a module that was rewritten."""
        self.sites.extend(sites)
        self.counts.extend([0] * len(sites))
        self.feed.add(sites)
        for one in sites:
            self.put(one)

    def warned(self, text):
        """Note a warning raised under the operation that is open."""
        if self.open and threading.get_ident() == self.thread:
            self.open[-1].warned.append(text[:LONGEST_TEXT])

    def put(self, value):
        """Write one line."""
        if self.bytes > MOST_BYTES or os.getpid() != self.process:
            return
        line = json.dumps(value, separators=(",", ":")) + "\n"
        with self.lock:
            self.bytes += len(line)
            self.stream.write(line)

    def end(self, how, why=""):
        """Write the last lines and everything before them."""
        with self.lock:
            if os.getpid() != self.process or self.ended:
                return
            self.ended = True
        if how == "time":
            for one in self.cut.long(list(self.open)):
                self.put({"long": one})
        self.put({"reached": [site for site, count in enumerate(self.counts) if count]})
        signatures = load("_prov_signatures")
        if signatures is not None:
            self.put({"registries": signatures.registries()})
        self.put({"end": how, "why": why[:LONGEST_TEXT], "operations": self.number})
        with self.lock:
            self.stream.flush()

    def _current(self, site, frame, name):
        """Return the operation of this site that is under way, or begin one."""
        if self.open:
            top = self.open[-1]
            if top.site == site and top.frame == frame:
                stale = (
                    top.callee is not None if name is None else name in [n for n, _ in top.inputs]
                )
                if not stale or name in ("*", "**"):
                    return top
                self.open.pop()
        top = Operation(site, frame, self.number)
        self.open.append(top)
        return top

    def _ended(self, site, frame):
        """Return the operation that ends here; those that an exception left open are dropped."""
        for place in range(len(self.open) - 1, -1, -1):
            one = self.open[place]
            if one.site == site and one.frame == frame:
                del self.open[place:]
                return one
        return None

    def _input(self, operation, name, value):
        operation.begin = self.number
        operation.values.append(value)
        wanted = operation.noted is not False
        form = self.notes.form(value) if wanted else None
        operation.inputs.append((name, form))
        if wanted:
            operation.links.extend((name, link) for link in self.notes.links(value))

    def _failed(self, frame):
        """Note the innermost operation that an exception ended; drop those around it."""
        error = sys.exc_info()[1]
        if self.names.is_away(sys._getframe(2)):
            return
        if self.names.missing(error):
            error = None  # a name was looked up for an operation, which did not begin
        self.busy = True
        try:
            while self.open:
                one = self.open[-1]
                self.open.pop()
                if error is not None and (one.noted or one.callee is None):
                    self.counts[one.site] += 1
                    if self.notes.is_worth(one, None) or one.noted is None:
                        self.notes.note(one, None, self.names.error(error), frame is not None)
                    error = None
                if frame is not None and one.frame == frame:
                    break
        except Exception:
            self.notes.trouble()
        finally:
            self.busy = False

    def _turns(self, site, iterable, iterator):
        """Yield the items of ``iterable``, noting them, as many as the plan or the time allows."""
        loop = self.cut.loop(site)
        maker = self.notes.link(iterable)
        foreign = self.names.is_foreign(iterable) or self.names.is_foreign(iterator)
        foreign = foreign or id(iterable) in self.notes.made
        plain = type(iterable) in (list, tuple, range, dict, set, str)
        while loop.goes_on():
            begin = self.number
            try:
                item = next(iterator)
            except StopIteration:
                loop.ended()
                return
            if foreign and not plain:
                item = self._item(site, item, maker, begin)
            yield item
        loop.stopped()

    def _item(self, site, item, maker, begin):
        count = self.counts[site]
        self.counts[site] = count + 1
        if (count >= FIRST and count & (count - 1)) or self.busy:
            return item
        operation = Operation(site, 0, begin)
        operation.noted = True
        if maker is not None:
            operation.links.append(("self", maker))
        self.busy = True
        try:
            self.notes.note(operation, item, None)
        except Exception:
            self.notes.trouble()
        finally:
            self.busy = False
        return item
