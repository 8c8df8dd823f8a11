"""Whether the code or data of a run changed since it gave its numbers, and at which line.

The comparison is that of ``prov verify``: by the files that the run used; comments do not count.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import NamedTuple

from provenance import facets
from provenance.core import context
from provenance.core.context import Context
from provenance.core.difference import BROKEN, Difference
from provenance.core.digest import SHA256
from provenance.core.paths import Roots
from provenance.core.record import Record
from provenance.core.redact import Redactor
from provenance.facets import code as code_facet
from provenance.operations import _claims_source, facts
from provenance.operations._claims_locked import STALE_BY
from provenance.operations.recorder import CACHE
from provenance.operations.references import Reference
from provenance.store.digestcache import DigestCache
from provenance.store.project import Project


class Changed(NamedTuple):
    """What changed since a run. where: "train.py:12" or a file. text: how, in a clause."""

    where: str
    text: str
    facet: str

    def __str__(self) -> str:
        """Return it in words: "train.py:12 changed since the run: lr=0.1 -> lr=0.2"."""
        return "%s %s" % (self.where, self.text)


class Looked(NamedTuple):
    """What looking gave. left: what could not be compared, with the reason."""

    changed: tuple[Changed, ...] = ()
    left: tuple[str, ...] = ()


def look(reference: Reference, place: Project, environ: Mapping[str, str]) -> Looked:
    """Compare the files that the run used with those that are here now. Never raises for them."""
    run = reference.record
    roots = place.roots(place.root)
    cwd = roots.locate(run.cwd)
    roots = roots._replace(cwd=cwd) if cwd else roots
    cache = DigestCache(os.path.join(place.folder, CACHE))
    today = Context(
        phase=context.PRESENT,
        roots=roots,
        command=run.command,
        environ=environ,
        redact=Redactor.from_environment(environ),
        digest=cache.digest,
        started=time.time(),
        reference=run,
    )
    here = {name: facets.load(name).capture(today) for name in STALE_BY if name in run.facets}
    was = {name: answer for name, answer in run.facets.items() if name in here}
    compared = facts.compare(run._replace(facets=was), run._replace(facets=here))
    if os.path.isdir(place.folder):
        cache.save()
    grave = [one for one in compared.differences if one.effect == BROKEN]
    changed = tuple(_told(one, reference, roots, environ) for one in grave)
    left = tuple("%s: %s" % (one.what, one.reason) for one in compared.not_compared)
    return Looked(changed, left)


def _told(
    one: Difference, reference: Reference, roots: Roots, environ: Mapping[str, str]
) -> Changed:
    if one.facet != code_facet.NAME:
        return Changed(one.name, "has other content than the run read", one.facet)
    if one.kind == "missing":
        return Changed(one.name, "is not here any more", one.facet)
    edit = _edit(one, reference, roots, environ)
    if edit is None:
        return Changed(one.name, "changed since the run", one.facet)
    line, text = edit
    return Changed("%s:%d" % (one.name, line), "changed since the run: %s" % text, one.facet)


def _edit(
    one: Difference, reference: Reference, roots: Roots, environ: Mapping[str, str]
) -> tuple[int, str] | None:
    """Return line and words of the first edit that counts, None where the old text is gone."""
    used = next((u for u in _used(reference.record) if str(u.path) == one.name), None)
    path = roots.locate(used.path) if used is not None else None
    if used is None or path is None:
        return None
    old = _claims_source.old_text(
        used.path, used.digests.get(SHA256, ""), reference, roots, environ
    )
    try:
        with open(path, "rb") as stream:
            new = stream.read().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return None if old is None else _claims_source.first_edit(old, new)


def _used(run: Record) -> tuple[code_facet.UsedFile, ...]:
    code = code_facet.of(run)
    return code.used if code is not None else ()
