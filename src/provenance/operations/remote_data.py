"""Data that lies elsewhere: asking for its version after a run, and today; fetching it again."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from provenance import config
from provenance.core import codec
from provenance.core.context import Context
from provenance.core.record import CAPTURED, Payload, Record
from provenance.core.urls import public
from provenance.errors import NoSuchArtifact
from provenance.facets import _remote
from provenance.facets._entries import FileEntry
from provenance.facets._remote import Remote
from provenance.operations import clock
from provenance.operations.addresses import Artifact
from provenance.operations.obtain import Obtainer
from provenance.store import asking, elsewhere, files
from provenance.store.asking import Asking
from provenance.store.project import Project
from provenance.store.web import Told

VERIFY_S = 5.0
"""Seconds that all servers together have to answer where ``prov verify`` asks them."""
MOST = 100
"""Addresses that are asked for at once."""
_PROTOCOLS = ("http://", "https://", "hf://", "s3://", "gs://", "gcs://", "az://", "abfs://")
PARTIAL = "partial"
"""Below ``.prov/artifacts``: downloads that are not finished."""


class Asked:
    """Servers that are being asked while the record of a run is finished."""

    def __init__(self, context: Context, limit_s: float) -> None:
        self._redact = context.redact.text
        raw = {self._redact(public(url)): url for url, _ in context.declared_sources}
        unknown = [one for one in _remote.remotes(context) if not one.versioned]
        questions = _questions(unknown, context.environ, raw)
        self._asking = Asking(questions, context.environ, limit_s)

    def told(self, payload: Payload) -> Payload:
        """Return ``payload`` of the data with what the servers said of its remotes."""
        answers = self._asking.answers()
        if not answers or payload.status != CAPTURED:
            return payload
        now = clock.stamp(time.time())
        found = [
            self._filled(one, answers[one.url], now) if one.url in answers else one
            for one in _remote.of(payload.subjects)
        ]
        return _remote.filled(payload, found)

    def _filled(self, one: Remote, told: Told, now: str) -> Remote:
        if told.problem:
            return one._replace(problem=self._redact(told.problem), status=told.status)
        return one._replace(
            etag=one.etag or self._redact(told.etag),
            revision=one.revision or self._redact(told.revision),
            last_modified=one.last_modified or self._redact(told.last_modified),
            size=told.size if one.size is None else one.size,
            status=one.status or told.status,
            asked=now,
        )


def _questions(
    remotes: Sequence[Remote], environ: Mapping[str, str], raw: Mapping[str, str]
) -> dict[str, tuple[str, str]]:
    urls = asking.offline(environ, (one.url for one in remotes))
    found = {
        one.url: (raw.get(one.url, one.url), one.revision)
        for one in remotes
        if one.url in urls and one.url.startswith(_PROTOCOLS)
    }
    return dict(list(found.items())[:MOST])


def today(recorded: Record, now: Record, environ: Mapping[str, str]) -> Record:
    """Return ``now`` with what servers say today of what ``recorded`` read from them."""
    payload = now.facets.get("data")
    if payload is None or payload.status != CAPTURED or not payload.subjects:
        return now
    known = _remote.of(recorded.payloads("data"))
    answers = asking.ask(_questions(known, environ, {}), environ, VERIFY_S)
    found = [_now(one, answers[one.url]) for one in known if one.url in answers]
    return now._replace(facets=dict(now.facets, data=_remote.filled(payload, found)))


def _now(one: Remote, told: Told) -> Remote:
    empty = Remote(one.url, one.library, path=one.path, how=one.how)
    return empty._replace(
        revision=told.revision,
        etag=told.etag,
        last_modified=told.last_modified,
        size=told.size,
        status=told.status,
        problem=told.problem,
    )


def bringing(
    place: Project, run: Record, progress: Callable[[str], None] | None
) -> Callable[[dict[str, Any]], tuple[str, str]]:
    """Return what gives the path of a file of ``run`` that is no longer in place, or why not.

    progress: told every few seconds how far a fetch is.
    """
    last = [time.monotonic()]

    def watch(size: int) -> None:
        finder.done += size
        if progress is not None and time.monotonic() - last[0] > _PROGRESS_S:
            last[0] = time.monotonic()
            progress("fetching data, %.1f MB so far" % (finder.done / 1e6))

    finder = Obtainer(place, lambda one, _: (fetching(place, one, watch),))

    def bring(entry: dict[str, Any]) -> tuple[str, str]:
        one = codec.decode(FileEntry, entry, "files[]")
        folder = one.files is not None
        try:
            found = finder.obtain(run, Artifact(one.path, (("", one),), folder))
        except NoSuchArtifact as error:
            why = error.message.partition(", and was not found elsewhere")[2].rstrip(".")
            return "", why.strip(" ()")
        if progress is not None and found.source.partition("://")[1]:
            progress("fetched %s from %s" % (one.path, found.source))
        return found.path, ""

    return bring


_PROGRESS_S = 5.0


def fetching(
    place: Project, run: Record, watch: Callable[[int], None]
) -> Callable[[FileEntry, str], str]:
    """Return what fetches a file of ``run`` from the address that the record has for it.

    watch: told how many bytes came. What was fetched is not verified here. Raises `NoSuchArtifact`.
    """
    raw = {public(url): url for url, _ in config.load(place.root).sources}
    known = [one for one in _remote.of(run.payloads("data")) if one.url.startswith(_PROTOCOLS)]

    def fetch(entry: FileEntry, target: str) -> str:
        source = next((one for one in known if one.path == entry.path), None)
        if source is None or entry.files is not None:
            return ""
        folder = os.path.join(place.folder, "artifacts", PARTIAL)
        files.make_folder(folder)
        wanted = repr((source.url, sorted(entry.digests.items())))
        name = hashlib.sha256(wanted.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        whole = os.path.join(folder, name)
        try:
            elsewhere.fetch(raw.get(source.url, source.url), whole, source.revision, watch)
            os.replace(whole, target)
        except OSError as error:
            why = error.strerror or str(error) or type(error).__name__
            raise NoSuchArtifact("%s: %s." % (source.url, why)) from error
        return source.url

    return fetch
