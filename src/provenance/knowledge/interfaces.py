"""What changed interfaces mean for the calls of one run (L2): reasons for a package's new version.

Pure but for the signatures, which are asked for when a call needs them; nothing is imported.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from provenance.core import verdict
from provenance.core._types import is_class
from provenance.core.interfaces import Library
from provenance.core.use import CALL, UNRESOLVED, Use
from provenance.core.verdict import Finding, Reason
from provenance.knowledge.changes import DEFAULT, Hit, changes, for_call, passed
from provenance.knowledge.judge import LEVEL as CURATED
from provenance.knowledge.judge import MOST_PLACES, SHOWN_PLACES

INTERFACE = "L2"

Signature = Dict[str, Any]
Documented = Callable[[Finding, Use, Library], List[Tuple[Hit, str]]]
"""Returns what a call meets by the documentation of the new release, with the source."""
UNREAD: Signature = {"not_compared": "no signature was kept"}
_FAMILIES = (
    frozenset(("keras", "tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-keras")),
    frozenset(("lightning", "pytorch-lightning")),
)
"""Distributions that publish one thing under one name."""


def calls_of(uses: Sequence[Use]) -> List[Use]:
    """Return the calls of something known among ``uses``."""
    return [use for use in uses if use.kind == CALL and not use.symbol.startswith(UNRESOLVED)]


def calls_in(package: str, modules: Sequence[str], uses: Sequence[Use]) -> List[Use]:
    """Return the ``uses`` that speak of a package; modules: its importable names, as recorded."""
    tops = {str(name).partition(".")[0] for name in modules} or {package.replace("-", "_")}
    for family in _FAMILIES:
        if package in family:
            tops |= {name.replace("-", "_") for name in family}
    return [use for use in uses if use.symbol.partition(".")[0] in tops]


def explained(
    finding: Finding,
    calls: Sequence[Use],
    old: Optional[Callable[[str], Signature]],
    new: Library,
    documented: Optional[Documented] = None,
) -> Finding:
    """Return ``finding`` with what concerns ``calls``; old None: what ``documented`` tells."""
    hits: Dict[str, Tuple[Hit, List[str], str]] = {}
    for use in calls:
        label = short(use.symbol)
        if old is not None:
            found = changes(old(use.symbol), new.signature(use.symbol))
            told = [(hit, "") for hit in for_call(found, label, passed(use))]
        else:
            told = documented(finding, use, new) if documented else []
        for hit, source in told:
            places = hits.setdefault(hit.text, (hit, [], source))[1]
            places += [] if use.where in places else [use.where]
    return with_hits(finding, list(hits.values()))


def with_hits(finding: Finding, hits: Sequence[Tuple[Hit, List[str], str]]) -> Finding:
    """Return ``finding`` with reasons for ``hits``: each with its places, and where it was read.

    What a curated reason tells of the same parameter is added to that; nothing is told twice.
    """
    reasons = list(finding.reasons)
    effects, where = [finding.effect], list(finding.where)
    for hit, places, source in hits:
        told = _told_before(reasons, hit, places)
        if told is not None:
            one = reasons[told]
            change = hit.text.partition(")")[2].partition(";")[0].strip()
            if one.level == INTERFACE or hit.text in one.evidence or change in one.text:
                continue
            more = "; ".join(text for text in (one.evidence, "signature: " + hit.text) if text)
            reasons[told] = one._replace(evidence=more)
            continue
        reasons.append(_reason(finding, hit, places, source))
        effects.append(hit.effect)
        where += [one for one in places if one not in where]
    return finding._replace(
        effect=verdict.worst(effects), where=tuple(where[:MOST_PLACES]), reasons=tuple(reasons)
    )


def _told_before(reasons: Sequence[Reason], hit: Hit, places: Sequence[str]) -> Optional[int]:
    """Return which reason tells of the same parameter at one of the same places."""
    label = hit.text.partition(")")[0] + ")"
    for index, one in enumerate(reasons):
        same = one.text.startswith(label) or (
            label.partition("(")[0].rpartition(".")[2] in one.text
            and hit.change.parameter in one.text
        )
        known = one.level in (CURATED, INTERFACE) and same
        if known and any(place in one.text for place in places):
            return index
    return None


def _reason(finding: Finding, hit: Hit, places: Sequence[str], source: str) -> Reason:
    more = " and %d more" % (len(places) - SHOWN_PLACES) if len(places) > SHOWN_PLACES else ""
    line = "%s at %s%s" % (hit.text, ", ".join(places[:SHOWN_PLACES]), more)
    restore = "pip install %s==%s" % (finding.name, finding.old)
    argument = _kept_default(hit)
    return Reason(
        INTERFACE,
        line,
        "",
        source or "the signatures of %s %s and %s" % (finding.name, finding.old, finding.new),
        "add %s   or   %s" % (argument, restore) if argument else restore,
        tuple(places[:MOST_PLACES]),
        hit.effect,
    )


def _kept_default(hit: Hit) -> str:
    """Return the argument that keeps the old default, "" where it is no plain value."""
    change = hit.change
    if change.kind != DEFAULT or isinstance(change.old, dict) or change.old in _NO_VALUES:
        return ""
    value = tuple(change.old) if isinstance(change.old, list) else change.old
    return "" if "{" in repr(value) else "%s=%r" % (change.parameter, value)


_NO_VALUES = (None, "warn", "deprecated", "auto_deprecated")
"""Defaults that stand for "not given": the new release may refuse them, or read them otherwise."""


def short(symbol: str) -> str:
    """Return the name people know: from the class on, else the last component."""
    parts = symbol.split(".")
    while len(parts) > 1 and not is_class(parts[0]):
        parts.pop(0)
    return ".".join(parts)
