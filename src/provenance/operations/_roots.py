"""What the comparison of two rehearsals means for the findings: reasons of level L3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from provenance.compare.roots import ALIAS, FAILS, NUMERICS, RANDOM, STATE, WORKS, Root
from provenance.compare.tape import Site, Tape
from provenance.core import verdict
from provenance.core.difference import BROKEN, KNOWN, NONE, POSSIBLE
from provenance.core.distributions import key_of
from provenance.core.record import Record
from provenance.core.verdict import Finding, Reason
from provenance.knowledge.judge import PYTHON_ITSELF
from provenance.operations import _causes, _owners
from provenance.operations._causes import Cause

LEVEL = "L3"
MOST_PLACES = 20
FACET = "calls"
_ALSO = 3


class Told(NamedTuple):
    """A root as a reason: whose package it is, how grave, and why.

    others: packages that it may be blamed on where that one has not changed.
    """

    package: str
    effect: str
    reason: Reason
    cause: Cause = Cause()
    options: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def reasons(
    roots: Sequence[Root], record: Record, old: Tape | None = None, new: Tape | None = None
) -> tuple[Told, ...]:
    """Return the roots as reasons, in the order in which the script meets them.

    old, new: the tapes that they were found on, where the cause is looked for, too.
    """
    owners = _owners.of_modules(record)
    mattering = [root for root in roots if _matters(root)]
    told = [_told(root, owners, old) for root in mattering]
    if old is None or new is None:
        return tuple(told)
    options = _causes.options(owners, old, new)
    for place, cause in enumerate(_causes.of(mattering, old, new)):
        one = told[place]
        mine = options.pop(one.package, ())  # of the first root in the package
        told[place] = one._replace(cause=cause, options=mine)
    return tuple(told)


def _matters(root: Root) -> bool:
    if root.kind == RANDOM:
        return root.follows > 0
    return root.kind != STATE or root.unlike is not None or root.follows > 0


def _told(root: Root, owners: Mapping[str, str], old: Tape | None) -> Told:
    effect = POSSIBLE
    if root.kind == FAILS and not root.handled:
        effect = BROKEN
    elif root.reaches and root.kind != NUMERICS:
        effect = KNOWN
    places = [root.site.where]
    for made in (root.after, root.maker):
        if made is not None and made[0].where not in places:
            places.append(made[0].where)
    places += [one.where for one in root.also if one.where not in places]
    reason = Reason(
        LEVEL,
        "%s %s" % (_subject(root), _predicate(root)),
        _evidence(root),
        "rehearsed in both environments",
        "",
        tuple(places[:MOST_PLACES]),
        effect,
        root.follows,
    )
    blamed = _owners.of_root(root, owners, old)
    return Told(blamed[0] if blamed else "", effect, reason, others=blamed[1:])


def _subject(root: Root) -> str:
    """Return operation and maker: ``iterating StratifiedKFold(...).split, made on line 5``."""
    operation, site = root.operation, root.site
    name = _short(operation.callee)
    words = {
        "iterate": "iterating %s" % site.text,
        "operator": "the operator %s" % site.text,
        "text": "the text form",
        "store": "assigning to %s" % site.text,
        "statement": "this statement",
    }.get(site.kind, "")
    if not words:
        words = site.text
        if name and not _says(site, root, name):
            words = "%s (%s)" % (site.text, name)
    before = root.maker if root.kind == ALIAS else root.after
    if before is not None:
        name = _short(before[1].callee)
        done = before[0].text + (" (%s)" % name if name else "")
        return "%s, after %s on line %d," % (words, done, before[0].line)
    if root.maker is not None and root.maker[0] != site:
        maker_site, maker = root.maker
        made = _short(maker.callee) or maker_site.text
        where = "line %d" % maker_site.line
        if maker_site.path != site.path:
            where = maker_site.where
        if maker_site.line == site.line and maker_site.path == site.path:
            return "%s of %s" % (words, made)
        words = "%s, made by %s on %s," % (words, made, where)
    return words


def _says(site: Site, root: Root, name: str) -> bool:
    """Return whether the source's own words, and those on the maker, say already what is called."""
    owner, _, called = name.rpartition(".")
    if called not in site.text:
        return False
    maker = root.maker[1].callee if root.maker is not None else ""
    return not owner or owner in site.text or _short(maker) == owner


def _predicate(root: Root) -> str:
    if root.kind == FAILS:
        return "fails: %s" % root.error
    if root.kind == WORKS:
        return "no longer fails (%s)" % root.error
    if root.kind == ALIAS:
        return "sees another value"
    if root.kind == RANDOM:
        return "draws other random numbers from the global generator"
    if root.kind == NUMERICS:
        return "rounds in another way, and the digits that are printed show it"
    if root.kind == STATE:
        return "leaves another result in its argument"
    return "gives another result for the same input"


def _evidence(root: Root) -> str:
    return root.unlike.text if root.unlike is not None else root.error


def _short(callee: str) -> str:
    """Return class and method, or the function, of a dotted name."""
    parts = callee.split(".")
    named = [part for part in parts if part and part != "__call__"]
    for place, part in enumerate(named):
        if part[:1].isupper() or part.lstrip("_")[:1].isupper():
            return ".".join(named[place:])
    return named[-1] if named else ""


def attach(findings: Sequence[Finding], told: Sequence[Told], run: str) -> tuple[Finding, ...]:
    """Return ``findings`` with the reasons joined to those of their packages.

    A root in a package that has the same version here belongs to the changed packages as a whole:
    the library does it with one of those. Such roots make one finding of their own.
    """
    found = list(findings)
    places = {_package_of(one): i for i, one in enumerate(found) if _package_of(one)}
    rest: list[Told] = []
    for one in told:
        changed = [places[name] for name in (one.package, *one.others) if name in places]
        place = changed[0] if changed else None
        if place is None:
            rest.append(one)
        else:
            found[place] = _joined(_causes.explained(found[place], [one.cause]), one)
    if rest:
        found.append(_own(rest, run))
    return tuple(found)


def _package_of(one: Finding) -> str:
    if one.facet == "runtime" and one.name == PYTHON_ITSELF and one.kind == "version":
        return PYTHON_ITSELF
    if one.facet != "packages" or one.effect == NONE:
        return ""
    return key_of(one.name)


def _joined(finding: Finding, told: Told) -> Finding:
    places = list(finding.where)
    places += [place for place in told.reason.where if place not in places]
    remedy = "pip install %s==%s" % (finding.name, finding.old)
    if finding.name == PYTHON_ITSELF:
        remedy = "use Python %s" % finding.old
    remedied = isinstance(finding.old, str) and not any(one.remedy for one in finding.reasons)
    reason = told.reason._replace(remedy=remedy) if remedied else told.reason
    more = _causes.evidence(told.cause, finding, told.options)
    reason = reason._replace(evidence="; ".join(filter(None, (reason.evidence, more))))
    return finding._replace(
        effect=verdict.worst([finding.effect, told.effect]),
        where=tuple(places[:MOST_PLACES]),
        reasons=(*finding.reasons, reason),
    )


def _own(told: Sequence[Told], run: str) -> Finding:
    places: list[str] = []
    for one in told:
        places.extend(place for place in one.reason.where if place not in places)
    names = sorted({one.package for one in told if one.package})
    return Finding(
        FACET,
        run,
        "value",
        ", ".join(names) or "your calls",
        verdict.worst(one.effect for one in told),
        where=tuple(places[:MOST_PLACES]),
        text="behaves differently with the packages that changed",
        reasons=tuple(one.reason for one in told),
    )
