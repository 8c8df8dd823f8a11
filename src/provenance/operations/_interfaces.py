"""The interfaces of two releases of a package, held against each other (L2): wheels are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from provenance.compare import interfaces
from provenance.core._types import is_class
from provenance.core.difference import BROKEN, NotCompared
from provenance.core.distributions import key_of, scan
from provenance.core.interfaces import library
from provenance.core.uses import CALL, Use
from provenance.core.verdict import Finding, Reason
from provenance.environments import sources
from provenance.errors import ProvError
from provenance.knowledge.judge import PYTHON_ITSELF

FACET = "interfaces"
LEVEL = "L2"
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
) -> tuple[list[Reason], list[NotCompared]]:
    """Return what differs in the signatures of ``calls`` between the two versions of ``finding``.

    folders: of environments here, in which a release may be installed. Nothing is fetched for a
    package that is not called. Never raises `ProvError`: that there is no
    uv or no network is why something was not compared.
    """
    package, old, new = finding.name, str(finding.old), str(finding.new)
    if package == PYTHON_ITSELF or not calls:
        return [], []
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
            return [], [NotCompared(FACET, what, found.reason)]
        places.append(found.folder)
    return held_against(finding, calls, *places)


def _installed(package: str, version: str, folders: Sequence[str]) -> str | None:
    """Return the one of ``folders`` that holds this release as an index has it, None for none."""
    for folder in folders:
        for one in scan([folder]):
            if one.key == key_of(package) and one.version == version and not one.editable_root:
                return folder
    return None


def held_against(
    finding: Finding, calls: Sequence[Use], old: str, new: str
) -> tuple[list[Reason], list[NotCompared]]:
    """Return what concerns ``calls`` of the interfaces in the folders ``old`` and ``new``."""
    before, after = library([old]), library([new])
    reasons: dict[tuple[str, str], list[str]] = {}
    dark: dict[str, list[str]] = {}
    for use in calls:
        if use.kind != CALL:
            continue
        was, now = before.signature(use.symbol), after.signature(use.symbol)
        short = _short(use.symbol)
        if now.get("absent") and "parameters" in was:
            reasons.setdefault((BROKEN, "%s is not there any more" % short), []).append(use.where)
        elif interfaces.comparable(was, now):
            names = dark.setdefault(interfaces.comparable(was, now), [])
            names += [] if short in names else [short]
        else:
            found = interfaces.changes(was, now)
            for hit in interfaces.for_call(found, short, interfaces.passed(use)):
                reasons.setdefault((hit.effect, hit.text), []).append(use.where)
    told = [
        _reason(finding, effect, text, where)
        for (effect, text), where in reasons.items()
        if not _told_before(finding, text, where)
    ]
    return told, [_dark(finding, names, why) for why, names in dark.items()]


def _short(symbol: str) -> str:
    """Return the name people know: from the class on, else the last component."""
    parts = symbol.split(".")
    while len(parts) > 1 and not is_class(parts[0]):
        parts.pop(0)
    return ".".join(parts)


def _reason(finding: Finding, effect: str, text: str, where: list[str]) -> Reason:
    places = tuple(dict.fromkeys(where))
    more = " and %d more" % (len(places) - MOST) if len(places) > MOST else ""
    line = "%s at %s%s" % (text, ", ".join(places[:MOST]), more)
    restore = "pip install %s==%s" % (finding.name, finding.old)
    source = "the signatures of %s %s and %s" % (finding.name, finding.old, finding.new)
    return Reason(LEVEL, line, "", source, restore, places, effect)


def _told_before(finding: Finding, text: str, where: Sequence[str]) -> bool:
    """Return whether a curated reason tells of the same parameter at the same places."""
    label = text.partition(")")[0] + ")"
    return "(" in label and any(
        one.text.startswith(label) and any(place in one.text for place in where)
        for one in finding.reasons
    )


def _dark(finding: Finding, names: list[str], why: str) -> NotCompared:
    shown = ", ".join(names[:MOST]) + (" ..." if len(names) > MOST else "")
    return NotCompared(FACET, "the signature of %s of %s" % (shown, finding.name), why)
