"""The facet contract, and ready-made parts for the facets that need nothing special.

A facet is a module in this room that answers one question about a run. It has

``NAME``      as in the record; the module's own name
``VERSION``   of its payload's form, a whole number
``PHASES``    when it captures: "before", "during", "after" a run; "present" is implied
``SITE``      whose truth it tells: "target" (the run's interpreter) or "host"
``capture(context) -> Payload``
``compare(old, new) -> Comparison``     both captured and of this version
``of(record)``                          a typed view of its payload, None where there is none
``upgrade(payload) -> Payload``         an older version's payload in this version's form

and nothing else: no export, no restoring, no reasons. A capture that fails raises: the runner
records the facet as failed with the reason, and the run goes on. A facet that says something only
about a run answers the "present" phase with ``skipped(VERSION, RUN_ONLY)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Tuple

from provenance.core.difference import Comparison
from provenance.core.record import Payload

TARGET, HOST = "target", "host"

if TYPE_CHECKING:
    from typing import Protocol

    from provenance.core.context import Context
    from provenance.core.record import Record

    class Facet(Protocol):
        """A module that keeps the contract above."""

        NAME: str
        VERSION: int
        PHASES: Tuple[str, ...]
        SITE: str

        def capture(self, context: Context) -> Payload: ...

        def compare(self, old: Payload, new: Payload) -> Comparison: ...

        def of(self, record: Record) -> Any: ...

        def upgrade(self, payload: Payload) -> Payload: ...


def nothing_to_upgrade(payload: Payload) -> Payload:
    """Return ``payload``: the ready-made ``upgrade`` of a facet that is still in its version 1."""
    return payload
