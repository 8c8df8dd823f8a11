"""Reasons, findings, and the verdict that findings add up to.

=========  ==================  ====
worst      verdict             exit
=========  ==================  ====
none       same                0
unknown    no known effect     0
possible   possible effect     0
known      different           1
broken     different           1
(nothing)  not compared        3
=========  ==================  ====

The exit column is for the default ``--fail-on known``; see `exit_code`.
"""

from __future__ import annotations

from typing import Any, Iterable, List, NamedTuple, Tuple

from provenance.core.difference import BROKEN, EFFECTS, KNOWN, NONE, POSSIBLE, UNKNOWN, Difference

SAME, NO_KNOWN, POSSIBLY, DIFFERENT = "same", "no known effect", "possible effect", "different"
WITHIN, NOT_COMPARED = "within tolerance", "not compared"

_BY_EFFECT = {
    NONE: SAME,
    UNKNOWN: NO_KNOWN,
    POSSIBLE: POSSIBLY,
    KNOWN: DIFFERENT,
    BROKEN: DIFFERENT,
}


class Reason(NamedTuple):
    """Why a difference matters.

    level: how it is known: "L1" curated knowledge, "L2" changed interface, "L3" replayed call.
    text: what changed, old value and new value. evidence: what in this run makes it apply; of L3
    what came out, "0.1312 -> 0.0977". source: where the fact stands (release notes, change log).
    remedy: code or command that restores the recorded behaviour. where: "file:line" places of this
    reason alone; reasons that share one are told together. effect: of this reason alone, "" for
    that of its finding; "unknown" where it was checked and does nothing. follows: of L3 the number
    of later operations that differ only because this one does.
    """

    level: str
    text: str
    evidence: str = ""
    source: str = ""
    remedy: str = ""
    where: Tuple[str, ...] = ()
    effect: str = ""
    follows: int = 0


class Finding(NamedTuple):
    """A difference with its effect on this run, where it strikes, and the reasons.

    Fields as in `Difference`; ``effect`` is the final one and ``where`` the places that reasons
    found.
    """

    facet: str
    subject: str
    kind: str
    name: str
    effect: str
    old: Any = None
    new: Any = None
    where: Tuple[str, ...] = ()
    text: str = ""
    reasons: Tuple[Reason, ...] = ()


def finding(difference: Difference) -> Finding:
    """Return a difference as a finding with no reasons yet."""
    return Finding(*difference)


def rank(effect: str) -> int:
    """Return the place of an effect in the order from harmless to fatal."""
    return EFFECTS.index(effect)


def worst(effects: Iterable[str]) -> str:
    """Return the gravest of ``effects``, ``none`` where there are none."""
    return max(effects, key=rank, default=NONE)


def verdict(findings: Iterable[Finding], facts_compared: int) -> str:
    """Return the verdict over ``findings``; "not compared" where no fact was compared."""
    found = worst(f.effect for f in findings)
    if facts_compared == 0 and rank(found) < rank(KNOWN):
        return NOT_COMPARED
    return _BY_EFFECT[found]


def exit_code(findings: Iterable[Finding], facts_compared: int, fail_on: str = KNOWN) -> int:
    """Return 0, 1 (an effect at least as grave as ``fail_on``) or 3 (nothing comparable)."""
    found = worst(f.effect for f in findings)
    if rank(found) >= rank(fail_on) and found != NONE:
        return 1
    return 3 if facts_compared == 0 else 0


def ranked(findings: Iterable[Finding]) -> List[Finding]:
    """Return ``findings`` with the gravest first; facet and name order within an effect."""
    return sorted(findings, key=lambda f: (-rank(f.effect), f.facet, f.name, f.subject))
