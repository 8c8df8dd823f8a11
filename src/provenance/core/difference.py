"""One typed way in which two payloads differ, and what a comparison looked at.

A facet's ``compare`` returns a `Comparison`: not only the differences but how many facts were
compared and which could not be, so that "same" never stands bare.
"""

# No postponed annotations here: typing compiles each one that is text, 10 us a field at start-up.

from typing import Any, Dict, Mapping, NamedTuple, Tuple

NONE, UNKNOWN, POSSIBLE, KNOWN, BROKEN = "none", "unknown", "possible", "known", "broken"

EFFECTS = (NONE, UNKNOWN, POSSIBLE, KNOWN, BROKEN)
"""From harmless to fatal; the order is the ranking."""

KINDS: Dict[str, str] = {
    "added": "is here now, was not in the record",
    "removed": "was in the record, is not here",
    "changed": "has another value",
    "version": "has another version",
    "build": "has another build of the same version",
    "origin": "comes from another place",
    "content": "has other content",
    "digest": "has another digest",
    "comment": "differs in comments, docstrings or layout only",
    "missing": "is not to be found",
    "pending": "has no digest to compare",
    "value": "has another value",
    "exit": "ended in another way",
}
"""Every kind of difference, with what it says of the thing that is named."""


class Difference(NamedTuple):
    """One way in which two payloads differ.

    facet: the facet that found it. subject: whom it speaks of ("run", "host", an interpreter's id).
    kind: a key of `KINDS`. name: the thing that differs, in the facet's own words (a package, a
    file, a flag). effect: what the facet alone can say of the effect, one of `EFFECTS`; reasons may
    raise or lower it. old, new: plain JSON values, None where absent. where: "file:line" places in
    the user's code. text: one short clause where name, old and new do not say it all.
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


class NotCompared(NamedTuple):
    """Something that could not be compared, and why."""

    facet: str
    what: str
    reason: str


class Comparison(NamedTuple):
    """What comparing two payloads gave.

    total: the number of facts that were compared. equal: how many of them were equal.
    unit: what a fact is, in the plural ("packages", "used files").
    """

    differences: Tuple[Difference, ...] = ()
    equal: int = 0
    total: int = 0
    unit: str = "facts"
    not_compared: Tuple[NotCompared, ...] = ()


def mapping(
    facet: str,
    subject: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    effect: str = UNKNOWN,
    unit: str = "facts",
) -> Comparison:
    """Compare two flat mappings key by key: the ready-made comparison of most facets."""
    found = []
    for key in sorted(set(old) | set(new)):
        if key not in new:
            found.append(Difference(facet, subject, "removed", key, effect, old[key], None))
        elif key not in old:
            found.append(Difference(facet, subject, "added", key, effect, None, new[key]))
        elif old[key] != new[key]:
            found.append(Difference(facet, subject, "changed", key, effect, old[key], new[key]))
    total = len(set(old) | set(new))
    return Comparison(tuple(found), total - len(found), total, unit)


def joined(parts: Tuple[Comparison, ...], unit: str = "") -> Comparison:
    """Return several comparisons of one facet as one."""
    return Comparison(
        tuple(d for part in parts for d in part.differences),
        sum(part.equal for part in parts),
        sum(part.total for part in parts),
        unit or (parts[0].unit if parts else "facts"),
        tuple(n for part in parts for n in part.not_compared),
    )
