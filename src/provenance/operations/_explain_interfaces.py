"""The interfaces of two releases that `explain` is asked about (L2): their wheels are read.

`interfaces` does the same for a run and what is installed now, from sources that are here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from provenance.core import verdict
from provenance.core.difference import BROKEN, NotCompared
from provenance.core.distributions import key_of, scan
from provenance.core.uses import CALL, Use
from provenance.core.verdict import Finding, Reason
from provenance.environments import cache, sources
from provenance.errors import ProvError
from provenance.knowledge.changes import comparable
from provenance.knowledge.interfaces import INTERFACE, explained, short
from provenance.knowledge.judge import PYTHON_ITSELF
from provenance.operations import _signatures, interfaces

MOST = 3
"""Places and names that one sentence lists."""


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


def changed(
    finding: Finding,
    calls: Sequence[Use],
    python: str,
    asked: Asked,
    folders: Sequence[str] = (),
) -> tuple[Finding, list[NotCompared]]:
    """Return ``finding`` with what differs in the signatures of ``calls`` between its versions.

    folders: of environments here, in which a release may be installed. Nothing is fetched for a
    package that is not called. Never raises `ProvError`: that there is no
    uv or no network is why something was not compared.
    """
    package, old, new = finding.name, str(finding.old), str(finding.new)
    if package == PYTHON_ITSELF or not calls:
        return finding, []
    minor = ".".join(python.split(".")[:2])
    places = []
    for version in (old, new):
        here = _installed(package, version, folders)
        if here is not None:
            places.append(here)
            continue
        if asked.progress is not None:
            asked.progress("reading %s %s" % (package, version))
        try:
            found = sources.fetch(
                package,
                version,
                minor,
                asked.environ,
                asked.cwd,
                asked.offline,
                asked.limit_mb or sources.LIMIT_MB,
            )
        except ProvError as error:
            found = sources.Source(None, error.message)
        if found.folder is None:
            what = "the interface of %s %s" % (package, version)
            return finding, [NotCompared(interfaces.FACET, what, found.reason)]
        places.append(found.folder)
    return held_against(finding, calls, places[0], places[1], asked.environ)


def _installed(package: str, version: str, folders: Sequence[str]) -> str | None:
    """Return the one of ``folders`` that holds this release as an index has it, None for none."""
    for folder in folders:
        for one in scan([folder]):
            if one.key == key_of(package) and one.version == version and not one.editable_root:
                return folder
    return None


def held_against(
    finding: Finding, calls: Sequence[Use], old: str, new: str, environ: Mapping[str, str]
) -> tuple[Finding, list[NotCompared]]:
    """Return ``finding`` with what concerns ``calls`` of the interfaces in two folders."""
    folder = cache.folder(environ)
    sides = [_signatures.of([path], folder) for path in (old, new)]
    before, after = (side.library for side in sides)
    gone: dict[str, list[str]] = {}
    dark: dict[str, list[str]] = {}
    calls = [use for use in calls if use.kind == CALL]
    for use in calls:
        was, now = before.signature(use.symbol), after.signature(use.symbol)
        name, why = short(use.symbol), comparable(was, now)
        if now.get("absent") and "parameters" in was:
            gone.setdefault(name, []).append(use.where)
        elif why and name not in dark.get(why, ()):
            dark.setdefault(why, []).append(name)
    told = explained(finding, calls, before.signature, after)
    for side in sides:
        side.keep()
    reasons = [_gone(finding, name, tuple(dict.fromkeys(where))) for name, where in gone.items()]
    if reasons:
        places = dict.fromkeys((*told.where, *(place for one in reasons for place in one.where)))
        told = told._replace(
            effect=verdict.worst((told.effect, BROKEN)),
            where=tuple(places),
            reasons=(*told.reasons, *reasons),
        )
    return told, [_dark(finding, names, why) for why, names in dark.items()]


def _gone(finding: Finding, name: str, places: tuple[str, ...]) -> Reason:
    more = " and %d more" % (len(places) - MOST) if len(places) > MOST else ""
    text = "%s is not there any more; called at %s%s" % (name, ", ".join(places[:MOST]), more)
    restore = "pip install %s==%s" % (finding.name, finding.old)
    source = "the sources of %s %s and %s" % (finding.name, finding.old, finding.new)
    return Reason(INTERFACE, text, "", source, restore, places, BROKEN)


def _dark(finding: Finding, names: list[str], why: str) -> NotCompared:
    shown = ", ".join(names[:MOST]) + (" ..." if len(names) > MOST else "")
    return NotCompared(interfaces.FACET, "the signature of %s of %s" % (shown, finding.name), why)
