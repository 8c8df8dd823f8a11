"""The files of one release, to be read and not run: a wheel without what it requires.

Reading what changed between two releases needs neither their Python nor their dependencies.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import NamedTuple

from provenance.environments import cache, indexes, refusals, uv
from provenance.errors import SystemRefused

KIND = "sources"
LIMIT_MB = 300.0
"""Megabytes of a wheel that are fetched unasked: reading signatures is not worth a GPU build."""
PYTHONS = ("3.11", "3.12", "3.10", "3.13", "3.9", "3.8", "3.7", "3.6", "3.14")
"""For which wheels are looked for after that of the Python asked for; likely ones first."""


class _TooBigError(Exception):
    """A wheel is bigger than is to be fetched."""

    def __init__(self, megabytes: float) -> None:
        super().__init__(megabytes)
        self.megabytes = megabytes


class Source(NamedTuple):
    """The files of one release. folder: None where they could not be had, with the reason."""

    folder: str | None
    reason: str = ""


def fetch(
    name: str,
    version: str,
    python: str,
    environ: Mapping[str, str],
    cwd: str,
    offline: bool = False,
    limit_mb: float = LIMIT_MB,
) -> Source:
    """Return the files of ``name`` ``version``, as for ``python`` if there are such.

    Wheels only: nothing of the release is run. A wheel of more than ``limit_mb`` is not fetched.
    Kept in the cache. Raises `ProvError` where there is no uv or no network, or the cache cannot be
    written.
    """
    kept = "%s-%s-%s" % (name, version, cache.digest(name, version, python)[:8])
    place = os.path.join(cache.prepare(environ, KIND), kept)
    if cache.marker(place) is not None:
        return Source(place)
    with cache.locked(place, lambda: None), cache.making(place) as part:
        if cache.marker(place) is not None:  # another one was faster
            return Source(place)
        try:
            reason = _install(name, version, python, part, environ, cwd, offline, limit_mb)
        except _TooBigError as error:
            reason = "its wheel has %.0f MB, more than %.0f" % (error.megabytes, limit_mb)
        if reason:
            return Source(None, reason)
        cache.finish(part, {"name": name, "version": version})
    return Source(place)


def _install(
    name: str,
    version: str,
    python: str,
    part: str,
    environ: Mapping[str, str],
    cwd: str,
    offline: bool,
    limit_mb: float,
) -> str:
    """Put the release into ``part``; return why that failed, "" where it did not."""
    words = ["pip", "install", "--no-deps", "--only-binary", ":all:", "--target", part]
    words += ["--python", sys.executable, *(["--offline"] if offline else [])]
    words += indexes.of_local(name, version)

    def said(line: str) -> None:
        size = uv.megabytes(line)
        if size > limit_mb:
            raise _TooBigError(size)

    first = ""
    for other in dict.fromkeys((python, *PYTHONS)):
        asked = [*words, "--python-version", other, "%s==%s" % (name, version)]
        done = uv.run(asked, environ, cwd, line=said)
        if done.code == 0:
            return ""
        refusal = refusals.read(done.complaints, {name})
        first = first or refusal.reason
        if refusal.network:
            raise SystemRefused(refusal.reason + ".")
        if refusal.offline or "no wheel" not in refusal.reason:
            break
    return first
