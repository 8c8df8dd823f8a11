"""When a case counts as flagged: the rules, strictly, and nothing else.

What `prov verify` said counts from the effect "possible" on. A case is FLAGGED when a finding names
the right package and the right symbol ("named"), or points to a right line ("placed"), or both:

named   The finding is about the package of the case (its distribution, another name under which the
        project is distributed, or a dotted path that starts with its module), and the last part of
        the symbol (its class for a special method) stands as a word of its own in the finding's
        name or text, or in the text or evidence of one of its reasons. Remedies and sources do not
        count.
placed  A place of the finding or of one of its reasons is a line that uses the symbol, or something
        that came of it (`_behaviour_places`).

A finding of the facets that speak of no call (data, files, hardware, environment) flags no case.
LOOSELY FLAGGED: any finding from "possible" on that has a reason, about a package that differs
between the two environments or of the facets that speak of calls.
A CONTROL is a false alarm when anything at all is above "unknown", of whatever facet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import _behaviour_places

ENOUGH = ("possible", "known", "broken")
SILENT_FACETS = ("code", "data", "environment", "hardware", "outputs", "notebooks")
FAMILIES = (
    {"tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel", "keras", "tf-keras"},
    {"opencv-python", "opencv-python-headless", "opencv-contrib-python"},
    {"lightning", "pytorch-lightning"},
)
"""Distributions of one project: who speaks of one speaks of the other."""

_MODULES = {"tf": ("tf", "tensorflow", "keras"), "keras": ("keras", "tensorflow", "tf")}


class Case(NamedTuple):
    """One case of the key. old, new: python, requirements and installer of an environment."""

    id: str
    package: str
    kind: str
    symbol: str
    control: bool
    script: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    old_output: str
    split: str = ""

    @property
    def changed(self) -> frozenset[str]:
        """The distributions whose version differs between the two environments, by key."""
        one, other = (
            dict(self._pair(line) for line in side.get("requirements", ()))
            for side in (self.old, self.new)
        )
        found = {name for name in set(one) | set(other) if one.get(name) != other.get(name)}
        if self.old["python"] != self.new["python"]:
            found.add("python")
        return frozenset(found)

    @staticmethod
    def _pair(requirement: str) -> tuple[str, str]:
        name, _, version = requirement.partition("==")
        return key(name), version

    @property
    def names(self) -> frozenset[str]:
        """All names under which the package of the case is distributed."""
        own = key(self.package)
        return frozenset({own}.union(*(family for family in FAMILIES if own in family)))


class Judged(NamedTuple):
    """What an answer is worth. by: how the right lines were found; said: the answer in one line."""

    named: bool
    placed: bool
    loose: bool
    alarm: bool
    by: str
    said: str

    @property
    def flagged(self) -> bool:
        """Whether the case counts as flagged."""
        return self.named or self.placed


def key(name: str) -> str:
    """Return the name of a distribution in its normal form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def judge(case: Case, source: str, findings: Iterable[Mapping[str, Any]]) -> Judged:
    """Judge the findings of ``prov verify --json`` about ``case``; ``source`` is its script."""
    counted = [one for one in findings if one["effect"] in ENOUGH]
    about = [one for one in counted if one["facet"] not in SILENT_FACETS]
    right = _behaviour_places.places(source, case.symbol)
    return Judged(
        any(is_named(case, one) for one in about),
        any(is_placed(case, one, right.lines) for one in about),
        any(_loosely(case, one) for one in about),
        bool(counted),
        right.by,
        said(counted),
    )


def is_named(case: Case, finding: Mapping[str, Any]) -> bool:
    """Return whether ``finding`` names the package and the symbol of ``case``."""
    texts = [finding["name"], finding.get("text") or ""]
    for reason in reasons_of(finding):
        texts += [reason.get("text") or "", reason.get("evidence") or ""]
    return _speaks(case, finding, texts) and any(_has(text, word_of(case.symbol)) for text in texts)


def _speaks(case: Case, finding: Mapping[str, Any], texts: Iterable[str]) -> bool:
    if key(finding["name"]) in case.names:
        return True
    top = case.symbol.split(".")[0]
    modules = _MODULES.get(top, (top,))
    return any(
        re.search(r"(?<![\w.])%s\." % re.escape(module), text)
        for module in modules
        for text in texts
    )


def word_of(symbol: str) -> str:
    """Return the part of a dotted path that a finding must name."""
    parts = symbol.split(".")
    special = parts[-1].startswith("__") and len(parts) > 1
    return parts[-2] if special else parts[-1]


def _has(text: str, word: str) -> bool:
    return re.search(r"(?<!\w)%s(?!\w)" % re.escape(word), text) is not None


def is_placed(case: Case, finding: Mapping[str, Any], lines: Iterable[int]) -> bool:
    """Return whether a place of ``finding`` is one of ``lines`` of the script."""
    told = list(finding.get("where") or ())
    for reason in reasons_of(finding):
        told += list(reason.get("where") or ())
    wanted = {"%s:%d" % (case.script, line) for line in lines}
    return any(place.rsplit("/", 1)[-1] in wanted for place in told)


def reasons_of(finding: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the reasons of a finding that count: not those that were checked and do nothing."""
    return [
        one
        for one in finding.get("reasons") or ()
        if (one.get("effect") or finding["effect"]) in ENOUGH
    ]


def _loosely(case: Case, finding: Mapping[str, Any]) -> bool:
    if not reasons_of(finding) and not finding.get("text"):
        return False
    name = key(finding["name"])
    return finding["facet"] not in ("packages", "runtime") or name in case.changed | case.names


def said(findings: Iterable[Mapping[str, Any]], most: int = 3) -> str:
    """Return the gravest findings in one line."""
    told = []
    for one in findings:
        reasons = reasons_of(one)
        first = reasons[0] if reasons else {}
        why = "%s %s [%s]" % (first.get("level"), first.get("text"), first.get("evidence"))
        place = ", ".join((one.get("where") or [])[:3])
        told.append(
            "%s %s %s: %s @ %s"
            % (one["effect"], one["facet"], one["name"], why if reasons else "no reason", place)
        )
    more = " (and %d more)" % (len(told) - most) if len(told) > most else ""
    return " | ".join(told[:most]) + more if told else "nothing above unknown"
