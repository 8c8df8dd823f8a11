"""Artifacts of other runs that a run asked for by their address, ``RUN:NAME``."""

from __future__ import annotations

from typing import Dict, Iterable, NamedTuple, Tuple

from provenance.core import codec
from provenance.core.context import Context
from provenance.core.paths import PathRef
from provenance.core.record import Subject
from provenance.facets._entries import Places


class Asked(NamedTuple):
    """address: as asked for. run: id of the run whose file it is. recorded: its path in there.

    path: what the run was given. where: "file:line" of the user, "" for a shell.
    """

    address: str
    run: str
    recorded: PathRef
    path: PathRef
    where: str = ""


def asked(context: Context) -> Tuple[Asked, ...]:
    """Return what the run of ``context`` asked for, once each."""
    if not context.observed.sdk:
        return ()
    from provenance.facets import _sdk  # only where something was told

    places = Places(context)
    found: Dict[Tuple[str, str, PathRef], Asked] = {}
    for one in _sdk.used(context):
        try:
            recorded = PathRef.from_json(one.recorded)
        except ValueError:
            continue
        told = Asked(
            context.redact.text(one.address),
            one.run,
            recorded,
            places.refer(one.path),
            context.redact.text(_sdk.place(one.where, context)) if one.where else "",
        )
        found.setdefault((told.address, told.run, told.path), told)
    return tuple(found.values())


def of(subjects: Iterable[Subject]) -> Tuple[Asked, ...]:
    """Return the addresses of all ``subjects``. Raises ValueError where one is not such."""
    return tuple(
        codec.decode(Asked, one, "addresses[]")
        for subject in subjects
        for one in subject.payload.get("addresses", [])
    )
