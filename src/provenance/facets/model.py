"""What the run built to learn with: models, optimizers, schedules, losses, data loaders.

The details that papers leave out, as the libraries' own objects had them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Optional

from provenance.core import codec
from provenance.core.context import AFTER, PRESENT, Context
from provenance.core.difference import UNKNOWN, Comparison, mapping
from provenance.core.record import RUN_ONLY, Payload, Record, captured, skipped
from provenance.facets import _facet

if TYPE_CHECKING:
    from provenance.facets._model import Made

TOPIC = "model."
"""What the topics of all that the hook tells of models begin with."""

_NOTHING: Dict[str, Any] = {
    name: []
    for name in (
        "models optimizers schedules losses loaders precision clipping initialisers trainings "
        "transformations"
    ).split()
}
"""The payload where nothing was built; it spares most short commands an import."""

NAME = "model"
VERSION = 1
PHASES = (AFTER,)
SITE = _facet.TARGET

upgrade = _facet.nothing_to_upgrade


def capture(context: Context) -> Payload:
    """Return what the hook told of models and of what trained them."""
    if context.phase == PRESENT:
        return skipped(VERSION, RUN_ONLY)
    if not any(one.topic.startswith(TOPIC) for one in context.observed.noted):
        return captured(VERSION, _NOTHING)
    from provenance.facets import _model  # only where something was built

    return captured(VERSION, _model.put_together(context.observed.noted, _place(context)))


def _place(context: Context) -> Callable[[str], str]:
    def place(where: str) -> str:
        file, colon, line = where.rpartition(":")
        if colon and line.isdigit() and file[:1] != "<":
            where = "%s:%s" % (context.roots.refer(file), line)
        return context.redact.text(where)

    return place


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare fact by fact; what a change does is never known from here."""
    from provenance.facets import _model

    was, now = (_model.facts(_of(one)) for one in (old, new))
    return mapping(NAME, old.subjects[0].id, was, now, UNKNOWN, "model facts")


def _of(payload: Payload) -> Made:
    from provenance.facets._model import Made

    return codec.decode(Made, payload.subjects[0].payload)


def of(record: Record) -> Optional[Made]:
    """Return what was built; None where the record has nothing."""
    from provenance.facets._model import Made

    found = record.payloads(NAME)
    return codec.decode(Made, found[0].payload) if found else None
