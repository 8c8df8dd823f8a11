"""Comparing the user's own calls, as part of verifying: when, how, and what it adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from provenance.compare.roots import Compared
from provenance.compare.tape import CUT_OFF, MALFORMED, TIME, UNTOLD, Tape
from provenance.core.difference import BROKEN, KNOWN, POSSIBLE, Difference, NotCompared
from provenance.core.record import Record
from provenance.core.verdict import Finding
from provenance.operations import _checked, _roots, calls
from provenance.operations._roots import Told
from provenance.operations.calls import Coverage
from provenance.operations.references import Reference
from provenance.store.project import Project

if TYPE_CHECKING:
    from provenance.operations.rehearse import Rehearsed


_SHOWN = 3
_MOSTLY = 0.5
"""Share of the call sites above which a rehearsal has imported what the script needs."""


class Wish(NamedTuple):
    """How to compare. mode: see `calls`. python: the interpreter that is asked about."""

    mode: str
    environ: Mapping[str, str]
    place: Project
    python: str | None
    build: bool = False
    progress: Callable[[str], None] | None = None


class Outcome(NamedTuple):
    """The findings with what the calls told, how many calls were compared, and what was not."""

    findings: tuple[Finding, ...]
    coverage: Coverage | None = None
    not_compared: tuple[NotCompared, ...] = ()
    notes: tuple[str, ...] = ()


def compare(
    findings: Sequence[Finding],
    differences: Sequence[Difference],
    reference: Reference,
    today: Record,
    wish: Wish,
) -> Outcome:
    """Rehearse where a difference could change what the user's calls return."""
    plain = tuple(findings)
    if wish.mode == calls.OFF or wish.python is None:
        return Outcome(plain)
    if not could_matter(differences, reference.record):
        return Outcome(plain)
    gone = [one.name for one in plain if _is_missing(one)]
    if gone:
        why = "the script cannot run here without %s" % ", ".join(gone[:_SHOWN])
        return Outcome(plain, None, (NotCompared(calls.FACET, "your calls", why),))
    from provenance.operations import rehearse  # most verifications need no rehearsal

    asked = rehearse.Wish(
        wish.environ, wish.place, wish.python, wish.mode, wish.build, wish.progress
    )
    done = rehearse.rehearse(reference, _key(today), asked)
    return outcome(done, plain, reference, wish.mode)


def outcome(
    done: Rehearsed, plain: tuple[Finding, ...], reference: Reference, mode: str
) -> Outcome:
    """Return ``plain`` with what the rehearsals told, or why there is no comparison."""
    if done.compared is None:
        why = done.problem + ("; " + done.hint if done.hint else "")
        return Outcome(plain, None, (NotCompared(calls.FACET, "your calls", why),), done.notes)
    try:
        return _told(done, done.compared, plain, reference, mode)
    except MALFORMED as error:
        why = UNTOLD % type(error).__name__
        return Outcome(plain, None, (NotCompared(calls.FACET, "your calls", why),), done.notes)


def _told(
    done: Rehearsed, compared: Compared, plain: tuple[Finding, ...], reference: Reference, mode: str
) -> Outcome:
    told = _roots.reasons(compared.roots, reference.record, done.old, done.new)
    counted = compared.coverage
    missed = {"noisy": counted.noisy, "not reached": counted.missing}
    mode = done.mode or mode
    if mode == calls.SYNTHETIC:
        told = tuple(map(_of_made_up, told))
    missed = {n: c for n, c in missed.items() if c}
    short = _short(done.old, done.new)
    coverage = Coverage(mode, counted.compared, counted.reached, missed, short)
    told_of_data = mode != calls.SYNTHETIC  # made-up data does not reach all that real data does
    if told_of_data and done.old and done.new:
        folding = _checked.levels(done.old, done.new, reference.record)
        plain = _checked.quieted(plain, compared.same, folding)
        if folding or counted.compared > counted.reached * _MOSTLY:
            changed = frozenset(name for one in told for name in (one.package, *one.others))
            plain = _checked.unneeded(plain, changed, bool(folding))
    return Outcome(_roots.attach(plain, told, "run"), coverage, (), done.notes)


def _of_made_up(told: Told) -> Told:
    """Return ``told`` with a source that says that its values are not those of the data.

    What another value does to made-up data it need not do to the real: possible, no more.
    """
    effect = POSSIBLE if told.effect == KNOWN else told.effect
    source = told.reason.source + ", with made-up data"
    return told._replace(effect=effect, reason=told.reason._replace(source=source, effect=effect))


def _short(old: Tape | None, new: Tape | None) -> str:
    """Return in words what the rehearsals left out of the run's calls, "" where nothing."""
    if old is None or new is None:
        return ""
    parts = sorted({"%s cut to %d" % (name.lstrip("*"), few) for _, name, few in old.short})
    stopped = [one.why for one in (old, new) if one.end == TIME]
    stopped += ["stopped inside a call" for one in (old, new) if one.end == CUT_OFF]
    return ", ".join(parts + stopped[:1])


def _is_missing(finding: Finding) -> bool:
    """Return whether a package that the script itself imports is not installed."""
    gone = finding.facet == "packages" and finding.kind == "removed"
    return gone and finding.effect == BROKEN


def could_matter(differences: Sequence[Difference], record: Record) -> bool:
    """Return whether any difference is of Python or of a package that the run imported."""
    return any(_could_matter(one, record) for one in differences)


def _could_matter(difference: Difference, record: Record) -> bool:
    """Return whether a difference is of Python or of a package that the run imported."""
    if difference.facet == "runtime":
        return difference.kind == "version" and difference.name == "python"
    if difference.facet != "packages" or difference.kind == "added":
        return False
    from provenance.core.distributions import key_of

    key = key_of(difference.name)
    for subject in record.payloads("packages"):
        one = subject.payload.get("distributions", {}).get(key)
        if one is not None and (one.get("imported") or not subject.payload.get("complete")):
            return True
    return False


def _key(today: Record) -> Any:
    """Return what tells today's environment from others."""
    packages = [
        sorted(
            (n, d.get("version"), d.get("record_sha256"))
            for n, d in s.payload["distributions"].items()
        )
        for s in today.payloads("packages")
        if "distributions" in s.payload
    ]
    runtime = [subject.payload.get("version") for subject in today.payloads("runtime")]
    return [packages, runtime]
