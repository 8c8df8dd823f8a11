"""Switches by which the benchmarks measure one level at a time; nobody else sets them.

``PROV_LEVELS``: the levels whose reasons count, as in "L1,L3"; all where it is not set.
``PROV_KNOWLEDGE_WITHOUT``: packages whose curated entries are left out, as in "numpy,scipy".
Without them ``prov`` does what it always does. What they leave out is not looked for at all, so
that the levels that stay see what they would see in a ``prov`` that never had the others.
"""

from __future__ import annotations

from collections.abc import Mapping

from provenance.core.distributions import key_of
from provenance.errors import BadRecord, UsageError
from provenance.knowledge import catalog
from provenance.knowledge.entry import Entry

LEVELS = ("L1", "L2", "L3")
LEVELS_VARIABLE = "PROV_LEVELS"
_ENTRIES = "its members are explained at the top of provenance/knowledge/entry.py"
WITHOUT_VARIABLE = "PROV_KNOWLEDGE_WITHOUT"


def levels(environ: Mapping[str, str]) -> frozenset[str]:
    """Return the levels that count. Raises `UsageError` for one that does not exist."""
    given = environ.get(LEVELS_VARIABLE)
    if given is None:
        return frozenset(LEVELS)
    found = _words(given)
    for word in found:
        if word not in LEVELS:
            raise UsageError(
                "%s names %r, which is no level." % (LEVELS_VARIABLE, word), ",".join(LEVELS)
            )
    return found


def entries(environ: Mapping[str, str]) -> tuple[Entry, ...] | None:
    """Return the curated entries that count, None for all of them (the ordinary case).

    Raises `BadRecord` where one cannot be read.
    """
    if "L1" not in levels(environ):
        return ()
    try:
        loaded = catalog.load()
    except catalog.BadEntry as error:
        raise BadRecord("a known change cannot be read: %s." % error, _ENTRIES) from error
    without = {key_of(word) for word in _words(environ.get(WITHOUT_VARIABLE, ""))}
    if not without:
        return None
    return tuple(one for one in loaded if not without.intersection(one.packages))


def _words(text: str) -> frozenset[str]:
    return frozenset(filter(None, (word.strip() for word in text.split(","))))
