"""Feeding a rehearsal: what reads the data is not executed, a made-up or kept value is given.

The feed is a list of what `_prov_sources` noted, with each site by its place in the source. A site
that was a source once is one at each execution that was not looked at; those between two noted
ones are given what the one before them was given. Such operations are not noted: they tell nothing
about a library.
"""

load = None
_FIRST = 5


class Given(object):
    """Carries a value from a stand-in to the place where its operation ends."""

    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


class Handle(object):
    """Stands for an object that cannot be made up. All that is asked of it is fed as well."""

    name = "data"
    closed = False

    def __getattr__(self, name):
        if name.startswith(("__", "_repr_")):
            raise AttributeError(name)
        return Handle()

    def __call__(self, *given, **named):  # noqa: ARG002
        return Handle()

    def __getitem__(self, key):
        return Handle()

    def __setitem__(self, key, value):
        return None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False

    def __iter__(self):
        return iter(())

    def __next__(self):
        return Handle()

    def __len__(self):
        return 1

    def __contains__(self, key):
        return True


def _same(self, *given):  # noqa: ARG001
    return Handle()


for (
    _name
) in "add radd sub rsub mul rmul matmul truediv rtruediv floordiv mod pow neg lt le gt ge".split():
    setattr(Handle, "__%s__" % _name, _same)


class Feed(object):
    """The values that sites are given. sites: the executions by number of each site that is fed."""

    def __init__(self, settings, tape):
        self.tape = tape
        self.rows = settings.get("rows") or None
        self.sites = {}
        self.known = {}
        self.loose = {}
        for one in settings.get("feed") or ():
            path, line, column, kind, text = one["at"]
            slot = self.known.setdefault((path, line, column, kind, text), {})
            self.loose.setdefault((path, line, kind, text), []).append(slot)
            item = one.get("item")
            slot.setdefault(one["nth"], {})[-1 if item is None else item] = one

    def add(self, sites):
        """Look which sites of a module are fed."""
        for site in sites if self.known else ():
            key = (site["path"], site["line"], site["column"], site["kind"], site["text"])
            found = self.known.get(key)
            if found is None:
                near = self.loose.get((key[0], key[1], key[3], key[4]), ())
                found = near[0] if len({id(one) for one in near}) == 1 else None
            if found:
                self.sites[site["site"]] = found

    def now(self, site):
        """Return what this execution of a site is fed, None where it reads no data."""
        executions, nth = self.sites[site], self.tape.counts[site]
        found = executions.get(nth)
        if found is not None or nth < _FIRST or not nth & (nth - 1):
            return found
        before = [one for one in executions if one < nth]
        return executions[max(before)] if before else None

    def called(self, site, function):
        """Return what is called in place of ``function``; itself where nothing is fed."""
        now = self.now(site)
        if not now or -1 not in now:
            return function
        nth = self.tape.counts[site]

        def given(*given, **named):  # noqa: ARG001  # takes what the function would take
            return Given(self.value(now[-1], nth))

        return given

    def ended(self, site, value):
        """Return ``Given`` with what the operation returns, None where nothing is fed."""
        if type(value) is not Given:
            if self.tape.sites[site]["kind"] in ("call", "method"):
                return None
            now = self.now(site)
            if not now or -1 not in now:
                return None
            value = Given(self.value(now[-1], self.tape.counts[site]))
        self.tape.counts[site] += 1
        return value

    def items(self, site):
        """Return the items of this execution of a loop, None where nothing is fed."""
        known = self.sites[site].get(self.tape.cut.loops.get(site, 0))
        return self._items(site, known) if known else None

    def _items(self, site, known):
        loop = self.tape.cut.loop(site)
        turns = known[-1]["turns"] if -1 in known else max(known) + 1
        for number in range(turns):
            if not loop.goes_on():
                loop.stopped()
                return
            place = number
            while place > 0 and place not in known:
                place -= 1
            if place not in known:
                return
            yield self.value(known[place], number)

    def value(self, one, seed):
        """Return the value that one entry of the feed means."""
        try:
            if "value" in one:
                return load("_prov_kept").value_of(one["value"])
            return load("_prov_schemas").made(one["schema"], self.rows, seed)
        except Exception:
            return Handle()
