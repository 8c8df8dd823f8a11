"""Files of other runs that a run asked for by address, joined to them where no digest does it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from provenance.operations._lineage_facts import ADDRESS, WROTE, RunFacts, Touch


class Known(Protocol):
    """All records at hand."""

    def by_digest(self, value: str) -> Iterable[str]:
        """Return the ids of runs that touched a file with this digest (hex)."""

    def facts(self, run_id: str) -> RunFacts:
        """Return the facts of a run. Raises KeyError where its record is not at hand."""


def digests(known: Known, value: str) -> tuple[str, ...]:
    """Return the digests of the file that ``value``, the address of a run's file, means."""
    kind, _, rest = value.partition(":")
    run_id, _, path = rest.partition(":")
    if kind != ADDRESS:
        return ()
    try:
        touches = known.facts(run_id).touches
    except KeyError:
        return ()
    found = (one.digests for one in touches if one.side == WROTE and one.path == path)
    return tuple(value for digests in found for value in digests)


def of(known: Known, run_id: str, touch: Touch) -> tuple[str, ...]:
    """Return the address under which other runs asked for what a run wrote, if any did."""
    rest = "%s:%s" % (run_id, touch.path)
    asked = touch.side == WROTE and known.by_digest(rest)
    return ("%s:%s" % (ADDRESS, rest),) if asked else ()
