"""Closing the records of runs whose recorder was killed.

Whoever comes across a record that says "running" while its writer is gone closes it as
"interrupted", with what the hook's logs still tell. Outputs are then known only where the hook saw
them written: a scan by time would take later files for them.
"""

from __future__ import annotations

import os
import shutil

from provenance.agent import read
from provenance.core import context, record
from provenance.core.context import Context, DigestOf
from provenance.core.paths import Roots
from provenance.core.record import Record
from provenance.core.redact import Redactor
from provenance.errors import ProvError
from provenance.operations import facts, overlap, tracing
from provenance.operations.recorder import AGENT, CACHE
from provenance.store import liveness, records
from provenance.store.digestcache import DigestCache
from provenance.store.project import Project

NOTE = "prov itself was killed before it could close this record; closed later from what was left"


def settled(place: Project, stored: records.Stored) -> records.Stored:
    """Return ``stored``, closed as interrupted where its writer is gone. Never raises.

    A run of somebody else is theirs to close.
    """
    if stored.origin is not None:
        return stored
    if liveness.status(stored.record) != record.INTERRUPTED or (
        stored.record.status == record.INTERRUPTED
    ):
        return stored
    closed = stored.record._replace(
        status=record.INTERRUPTED,
        notes=(*stored.record.notes, NOTE),
        facets=dict(stored.record.facets, **_left(place, stored)),
    )
    try:
        records.write(stored.folder, closed)
    except ProvError:
        return stored._replace(record=closed)
    shutil.rmtree(os.path.join(stored.folder, AGENT), ignore_errors=True)
    overlap.leave(place, closed.id)
    return stored._replace(record=closed)


def _left(place: Project, stored: records.Stored) -> dict[str, record.Payload]:
    agent_dir = os.path.join(stored.folder, AGENT)
    if not os.path.isdir(agent_dir):
        return {}
    redact = Redactor.from_environment(os.environ)
    cache = DigestCache(os.path.join(place.folder, CACHE))
    try:
        reader = read.Reader(agent_dir, redact)
        reader.poll()
        left = _context(place, stored, redact, cache.digest)
        interpreters, observed = reader.interpreters(), reader.observations()
        observed = tracing.left(agent_dir, left.roots, redact, observed, interpreters)
        left = left._replace(interpreters=interpreters, observed=observed)
    except Exception:  # noqa: BLE001  # half-written logs of a killed run may hold anything
        return {}
    answers = dict(stored.record.facets)
    for phase in (context.DURING, context.AFTER):
        answers.update(facts.capture(left._replace(phase=phase), answers))
    cache.save()
    return answers


def _context(
    place: Project, stored: records.Stored, redact: Redactor, digest_of: DigestOf
) -> Context:
    return Context(
        phase=context.AFTER,
        roots=recorded_roots(place, stored.record),
        command=stored.record.command,
        environ=os.environ,
        redact=redact,
        digest=digest_of,
        run_dir=stored.folder,
    )


def recorded_roots(place: Project, run: Record) -> Roots:
    """Return the roots as they were for ``run``, this project's where the record has none."""
    here = place.roots(place.root)
    cwd = here.locate(run.cwd) or place.root
    return Roots(
        run.roots.get("repo", here.repo),
        run.roots.get("cwd", cwd),
        run.roots.get("home", here.home),
    )
