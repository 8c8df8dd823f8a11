"""Why a library behaves differently at a root: what the two rehearsals know of its callee.

A changed default that the call does not override, a parameter that took effect with another value
(``n_init``, given as ``"warn"``, was 10 and is 1), a change that the old release announced when it
was called, an option of the library that has another value. Told where a call was seen to differ,
never by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from provenance.compare.roots import FAILS, Root, by_key, parts
from provenance.compare.tape import Operation, Site, Tape
from provenance.core.difference import BROKEN
from provenance.core.distributions import key_of
from provenance.core.verdict import Finding
from provenance.knowledge import changes
from provenance.knowledge._defaults import shown, why_equal
from provenance.knowledge.changes import Hit, Passed
from provenance.knowledge.interfaces import short, with_hits

SOURCE = "the signatures seen in both rehearsals"
MOST = 3
_PLAIN = (str, int, float, bool, type(None))


class Cause(NamedTuple):
    """What explains a root.

    hits: changed signatures of its callee, or of what made the object, with the place of that call.
    effective: parameters that took effect with another value, ``n_init took effect as 10 -> 1``.
    warnings: what the old release said there.
    """

    hits: tuple[tuple[Hit, str], ...] = ()
    effective: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def of(roots: Sequence[Root], old: Tape, new: Tape) -> tuple[Cause, ...]:
    """Return what explains each of ``roots``."""
    others = by_key(new)
    operations = {one.number: one for one in old.operations}
    found = []
    for root in roots:
        calls = [(root.operation, root.site)]
        made = [one for one in (root.after, root.maker) if one is not None]
        calls += [(operation, site) for site, operation in made]
        other = others.get((root.site, root.operation.nth))
        hits = tuple(_hits(root, calls, old, new))
        names = {name for one, _ in calls for name in _parameters(one.callee, old, new)}
        found.append(
            Cause(
                hits,
                tuple(_effective(root.operation, other, names, old, new))[:MOST],
                tuple(dict.fromkeys(_said(root.operation, operations))),
            )
        )
    return tuple(found)


def _said(operation: Operation, operations: Mapping[int, Operation]) -> Iterator[str]:
    """Yield what was warned of where the object of ``operation`` was made or used until then."""
    chain = [operation.number]
    for number in chain:
        one = operations.get(number)
        before = dict(one.links).get("self") if one is not None else None
        if before is not None and before < number:
            chain.append(before)
    known = set(chain)
    for one in operations.values():
        mine = one.number in known or dict(one.links).get("self") in known
        if mine and one.number <= operation.number:
            yield from one.warnings


# --- changed signatures --------------------------------------------------------------------------


def _hits(
    root: Root, calls: Sequence[tuple[Operation, Site]], old: Tape, new: Tape
) -> Iterator[tuple[Hit, str]]:
    for one, site in calls:
        before, after = old.signatures.get(one.callee), new.signatures.get(one.callee)
        if not isinstance(before, Mapping) or not isinstance(after, Mapping):
            continue
        found = changes.changes(before, after)
        for hit in changes.for_call(found, short(one.callee), _passed(one)):
            if hit.effect != BROKEN or root.kind == FAILS:  # a call that works is not broken
                yield hit, site.where


def _passed(one: Operation) -> Passed:
    names = [name for name, _ in one.inputs if name != "self"]
    spread = any(name.startswith("*") for name in names)
    keywords = frozenset(n for n in names if not n.isdigit() and not n.startswith("*"))
    return Passed(sum(name.isdigit() for name in names), keywords, spread)


# --- values that took effect ---------------------------------------------------------------------


def _parameters(callee: str, *sides: Tape) -> Iterator[str]:
    for side in sides:
        signature = side.signatures.get(callee)
        listed = signature.get("parameters", ()) if isinstance(signature, Mapping) else ()
        yield from (str(one["name"]) for one in listed if isinstance(one, Mapping))


def _effective(
    mine: Operation, theirs: Operation | None, names: set[str], old: Tape, new: Tape
) -> Iterator[str]:
    """Yield the parameters that an object kept with another value than in the other environment.

    Libraries keep a resolved parameter under its name, or below an underscore (``_n_init``). A name
    that ends in an underscore is a result by scikit-learn's convention, and no parameter.
    """
    if theirs is None:
        return
    told: set[str] = set()
    for _, one, other in parts(mine, theirs):
        before, after = _members(old, one), _members(new, other)
        for name, value in sorted(before.items(), key=lambda one: not one[0].startswith("_")):
            plain = name.lstrip("_")
            known = plain in names and plain not in told
            if not known or name not in after or not _is_other(value, after[name]):
                continue
            told.add(plain)
            yield "%s took effect as %s -> %s" % (plain, shown(value), shown(after[name]))


def _members(tape: Tape, number: int | None) -> Mapping[str, Any]:
    form: Any = None if number is None else tape.forms.get(number)
    tagged = isinstance(form, list) and len(form) > 2 and form[0] == "o"
    return form[2] if tagged and isinstance(form[2], dict) else {}


def _is_other(one: Any, other: Any) -> bool:
    plain = isinstance(one, _PLAIN) and isinstance(other, _PLAIN)
    return plain and not why_equal(one, other)


# --- telling -------------------------------------------------------------------------------------


def evidence(cause: Cause, finding: Finding, differing: Sequence[str] = ()) -> str:
    """Return a sentence about what explains a root in the package of ``finding``, "" for none.

    differing: the options of its library that have another value, see `options`.
    """
    texts = [*cause.effective, *("option %s" % one for one in differing[:MOST])]
    if isinstance(finding.old, str) and isinstance(finding.new, str):
        announced = changes.announced(cause.warnings, finding.old, finding.new)[:1]
        words = [one.partition(":")[2].strip() for one in announced]
        texts += ["%s had announced: %s" % (finding.old, one) for one in words]
    return "; ".join(texts)


def explained(finding: Finding, causes: Iterable[Cause]) -> Finding:
    """Return ``finding`` with the changed signatures among ``causes`` as reasons."""
    found: dict[str, tuple[Hit, list[str], str]] = {}
    for cause in causes:
        for hit, where in cause.hits:
            places = found.setdefault(hit.text, (hit, [], SOURCE))[1]
            places += [] if where in places else [where]
    return with_hits(finding, list(found.values())) if found else finding


def options(owner: Mapping[str, str], old: Tape, new: Tape) -> dict[str, tuple[str, ...]]:
    """Return by distribution which options of its library have another value.

    owner: the distribution of each importable name.
    """
    found: dict[str, list[str]] = {}
    for one in changes.registry_changes(old.registries, new.registries):
        package = owner.get(one.parameter.partition(".")[0], "")
        if package and not one.quiet:
            text = "%s %s -> %s" % (one.parameter, shown(one.old), shown(one.new))
            found.setdefault(key_of(package), []).append(text)
    return {package: tuple(texts) for package, texts in found.items()}
