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
        if name.startswith("__") or name.startswith("_repr_"):
            raise AttributeError(name)
        return Handle()

    def __call__(self, *given, **named):
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


def _same(self, *given):
    return Handle()


for (
    _name
) in "add radd sub rsub mul rmul matmul truediv rtruediv floordiv mod pow neg lt le gt ge".split():
    setattr(Handle, "__%s__" % _name, _same)


class Feed(object):
    """The values that sites are given."""

    def __init__(self, settings):
        self.rows = settings.get("rows") or None
        self.known = {}
        self.loose = {}
        for one in settings.get("feed", ()):
            path, line, column, kind, text = one["at"]
            slot = self.known.setdefault((path, line, column, kind, text), {})
            self.loose.setdefault((path, line, kind, text), []).append(slot)
            item = one.get("item")
            slot.setdefault(one["nth"], {})[-1 if item is None else item] = one

    def of(self, site):
        """Return the executions by number that are fed at a site; None for most sites."""
        key = (site["path"], site["line"], site["column"], site["kind"], site["text"])
        found = self.known.get(key)
        if found is None:
            near = self.loose.get((key[0], key[1], key[3], key[4]), ())
            if len({id(one) for one in near}) == 1:
                found = near[0]
        return found

    def value(self, one, seed):
        """Return the value that one entry of the feed means."""
        try:
            if "value" in one:
                return load("_prov_kept").value_of(one["value"])
            return load("_prov_schemas").made(one["schema"], self.rows, seed)
        except Exception:
            return Handle()


def entry(executions, nth):
    """Return what the execution ``nth`` is fed, None where it reads no data."""
    found = executions.get(nth)
    if found is not None or nth < _FIRST or not nth & (nth - 1):
        return found
    before = [one for one in executions if one < nth]
    return executions[max(before)] if before else None


def fed(base):
    """Return the class of tapes that feed, made from the class of tapes."""

    class Fed(base):
        def __init__(self, path, own, settings):
            base.__init__(self, path, own, settings)
            self.feed = Feed(settings)
            self.fed = {}

        def add(self, sites):
            base.add(self, sites)
            for one in sites:
                known = self.feed.of(one)
                if known:
                    self.fed[one["site"]] = known

        def _now(self, site):
            known = self.fed.get(site)
            return entry(known, self.counts[site]) if known else None

        def a(self, site, name, value):
            if site in self.fed and self._now(site):
                return value
            return base.a(self, site, name, value)

        def f(self, site, function):
            if site in self.fed:
                now = self._now(site)
                if now:
                    return self._stand_in(now, self.counts[site])
            return base.f(self, site, function)

        def r(self, site, value):
            if type(value) is Given:
                self.counts[site] += 1
                return value.value
            if site in self.fed and self.sites[site]["kind"] not in ("call", "method"):
                now = self._now(site)
                if now:
                    self.counts[site] += 1
                    return self.feed.value(now[-1], self.counts[site])
            return base.r(self, site, value)

        def l(self, site, iterable):  # noqa: E743
            if site in self.fed:
                known = self.fed[site].get(self.cut.loops.get(site, 0))
                if known:
                    return self._items(site, known)
            return base.l(self, site, iterable)

        def _items(self, site, known):
            loop = self.cut.loop(site)
            turns = known[-1]["turns"] if -1 in known else max(known) + 1
            number = 0
            while number < turns and loop.goes_on():
                place = number
                while place > 0 and place not in known:
                    place -= 1
                if place not in known:
                    break
                yield self.feed.value(known[place], number)
                number += 1
            else:
                if number < turns:
                    loop.stopped()

        def _stand_in(self, now, nth):
            def given(*given, **named):
                return Given(self.feed.value(now[-1], nth))

            return given

    return Fed
