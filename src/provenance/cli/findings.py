"""Findings for people: what differs, where it strikes, why, and how to get the old back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provenance.cli.style import Style, plural, value
from provenance.core.difference import BROKEN, KNOWN, NONE, POSSIBLE, UNKNOWN, NotCompared
from provenance.core.verdict import Finding, Reason

_COLOUR = {KNOWN: "red", BROKEN: "red", POSSIBLE: "yellow"}
_WORDS = {
    "content": "was changed",
    "digest": "has other content",
    "missing": "is not here",
    "removed": "is not installed",
    "added": "is new here",
    "comment": "differs in comments or layout only",
}


def lines(findings: Iterable[Finding], style: Style, verbose: bool = False) -> list[str]:
    """Return the findings, gravest first, the harmless ones folded unless ``verbose``."""
    found = []
    unknown, harmless = [], []
    for one in findings:
        if one.effect == UNKNOWN and not one.reasons:
            unknown.append(one)
        elif one.effect == NONE:
            harmless.append(one)
        else:
            found += _block(one, style)
    if unknown:
        found += _folded("no known effect", unknown, verbose)
    if harmless and verbose:
        found += _folded("no effect", harmless, verbose)
    elif harmless:
        found.append("%s that cannot matter folded (-v)" % plural(len(harmless), "change"))
    return found


def _block(one: Finding, style: Style) -> list[str]:
    label = style(one.effect.upper(), "bold", _COLOUR.get(one.effect, "bold"))
    found = ["%s  %s" % (label, sentence(one))]
    if one.where and not one.reasons and one.where != (one.name,):
        found.append("  at %s" % ", ".join(one.where[:4]))
    for reason in one.reasons:
        found += ["  " + line for line in _reason(reason, style)]
    return found


def _reason(reason: Reason, style: Style) -> list[str]:
    found = reason.text.splitlines()
    if reason.evidence:
        found.append("evidence: %s" % reason.evidence)
    if reason.remedy:
        found.append("fix: %s" % style(reason.remedy, "cyan"))
    if reason.source:
        found.append(style("source: %s" % reason.source, "dim"))
    return found


def sentence(one: Finding) -> str:
    """Return what differs in one line: ``scikit-learn 1.1.3 -> 1.5.2``."""
    if one.text and one.kind not in ("version", "changed"):
        return "%s: %s" % (one.name, one.text)
    if one.kind == "removed" and one.facet != "packages":
        return "%s is not there this time" % one.name
    if one.kind in _WORDS:
        return "%s %s" % (one.name, _WORDS[one.kind])
    text = "%s %s -> %s" % (one.name, value(one.old), value(one.new))
    return "%s (%s)" % (text, one.text) if one.text else text


def _folded(label: str, findings: list[Finding], verbose: bool) -> list[str]:
    if verbose:
        return ["%s:" % label, *("  [%s] %s" % (f.facet, sentence(f)) for f in findings)]
    names = ["%s" % sentence(one) for one in findings]
    shown = ", ".join(names[:4]) + (" and %d more (-v)" % (len(names) - 4) if names[4:] else "")
    return ["%s: %s" % (label, shown)]


def compared_line(facts: Mapping[str, Any]) -> str:
    """Return how many facts of each kind were compared and equal."""
    parts = [
        "%s %d/%d %s" % (name, one.equal, one.total, one.unit)
        if one.unit != name
        else "%s %d/%d" % (name, one.equal, one.total)
        for name, one in facts.items()
    ]
    return "compared (equal/all): " + (", ".join(parts) if parts else "nothing")


def not_compared_lines(items: Iterable[NotCompared], verbose: bool) -> list[str]:
    """Return what was not compared, one line; one line each when ``verbose``."""
    texts = [
        "%s (%s)" % (one.what if one.what != one.facet else one.facet, one.reason) for one in items
    ]
    if not texts:
        return []
    if verbose:
        return ["not compared:", *("  " + text for text in texts)]
    more = " and %d more (-v)" % (len(texts) - 4) if len(texts) > 4 else ""
    return ["not compared: %s%s" % (", ".join(texts[:4]), more)]


def tally(findings: Iterable[Finding]) -> str:
    """Return ``1 known, 2 possible``: the effects that count, gravest first."""
    counts: dict[str, int] = {}
    for one in findings:
        counts[one.effect] = counts.get(one.effect, 0) + 1
    order = (BROKEN, KNOWN, POSSIBLE, UNKNOWN)
    return ", ".join("%d %s" % (counts[effect], effect) for effect in order if effect in counts)
