"""The interfaces of two releases of a package, held against each other (L2): wheels are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from provenance.core.difference import NotCompared
from provenance.core.uses import Use
from provenance.core.verdict import Finding, Reason
from provenance.environments import sources
from provenance.knowledge.judge import PYTHON_ITSELF

FACET = "interfaces"


class Asked(Protocol):
    """What of a wish matters here: where uv looks, whether it may fetch, whom to tell."""

    @property
    def cwd(self) -> str: ...
    @property
    def environ(self) -> Mapping[str, str]: ...
    @property
    def offline(self) -> bool: ...
    @property
    def progress(self) -> Callable[[str], None] | None: ...


def changed(
    finding: Finding, calls: Sequence[Use], python: str, asked: Asked
) -> tuple[list[Reason], list[NotCompared]]:
    """Return what differs in the signatures of ``calls`` between the two versions of ``finding``.

    Nothing is fetched for a package that is not called. Raises `ProvError` where uv is missing.
    """
    package, old, new = finding.name, str(finding.old), str(finding.new)
    if package == PYTHON_ITSELF or not calls:
        return [], []
    minor = ".".join(python.split(".")[:2])
    folders = []
    for version in (old, new):
        if asked.progress is not None:
            asked.progress("reading %s %s" % (package, version))
        found = sources.fetch(package, version, minor, asked.environ, asked.cwd, asked.offline)
        if found.folder is None:
            what = "the interface of %s %s" % (package, version)
            return [], [NotCompared(FACET, what, found.reason)]
        folders.append(found.folder)
    return [], []
