"""The interfaces of two releases that `explain` is asked about (L2): their wheels are read.

`interfaces` does the same for a run and what is installed now, from sources that are here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provenance.core import verdict
from provenance.core.difference import BROKEN, NotCompared
from provenance.core.uses import CALL, Use
from provenance.core.verdict import Finding, Reason
from provenance.environments import cache
from provenance.knowledge.changes import comparable
from provenance.knowledge.interfaces import INTERFACE, explained, short
from provenance.knowledge.judge import PYTHON_ITSELF
from provenance.operations import _signatures, interfaces
from provenance.operations._releases import Releases

MOST = 3
"""Places and names that one sentence lists."""


def changed(
    finding: Finding, calls: Sequence[Use], releases: Releases
) -> tuple[Finding, list[NotCompared]]:
    """Return ``finding`` with what differs in the signatures of ``calls`` between its versions.

    Nothing is fetched for a package that is not called. Never raises `ProvError`: that there is no
    uv or no network is why something was not compared.
    """
    if finding.name == PYTHON_ITSELF or not calls:
        return finding, []
    places = []
    for version in (str(finding.old), str(finding.new)):
        found = releases.of(finding.name, version)
        if found.folder is None:
            what = "the interface of %s %s" % (finding.name, version)
            return finding, [NotCompared(interfaces.FACET, what, found.reason)]
        places.append(found.folder)
    return held_against(finding, calls, places[0], places[1], releases.environ)


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
