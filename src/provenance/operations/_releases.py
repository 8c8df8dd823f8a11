"""The files of releases that interfaces are read from: installed here, else their wheels."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from provenance.core.distributions import key_of, scan
from provenance.environments import sources
from provenance.environments.sources import Source
from provenance.errors import ProvError

AT_ONCE = 8
"""Wheels that are fetched side by side: most of the time is waiting for an index."""


class Asked(Protocol):
    """What of a wish matters here: where uv looks, whether it may fetch, whom to tell."""

    @property
    def cwd(self) -> str: ...
    @property
    def environ(self) -> Mapping[str, str]: ...
    @property
    def offline(self) -> bool: ...
    @property
    def limit_mb(self) -> float | None: ...
    @property
    def progress(self) -> Callable[[str], None] | None: ...


class Releases:
    """Where releases are, each looked for once.

    python: the version that wheels are for. folders: of environments here, in which a release may
    be installed as an index has it. seconds: after which no other fetch begins, None for no end.
    """

    def __init__(
        self, python: str, asked: Asked, folders: Sequence[str] = (), seconds: float | None = None
    ) -> None:
        self.environ = asked.environ
        self._minor = ".".join(python.split(".")[:2])
        self._asked, self._folders = asked, folders
        self._here: dict[tuple[str, str], str] | None = None
        self._found: dict[tuple[str, str], Source] = {}
        self._seconds, self._until = seconds, float("inf")

    def of(self, package: str, version: str) -> Source:
        """Return where a release is, or why it cannot be had. Raises no `ProvError`."""
        key = key_of(package), version
        if key not in self._found:
            self._found[key] = self._installed(*key) or self._fetched(*key)
        return self._found[key]

    def prepare(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Look for many releases, several at a time."""
        keys = dict.fromkeys((key_of(package), version) for package, version in wanted)
        rest = [key for key in keys if key not in self._found and not self._installed(*key)]
        if len(rest) < 2:
            return
        if self._seconds is not None:
            self._until = time.monotonic() + self._seconds
        if self._asked.progress is not None:
            self._asked.progress("reading %d releases" % len(rest))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self._found.update(
                zip(rest, pool.map(lambda key: self._fetched(*key), rest), strict=True)
            )

    def _installed(self, package: str, version: str) -> Source | None:
        if self._here is None:
            self._here = {}
            for folder in self._folders:
                for one in scan([folder]):
                    if not one.editable_root:
                        self._here.setdefault((one.key, one.version), folder)
        known = self._here.get((package, version))
        return Source(known) if known is not None else None

    def _fetched(self, package: str, version: str) -> Source:
        if time.monotonic() > self._until:
            return Source(None, "reading the others took %g s already" % (self._seconds or 0))
        if self._asked.progress is not None and self._until == float("inf"):
            self._asked.progress("reading %s %s" % (package, version))
        try:
            return sources.fetch(
                package,
                version,
                self._minor,
                self._asked.environ,
                self._asked.cwd,
                self._asked.offline,
                self._asked.limit_mb or sources.LIMIT_MB,
            )
        except ProvError as error:
            return Source(None, error.message)
