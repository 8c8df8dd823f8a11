"""One known behaviour change: what changed, in which release, and which calls it strikes.

An entry is data (a file in ``entries/``); this module reads its form. Members of the file:

``id``            name of the file
``packages``      distributions whose release made the change
``changed_in``    first release with the new behaviour, for all packages or one for each
``changed_after`` last release known to have the old behaviour, where the boundary was not narrowed
``applies_from``  first release that had the old behaviour (before it there was yet another)
``symbols``       what must be used; a component may be ``*``, a last ``*`` stands for any name
``when``          conditions on the arguments, all of which must hold
``unless``        uses that make the change void (a flag that is set), each with ``symbol`` and,
                  where its first argument matters, ``first``
``along``         patterns of symbols, one of which the source must use as well ("*.astype")
``reads``         naming the symbol is enough (a constant, a flag); else it must be called
``handed_on``     false: naming the symbol without a call (``dtype=np.float32``) does not count
``unresolved``    false: do not consider a method of this name on something unknown
``gpu``           true: matters only with a CUDA GPU
``parameter``     the parameter whose default changed, where that is the change
``what``, ``old``, ``new``, ``effect``   the change and what happens to the numbers, in words
``certainty``     "known": changes the numbers of an ordinary call that meets the conditions;
                  "possible": depends on the data
``restore_old``, ``restore_new``         code that brings the old (new) behaviour back
``restore_old_until``                    first release that no longer takes ``restore_old``
``source``        title and address of the statement
``verified``      cases of this change that were run in both environments
``probe``         true: ``benchmarks/probes/ID.py`` was run in both releases, which differed
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from provenance.core import codec, versions
from provenance.core.difference import KNOWN, POSSIBLE

TESTS = ("not passed", "passed", "equal", "not equal", "equal or not passed", "starts with")


class Condition(NamedTuple):
    """A condition on one argument of a call.

    position: index among the positional arguments (without self), None where keyword-only; it may
    differ by the last components of the symbol. test: one of `TESTS`. values: for the equalities.
    inside: where the argument stands in a dictionary that is itself an argument: its ``parameter``
    and ``position``.
    """

    parameter: str
    test: str
    position: Any = None
    values: Tuple[Any, ...] = ()
    inside: Optional[Dict[str, Any]] = None


class Entry(NamedTuple):
    """A known behaviour change; members as in the module's description."""

    id: str
    packages: Tuple[str, ...]
    changed_in: Dict[str, str]
    symbols: Tuple[str, ...]
    what: str
    old: str
    new: str
    effect: str
    certainty: str
    source: Dict[str, str]
    changed_after: str = ""
    applies_from: str = ""
    parameter: str = ""
    when: Tuple[Condition, ...] = ()
    unless: Tuple[Dict[str, Any], ...] = ()
    along: Tuple[str, ...] = ()
    reads: bool = False
    handed_on: bool = True
    unresolved: bool = True
    gpu: bool = False
    restore_old: str = ""
    restore_new: str = ""
    restore_old_until: str = ""
    verified: Tuple[str, ...] = ()
    probe: bool = False


def from_json(value: Mapping[str, Any]) -> Entry:
    """Return the entry that ``value`` holds.

    Raises ValueError naming the entry and what is wrong with it.
    """
    name = value.get("id") if isinstance(value, Mapping) else None
    unknown = set(value) - set(Entry._fields) if isinstance(value, Mapping) else {"(no object)"}
    if not isinstance(name, str) or unknown:
        raise ValueError("entry %r: unknown members %s" % (name, sorted(unknown)))
    boundary = value.get("changed_in")
    plain = dict(value)
    if isinstance(boundary, str):
        plain["changed_in"] = dict.fromkeys(value.get("packages", ()), boundary)
    plain["when"] = [dict(c, test=c.get("is", c.get("test"))) for c in value.get("when", ())]
    entry = codec.decode(Entry, plain, "entry " + name)
    problem = _problem(entry)
    if problem:
        raise ValueError("entry %s: %s" % (name, problem))
    return entry


def to_json(entry: Entry) -> Dict[str, Any]:
    """Return the members of ``entry`` that do not have their default, as `from_json` reads them."""
    plain: Dict[str, Any] = codec.encode(entry)
    defaults = Entry._field_defaults
    kept = {n: v for n, v in plain.items() if n not in defaults or v != codec.encode(defaults[n])}
    for condition in kept.get("when", ()):
        condition["is"] = condition.pop("test")
        for member, empty in (("values", []), ("inside", None)):
            if condition[member] == empty:
                del condition[member]
    return kept


def _problem(entry: Entry) -> str:
    """Return what is wrong with ``entry``, "" where nothing is."""
    if entry.certainty not in (KNOWN, POSSIBLE):
        return "certainty is %r" % entry.certainty
    if set(entry.changed_in) != set(entry.packages):
        return "changed_in does not name the packages"
    limits = [entry.changed_after, entry.applies_from, entry.restore_old_until]
    named = [*entry.changed_in.values(), *(limit for limit in limits if limit)]
    wrong = [version for version in named if not versions.is_version(version)]
    if wrong:
        return "not a version: %s" % wrong[0]
    tests = [c.test for c in entry.when if c.test not in TESTS]
    if tests:
        return "unknown test %r" % tests[0]
    if not entry.symbols or not entry.source.get("title"):
        return "no symbols or no source"
    return ""


def span(entry: Entry, package: str, old: str, new: str) -> str:
    """Return what going from ``old`` to ``new`` of ``package`` crosses, in either direction.

    "whole": the change for certain. "part": a stretch of releases in which it may lie. "": not it.
    """
    boundary = entry.changed_in.get(package)
    if boundary is None or not (versions.is_version(old) and versions.is_version(new)):
        return ""
    low, high = sorted((versions.key(old)[:2], versions.key(new)[:2]))
    changed = versions.key(boundary)[:2]
    before = versions.key(entry.changed_after)[:2] if entry.changed_after else None
    if entry.applies_from and low < versions.key(entry.applies_from)[:2]:
        return ""
    if high < changed:
        return "part" if before is not None and high > before else ""
    if before is None:
        return "whole" if low < changed else ""
    if low <= before:
        return "whole"
    return "part" if low < changed else ""
