"""Loops that `_prov_calls_rewrite` looks at: the first turns only, the others are the user's own.

``for x in things: BODY`` becomes two loops over one iterator, the second in the ``else`` of the
first, which is passed over where the first is left by ``break``::

    for x in _prov_l(3, _prov_i(_prov_g, _prov_c(), things)):   # map({}.get, repeat(count), things)
        BODY, rewritten
    else:
        for x in _prov_o(3):
            BODY

``_prov_i`` is `map` itself, so that ``things`` is asked for its iterator once and in the user's
frame, as are the items; ``{}.get(count, item)`` returns the item and hashes ``count``, which counts
what came. Only C code stands between the loop and its iterator, and no item is kept.
"""

import builtins
import sys
from itertools import islice, repeat

TURNS = 64
"""Turns of a loop that are looked at, each time it begins."""
_HEAP = 1 << 9
"""Flag of types that Python code made: their ``__iter__`` may do more than return the iterator."""

_held = {}
"""By frame and loop: the map and the count of a loop that has begun and not gone on to its rest."""
_plain = sys.implementation.name == "cpython"  # elsewhere what is dropped may live on


class _Count(object):
    __slots__ = ("n",)

    def __init__(self):
        self.n = 0

    def __hash__(self):
        self.n += 1
        return 0


class _First(islice):
    """The first turns. Where the loop is left or its iterator ends, nothing is held any more."""

    def __del__(self):
        ended = self.__reduce__()[1][1] == 0
        known = _held.get(self.key)
        if known is not None and known[1] is self.count and (not ended or self.count.n < TURNS):
            del _held[self.key]


def install(is_on):
    """Make the names that rewritten loops use. is_on: whether a loop is still looked at."""

    def count():
        return repeat(_Count())

    def first(number, items):
        if not _plain:
            return items
        key = id(sys._getframe(1)), number
        known = items.__reduce__()[1]
        if not is_on(number):
            _held[key] = items, None
            return ()
        turns = _First(items, TURNS)
        turns.key, turns.count = key, next(known[1])
        _held[key] = items, turns.count
        return turns

    def rest(number):
        items, counted = _held.pop((id(sys._getframe(1)), number), _NOTHING)
        if items == () or (counted is not None and counted.n < TURNS):
            return ()
        iterator = items.__reduce__()[1][2]
        return items if type(iterator).__flags__ & _HEAP else iterator

    for name, value in (("i", map), ("g", {}.get), ("c", count), ("l", first), ("o", rest)):
        setattr(builtins, "_prov_" + name, value)


_NOTHING = (), None
