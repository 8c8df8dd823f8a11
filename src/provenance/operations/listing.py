"""Finding runs and showing what was recorded of them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from provenance import facets
from provenance.core import record
from provenance.core.record import Record
from provenance.errors import NothingToCompare
from provenance.operations import anonymous, references, repeatable, settle
from provenance.store import project, records, team

Origin = team.Origin


class Listing(NamedTuple):
    """The runs of a project, oldest first, and the sentences about those that cannot be read.

    origins: by id, where a run came from that was fetched from somebody else.
    """

    runs: tuple[Record, ...]
    problems: tuple[str, ...]
    place: str
    origins: Mapping[str, Origin] = MappingProxyType({})


def ls(
    cwd: str, tags: tuple[str, ...] = (), name: str | None = None, fetched: bool = True
) -> Listing:
    """Return the runs of the project at ``cwd`` that carry all ``tags`` and the ``name``.

    fetched: those of others too, as far as they were fetched.
    """
    place = project.find(cwd)
    runs, problems, origins = [], [], {}
    others = records.fetched(place) if fetched else iter(())
    for one in itertools.chain(records.each(place), others):
        if isinstance(one, records.Unreadable):
            problems.append(one.problem)
            continue
        run = settle.settled(place, one).record
        if set(tags) <= set(run.tags) and name in (None, run.name):
            runs.append(run)
            if one.origin is not None:
                origins[run.id] = one.origin
    if origins:
        runs.sort(key=lambda run: run.started)
    return Listing(tuple(runs), tuple(problems), place.runs, origins)


class Shown(NamedTuple):
    """One record, its folder, the facet asked for (None: all), and why it may not be repeatable.

    origin: of a run that was fetched from somebody else.
    """

    record: Record
    source: str
    facet: str | None
    doubts: tuple[repeatable.Doubt, ...] = ()
    origin: Origin | None = None


def show(cwd: str, name: str, facet: str | None = None) -> Shown:
    """Return the record that ``name`` means. Raises `ProvError`, also for no such facet."""
    place = project.find(cwd)
    reference = references.choose(name, place, cwd)[0]
    run = reference.record
    if facet is not None and facet not in run.facets:
        known = ", ".join(n for n in (*facets.NAMES, *sorted(run.facets)) if n in run.facets)
        raise NothingToCompare(
            "run %s has no facet %r." % (run.id, facet), "it has: %s" % (known or "none")
        )
    origin = team.origin(reference.source)
    return Shown(run, reference.source, facet, repeatable.doubts(run), origin)


def nameless(found: Shown, cwd: str, environ: Mapping[str, str]) -> Shown:
    """Return what is to be shown without anything that says who made it and where."""
    run = anonymous.shown(found.record, project.find(cwd), environ)
    return found._replace(record=run, doubts=repeatable.doubts(run), origin=None)


def summary(run: Record, origin: Origin | None = None) -> dict[str, Any]:
    """Return what ``prov ls --json`` says of a run."""
    return {
        "id": run.id,
        "name": run.name,
        "tags": list(run.tags),
        "labels": run.labels,
        "status": run.status,
        "exit_code": run.exit_code,
        "command": list(run.command),
        "started": run.started,
        "duration_s": run.duration_s,
        "replay_of": run.replay_of,
        "origin": origin._asdict() if origin is not None else None,
    }


def as_json(shown: Shown) -> dict[str, Any]:
    """Return the ``data`` member of ``prov show --json``: the record, or the one facet of it."""
    document = record.to_json(shown.record)
    if shown.facet is not None:
        document["facets"] = {shown.facet: document["facets"][shown.facet]}
    document["origin"] = shown.origin._asdict() if shown.origin is not None else None
    document["doubts"] = [
        {"text": one.text, "where": list(one.where), "fix": one.fix} for one in shown.doubts
    ]
    return document
