"""What a rehearsal that found nothing does to reasons: changed, checked, no effect on these calls.

Of a written entry only a whole rehearsal may say so: nothing cut, every loop run to its end. A
changed default alone is folded by a rehearsal with cut data too. Neither where a statement failed,
nor where the run had a GPU, which a rehearsal does not use in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence

from provenance.compare.tape import DONE, Tape
from provenance.core import verdict
from provenance.core.difference import BROKEN, KNOWN, POSSIBLE, UNKNOWN
from provenance.core.record import Record
from provenance.core.verdict import Finding, Reason
from provenance.knowledge import match

SAYS = "checked: your calls there give the same with both"
CUT = ", as far as a rehearsal with cut data or loops tells"


def levels(old: Tape, new: Tape, record: Record) -> tuple[str, ...]:
    """Return the levels of the reasons that two rehearsals may fold."""
    ended = old.end == new.end == DONE and not old.failed and not new.failed
    if not ended or match.has_gpu(record):
        return ()
    return ("L2",) if old.rows or old.loops else ("L1", "L2")


def quieted(
    findings: Sequence[Finding],
    same: frozenset[str],
    folding: tuple[str, ...],
) -> tuple[Finding, ...]:
    """Return ``findings`` with the reasons folded whose places were all seen to give the same.

    same: such places. folding: the levels whose reasons may be folded.
    """
    if not folding:
        return (*findings,)
    return tuple(_quieted(one, same, folding) for one in findings)


def unneeded(
    findings: Sequence[Finding], changed: frozenset[str], whole: bool
) -> tuple[Finding, ...]:
    """Return ``findings`` with packages that are gone, but not missed, folded.

    Such a package only libraries had imported, and nothing failed for it. whole: whether the
    rehearsal got to the end of the script.
    """
    text = "not needed: the script runs without it"
    text = text if whole else "not needed as far as the rehearsal got"
    return tuple(
        one._replace(effect=UNKNOWN, text=text)
        if _is_gone(one) and one.name not in changed
        else one
        for one in findings
    )


def _is_gone(finding: Finding) -> bool:
    gone = finding.facet == "packages" and finding.kind == "removed" and not finding.where
    return gone and finding.effect in (BROKEN, POSSIBLE)


def _quieted(finding: Finding, same: frozenset[str], folding: tuple[str, ...]) -> Finding:
    if finding.facet not in ("packages", "runtime"):
        return finding
    if finding.kind != "version" or not finding.reasons:
        return finding
    reasons = tuple(
        _folded(one, finding.effect, same, "L1" in folding) if one.level in folding else one
        for one in finding.reasons
    )
    if reasons == finding.reasons:
        return finding
    effects = [one.effect or finding.effect for one in reasons]
    return finding._replace(effect=verdict.worst([UNKNOWN, *effects]), reasons=reasons)


def _folded(reason: Reason, effect: str, same: frozenset[str], whole: bool) -> Reason:
    if (reason.effect or effect) not in (POSSIBLE, KNOWN):
        return reason
    if not reason.where or not set(reason.where) <= same:
        return reason
    evidence = "; ".join(part for part in (reason.evidence, SAYS + ("" if whole else CUT)) if part)
    return reason._replace(effect=UNKNOWN, evidence=evidence)
