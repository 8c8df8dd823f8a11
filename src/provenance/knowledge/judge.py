"""What a known behaviour change means for the calls of one run: effect, reason, remedy.

Pure, and without records: a lock's part for the drop-in test is judged with the same rules, before
anybody has the other version.
The two directions are one rule: going back to an older release swaps old and new, and the remedy
with them.
"""

from __future__ import annotations

from typing import List, Mapping, NamedTuple, Optional, Sequence, Tuple

from provenance.core._types import is_class
from provenance.core.difference import KNOWN, POSSIBLE
from provenance.core.uses import UNRESOLVED, Use
from provenance.core.verdict import Reason, rank
from provenance.core.versions import is_version, key
from provenance.knowledge.entry import Entry, span
from provenance.knowledge.sites import Struck, matches, places_of, struck

LEVEL = "L1"
MOST_PLACES = 20
SHOWN_PLACES = 3
PYTHON_ITSELF = "python"
"""The name under which entries on Python itself stand among the packages."""


class Judged(NamedTuple):
    """An entry that applies: its effect on this run, the reason, and where it strikes."""

    entry: Entry
    effect: str
    reason: Reason
    where: Tuple[str, ...]


def judge(
    entries: Sequence[Entry],
    package: str,
    old: str,
    new: str,
    uses: Sequence[Use],
    gpu: Optional[bool] = None,
) -> List[Judged]:
    """Return the ``entries`` that going from ``old`` to ``new`` of ``package`` makes apply.

    gpu: whether the run had a CUDA GPU, None where not known.
    """
    found = []
    for one in entries:
        crossed = span(one, package, old, new)
        if not crossed or (one.gpu and gpu is False):
            continue
        hits = struck(one, uses)
        if hits:
            sure = crossed == "whole" and (not one.gpu or gpu is True)
            found.append(_judged(one, package, old, new, hits, sure))
    return sorted(found, key=lambda j: (-rank(j.effect), j.where, j.entry.id))


def teller(entry: Entry, changed: Mapping[str, Tuple[str, str]]) -> str:
    """Return the package whose change of version tells of ``entry``: the first that crosses it."""
    for package in entry.packages:
        if package in changed and span(entry, package, *changed[package]):
            return package
    return ""


def _judged(
    entry: Entry, package: str, old: str, new: str, hits: Sequence[Struck], sure: bool
) -> Judged:
    certain = [hit for hit in hits if hit.sure]
    effect = KNOWN if certain and sure and entry.certainty == KNOWN else POSSIBLE
    shown = certain or list(hits)
    where = places_of(shown)
    forward = key(old) < key(new)
    why = shown[0].why
    if entry.parameter and why.startswith(entry.parameter + " not passed"):
        why = why[len(entry.parameter) + 1 :]
    text = "%s; %s at %s" % (_line(entry, shown[0].use, forward), why, _places(where))
    reason = Reason(
        LEVEL,
        text,
        "%s: %s" % (shown[0].why, entry.effect),
        _source(entry),
        remedy(entry, package, old, new),
        where[:MOST_PLACES],
        effect,
    )
    return Judged(entry, effect, reason, where[:MOST_PLACES])


def _line(entry: Entry, use: Use, forward: bool) -> str:
    """Return the change in one line: ``KMeans(n_init) default 10 -> 'auto'``."""
    old, new = (entry.old, entry.new) if forward else (entry.new, entry.old)
    name = _name(entry, use)
    if not (old and new):
        return "%s: %s changed" % (name, entry.what)
    if entry.parameter and entry.what.startswith("default"):
        return "%s(%s) default %s -> %s" % (name, entry.parameter, old, new)
    return "%s: %s: %s -> %s" % (name, entry.what, old, new)


def _name(entry: Entry, use: Use) -> str:
    """Return the short name of what is used: the class, or class and method."""
    symbol = use.symbol
    while entry.reads and not any(matches(pattern, symbol) for pattern in entry.symbols):
        if "." not in symbol:
            break
        symbol = symbol.rpartition(".")[0]
    if symbol.startswith(UNRESOLVED):
        name = symbol[len(UNRESOLVED) :]
        symbol = next((s for s in entry.symbols if s.endswith("." + name)), symbol)
    parts = symbol.replace(".__getitem__", "[...]").replace(".__setitem__", "[...] =").split(".")
    while len(parts) > 1 and not is_class(parts[0]):
        parts.pop(0)
    return ".".join(parts[-1:] if is_class(parts[-1]) else parts)


def _places(where: Sequence[str]) -> str:
    more = len(where) - SHOWN_PLACES
    shown = ", ".join(where[:SHOWN_PLACES])
    return shown + (" and %d more" % more if more > 0 else "")


def _source(entry: Entry) -> str:
    address = entry.source.get("url", "")
    return entry.source["title"] + (" <%s>" % address if address else "")


def remedy(entry: Entry, package: str, old: str, new: str) -> str:
    """Return code that keeps the recorded behaviour, and the command that restores the version."""
    forward = key(old) < key(new)
    code = entry.restore_old if forward else entry.restore_new
    until = entry.restore_old_until
    if forward and until and is_version(new) and key(new) >= key(until):
        code = ""
    restore = (
        "use Python " + old if package == PYTHON_ITSELF else "pip install %s==%s" % (package, old)
    )
    if not code:
        return restore
    argument = entry.parameter and code.startswith(entry.parameter + "=")
    return "%s%s   or   %s" % ("add " if argument else "", code, restore)
